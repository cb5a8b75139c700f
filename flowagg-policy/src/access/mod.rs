//! Which accounts may deliver before and after a change to a bucket policy. Every answer is an evaluation of both requests that a
//! delivery takes: the check of the bucket's ACL and the write to the account's folder.

mod named;

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::{AccountId, BucketName, Partition, Region};

use crate::document::{DocumentError, NOTHING};
use crate::evaluate::{Decision, Delivery, Policy};
use crate::grant::Grant;

pub(crate) use named::named;
pub use named::{LogRoot, Mentioned, mentioned};

/// Deliveries to evaluate, by account. Their requests are made when a policy is evaluated: there may be many.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(BTreeMap<AccountId, Vec<Asked>>);

/// A delivery: the bucket, and the key of the object.
#[derive(Debug)]
struct Asked {
    delivery: Delivery,
    bucket: BucketName,
    key: String,
}

/// Whether a policy allows a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Allowed,
    Denied,
    /// It depends on these condition keys, whose values are not known.
    Depends(BTreeSet<String>),
}

/// The answers for each account, in the order of its deliveries.
pub(crate) type Answers = BTreeMap<AccountId, Vec<Answer>>;

/// What a change does to accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccessChange {
    /// Accounts that may deliver from a region, or to a folder, from or to which they could not.
    pub(crate) granted: BTreeSet<AccountId>,
    /// Accounts that could deliver from a region, or to a folder, and no longer may.
    pub(crate) revoked: BTreeSet<AccountId>,
    /// Accounts that may deliver from a region, or to a folder, before and after.
    pub(crate) steady: BTreeSet<AccountId>,
    /// Accounts for which a delivery depended on condition keys whose values are not known, and that no longer may deliver.
    pub(crate) closed: BTreeSet<AccountId>,
    /// Accounts for which a delivery newly depends on condition keys whose values are not known, with these keys.
    pub(crate) undecided: BTreeMap<AccountId, BTreeSet<String>>,
}

impl Deliveries {
    /// The deliveries of accounts, from these regions, to their folders as the grant names them.
    pub(crate) fn of_grant(grant: &Grant, regions: &BTreeMap<AccountId, BTreeSet<Region>>) -> Self {
        let of = |account: AccountId, region: &Region| Asked {
            delivery: grant.delivery(account, region),
            bucket: grant.bucket.clone(),
            key: grant.key(account, region),
        };
        let deliveries = regions.iter().map(|(account, regions)| {
            (*account, regions.iter().map(|region| of(*account, region)).collect())
        });
        Self(deliveries.collect())
    }

    /// The answers of a policy; without one, every delivery is denied.
    pub(crate) fn answers(&self, policy: Option<&str>) -> Result<Answers, DocumentError> {
        let [answers] = self.answers_of_each([policy])?;
        Ok(answers)
    }

    /// The answers of several policies. Making the requests of a delivery takes longer than to evaluate a policy for them.
    pub(crate) fn answers_of_each<const N: usize>(
        &self,
        policies: [Option<&str>; N],
    ) -> Result<[Answers; N], DocumentError> {
        let compiled: Vec<Policy> = policies
            .into_iter()
            .map(|policy| Policy::compile(policy.unwrap_or(NOTHING)))
            .collect::<Result<_, _>>()?;
        let mut answers = [(); N].map(|()| Answers::new());
        for (account, asked) in &self.0 {
            for answers in &mut answers {
                answers.insert(*account, Vec::with_capacity(asked.len()));
            }
            for Asked { delivery, bucket, key } in asked {
                let requests = delivery.requests(bucket, key);
                for (policy, answers) in compiled.iter().zip(&mut answers) {
                    let decisions = requests.each_ref().map(|request| policy.decide(request));
                    answers.entry(*account).or_default().push(answer(decisions));
                }
            }
        }
        Ok(answers)
    }
}

/// The answer for a delivery that takes all of these requests.
pub(crate) fn answer(decisions: [Decision; 2]) -> Answer {
    if decisions.iter().any(Decision::is_denied) {
        return Answer::Denied;
    }
    if decisions.iter().all(Decision::is_allowed) {
        return Answer::Allowed;
    }
    Answer::Depends(decisions.into_iter().flat_map(|decision| decision.depends_on).collect())
}

/// What changes from one policy's answers to another's about the same deliveries.
pub(crate) fn change(before: &Answers, after: &Answers) -> AccessChange {
    let mut change = AccessChange::default();
    for ((account, before), after) in before.iter().zip(after.values()) {
        if before.contains(&Answer::Allowed) && after.contains(&Answer::Allowed) {
            change.steady.insert(*account);
        }
        for (before, after) in before.iter().zip(after) {
            match after {
                _ if before == after => {}
                Answer::Allowed => {
                    change.granted.insert(*account);
                }
                Answer::Denied if *before == Answer::Allowed => {
                    change.revoked.insert(*account);
                }
                Answer::Denied => {
                    change.closed.insert(*account);
                }
                Answer::Depends(keys) => {
                    change.undecided.entry(*account).or_default().extend(keys.iter().cloned());
                }
            }
        }
    }
    change
}

/// A region of the partition that no fleet file names: what a grant allows from it, it allows from any.
pub(crate) fn unnamed_region(partition: Partition) -> Option<Region> {
    let code = match partition {
        Partition::Aws => "us-unnamed-1",
        Partition::AwsCn => "cn-unnamed-1",
        Partition::AwsUsGov => "us-gov-unnamed-1",
    };
    Region::parse(code).ok()
}
