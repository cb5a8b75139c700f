//! The changes that a run made, as values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flowagg_core::fleet::Encryption;
use flowagg_core::id::{AccountId, FlowLogId, Place, ResourceId};
use flowagg_core::lifecycle::FleetRule;
use flowagg_core::names::Names;
use flowagg_core::observed::Switch;
use schemars::JsonSchema;
use serde::Serialize;

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Done {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// What was changed: the bucket, or the logged resources.
    pub resources: Vec<String>,
    /// The change.
    #[serde(flatten)]
    pub what: Did,
}

/// The kind of change.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(tag = "did", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Did {
    /// The bucket was created.
    CreatedBucket,
    /// Switches of the public access block were turned on.
    BlockedPublicAccess {
        /// The switches that were turned on.
        switches: Vec<Switch>,
    },
    /// ACLs were disabled: the bucket owner owns every object.
    EnforcedBucketOwner,
    /// The default encryption was set.
    SetEncryption {
        /// The encryption.
        encryption: Encryption,
    },
    /// Lifecycle rules of the fleet were set or removed.
    SetLifecycle {
        /// The rules that were set.
        set: Vec<FleetRule>,
        /// The IDs of the rules that were removed.
        removed: BTreeSet<String>,
    },
    /// The bucket policy was written.
    WrotePolicy {
        /// Accounts that were granted delivery.
        granted: BTreeSet<AccountId>,
        /// Accounts that may no longer deliver.
        revoked: BTreeSet<AccountId>,
    },
    /// The managed statements were removed from the bucket policy.
    RemovedGrant {
        /// Accounts that may no longer deliver.
        revoked: BTreeSet<AccountId>,
    },
    /// Flow logs were created with one call, one for each of `resources`.
    CreatedFlowLogs {
        /// Their IDs, as AWS returned them. AWS does not document the order.
        flow_logs: Vec<FlowLogId>,
    },
    /// A flow log was deleted.
    DeletedFlowLog {
        /// Its ID.
        flow_log: FlowLogId,
    },
    /// Tags were set on a flow log.
    TaggedFlowLog {
        /// Its ID.
        flow_log: FlowLogId,
        /// The tags.
        tags: BTreeMap<String, String>,
    },
}

impl Done {
    /// A change to the flow logs of these resources.
    pub(super) fn to_resources<'r>(
        place: &Place,
        resources: impl IntoIterator<Item = &'r ResourceId>,
        what: Did,
    ) -> Self {
        Self {
            place: place.clone(),
            resources: resources.into_iter().map(ToString::to_string).collect(),
            what,
        }
    }

    /// Displays it with these names of accounts and resources.
    pub(crate) fn named<'a>(&'a self, names: &'a Names) -> impl fmt::Display + 'a {
        NamedDone { done: self, names }
    }

    /// The number of planned changes that it covers.
    pub(super) fn changes(&self) -> usize {
        if let Did::CreatedFlowLogs { .. } = self.what { self.resources.len() } else { 1 }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named(Names::NONE).fmt(f)
    }
}

/// Displays a change with the names of accounts and resources.
struct NamedDone<'a> {
    done: &'a Done,
    names: &'a Names,
}

impl fmt::Display for NamedDone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done: Done { place, resources, what }, names } = self;
        let resources: Vec<String> = resources.iter().map(|id| names.resource(id)).collect();
        let resources = resources.join(", ");
        let at = names.place(place);
        match what {
            Did::CreatedBucket => write!(f, "{resources}: created the bucket in {}", place.region),
            Did::BlockedPublicAccess { switches } if switches.len() == Switch::ALL.len() => {
                write!(f, "{resources}: blocked all public access")
            }
            Did::BlockedPublicAccess { switches } => {
                let switches: Vec<&str> = switches.iter().map(|switch| switch.as_str()).collect();
                write!(f, "{resources}: turned on {}", switches.join(", "))
            }
            Did::EnforcedBucketOwner => write!(f, "{resources}: set object ownership to BucketOwnerEnforced"),
            Did::SetEncryption { encryption } => {
                write!(f, "{resources}: set the default encryption to {encryption}")
            }
            Did::SetLifecycle { set, removed } => {
                write!(f, "{resources}: ")?;
                match (set.as_slice(), removed.len()) {
                    ([], n) => write!(f, "removed {}", counted(n, "lifecycle rule")),
                    ([rule], 0) => write!(f, "set the lifecycle of {}: {rule}", rule.under),
                    (rules, 0) => write!(f, "set {}", counted(rules.len(), "lifecycle rule")),
                    (rules, n) => write!(f, "set {}, removed {n}", counted(rules.len(), "lifecycle rule")),
                }
            }
            Did::WrotePolicy { granted, revoked } => {
                write!(f, "{resources}: wrote the bucket policy")?;
                let mut joint = ": ";
                for (verb, changed) in [("granted delivery to", granted), ("revoked delivery from", revoked)]
                {
                    if !changed.is_empty() {
                        write!(f, "{joint}{verb} {}", names.accounts(changed))?;
                        joint = "; ";
                    }
                }
                Ok(())
            }
            Did::RemovedGrant { revoked } => {
                write!(f, "{resources}: removed flowagg's statements from the bucket policy")?;
                if revoked.is_empty() {
                    return Ok(());
                }
                write!(f, "; revoked delivery from {}", names.accounts(revoked))
            }
            Did::CreatedFlowLogs { flow_logs } if flow_logs.is_empty() => {
                write!(f, "{at}: created flow logs for {resources}")
            }
            Did::CreatedFlowLogs { flow_logs } => {
                let ids: Vec<&str> = flow_logs.iter().map(FlowLogId::as_str).collect();
                write!(f, "{at}: created {} for {resources}", ids.join(", "))
            }
            Did::DeletedFlowLog { flow_log } => {
                write!(f, "{at}: deleted {flow_log} of {resources}")
            }
            Did::TaggedFlowLog { flow_log, tags } => {
                let keys: Vec<&str> = tags.keys().map(String::as_str).collect();
                write!(f, "{at}: tagged {flow_log} of {resources} ({})", keys.join(", "))
            }
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
