//! Flow logs, and resources without one, that a plan does not change.

use serde::Serialize;

use crate::id::{AccountId, FlowLogId, Place, ResourceId, ResourceKind};
use crate::observed::Manager;

/// A flow log, or a resource without one, that is not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Left {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// The resource.
    pub resource: String,
    /// The flow log, if there is one.
    pub flow_log: Option<FlowLogId>,
    /// Why it is not changed.
    #[serde(flatten)]
    pub why: Why,
}

impl Left {
    /// Whether it is a managed flow log that matches the fleet file.
    pub fn is_as_wanted(&self) -> bool {
        self.why == Why::AsWanted
    }
}

/// Why a flow log, or a resource without one, is not changed.
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
    /// A foreign flow log counts because of `flow-logs.foreign`, although its settings differ from the fleet file.
    ForeignCovers {
        /// Who manages it.
        manager: Manager,
        /// The settings that differ.
        differences: Vec<String>,
    },
    /// A foreign flow log relies on a grant that is being removed.
    ForeignWithoutGrant {
        /// Who manages it.
        manager: Manager,
    },
    /// The flow log records a kind of resource that flowagg does not support.
    UnknownResource {
        /// Who manages it.
        manager: Manager,
    },
    /// The resource is part of a logged resource.
    Covered {
        /// The logged resource.
        by: ResourceId,
    },
    /// The resource is part of a selected resource that cannot get a flow log.
    PartOfUnlogged {
        /// The selected resource.
        whole: ResourceId,
    },
    /// Another account owns the resource, and only the owner can log it.
    Shared {
        /// The owner.
        owner: AccountId,
    },
    /// The fleet file does not select the resource, and `--prune` was not given.
    NotChosen {
        /// The kind of the resource.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        kind: ResourceKind,
    },
}
