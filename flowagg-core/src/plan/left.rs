//! Flow logs, and resources without one, that stay as they are.

use serde::Serialize;

use crate::id::{AccountId, FlowLogId, Place, ResourceId, ResourceKind};
use crate::observed::Manager;

/// A flow log, or a resource without one, that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Left {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// What is logged, or would be.
    pub resource: String,
    /// The flow log, if there is one.
    pub flow_log: Option<FlowLogId>,
    /// Why it stays.
    #[serde(flatten)]
    pub why: Why,
}

impl Left {
    /// Whether it stays because it matches the fleet file.
    pub fn is_as_wanted(&self) -> bool {
        self.why == Why::AsWanted
    }
}

/// Why a flow log, or a resource without one, stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "why", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Why {
    /// A managed flow log matches the fleet file.
    AsWanted,
    /// A foreign flow log matches the fleet file.
    ForeignAsWanted {
        /// Who manages it.
        manager: Manager,
    },
    /// A foreign flow log counts, with other settings than those of the fleet file, by `flow-logs.foreign`.
    ForeignCovers {
        /// Who manages it.
        manager: Manager,
        /// How it differs.
        differences: Vec<String>,
    },
    /// A foreign flow log delivers by a grant that is being removed.
    ForeignWithoutGrant {
        /// Who manages it.
        manager: Manager,
    },
    /// The flow log records a kind of resource that flowagg does not know.
    UnknownResource {
        /// Who manages it.
        manager: Manager,
    },
    /// The resource is part of one that is logged.
    Covered {
        /// The resource that is logged.
        by: ResourceId,
    },
    /// The resource is part of one that is to be logged and that cannot get a flow log.
    PartOfUnlogged {
        /// The resource that is to be logged.
        whole: ResourceId,
    },
    /// Another account owns the resource, and only the owner can log it.
    Shared {
        /// The owner.
        owner: AccountId,
    },
    /// The fleet file does not choose the resource, and pruning was not requested.
    NotChosen {
        /// The kind of the resource.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        kind: ResourceKind,
    },
}
