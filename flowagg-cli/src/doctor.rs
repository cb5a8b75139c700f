//! `flowagg doctor`: checks the prerequisites of a rollout before anything is changed. Pure: takes the observed state, returns
//! the checks.

use std::collections::BTreeMap;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::AccountId;
use flowagg_core::observed::{Bucket, Contents, Observed, Oldest};
use flowagg_core::plan::{Concern, EncryptionInUse, HubChange, Note, Subject, encryption_in_use};
use flowagg_policy::size::LIMIT;
use flowagg_policy::{Finding, Plan, Severity, lint_live};
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::apply::DryRun;
use crate::report::words::{count, counted};

/// The checks, in the order in which a rollout depends on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Examination {
    /// The result of each check.
    pub checks: Vec<CheckResult>,
    /// The topics that were not checked because an earlier check failed.
    pub not_checked: Vec<Topic>,
    /// Whether `--only` limited the checks to a part of the fleet.
    pub is_part: bool,
    /// Whether the endpoint executed a dry run. The failures then list what it changed. AWS never executes a dry run.
    pub is_executed: bool,
    /// Calls that failed, and dry runs that were denied.
    pub failures: Vec<Failure>,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct CheckResult {
    /// The topic of the check.
    pub what: Topic,
    /// The outcome.
    pub health: Health,
    /// The finding, in one sentence.
    pub found: String,
    /// How to fix it, if known.
    pub help: Option<String>,
}

/// The topic of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub enum Topic {
    /// The fleet file.
    #[serde(rename = "fleet file")]
    FleetFile,
    /// The caller's credentials.
    #[serde(rename = "credentials")]
    Credentials,
    /// Access to the hub account.
    #[serde(rename = "hub account")]
    HubAccount,
    /// Looking up the accounts of the organization.
    #[serde(rename = "organization")]
    Organization,
    /// Access to the members' accounts.
    #[serde(rename = "accounts")]
    Accounts,
    /// The members' regions.
    #[serde(rename = "regions")]
    Regions,
    /// The hub bucket.
    #[serde(rename = "bucket")]
    Bucket,
    /// The hub bucket's policy.
    #[serde(rename = "policy")]
    Policy,
    /// The hub bucket's KMS key.
    #[serde(rename = "key")]
    Key,
    /// Creating, replacing and deleting flow logs.
    #[serde(rename = "flow logs")]
    FlowLogs,
}

impl Topic {
    /// The topics that apply to every fleet.
    const EVERY_FLEET: [Self; 8] = [
        Self::FleetFile,
        Self::Credentials,
        Self::HubAccount,
        Self::Accounts,
        Self::Regions,
        Self::Bucket,
        Self::Policy,
        Self::FlowLogs,
    ];

    /// The label in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FleetFile => "fleet file",
            Self::Credentials => "credentials",
            Self::HubAccount => "hub account",
            Self::Organization => "organization",
            Self::Accounts => "accounts",
            Self::Regions => "regions",
            Self::Bucket => "bucket",
            Self::Policy => "policy",
            Self::Key => "key",
            Self::FlowLogs => "flow logs",
        }
    }
}

/// For each member, whether its account can be accessed, or the failure.
pub type Entered = BTreeMap<AccountId, Result<(), Failure>>;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Passed.
    Good,
    /// Passed with a warning: it works, but should be reviewed.
    Doubtful,
    /// Could not be checked, or not completely.
    Unknown,
    /// Failed: a rollout would fail.
    Bad,
}

impl Health {
    /// The label in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Doubtful => "warn",
            Self::Unknown => "unknown",
            Self::Bad => "fail",
        }
    }
}

impl Examination {
    /// Whether every check ran, and none failed or was incomplete.
    pub fn is_good(&self) -> bool {
        let works = |check: &CheckResult| matches!(check.health, Health::Good | Health::Doubtful);
        self.not_checked.is_empty() && self.checks.iter().all(works)
    }

    /// Records every topic without a result as not checked.
    pub fn stop(&mut self) {
        let is_there = |topic: &Topic| self.checks.iter().any(|check| check.what == *topic);
        self.not_checked = Topic::EVERY_FLEET.into_iter().filter(|topic| !is_there(topic)).collect();
    }

    fn push(&mut self, what: Topic, health: Health, found: String, help: Option<String>) {
        self.checks.push(CheckResult { what, health, found, help });
    }

