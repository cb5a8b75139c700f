//! AWS names and IDs: nearly every one that [`flowagg_core::id`] accepts.

use std::str::FromStr;

use flowagg_core::id::{
    AccountId, BucketName, ExternalId, FleetName, FlowLogId, IdError, KmsKeyArn, OrganizationId,
    OrganizationalUnitId, Partition, Prefix, Region, ResourceId, ResourceKind, RoleName,
};
use proptest::prelude::*;
use proptest::sample::select;

/// Parses a name that this module generated and that is therefore valid.
#[expect(clippy::expect_used, reason = "a strategy that generates an invalid name is a bug in this module")]
pub(super) fn known<T: FromStr<Err = IdError>>(text: &str) -> T {
    text.parse().expect("a valid name")
}

/// An account ID, possibly with leading zeros.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(account in id::account())| prop_assert_eq!(account.to_string().len(), 12));
/// ```
pub fn account() -> impl Strategy<Value = AccountId> {
    (0u64..1_000_000_000_000).prop_map(|number| known(&format!("{number:012}")))
}

/// The name of a fleet: usually plain words, sometimes any valid name.
///
/// ```
/// use flowagg_core::id::FleetName;
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(name in id::fleet_name())| prop_assert!(name.as_str().len() <= FleetName::LONGEST));
/// ```
pub fn fleet_name() -> impl Strategy<Value = FleetName> {
    prop_oneof!["[a-z][a-z0-9]{0,8}(-[a-z][a-z0-9]{0,8}){0,2}", "[a-z0-9]([a-z0-9.-]{0,78}[a-z0-9])?"]
        .prop_map(|text| known(&text))
}

/// The ID of an organization.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(id in id::organization())| prop_assert!(id.as_str().starts_with("o-")));
/// ```
pub fn organization() -> impl Strategy<Value = OrganizationId> {
    "o-[a-z0-9]{10,32}".prop_map(|text| known(&text))
}

/// The ID of an organizational unit.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(unit in id::unit())| prop_assert!(unit.as_str().starts_with("ou-")));
/// ```
pub fn unit() -> impl Strategy<Value = OrganizationalUnitId> {
    "ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}".prop_map(|text| known(&text))
}

/// A partition; shrinks to `aws`.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(partition in id::partition())| prop_assert!(partition.as_str().starts_with("aws")));
/// ```
pub fn partition() -> impl Strategy<Value = Partition> {
    select(Partition::ALL.to_vec())
}

/// Some regions of a partition, in a fixed order: old and new ones, with every number of parts that a code can have.
///
/// ```
/// use flowagg_core::id::Partition;
///
/// assert_eq!(flowagg_testkit::arbitrary::id::regions(Partition::AwsCn).len(), 2);
/// ```
pub fn regions(partition: Partition) -> Vec<Region> {
    let codes: &[&str] = match partition {
        Partition::Aws => &["eu-west-1", "us-east-1", "ap-southeast-7", "mx-central-1", "eu-central-2"],
        Partition::AwsCn => &["cn-north-1", "cn-northwest-1"],
        Partition::AwsUsGov => &["us-gov-west-1", "us-gov-east-1"],
    };
    codes.iter().map(|code| known(code)).collect()
}

/// A region of a partition: one of [`regions`].
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(region in id::region(Partition::AwsUsGov))| prop_assert!(region.as_str().contains("gov")));
/// ```
pub fn region(partition: Partition) -> impl Strategy<Value = Region> {
    select(regions(partition))
}

/// The name of a general purpose bucket, with dots and dashes, up to 59 characters; never an account-regional name,
/// which only its account may use.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(bucket in id::bucket())| prop_assert!(!bucket.is_account_regional()));
/// ```
pub fn bucket() -> impl Strategy<Value = BucketName> {
    // Short words with a digit at the end cannot form one of the prefixes and suffixes that AWS reserves.
    "[a-z][a-z0-9]{1,2}([.-][a-z0-9]{1,5}){0,9}[a-z0-9]?[0-9]".prop_map(|text| known(&text))
}

