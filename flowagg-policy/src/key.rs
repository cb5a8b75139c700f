//! Checks whether the policy of a KMS key lets the delivery service use the key for an encrypted bucket, and builds the
//! missing statement if not. Key policies are never written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flowagg_core::id::{AccountId, BucketName, KmsKeyArn, Partition, Region};
use flowagg_core::layout::{FileName, Layout};
use serde::Serialize;

use crate::document::{Document, DocumentError};
use crate::evaluate::{Decision, DecisionKind, Delivery, Membership, Owner, Policy};
use crate::grant::list;
use crate::service::DELIVERY_SERVICE;

/// The largest key policy, in bytes.
///
/// Source: "Resource quotas" (AWS KMS Developer Guide). The page does not state whether whitespace counts; here it
/// does.
pub const LIMIT: usize = 32_768;

/// The actions that AWS documents for the delivery service.
///
/// Source: "Logs sent to Amazon S3", server-side encryption (Amazon CloudWatch Logs User Guide).
const DOCUMENTED: [&str; 5] =
    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];

/// The actions that a delivery requires: a new data key for each object, and decryption for multipart uploads.
///
/// Source: "Using server-side encryption with AWS KMS keys", permissions (Amazon S3 User Guide).
const NEEDED: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];

/// The Sid of the missing statement; a number is appended if the policy already uses it.
const SID: &str = "AWSLogDeliveryUseOfKey";

/// Memberships when nothing is known.
static NO_MEMBERSHIPS: BTreeMap<AccountId, Membership> = BTreeMap::new();

/// The key of an encrypted bucket and the accounts that deliver to the bucket.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct KeyUse<'a> {
    pub key: &'a KmsKeyArn,
    /// The bucket encrypted with the key.
    pub bucket: &'a BucketName,
    /// How the folders in the bucket are named.
    pub layout: &'a Layout,
    /// Whether the bucket uses an S3 Bucket Key, which determines the encryption context. `None`: unknown, so the
    /// service must be able to use the key either way.
    pub bucket_key: Option<bool>,
    /// The accounts and their regions; an empty set means any region of the partition.
    pub accounts: &'a BTreeMap<AccountId, BTreeSet<Region>>,
    /// The known organization memberships of accounts.
    pub memberships: &'a BTreeMap<AccountId, Membership>,
    /// The owner of the bucket, if known.
    pub owner: Option<&'a Owner>,
}

impl<'a> KeyUse<'a> {
    /// Creates a key use. Whether the bucket uses a Bucket Key, its owner, and the organizations of the accounts are
    /// unknown until they are set.
    pub fn new(
        key: &'a KmsKeyArn,
        bucket: &'a BucketName,
        layout: &'a Layout,
        accounts: &'a BTreeMap<AccountId, BTreeSet<Region>>,
    ) -> Self {
        Self { key, bucket, layout, bucket_key: None, accounts, memberships: &NO_MEMBERSHIPS, owner: None }
    }
}

/// Whether the delivery service may use a key. Without refusals and undecided accounts, it may use the key for every
/// account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyAccess {
    /// The accounts for which the delivery service may not use the key, in order, each with its first refusal.
    pub refusals: Vec<Refusal>,
    /// The accounts for which access depends on condition keys with unknown values, each with its first such decision.
    pub undecided: Vec<Refusal>,
    /// The statement to add, as compact JSON on one line. `None` if no account needs one; then only Deny statements
    /// block access.
    pub statement: Option<String>,
    /// How to fix it, one sentence each.
    pub help: Vec<String>,
}

/// A request that the key policy does not certainly allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Refusal {
    pub account: AccountId,
    /// The region of its flow logs; `None` for any region.
    pub region: Option<Region>,
    /// The KMS action.
    pub action: &'static str,
    /// The decision of the policy.
    pub decision: Decision,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, action, decision } = self;
        write!(f, "log delivery for {account} in ")?;
        match region {
            Some(region) => region.fmt(f)?,
            None => f.write_str("any region")?,
        }
        let verb = if decision.is_denied() { "cannot" } else { "may not be able to" };
        write!(f, " {verb} use the key with `{action}`: {decision}")
    }
}

/// An error in reading the policy of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy of the key {key} cannot be read: {fault}")]
pub struct KeyPolicyError {
    key: KmsKeyArn,
    #[source]
    fault: DocumentError,
}

impl KeyPolicyError {
    /// How to fix it, as an imperative sentence.
    pub fn help(&self) -> &'static str {
        match self.fault {
            DocumentError::Large { .. } => {
                "check that this is a key policy; KMS accepts at most 32,768 bytes"
            }
            _ => self.fault.help(),
        }
    }
}