    /// Adds a check that passed.
    pub fn good(&mut self, what: Topic, found: String) {
        self.push(what, Health::Good, found, None);
    }

    /// Adds a failed check with its failures.
    pub fn bad(&mut self, what: Topic, failures: Vec<Failure>) {
        let found = match &failures[..] {
            [one] => one.brief().into_owned(),
            many => format!("{} calls failed", many.len()),
        };
        self.push(what, Health::Bad, found, None);
        self.failures.extend(failures);
    }

    /// Checks access to the members' accounts and regions.
    pub fn check_accounts(&mut self, fleet: &Fleet, entered_accounts: &Entered, observed: &Observed) {
        let mut lost: Vec<Failure> = Vec::new();
        let mut entered = 0;
        for account in fleet.members.keys() {
            match entered_accounts.get(account) {
                Some(Ok(())) => entered += 1,
                Some(Err(failure)) => lost.push(failure.clone()),
                None => {}
            }
        }
        if fleet.members.is_empty() {
            let help = "check `organization.units`, `organization.accounts` and their exclusions".to_owned();
            self.push(
                Topic::Accounts,
                Health::Bad,
                "the organization has no accounts for this fleet".to_owned(),
                Some(help),
            );
        } else if lost.is_empty() {
            self.good(Topic::Accounts, format!("access to {}", counted(entered, "account", "accounts")));
        } else {
            let found = format!("no access to {} of {} accounts", lost.len(), entered + lost.len());
            self.push(Topic::Accounts, Health::Bad, found, None);
            self.failures.append(&mut lost);
        }
        let unread = observed
            .regions
            .iter()
            .filter(|(place, _)| entered_accounts.get(&place.account).is_some_and(Result::is_ok));
        let (read, unread): (Vec<_>, Vec<_>) = unread.partition(|(_, state)| state.is_ok());
        if unread.is_empty() {
            self.good(
                Topic::Regions,
                format!("{} readable", counted(read.len(), "account-region", "account-regions")),
            );
        } else {
            let found =
                format!("cannot read {} of {} account-regions", unread.len(), read.len() + unread.len());
            self.push(Topic::Regions, Health::Bad, found, None);
            self.failures.extend(unread.into_iter().filter_map(|(_, state)| state.clone().err()));
        }
    }

    /// Checks the hub bucket, its policy and its key.
    pub fn check_hub(&mut self, fleet: &Fleet, observed: &Observed, plan: &Plan) {
        let bucket = match &observed.bucket {
            Err(failure) => {
                self.bad(Topic::Bucket, vec![failure.clone()]);
                let what = "the bucket could not be read, so its policy and key were not checked".to_owned();
                return self.push(Topic::Policy, Health::Unknown, what, None);
            }
            Ok(bucket) => bucket.as_ref(),
        };
        let name = &fleet.hub.bucket;
        let settings =
            |change: &&HubChange| !matches!(change, HubChange::PutPolicy(_) | HubChange::RemoveGrant(_));
        let changes = plan.hub().iter().chain(&plan.held_back().hub);
        match (bucket, changes.filter(settings).count()) {
            (None, _) => self.good(Topic::Bucket, format!("{name} does not exist; `apply` creates it")),
            (Some(_), 0) if concerns(plan).any(|concern| concern.about == Subject::Bucket) => {
                self.good(Topic::Bucket, format!("{name} exists; `apply` changes none of its settings"))
            }
            (Some(_), 0) => self.good(Topic::Bucket, format!("{name} matches the fleet file")),
            (Some(_), n) => {
                self.good(Topic::Bucket, format!("{name} exists; `apply` changes {n} of its settings"))
            }
        }
        self.check_settings(plan);
        if let Some(bucket) = bucket {
            self.check_contents(bucket);
        }
        self.check_policy(fleet, bucket.and_then(|bucket| bucket.policy.as_deref()), plan);
        let encryption = bucket.and_then(|bucket| bucket.encryption.as_ref());
        let key = concerns(plan).find(|concern| concern.about == Subject::Key);
        match (key, encryption_in_use(&fleet.hub, encryption)) {
            (Some(concern), _) => {
                self.push(Topic::Key, Health::Bad, concern.what.clone(), Some(concern.help.clone()))
            }
            (None, EncryptionInUse::Key { .. }) => {
                if !self.undecided(Topic::Key, Subject::Key, plan) {
                    self.good(Topic::Key, "log delivery can use the key for every member".to_owned());
                }
            }
            (None, _) => {}
        }
    }

