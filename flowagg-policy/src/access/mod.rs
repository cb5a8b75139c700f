//! The accounts that may deliver before and after a change to a bucket policy. Every answer evaluates both requests of
//! a delivery: the check of the bucket's ACL and the write to the account's folder.

mod named;

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::{AccountId, BucketName, Partition, Region};

use crate::document::{DocumentError, NOTHING};
use crate::evaluate::{Decision, Delivery, Policy};
use crate::grant::Grant;

pub(crate) use named::named;
pub use named::{LogRoot, Mentioned, mentioned};

/// Deliveries to evaluate, by account. Requests are only built during evaluation because there may be many.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(BTreeMap<AccountId, Vec<Asked>>);

/// A delivery with its bucket and object key.
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
    /// The result depends on these condition keys with unknown values.
    Depends(BTreeSet<String>),
}

/// The answers for each account, in the order of its deliveries.
pub(crate) type Answers = BTreeMap<AccountId, Vec<Answer>>;

/// The effects of a change on accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccessChange {
    /// Accounts that gain delivery from a region or to a folder.
    pub(crate) granted: BTreeSet<AccountId>,
    /// Accounts that lose delivery from a region or to a folder.
    pub(crate) revoked: BTreeSet<AccountId>,
    /// Accounts that keep delivery from a region or to a folder.
    pub(crate) steady: BTreeSet<AccountId>,
    /// Accounts that lose a delivery that depended on condition keys with unknown values.
    pub(crate) closed: BTreeSet<AccountId>,
    /// Accounts with a delivery that newly depends on condition keys with unknown values, and these keys.
    pub(crate) undecided: BTreeMap<AccountId, BTreeSet<String>>,
}

impl Deliveries {
    /// Deliveries of accounts from these regions to their folders in the layout of the grant.
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

    /// The answers of a policy; without a policy, every delivery is denied.
    pub(crate) fn answers(&self, policy: Option<&str>) -> Result<Answers, DocumentError> {
        let [answers] = self.answers_of_each([policy])?;
        Ok(answers)
    }

    /// The answers of several policies. Building the requests takes longer than evaluating them, so they are built only
    /// once.
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

/// The answer for a delivery that requires both decisions.
pub(crate) fn answer(decisions: [Decision; 2]) -> Answer {
    if decisions.iter().any(Decision::is_denied) {
        return Answer::Denied;
    }
    if decisions.iter().all(Decision::is_allowed) {
        return Answer::Allowed;
    }
    Answer::Depends(decisions.into_iter().flat_map(|decision| decision.depends_on).collect())
}

/// Compares the answers of two policies about the same deliveries.
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

/// A region of the partition that no fleet file names: a grant that allows this region allows every region.
pub(crate) fn unnamed_region(partition: Partition) -> Option<Region> {
    let code = match partition {
        Partition::Aws => "us-unnamed-1",
        Partition::AwsCn => "cn-unnamed-1",
        Partition::AwsUsGov => "us-gov-unnamed-1",
    };
    Region::parse(code).ok()
}
