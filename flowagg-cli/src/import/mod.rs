//! From what there is to the fleet that describes it, with a remark for all that no fleet file can say. Nothing here talks
//! to AWS, and nothing reads or writes a file.

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

/// A fleet file, and what it does not contain.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The fleet file.
    pub file: FleetFile,
    /// What no fleet file can say, and what was guessed; in the order of the file.
    pub remarks: Vec<Remark>,
}

/// Why there is no fleet to write.
///
/// [`Display`](std::fmt::Display) says what is wrong; [`help`](Self::help) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No account has anything to do with the bucket.
    #[error("no account was found that delivers flow logs to `{bucket}`, or may: {}", sought.join("; "))]
    NoMembers {
        /// The bucket.
        bucket: BucketName,
        /// What was searched, and what it contains instead.
        sought: Vec<String>,
    },
    /// There are several fleets in the bucket.
    #[error("{what} several folders: {folders}")]
    SeveralFolders {
        /// Where they were found, as the start of a sentence.
        what: &'static str,
        /// The folders.
        folders: String,
    },
    /// A file is no template.
    #[error("`{file}` cannot be read as a template: {why}")]
    Template {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// Account ids are numbers.
    #[error(
        "`{file}`: account ids without quotes are read as numbers, and numbers keep no leading zeros: {}",
        ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Unquoted {
        /// The file.
        file: String,
        /// The account ids, in the order of the file.
        ids: Vec<Unquoted>,
    },
    /// No template says something that a fleet file needs.
    #[error("no template says {what}")]
    Untold {
        /// What is missing.
        what: &'static str,
        /// The flag that says it.
        flag: &'static str,
    },
}

impl ImportError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NoMembers { .. } => {
                "name accounts with `--account ID` or an organization with `--organization ID`, or write a fleet file (the README shows how)".to_owned()
            }
            Self::SeveralFolders { .. } => {
                "choose one with `--prefix FOLDER` (`--prefix \"\"` for the top), and import the others into files of their own".to_owned()
            }
            Self::Template { .. } => "a template is JSON or YAML and has `Resources`".to_owned(),
            Self::Unquoted { .. } => "put each account id in quotes, as in `\"222222222222\"`".to_owned(),
            Self::Untold { flag, .. } => format!("say it with `{flag}`"),
        }
    }
}

/// Gathers what no fleet file can say.
struct Remarks(Vec<Remark>);

impl Remarks {
    fn add(&mut self, about: Part, text: impl Into<String>) {
        self.0.push(Remark::new(about, text));
    }
}

/// The name that all managed flow logs to the destination carry; `None` if it is the default one, or if they carry several.
fn declared_name(hub: &FoundHub, prefix: Option<&Prefix>, logs: &[&FlowLog]) -> Option<FleetName> {
    let name = |log: &&FlowLog| match log.manager() {
        Manager::Fleet { fleet } => FleetName::parse(&fleet).ok(),
        Manager::Flowagg | Manager::Foreign => None,
    };
    let names: BTreeSet<FleetName> = logs.iter().filter_map(name).collect();
    let default = FleetName::default_for(&hub.bucket, prefix);
    names.first().filter(|name| names.len() == 1 && **name != default).cloned()
}

/// The fleet file that describes what was found.
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

/// The folders that a bucket's policy names: those that may have flow log files.
pub fn named_folders(hub: &FoundHub) -> BTreeSet<Folder> {
    folder::granted(hub).into_keys().collect()
}

/// The accounts that a hub's policy lets deliver to the folder that is asked for, or else to any.
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