    /// Checks the bucket settings: those that block changes, those that are kept because someone may depend on them, and those that
    /// affect flow logs.
    fn check_settings(&mut self, plan: &Plan) {
        for (health, found) in [(Health::Bad, plan.obstacles()), (Health::Doubtful, plan.concerns())] {
            for concern in found.iter().filter(|concern| concern.about == Subject::Bucket) {
                self.push(Topic::Bucket, health, concern.what.clone(), Some(concern.help.clone()));
            }
        }
        for change in plan.not_applied() {
            let help = "existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply it";
            self.push(
                Topic::Bucket,
                Health::Doubtful,
                format!("not applied: {change}"),
                Some(help.to_owned()),
            );
        }
        for note in plan.notes().iter().filter(|note| note.is_about_bucket()) {
            let health = match note {
                Note::Expiry { .. } => Health::Good,
                Note::SettingsUnread { .. } => Health::Unknown,
                _ => Health::Doubtful,
            };
            self.push(Topic::Bucket, health, note.to_string(), None);
        }
    }

    /// Reports that the bucket could not be listed. The lifecycle rules depend on its contents.
    fn check_contents(&mut self, bucket: &Bucket) {
        let contents = match &bucket.contents {
            Contents::Unread(failure) => Some(failure),
            Contents::Listed(_) => None,
        };
        let oldest = match &bucket.oldest {
            Oldest::Unread(failure) => Some(failure),
            Oldest::NotRead | Oldest::NoFiles | Oldest::Day(_) => None,
        };
        for failure in contents.into_iter().chain(oldest) {
            let what = format!("flow logs in the bucket could not be listed: {}", failure.what());
            self.push(Topic::Bucket, Health::Unknown, what, Some(failure.help()));
        }
    }

    /// Adds the deliveries that may be denied, and returns whether there are any.
    fn undecided(&mut self, topic: Topic, of: Subject, plan: &Plan) -> bool {
        let notes = plan.notes().iter();
        let undecided: Vec<&Note> =
            notes.filter(|note| matches!(note, Note::Undecided { about, .. } if *about == of)).collect();
        for note in &undecided {
            self.push(topic, Health::Doubtful, note.to_string(), None);
        }
        !undecided.is_empty()
    }

    fn check_policy(&mut self, fleet: &Fleet, live: Option<&str>, plan: &Plan) {
        let found = [(Health::Bad, plan.obstacles()), (Health::Doubtful, plan.concerns())];
        let found =
            found.into_iter().flat_map(|(health, found)| found.iter().map(move |concern| (health, concern)));
        let mut found = found.filter(|(_, concern)| concern.about == Subject::Policy).peekable();
        let is_undecided = self.undecided(Topic::Policy, Subject::Policy, plan);
        if is_undecided || found.peek().is_some() {
            for (health, concern) in found {
                self.push(Topic::Policy, health, concern.what.clone(), Some(concern.help.clone()));
            }
        } else if !fleet.members.is_empty() {
            let mut changes = plan.hub().iter().chain(&plan.held_back().hub);
            let written = changes.find_map(|change| match change {
                HubChange::PutPolicy(change) => Some(change.bytes),
                _ => None,
            });
            self.good(
                Topic::Policy,
                match written {
                    Some(bytes) => format!(
                        "`apply` writes the policy: {} of {} bytes",
                        count(bytes as u64),
                        count(LIMIT as u64)
                    ),
                    None if self.is_part => "every selected member may deliver".to_owned(),
                    None => "every member may deliver".to_owned(),
                },
            );
        }
        let findings = live.map(|live| lint_live(live, &fleet.hub.bucket)).unwrap_or_default();
        let grave = |finding: &&Finding| finding.severity >= Severity::Warning;
        for finding in findings.iter().filter(grave) {
            self.push(
                Topic::Policy,
                Health::Doubtful,
                finding.message.clone(),
                Some(finding.help.clone().into_owned()),
            );
        }
    }

