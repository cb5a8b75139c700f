//! Managed statements as values, which `write` converts to text and `read` parses.

use std::collections::BTreeSet;

use flowagg_core::fleet::AclCondition;
use flowagg_core::id::{AccountId, FleetMark, OrganizationId, OrganizationalUnitId, Region};

/// The kind of a managed statement, in the order of a new policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Write,
    AclCheck,
    DenyOthers,
    DenyInsecureTransport,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Write, Self::AclCheck, Self::DenyOthers, Self::DenyInsecureTransport];

    /// The prefix of the Sid; for the two statements that AWS documents, AWS's own Sid.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Write => "AWSLogDeliveryWrite",
            Self::AclCheck => "AWSLogDeliveryAclCheck",
            Self::DenyOthers => "DenyOtherAccounts",
            Self::DenyInsecureTransport => "DenyInsecureTransport",
        }
    }
}

/// The part of a Sid between the kind and the mark.
const MAKER: &str = "Flowagg";

/// The Sid of a statement that flowagg writes: `AWSLogDeliveryWriteFlowaggAcmeLogs`, with a number after the kind from
/// the second group on. AWS's own Sids have no mark: AWS writes the same two statements for other kinds of logs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sid {
    /// The number of the group, shared by its statements.
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    /// The mark of the fleet that owns the statement.
    pub(crate) mark: FleetMark,
}

impl Sid {
    /// Parses a Sid; `None` if flowagg never writes it for any fleet.
    pub(crate) fn parse(sid: &str) -> Option<Self> {
        let (kind, rest) =
            Kind::ALL.into_iter().find_map(|kind| Some((kind, sid.strip_prefix(kind.word())?)))?;
        let mark = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = match rest.strip_suffix(mark)? {
            "" => 1,
            number => number.parse().ok().filter(|n| *n > 1 && !number.starts_with('0'))?,
        };
        Some(Self { number, kind, mark: FleetMark::parse(mark.strip_prefix(MAKER)?).ok()? })
    }
}

impl Sid {
    /// Parses AWS's own Sid as if it had this mark.
    pub(crate) fn unmarked(sid: &str, mark: FleetMark) -> Option<Self> {
        Self::parse(&format!("{sid}{MAKER}{mark}"))
    }
}

impl std::fmt::Display for Sid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.word())?;
        if self.number > 1 {
            write!(f, "{}", self.number)?;
        }
        write!(f, "{MAKER}{}", self.mark)
    }
}

/// A managed statement.
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

/// Allows the service to put objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) folders: Folders,
    pub(crate) source: Source,
    pub(crate) acl: AclCondition,
}

/// The folders that the service may write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folders {
    /// The folders of these accounts.
    Each(BTreeSet<AccountId>),
    /// The folder of any account.
    Any,
    /// The folder of the account that owns the flow log: `${aws:SourceAccount}`.
    Own,
}

/// Allows the service to read the bucket's ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AclCheck {
    pub(crate) actions: AclActions,
    pub(crate) source: Source,
}

/// The actions of the ACL check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AclActions {
    /// `s3:GetBucketAcl`.
    Acl,
    /// `s3:GetBucketAcl` and `s3:ListBucket`.
    AclAndList,
}

/// Denies the service every action for accounts that are not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DenyOthers {
    pub(crate) accounts: BTreeSet<AccountId>,
}

/// The conditions on the source that the service acts for. A field that is `None` is not tested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) accounts: Option<BTreeSet<AccountId>>,
    pub(crate) organization: Option<OrganizationId>,
    pub(crate) units: Option<(OrganizationId, BTreeSet<OrganizationalUnitId>)>,
    pub(crate) arns: Option<BTreeSet<SourceArn>>,
}

/// `arn:PARTITION:logs:REGION:ACCOUNT:*`; a region of `None` is written as `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceArn {
    pub(crate) account: AccountId,
    pub(crate) region: Option<Region>,
}

impl Source {
    /// The organization whose accounts may deliver, and its units; no units means the whole organization.
    pub(crate) fn of_organization(&self) -> Option<(&OrganizationId, BTreeSet<OrganizationalUnitId>)> {
        match (&self.organization, &self.units) {
            (Some(id), _) => Some((id, BTreeSet::new())),
            (None, Some((id, units))) => Some((id, units.clone())),
            (None, None) => None,
        }
    }
}

impl Write {
    /// The accounts that the statement names and that may deliver to their own folder. `None` if it names none.
    pub(crate) fn accounts(&self) -> Option<BTreeSet<AccountId>> {
        let arns =
            self.source.arns.as_ref().map(|arns| arns.iter().map(|arn| arn.account).collect::<BTreeSet<_>>());
        let folders = match &self.folders {
            Folders::Each(accounts) => Some(accounts.clone()),
            _ => None,
        };
        [folders, self.source.accounts.clone(), arns].into_iter().flatten().reduce(|a, b| &a & &b)
    }

    /// Whether every AWS account may deliver.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.folders, Folders::Each(_)) && self.source == Source::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sid_round_trips() {
        for (sid, number, kind) in [
            ("AWSLogDeliveryWriteFlowaggAcmeLogs", 1, Kind::Write),
            ("AWSLogDeliveryAclCheck12FlowaggAcmeLogs", 12, Kind::AclCheck),
            ("DenyOtherAccountsFlowagg0deadbeef", 1, Kind::DenyOthers),
            ("DenyInsecureTransport2FlowaggFlowaggAcme", 2, Kind::DenyInsecureTransport),
        ] {
            let read = Sid::parse(sid).unwrap();
            assert_eq!((read.number, read.kind, read.to_string().as_str()), (number, kind, sid));
        }
    }

    #[test]
    fn sid_without_a_valid_mark_is_not_managed() {
        for other in [
            "",
            "2",
            "AWSLogDeliveryWrite",
            "AWSLogDeliveryWrite2",
            "AWSLogDeliveryWriteFlowagg",
            "AWSLogDeliveryWriteFlowaggacme",
            "AWSLogDeliveryWriteFlowagg0DEADBEEF",
            "AWSLogDeliveryWrite1FlowaggAcme",
            "AWSLogDeliveryWrite02FlowaggAcme",
            "awslogdeliverywriteFlowaggAcme",
            "AWSLogDeliveryWriteFlowaggAcme-Logs",
            "MyAWSLogDeliveryWriteFlowaggAcme",
            "FlowaggDenyOtherAccounts",
        ] {
            assert_eq!(Sid::parse(other), None, "{other}");
        }
    }
}
