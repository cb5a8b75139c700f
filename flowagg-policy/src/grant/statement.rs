//! A statement of ours, as a value: what `write` puts into text and `read` finds in it.

use std::collections::BTreeSet;

use flowagg_core::fleet::AclCondition;
use flowagg_core::id::{AccountId, FleetMark, OrganizationId, OrganizationalUnitId, Region};

/// What a statement of ours is for. The order is that of a new policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Write,
    AclCheck,
    DenyOthers,
    DenyInsecureTransport,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Write, Self::AclCheck, Self::DenyOthers, Self::DenyInsecureTransport];

    /// How the Sid of such a statement starts: for the two that AWS documents, with AWS's own Sid.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Write => "AWSLogDeliveryWrite",
            Self::AclCheck => "AWSLogDeliveryAclCheck",
            Self::DenyOthers => "DenyOtherAccounts",
            Self::DenyInsecureTransport => "DenyInsecureTransport",
        }
    }
}

/// What stands between the kind and the mark in a Sid.
const MAKER: &str = "Flowagg";

/// The Sid of a statement that flowagg writes: `AWSLogDeliveryWriteFlowaggAcmeLogs`, with a number after the kind from the
/// second on. AWS's own Sids have no mark: AWS writes the same two statements for other kinds of logs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sid {
    /// The statements of one group have one number.
    pub(crate) number: u32,
    pub(crate) kind: Kind,
    /// The fleet whose statement it is.
    pub(crate) mark: FleetMark,
}

impl Sid {
    /// Reads a Sid; `None` if flowagg writes no such Sid for any fleet.
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
    /// Reads AWS's own Sid, as if it had this mark.
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

impl Source {
    /// The organization whose members may deliver, and its units; none stands for all of it.
    pub(crate) fn of_organization(&self) -> Option<(&OrganizationId, BTreeSet<OrganizationalUnitId>)> {
        match (&self.organization, &self.units) {
            (Some(id), _) => Some((id, BTreeSet::new())),
            (None, Some((id, units))) => Some((id, units.clone())),
            (None, None) => None,
        }
    }
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
    fn a_sid_is_read_as_it_is_written() {
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
    fn a_sid_without_a_mark_is_nobodys() {
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