    /// Checks the flow logs: differences that `apply` does not change, and the dry runs of the plan's changes.
    pub fn check_flow_logs(&mut self, observed: &Observed, plan: &Plan, dry_run: DryRun) {
        let mut differing = concerns(plan).filter(|concern| concern.about == Subject::FlowLog);
        match (differing.next(), differing.count()) {
            (None, _) => {}
            (Some(one), 0) => {
                let what = format!("{}: {}", one.resource, one.what);
                self.push(Topic::FlowLogs, Health::Doubtful, what, Some(one.help.clone()));
            }
            (Some(_), more) => {
                let what = format!("{} resources need attention", more + 1);
                let help = "run `flowagg plan` to list them".to_owned();
                self.push(Topic::FlowLogs, Health::Doubtful, what, Some(help));
            }
        }
        self.is_executed = dry_run.is_executed;
        let unread = observed.regions.values().filter(|state| state.is_err()).count();
        let count = |number: usize| counted(number, "account-region", "account-regions");
        if unread > 0 {
            let what = format!("the flow logs of {} could not be read", count(unread));
            self.push(Topic::FlowLogs, Health::Unknown, what, None);
        }
        if !dry_run.not_asked.is_empty() {
            let what =
                format!("no dry run in {}: this endpoint ignores `DryRun`", count(dry_run.not_asked.len()));
            self.push(Topic::FlowLogs, Health::Unknown, what, None);
        }
        if !dry_run.failures.is_empty() {
            self.bad(Topic::FlowLogs, dry_run.failures);
        } else if !plan.flow_logs().is_empty() || !plan.held_back().flow_logs.is_empty() {
            self.good(Topic::FlowLogs, format!("dry run passed; plan: {}", plan.summary()));
        } else if unread == 0 {
            self.good(Topic::FlowLogs, "no changes needed".to_owned());
        }
    }
}

/// The concerns that block changes, then the others.
fn concerns(plan: &Plan) -> impl Iterator<Item = &Concern> {
    plan.obstacles().iter().chain(plan.concerns())
}

#[cfg(test)]
mod tests {
    use flowagg_core::observed::{Bucket, Versioning};
    use flowagg_core::plan::Unnamed;
    use flowagg_policy::plan::plan;

    use super::*;

    #[test]
    fn organization_without_selected_accounts_fails_the_accounts_check_only() {
        let file = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
                    [organization]\nid = \"o-a1b2c3d4e5\"\n\
                    [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
        let mut fleet = Fleet::parse(file).unwrap();
        fleet.members.clear();
        let observed = Observed::new(Ok(None));
        let plan = plan(&fleet, &observed, Unnamed::Keep);
        let mut examination = Examination::default();
        examination.check_accounts(&fleet, &Entered::new(), &observed);
        examination.check_hub(&fleet, &observed, &plan);
        let bad: Vec<Topic> = examination
            .checks
            .iter()
            .filter(|check| check.health == Health::Bad)
            .map(|check| check.what)
            .collect();
        assert_eq!(bad, [Topic::Accounts]);
        assert!(
            examination.checks.iter().all(|check| check.what != Topic::Policy),
            "the policy must not be checked"
        );
    }

    #[test]
    fn kept_settings_are_warnings_and_requester_pays_fails() {
        let file = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
                    [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
        let fleet = Fleet::parse(file).unwrap();
        let mut hub_bucket = Bucket::default();
        hub_bucket.usage.public_policy = Ok(true);
        hub_bucket.usage.versioning = Ok(Versioning::Enabled);
        hub_bucket.usage.requester_pays = Ok(true);
        let bucket = Ok(Some(hub_bucket));
        let observed = Observed::new(bucket);
        let mut examination = Examination::default();
        examination.check_hub(&fleet, &observed, &plan(&fleet, &observed, Unnamed::Keep));
        let bucket = examination.checks.iter().filter(|check| check.what == Topic::Bucket);
        let found: Vec<_> = bucket.map(|check| (check.health, check.found.as_str())).collect();
        let starts = [
            (Health::Good, "acme-logs exists; `apply` changes"),
            (Health::Bad, "it is a Requester Pays bucket"),
            (Health::Doubtful, "BlockPublicPolicy and RestrictPublicBuckets stay off"),
            (Health::Doubtful, "flow logs do not expire, and `hub.retention-days` is not set"),
            (Health::Good, "flow logs do not expire"),
            (Health::Doubtful, "versioning is enabled"),
        ];
        assert_eq!(found.len(), starts.len(), "{found:?}");
        for ((health, text), (expected, start)) in found.into_iter().zip(starts) {
            assert!(health == expected && text.starts_with(start), "{text}");
        }
        assert!(!examination.is_good());
    }
}
