//! From what there is to the fleet that describes it, with a remark for all that no fleet file can say. Nothing here talks
//! to AWS, and nothing reads or writes a file.

mod bucket;
mod flow_logs;
mod member;
mod organization;
mod policy;
pub mod template;

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Fleet, Part, Remark};
use flowagg_core::flow_log::Destination;
use flowagg_core::id::{AccountId, BucketName, FleetName, Prefix};
use flowagg_core::observed::{FlowLog, Manager};

use crate::found::{Found, FoundHub};

/// A fleet, and what it does not say.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The fleet as its file is to declare it.
    pub fleet: Fleet,
    /// What no fleet file can say, and what was guessed; in the order of the file.
    pub remarks: Vec<Remark>,
}

/// Why there is no fleet to write.
///
/// [`Display`](std::fmt::Display) says what is wrong; [`help`](Self::help) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Nobody delivers.
    #[error("no account is granted delivery to `{0}`, has delivered or has a flow log to it")]
    NoMembers(BucketName),
    /// There are several fleets in the bucket.
    #[error("the bucket policy lets flow logs in under several folders: {0}")]
    SeveralFolders(String),
    /// A file is no template.
    #[error("`{file}` cannot be read as a template: {why}")]
    Template {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
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
            Self::NoMembers(_) => {
                "name accounts with `--account ID` or an organization with `--organization ID`, or write a fleet file (the README shows how)".to_owned()
            }
            Self::SeveralFolders(_) => {
                "choose one with `--prefix FOLDER` (`--prefix \"\"` for the top), and import the others into files of their own".to_owned()
            }
            Self::Template { .. } => "a template is JSON or YAML and has `Resources`".to_owned(),
            Self::Untold { flag, .. } => format!("say it with `{flag}`"),
        }
    }
}

/// Gathers what no fleet file can say.
struct Remarks(Vec<Remark>);

impl Remarks {
    fn add(&mut self, about: Part, text: impl Into<String>) {
        self.0.push(Remark { about, text: text.into() });
    }
}

/// The name that all managed flow logs to the destination carry; `None` if it is the default one, or if they carry several.
fn declared_name(hub: &FoundHub, prefix: Option<&Prefix>, logs: &[&FlowLog]) -> Option<FleetName> {
    let name = |log: &&FlowLog| match log.manager() {
        Manager::Fleet { fleet } => FleetName::parse(&fleet).ok(),
        Manager::Flowagg | Manager::Foreign => None,
    };
    let names: BTreeSet<FleetName> = logs.iter().filter_map(name).collect();
    let default = FleetName::of(&hub.bucket, prefix);
    names.first().filter(|name| names.len() == 1 && **name != default).cloned()
}

/// The fleet that describes what was found.
pub fn import(found: &Found) -> Result<Imported, ImportError> {
    let mut remarks = Remarks(found.remarks.clone());
    let hub = &found.hub;
    let logs: Vec<&FlowLog> = found
        .members
        .values()
        .flat_map(|member| member.states.values().flat_map(|state| &state.flow_logs))
        .chain(&found.elsewhere)
        .collect();
    let prefix = policy::prefix(hub, &logs)?;
    let destination =
        Destination { partition: hub.region.partition(), bucket: hub.bucket.clone(), prefix: prefix.clone() };
    let to_us: Vec<&FlowLog> = logs.into_iter().filter(|log| destination.is(&log.destination)).collect();
    let declared_name = declared_name(hub, prefix.as_ref(), &to_us);
    let name = declared_name.clone().unwrap_or_else(|| FleetName::of(&hub.bucket, prefix.as_ref()));
    let mut spec = flow_logs::common(&to_us, &name, &mut remarks);
    let grant = policy::grant(hub, prefix.as_ref(), &name, &to_us, &mut spec);

    let accounts = policy::granted(hub, grant.as_ref())
        .union(&found.members.keys().copied().collect())
        .copied()
        .collect();
    let mut named =
        member::read(found, &accounts, grant.as_ref(), &destination, (&spec, &name), &mut remarks);
    let organization = organization::read(found, grant.as_ref(), &mut named, &mut remarks);
    if named.is_empty() && organization.as_ref().is_none_or(|it| it.discovery.is_none()) {
        return Err(ImportError::NoMembers(hub.bucket.clone()));
    }
    let mut fleet = Fleet {
        declared_name,
        hub: bucket::read(hub, prefix, &name, &mut remarks),
        members: named,
        flow_logs: spec,
        policy: Default::default(),
        organization,
        left_out: BTreeMap::new(),
    };
    fleet.policy = policy::settings(found, &fleet, grant.as_ref(), &mut remarks);
    let Remarks(mut remarks) = remarks;
    remarks.sort_by_key(|remark| remark.about);
    remarks.dedup();
    Ok(Imported { fleet, remarks })
}

/// The folder of a hub's flow logs as far as the bucket itself tells it: where to look for accounts.
pub fn folder(hub: &FoundHub) -> Result<Option<Prefix>, ImportError> {
    policy::prefix(hub, &[])
}

/// The accounts that a hub's policy names.
pub fn granted(hub: &FoundHub) -> Result<BTreeSet<AccountId>, ImportError> {
    let prefix = folder(hub)?;
    let name = FleetName::of(&hub.bucket, prefix.as_ref());
    let grant = policy::grant(hub, prefix.as_ref(), &name, &[], &mut Default::default());
    Ok(policy::granted(hub, grant.as_ref()))
}
