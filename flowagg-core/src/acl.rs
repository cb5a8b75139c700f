//! The access control list (ACL) of a bucket: its grants to anyone but the bucket owner.

use std::collections::BTreeSet;
use std::fmt;

/// The canonical users of CloudFront standard logging (legacy), in the AWS Regions and in the China Regions.
///
/// Source: "Configure standard logging (legacy)" (Amazon CloudFront Developer Guide).
const CLOUDFRONT_LOGS: [&str; 2] = [
    "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
    "a52cb28745c0c06e84ec548334e44bfa7fc2a85c54af20cd59e4969344b7af56",
];

/// The grants of an ACL to anyone but the bucket owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Acl {
    pub grants: BTreeSet<AclGrant>,
}

impl Acl {
    /// The grants that `BlockPublicAcls` and `IgnorePublicAcls` would disable: those to a group that is not known to be private.
    ///
    /// Source: "The meaning of public" (Amazon S3 User Guide): grants to `AllUsers` and `AuthenticatedUsers`.
    pub fn public(&self) -> impl Iterator<Item = &AclGrant> {
        self.grants.iter().filter(|grant| {
            matches!(grant.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers | Grantee::Group(_))
        })
    }
}

impl FromIterator<AclGrant> for Acl {
    fn from_iter<I: IntoIterator<Item = AclGrant>>(grants: I) -> Self {
        Self { grants: grants.into_iter().collect() }
    }
}

/// One grant of an ACL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct AclGrant {
    pub grantee: Grantee,
    /// The permission: `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub permission: String,
}

impl AclGrant {
    /// A grant of this permission, as S3 names it.
    pub fn new(grantee: Grantee, permission: impl Into<String>) -> Self {
        Self { grantee, permission: permission.into() }
    }
}

impl fmt::Display for AclGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.permission, self.grantee)
    }
}

/// The grantee of an ACL grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantee {
    /// Everyone, signed in or not.
    AllUsers,
    /// Every AWS account.
    AuthenticatedUsers,
    /// The group of S3 server access logging.
    LogDelivery,
    /// CloudFront standard logging.
    CloudFrontLogs,
    /// Another group, by its URI.
    Group(String),
    /// Another canonical user, by ID.
    CanonicalUser(String),
    /// A grantee in a form that S3 does not document for responses.
    Other(String),
}

impl Grantee {
    /// A predefined group, by its URI.
    ///
    /// Source: "Amazon S3 predefined groups" (Amazon S3 User Guide).
    pub fn from_group_uri(uri: &str) -> Self {
        match uri.rsplit_once("/groups/").map_or("", |(_, name)| name) {
            "global/AllUsers" => Self::AllUsers,
            "global/AuthenticatedUsers" => Self::AuthenticatedUsers,
            "s3/LogDelivery" => Self::LogDelivery,
            _ => Self::Group(uri.to_owned()),
        }
    }

    /// A user, by canonical ID.
    pub fn from_canonical_id(id: &str) -> Self {
        if CLOUDFRONT_LOGS.contains(&id) {
            return Self::CloudFrontLogs;
        }
        Self::CanonicalUser(id.to_owned())
    }
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllUsers => f.write_str("everyone (`AllUsers`)"),
            Self::AuthenticatedUsers => f.write_str("every AWS account (`AuthenticatedUsers`)"),
            Self::LogDelivery => f.write_str("S3 server access logging (`LogDelivery`)"),
            Self::CloudFrontLogs => f.write_str("CloudFront standard logging (`awslogsdelivery`)"),
            Self::Group(uri) => write!(f, "the group `{uri}`"),
            Self::CanonicalUser(id) => write!(f, "the canonical user `{id}`"),
            Self::Other(text) => write!(f, "`{text}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_to_possibly_public_groups_are_public() {
        let grant = |grantee| AclGrant { grantee, permission: "READ".to_owned() };
        let group = |name: &str| Grantee::from_group_uri(&format!("http://acs.amazonaws.com/groups/{name}"));
        let cloudfront = Grantee::from_canonical_id(CLOUDFRONT_LOGS[0]);
        assert_eq!(cloudfront, Grantee::CloudFrontLogs);
        for (grantee, is_public) in [
            (group("global/AllUsers"), true),
            (group("global/AuthenticatedUsers"), true),
            (group("global/Unheard"), true),
            (group("s3/LogDelivery"), false),
            (cloudfront, false),
            (Grantee::from_canonical_id("af12"), false),
        ] {
            let acl = Acl { grants: BTreeSet::from([grant(grantee)]) };
            assert_eq!(acl.public().count() == 1, is_public, "{acl:?}");
        }
    }
}
