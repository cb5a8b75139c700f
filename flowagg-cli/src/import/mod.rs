//! Creates a fleet from the observed state or from templates, with a remark for everything that a fleet file cannot express. Nothing here
//! calls AWS, or reads or writes files.

mod bucket;
mod flow_logs;
mod folder;
mod member;
mod organization;
mod policy;
mod sought;
mod statements;
pub mod template;

use std::collections::BTreeSet;

use flowagg_core::fleet::{FleetFile, Part, Remark};
use flowagg_core::flow_log::Destination;
use flowagg_core::id::{AccountId, BucketName, FleetName, Prefix};
use flowagg_core::observed::{FlowLog, Manager};

use self::template::Unquoted;
use crate::found::{Folder, FoundFleet, FoundHub};

/// A fleet file with remarks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The fleet file.
    pub file: FleetFile,
    /// Settings that a fleet file cannot express, and guesses, in the order of the file.
    pub remarks: Vec<Remark>,
}

/// The error of an import.
///
/// [`Display`](std::fmt::Display) is the error message, and [`help`](Self::help) the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No account delivers to the bucket or is allowed to.
    #[error("no account delivers flow logs to `{bucket}` or is allowed to: {}", sought.join("; "))]
    NoMembers {
        /// The bucket.
        bucket: BucketName,
        /// The places that were searched, and their contents.
        sought: Vec<String>,
    },
    /// The bucket contains several fleets.
    #[error("{what} several folders: {folders}")]
    SeveralFolders {
        /// The place where they were found, as the start of a sentence.
        what: &'static str,
        /// The folders.
        folders: String,
    },
    /// A file is not a template.
    #[error("`{file}` cannot be read as a template: {why}")]
    Template {
        /// The file.
        file: String,
        /// The reason.
        why: String,
    },
    /// Account IDs are not quoted.
    #[error(
        "`{file}`: unquoted account IDs are parsed as numbers, which lose leading zeros: {}",
        ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Unquoted {
        /// The file.
        file: String,
        /// The account IDs, in the order of the file.
        ids: Vec<Unquoted>,
    },
    /// A required value is in no template.
    #[error("no template contains {what}")]
    Untold {
        /// The missing value.
        what: &'static str,
        /// The option that sets it.
        flag: &'static str,
    },
}

impl ImportError {
    /// The fix, as an imperative sentence.
    pub fn help(&self) -> String {
        match self {
            Self::NoMembers { .. } => {
                "pass `--account ID` or `--organization ID`, or create a fleet file with `flowagg init`".to_owned()
            }
            Self::SeveralFolders { .. } => {
                "select one with `--prefix FOLDER` (`--prefix \"\"` for the root), and import the others to separate fleet files".to_owned()
            }
            Self::Template { .. } => "use a JSON or YAML template with `Resources`".to_owned(),
            Self::Unquoted { .. } => "quote each account ID, as in `\"222222222222\"`".to_owned(),
            Self::Untold { flag, .. } => format!("pass `{flag}`"),
        }
    }
}

/// Collects remarks.
struct Remarks(Vec<Remark>);

impl Remarks {
    fn add(&mut self, about: Part, text: impl Into<String>) {
        self.0.push(Remark::new(about, text));
    }
}

/// The fleet name in the tags of the managed flow logs; `None` if it is the default name or not unique.
fn declared_name(hub: &FoundHub, prefix: Option<&Prefix>, logs: &[&FlowLog]) -> Option<FleetName> {
    let name = |log: &&FlowLog| match log.manager() {
        Manager::Fleet { fleet } => FleetName::parse(&fleet).ok(),
        Manager::Flowagg | Manager::Foreign => None,
    };
    let names: BTreeSet<FleetName> = logs.iter().filter_map(name).collect();
    let default = FleetName::default_for(&hub.bucket, prefix);
    names.first().filter(|name| names.len() == 1 && **name != default).cloned()
}

/// Creates the fleet file for an observed fleet.
pub fn import(found: &FoundFleet) -> Result<Imported, ImportError> {
    let mut remarks = Remarks(found.remarks.clone());
    let hub = &found.hub;
    let logs: Vec<&FlowLog> = found
        .members
        .values()
        .flat_map(|member| member.states.values().flat_map(|state| &state.flow_logs))
        .chain(&found.elsewhere)
        .collect();
    let prefix = folder::prefix(hub, &logs)?;
    let chosen = Folder::from(prefix.clone());
    let destination = Destination::new(hub.region.partition(), hub.bucket.clone(), prefix.clone());
    let to_us: Vec<&FlowLog> = logs.into_iter().filter(|log| destination.is(&log.destination)).collect();
    let declared_name = declared_name(hub, prefix.as_ref(), &to_us);
    let name = declared_name.clone().unwrap_or_else(|| FleetName::default_for(&hub.bucket, prefix.as_ref()));
    let mut spec = flow_logs::common(&to_us, &name, &mut remarks);
    let grant = policy::grant(hub, prefix.as_ref(), &name, &to_us, &mut spec);

    let granted = policy::granted(hub, &chosen, grant.as_ref());
    let mut named = member::read(found, &granted, grant.as_ref(), &destination, (&spec, &name), &mut remarks);
    let organization = organization::read(found, grant.as_ref(), &mut named, &mut remarks);
    if named.is_empty() && organization.as_ref().is_none_or(|it| it.discovery.is_none()) {
        return Err(ImportError::NoMembers {
            bucket: hub.bucket.clone(),
            sought: sought::all(found, &chosen),
        });
    }
    folder::report_others(hub, &chosen, &mut remarks);
    let mut file = FleetFile::new(bucket::read(hub, prefix, &name, &mut remarks));
    file.declared_name = declared_name;
    file.members = named;
    file.flow_logs = spec;
    file.organization = organization;
    file.policy = policy::settings(found, &file.clone().without_lookup(), grant.as_ref(), &mut remarks);
    let Remarks(mut remarks) = remarks;
    remarks.sort_by_key(|remark| remark.about);
    remarks.dedup();
    Ok(Imported { file, remarks })
}

/// The folders in a bucket's policy, which may contain flow log files.
pub fn named_folders(hub: &FoundHub) -> BTreeSet<Folder> {
    folder::granted(hub).into_keys().collect()
}

/// The accounts that a hub's policy allows to deliver to the selected folder, or without one, to any folder.
pub fn granted(hub: &FoundHub) -> BTreeSet<AccountId> {
    let folders = match &hub.folder {
        Some(asked) => BTreeSet::from([asked.clone()]),
        None => {
            named_folders(hub).into_iter().chain(hub.delivered().map(|(folder, _)| folder.clone())).collect()
        }
    };
    let granted_in = |folder: &Folder| {
        let prefix = folder.prefix();
        let name = FleetName::default_for(&hub.bucket, prefix);
        let grant = policy::grant(hub, prefix, &name, &[], &mut Default::default());
        policy::granted(hub, folder, grant.as_ref())
    };
    folders.iter().flat_map(granted_in).collect()
}
