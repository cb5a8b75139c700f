use std::collections::{BTreeMap, BTreeSet};

use crate::failure::Failure;
use crate::id::{Place, ResourceId, ResourceKind};

/// The resources that are in use, by account-region and carrier. Only read for account-regions with silent flow logs.
pub type InUse = BTreeMap<(Place, Carrier), Result<BTreeSet<ResourceId>, Failure>>;

/// The kind of interface that carries the traffic of a resource. Without one, a flow log writes no records at all.
///
/// Source: "Flow log records", `log-status` (Amazon VPC User Guide): an interface without traffic has `NODATA` records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A network interface whose status is `in-use`. It carries the traffic of its subnet and of its VPC.
    NetworkInterface,
    /// An attachment of a transit gateway in the state `available`.
    Attachment,
}

impl From<ResourceKind> for Carrier {
    fn from(kind: ResourceKind) -> Self {
        match kind {
            ResourceKind::Vpc | ResourceKind::Subnet | ResourceKind::NetworkInterface => {
                Self::NetworkInterface
            }
            ResourceKind::TransitGateway => Self::Attachment,
        }
    }
}

/// Whether a resource is in use; `None` if that was not read.
pub(super) fn is_in_use<'a>(
    in_use: &'a InUse,
    place: &Place,
    resource: &ResourceId,
) -> Option<Result<bool, &'a Failure>> {
    let found = in_use.get(&(place.clone(), resource.kind().into()))?;
    Some(found.as_ref().map(|found| found.contains(resource)))
}