/// A prefix of one to four folders.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(prefix in id::prefix())| prop_assert!(!prefix.as_str().ends_with('/')));
/// ```
pub fn prefix() -> impl Strategy<Value = Prefix> {
    "[a-z0-9][A-Za-z0-9!_.'()-]{0,7}(/[a-z0-9][A-Za-z0-9!_.'()-]{0,7}){0,3}".prop_map(|text| known(&text))
}

/// The ID of a resource of this kind, short or long.
///
/// ```
/// use flowagg_core::id::ResourceKind;
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(id in id::resource(ResourceKind::Subnet))| prop_assert_eq!(id.kind(), ResourceKind::Subnet));
/// ```
pub fn resource(kind: ResourceKind) -> impl Strategy<Value = ResourceId> {
    let prefix = match kind {
        ResourceKind::Vpc => "vpc",
        ResourceKind::Subnet => "subnet",
        ResourceKind::NetworkInterface => "eni",
        ResourceKind::TransitGateway => "tgw",
    };
    "[0-9a-f]{8}([0-9a-f]{9})?".prop_map(move |digits| known(&format!("{prefix}-{digits}")))
}

/// The ID of a flow log, short or long.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(id in id::flow_log())| prop_assert!(id.as_str().starts_with("fl-")));
/// ```
pub fn flow_log() -> impl Strategy<Value = FlowLogId> {
    "fl-[0-9a-f]{8}([0-9a-f]{9})?".prop_map(|text| known(&text))
}

/// The ARN of a KMS key in this region, single-Region or multi-Region.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// let region = id::regions(Partition::Aws).remove(0);
/// proptest!(|(key in id::kms_key(&region))| prop_assert_eq!(key.region(), &region));
/// ```
pub fn kms_key(region: &Region) -> impl Strategy<Value = KmsKeyArn> + use<> {
    let region = region.clone();
    kms_key_of().prop_map(move |key| kms_key_in(&region, key))
}

/// The account and ID of a KMS key whose region is not chosen yet.
pub(super) fn kms_key_of() -> impl Strategy<Value = (AccountId, String)> {
    let id = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}";
    (account(), id)
}

pub(super) fn kms_key_in(region: &Region, (account, id): (AccountId, String)) -> KmsKeyArn {
    known(&format!("arn:{}:kms:{region}:{account}:key/{id}", region.partition()))
}

/// The name of a role, possibly with a path.
///
/// ```
/// use flowagg_testkit::arbitrary::id;
/// use proptest::prelude::*;
///
/// proptest!(|(role in id::role())| prop_assert!(!role.as_str().starts_with('/')));
/// ```
pub fn role() -> impl Strategy<Value = RoleName> {
    "([a-z]{1,8}/){0,2}[A-Za-z0-9_+=,.@-]{1,20}".prop_map(|text| known(&text))
}

/// An external ID of up to 20 characters.
pub fn external_id() -> impl Strategy<Value = ExternalId> {
    "[A-Za-z0-9_+=,.@:/-]{2,20}".prop_map(|text| known(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn every_name_is_valid(
            name in prop_oneof![
                account().prop_map(|id| id.to_string()),
                organization().prop_map(|id| id.to_string()),
                unit().prop_map(|id| id.to_string()),
                bucket().prop_map(|id| id.to_string()),
                prefix().prop_map(|id| id.to_string()),
                flow_log().prop_map(|id| id.to_string()),
                role().prop_map(|id| id.to_string()),
                select(ResourceKind::ALL.to_vec()).prop_flat_map(resource).prop_map(|id| id.to_string()),
                partition().prop_flat_map(region).prop_flat_map(|region| kms_key(&region)).prop_map(|id| id.to_string()),
            ]
        ) {
            prop_assert!(!name.is_empty());
        }
    }
}
