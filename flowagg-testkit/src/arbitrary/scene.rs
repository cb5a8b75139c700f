use flowagg_core::id::{
    AccountId, BucketName, OrganizationId, OrganizationalUnitId, Partition, Prefix, Region,
};
use proptest::prelude::*;
use proptest::strategy::Union;

use super::id::{known, regions};

/// The names that grants, policies and requests are drawn from. There are few of them, so that those of one scene refer
/// to the same accounts and folders.
///
/// You may change the fields, but no list may be empty.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_testkit::arbitrary::Scene;
///
/// let scene = Scene::new(Partition::AwsCn);
/// assert_eq!(scene.partition(), Partition::AwsCn);
/// assert!(scene.strangers.iter().all(|stranger| !scene.accounts.contains(stranger)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scene {
    /// The bucket of all grants, policies and requests.
    pub bucket: BucketName,
    /// The regions, all of one partition.
    pub regions: Vec<Region>,
    /// The accounts that grants and foreign statements name.
    pub accounts: Vec<AccountId>,
    /// The accounts that nothing names.
    pub strangers: Vec<AccountId>,
    /// The organization that grants name.
    pub organization: OrganizationId,
    /// Its units that grants name.
    pub units: Vec<OrganizationalUnitId>,
    /// The prefixes that grants deliver to; `None` is the root of the bucket.
    pub prefixes: Vec<Option<Prefix>>,
}

impl Scene {
    /// The scene of this partition, which is always the same.
    pub fn new(partition: Partition) -> Self {
        let accounts =
            ["111122223333", "222233334444", "333344445555", "444455556666", "000000000001", "012345678901"];
        Self {
            bucket: known("acme-logs.example"),
            regions: regions(partition).into_iter().take(3).collect(),
            accounts: accounts.map(known).to_vec(),
            strangers: ["999988887777", "000000000010"].map(known).to_vec(),
            organization: known("o-a1b2c3d4e5"),
            units: ["ou-ab12-11111111", "ou-ab12-22222222"].map(known).to_vec(),
            prefixes: vec![None, Some(known("network")), Some(known("a/b.c'(d)"))],
        }
    }

    /// The partition of its regions.
    pub fn partition(&self) -> Partition {
        self.regions.first().map_or(Partition::Aws, Region::partition)
    }

    /// The values of this strategy in a scene of each partition; shrinks to `aws`.
    ///
    /// ```
    /// use flowagg_testkit::arbitrary::{Scene, grant, policy};
    /// use proptest::prelude::*;
    ///
    /// let both = Scene::each(|scene| (grant(scene), policy::foreign(scene)));
    /// proptest!(|((grant, live) in both)| prop_assert!(!live.text.is_empty() && grant.bucket_arn().starts_with("arn:")));
    /// ```
    pub fn each<S: Strategy>(make: impl Fn(&Self) -> S) -> Union<S> {
        let weighted = [(4, Partition::Aws), (1, Partition::AwsCn), (1, Partition::AwsUsGov)];
        Union::new_weighted(weighted.map(|(weight, partition)| (weight, make(&Self::new(partition)))).into())
    }

    /// The bucket's ARN.
    pub(super) fn bucket_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.partition(), self.bucket)
    }
}