/// Evaluates the policy of a key for every account and region with the requests of the delivery service.
///
/// Only the key policy is evaluated, not grants of the key or policies of its organization.
pub fn ask(policy: &str, asked: &KeyUse<'_>) -> Result<KeyAccess, KeyPolicyError> {
    let unreadable = |fault| KeyPolicyError { key: asked.key.clone(), fault };
    let document = Document::parse(policy).map_err(unreadable)?;
    let whole = Policy::compile(policy).map_err(unreadable)?;
    let allowing = Policy::compile(policy).map_err(unreadable)?.without_denials();

    let mut refusals = Vec::new();
    let mut undecided = Vec::new();
    for account in asked.accounts.keys() {
        match asked.first(&whole, *account, Decision::is_denied) {
            Some(refusal) => refusals.push(refusal),
            None => undecided.extend(asked.first(&whole, *account, |decision| !decision.is_allowed())),
        }
    }
    let lacking: BTreeSet<AccountId> = refusals
        .iter()
        .map(|refusal| refusal.account)
        .filter(|account| asked.first(&allowing, *account, Decision::is_denied).is_some())
        .collect();

    let mut help = Vec::new();
    let statement = (!lacking.is_empty()).then(|| {
        let sids: BTreeSet<&str> = document.statements().filter_map(|statement| statement.sid()).collect();
        let numbered = (2..).map(|number: u32| format!("{SID}{number}"));
        let mut free =
            std::iter::once(SID.to_owned()).chain(numbered).filter(|sid| !sids.contains(sid.as_str()));
        let sid = free.next().unwrap_or_default();
        // The statement and its comma.
        let room = LIMIT.saturating_sub(policy.len() + 1);
        let (statement, advice) = asked.statement(&sid, &lacking, room);
        help.push(advice);
        statement
    });
    let mut denying = BTreeSet::new();
    for refusal in refusals.iter().filter(|refusal| refusal.decision.kind == DecisionKind::ExplicitDeny) {
        denying.extend(refusal.decision.statement.as_ref().map(ToString::to_string));
    }
    help.extend(denying.into_iter().map(|statement| {
        format!("remove statement {statement} from the key policy or exempt `{DELIVERY_SERVICE}` from it; no other statement can override a Deny")
    }));
    Ok(KeyAccess { refusals, undecided, statement, help })
}

impl KeyUse<'_> {
    fn partition(&self) -> Partition {
        let text = self.key.as_str().split(':').nth(1).unwrap_or_default();
        Partition::parse(text).unwrap_or(Partition::Aws)
    }

    /// The first request for this account whose decision matches.
    fn first(
        &self,
        policy: &Policy,
        account: AccountId,
        such: impl Fn(&Decision) -> bool,
    ) -> Option<Refusal> {
        let regions = self.accounts.get(&account)?;
        let mut regions: Vec<Option<&Region>> = regions.iter().map(Some).collect();
        if regions.is_empty() {
            regions.push(None);
        }
        for region in regions {
            let delivery = self.delivery(account, region);
            for action in NEEDED {
                for context in self.contexts(account, region) {
                    let decision = policy.decide(&delivery.use_key(action, self.key, &context));
                    if such(&decision) {
                        return Some(Refusal { account, region: region.cloned(), action, decision });
                    }
                }
            }
        }
        None
    }

    fn delivery(&self, account: AccountId, region: Option<&Region>) -> Delivery {
        let delivery = match region {
            Some(region) => Delivery::new(account, region.clone()),
            None => Delivery::from_any_region(account, self.partition()),
        };
        let membership = self.memberships.get(&account).cloned().unwrap_or_default();
        delivery.with_membership(membership).with_owner(self.owner.cloned())
    }

    /// The encryption contexts that S3 may send: the bucket's ARN with a Bucket Key, the object's ARN without one.
    ///
    /// Source: "Changes to note before enabling an S3 Bucket Key" (Amazon S3 User Guide).
    fn contexts(&self, account: AccountId, region: Option<&Region>) -> Vec<String> {
        let bucket = format!("arn:{}:s3:::{}", self.partition(), self.bucket);
        let name = FileName::example(account, region.unwrap_or(self.key.region()));
        let object = format!("{bucket}/{}", self.layout.key(&name));
        match self.bucket_key {
            Some(true) => vec![bucket],
            Some(false) => vec![object],
            None => vec![bucket, object],
        }
    }

    /// The statement for these accounts, and the advice for it.
    fn statement(&self, sid: &str, accounts: &BTreeSet<AccountId>, room: usize) -> (String, String) {
        let documented = self.text(sid, accounts, true);
        if documented.len() <= room {
            let advice =
                format!("add the statement to the policy of {} and keep the existing statements", self.key);
            return (documented, advice);
        }
        let shorter = self.text(sid, accounts, false);
        let advice = if shorter.len() <= room {
            format!(
                "add the statement to the policy of {} and keep the existing statements; it omits `aws:SourceArn`, which would \
                 exceed the KMS limit of {LIMIT} bytes",
                self.key
            )
        } else {
            format!(
                "the statement does not fit: the policy of {} would exceed the KMS limit of {LIMIT} bytes; remove other \
                 statements, split the accounts among several buckets and keys, or test `aws:SourceOrgID` instead of the list \
                 if all accounts of your organization may deliver (AWS documents that key for bucket policies, but shows no \
                 key policy with it)",
                self.key
            )
        };
        (shorter, advice)
    }

    fn text(&self, sid: &str, accounts: &BTreeSet<AccountId>, with_regions: bool) -> String {
        let mut out = format!(
            "{{\"Sid\":\"{sid}\",\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\"{DELIVERY_SERVICE}\"}},\"Action\":"
        );
        list(&mut out, DOCUMENTED);
        out += ",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"aws:SourceAccount\":";
        list(&mut out, accounts);
        out.push('}');
        if with_regions {
            let partition = self.partition();
            let arns = accounts.iter().flat_map(|account| {
                let regions = self.accounts.get(account).into_iter().flatten().map(Region::as_str);
                let any = self.accounts.get(account).is_none_or(BTreeSet::is_empty).then_some("*");
                regions.chain(any).map(move |region| format!("arn:{partition}:logs:{region}:{account}:*"))
            });
            out += ",\"ArnLike\":{\"aws:SourceArn\":";
            list(&mut out, arns);
            out.push('}');
        }
        out += "}}";
        out
    }
}
