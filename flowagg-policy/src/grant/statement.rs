//! A statement of ours, as a value: what `write` puts into text and `read` finds in it.

use std::collections::BTreeSet;

use flowagg_core::fleet::AclCondition;
use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId, Region};

/// What a statement of ours is for. The order is that of a new policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Write,
    AclCheck,
    DenyOthers,
    DenyInsecureTransport,
}

impl Kind {
    /// The Sid of the first such statement. AWS's own for the two that AWS documents, ours for the rest.
    pub(crate) fn sid(self) -> &'static str {
        match self {
            Self::Write => "AWSLogDeliveryWrite",
            Self::AclCheck => "AWSLogDeliveryAclCheck",
            Self::DenyOthers => "FlowaggDenyOtherAccounts",
            Self::DenyInsecureTransport => "FlowaggDenyInsecureTransport",
        }
    }

    /// What a Sid is the name of, and the number at its end: statements of one grant bear the same.
    pub(crate) fn of_sid(sid: &str) -> Option<(Self, u32)> {
        let name = sid.trim_end_matches(|c: char| c.is_ascii_digit());
        let kind = match name {
            // What AWS's page called the check in 2021, and a pattern of Prescriptive Guidance still does.
            "AWSLogDeliveryCheck" => Self::AclCheck,
            _ => [Self::Write, Self::AclCheck, Self::DenyOthers, Self::DenyInsecureTransport]
                .into_iter()
                .find(|kind| kind.sid() == name)?,
        };
        match sid.strip_prefix(name)? {
            "" => Some((kind, 1)),
            number => number.parse().ok().filter(|n| *n > 1 && !number.starts_with('0')).map(|n| (kind, n)),
        }
    }
}

/// A statement of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    Write(Write),
    AclCheck(AclCheck),
    DenyOthers(DenyOthers),
    DenyInsecureTransport,
}

impl Statement {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Write(_) => Kind::Write,
            Self::AclCheck(_) => Kind::AclCheck,
            Self::DenyOthers(_) => Kind::DenyOthers,
            Self::DenyInsecureTransport => Kind::DenyInsecureTransport,
        }
    }
}

/// The service may put objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) folders: Folders,
    pub(crate) source: Source,
    pub(crate) acl: AclCondition,
}

/// Where it may put them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folders {
    /// Under the folders of these accounts.
    Each(BTreeSet<AccountId>),
    /// Under any account's folder.
    Any,
    /// Under the folder of the account whose flow log it is: `${aws:SourceAccount}`.
    Own,
    /// Anywhere in the bucket. Read only, never written.
    Bucket,
}

/// The service may read the bucket's ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AclCheck {
    pub(crate) actions: AclActions,
    pub(crate) source: Source,
}

/// The actions of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AclActions {
    /// `s3:GetBucketAcl`.
    Acl,
    /// And `s3:ListBucket`.
    AclAndList,
    /// `s3:Get*` and `s3:List*`, as AWS's page had it for a while. Read only, never written.
    AllReads,
}

/// The service may do nothing for accounts that are not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DenyOthers {
    pub(crate) accounts: BTreeSet<AccountId>,
}

/// On whose behalf the service acts. What is `None` is not tested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) accounts: Option<BTreeSet<AccountId>>,
    pub(crate) organization: Option<OrganizationId>,
    pub(crate) units: Option<(OrganizationId, BTreeSet<OrganizationalUnitId>)>,
    pub(crate) arns: Option<BTreeSet<SourceArn>>,
}

/// `arn:PARTITION:logs:REGION:ACCOUNT:*`; a region that is `None` is `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceArn {
    pub(crate) account: AccountId,
    pub(crate) region: Option<Region>,
}

impl Write {
    /// The accounts that the statement names, those that may deliver under their own folder. `None`: it names none.
    pub(crate) fn accounts(&self) -> Option<BTreeSet<AccountId>> {
        let arns =
            self.source.arns.as_ref().map(|arns| arns.iter().map(|arn| arn.account).collect::<BTreeSet<_>>());
        let folders = match &self.folders {
            Folders::Each(accounts) => Some(accounts.clone()),
            _ => None,
        };
        [folders, self.source.accounts.clone(), arns].into_iter().flatten().reduce(|a, b| &a & &b)
    }

    /// Whether any account at all may deliver.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.folders, Folders::Each(_)) && self.source == Source::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_names_a_kind_and_a_number() {
        assert_eq!(Kind::of_sid("AWSLogDeliveryWrite"), Some((Kind::Write, 1)));
        assert_eq!(Kind::of_sid("AWSLogDeliveryAclCheck12"), Some((Kind::AclCheck, 12)));
        assert_eq!(Kind::of_sid("AWSLogDeliveryCheck"), Some((Kind::AclCheck, 1)));
        for other in [
            "",
            "2",
            "AWSLogDeliveryWrite1",
            "AWSLogDeliveryWrite02",
            "awslogdeliverywrite",
            "AWSLogDelivery",
        ] {
            assert_eq!(Kind::of_sid(other), None, "{other}");
        }
    }
}
