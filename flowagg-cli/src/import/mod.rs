//! From what there is to the fleet that describes it, with a remark for all that no fleet file can say. Nothing here talks
//! to AWS, and nothing reads or writes a file.

mod bucket;
mod flow_logs;
mod member;
mod organization;
mod policy;
pub mod template;

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Fleet, Organization, Part, Remark};
use flowagg_core::flow_log::Destination;
use flowagg_core::id::{AccountId, BucketName, Prefix, Region, RoleName};
use flowagg_core::lifecycle::Transition;
use flowagg_core::observed::{BucketEncryption, FlowLog, RegionState};

pub use policy::Folder;

/// What was found, wherever: in AWS, or in templates.
#[derive(Clone, Debug)]
pub struct Found {
    /// The hub.
    pub hub: FoundHub,
    /// The accounts that may belong to the fleet.
    pub members: BTreeMap<AccountId, FoundMember>,
    /// The role that was taken in each, or is to be.
    pub role: RoleName,
    /// Flow logs of nobody knows which account: they say how flow logs are to be.
    pub elsewhere: Vec<FlowLog>,
    /// The organization that is to be looked up, where it is. Its regions and resources are those that are found.
    pub organization: Option<Organization>,
    /// What could not be understood where it was found.
    pub remarks: Vec<Remark>,
}

/// The hub bucket, as it was found.
#[derive(Clone, Debug)]
pub struct FoundHub {
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// Its name.
    pub bucket: BucketName,
    /// The folder that is asked for; `None` leaves it to the policy and to the flow logs.
    pub folder: Option<Folder>,
    /// Its default encryption.
    pub encryption: Option<BucketEncryption>,
    /// Its lifecycle rules; `None` where nobody could look.
    pub rules: Option<Vec<Rule>>,
    /// Its policy.
    pub policy: Option<String>,
}

/// A lifecycle rule, ours or another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Whether it is on.
    pub is_on: bool,
    /// The prefix of the objects that it is for; empty for all.
    pub under: String,
    /// Whether it is only for some of them, by their tags or sizes.
    pub is_narrowed: bool,
    /// After how many days they expire.
    pub retention_days: Option<u32>,
    /// When they go where.
    pub transitions: Vec<Transition>,
    /// After how many days old versions go.
    pub noncurrent_days: Option<u32>,
    /// After how many days unfinished uploads go.
    pub abort_uploads_days: Option<u32>,
}

/// An account, as it was found.
#[derive(Clone, Debug)]
pub struct FoundMember {
    /// Whether the organization that is looked up holds it.
    pub in_organization: bool,
    /// The regions that the bucket has objects of.
    pub delivered: BTreeSet<Region>,
    /// What its regions have.
    pub states: BTreeMap<Region, RegionState>,
    /// Regions that could not be read, with the reason.
    pub unread: BTreeMap<Region, String>,
    /// How much of the account `states` shows.
    pub view: View,
}

impl FoundMember {
    /// One of which nothing was seen but perhaps its flow logs.
    pub(crate) fn unseen() -> Self {
        Self {
            in_organization: false,
            delivered: BTreeSet::new(),
            states: BTreeMap::new(),
            unread: BTreeMap::new(),
            view: View::FlowLogs,
        }
    }
}

/// How much of an account was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// All resources and flow logs of every region that it has enabled.
    Account,
    /// The same of some regions.
    Regions,
    /// Flow logs only.
    FlowLogs,
    /// Nothing, for this reason.
    Nothing(String),
}

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
    let mut spec = flow_logs::common(&to_us, &mut remarks);
    let grant = policy::grant(hub, prefix.as_ref(), &to_us, &mut spec);

    let accounts =
        policy::granted(grant.as_ref()).union(&found.members.keys().copied().collect()).copied().collect();
    let mut named = member::read(found, &accounts, grant.as_ref(), &destination, &spec, &mut remarks);
    let organization = organization::read(found, grant.as_ref(), &mut named, &mut remarks);
    if named.is_empty() && organization.as_ref().is_none_or(|it| it.discovery.is_none()) {
        return Err(ImportError::NoMembers(hub.bucket.clone()));
    }
    let mut fleet = Fleet {
        hub: bucket::read(hub, prefix, &mut remarks),
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
    let grant = policy::grant(hub, prefix.as_ref(), &[], &mut Default::default());
    Ok(policy::granted(grant.as_ref()))
}
