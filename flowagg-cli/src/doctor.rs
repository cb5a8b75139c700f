//! `flowagg doctor`: what would keep a roll-out from working, reported before anything is changed. Pure: what was read comes in,
//! the checks come out.

use std::collections::BTreeMap;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::AccountId;
use flowagg_core::observed::Observed;
use flowagg_core::plan::{Concern, EncryptionInUse, HubChange, Note, Subject, encryption_in_use};
use flowagg_policy::size::LIMIT;
use flowagg_policy::{Finding, Plan, Severity, lint_live};
use schemars::JsonSchema;
use serde::Serialize;

/// What was looked at, in the order in which a roll-out needs it. What could not be looked at is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Examination {
    /// One for each topic that could be checked.
    pub checks: Vec<CheckResult>,
    /// The calls that failed, or would.
    pub failures: Vec<Failure>,
}

/// One thing that a roll-out needs.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct CheckResult {
    /// What was looked at.
    pub what: Topic,
    /// Whether it is as it should be.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do about it, where it is known.
    pub help: Option<String>,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub enum Topic {
    /// The fleet file.
    #[serde(rename = "fleet file")]
    FleetFile,
    /// The caller's credentials.
    #[serde(rename = "credentials")]
    Credentials,
    /// The role in the hub account.
    #[serde(rename = "hub account")]
    HubAccount,
    /// The organization, whose accounts are looked up.
    #[serde(rename = "organization")]
    Organization,
    /// The roles in the members' accounts.
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
    /// The words for it.
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

/// The roles that were assumed in the members' accounts; a failure for each that could not be.
pub type Entered = BTreeMap<AccountId, Result<(), Failure>>;

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It is.
    Good,
    /// It works, but needs a look.
    Doubtful,
    /// A roll-out would fail on it.
    Bad,
}

impl Health {
    /// As a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Doubtful => "look",
            Self::Bad => "fails",
        }
    }
}

impl Examination {
    /// Whether nothing would keep a roll-out from working.
    pub fn is_good(&self) -> bool {
        self.checks.iter().all(|check| check.health != Health::Bad)
    }

    fn push(&mut self, what: Topic, health: Health, found: String, help: Option<String>) {
        self.checks.push(CheckResult { what, health, found, help });
    }

    /// Something that is as it should be.
    pub fn good(&mut self, what: Topic, found: String) {
        self.push(what, Health::Good, found, None);
    }

    /// Calls that failed, or would.
    pub fn bad(&mut self, what: Topic, failures: Vec<Failure>) {
        let found = match &failures[..] {
            [one] => one.brief().into_owned(),
            many => format!("{} calls failed", many.len()),
        };
        self.push(what, Health::Bad, found, None);
        self.failures.extend(failures);
    }

    /// The members' accounts and regions.
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
            let help = "correct `organization.units`, `organization.accounts` or what they except".to_owned();
            self.push(
                Topic::Accounts,
                Health::Bad,
                "the organization has none for this fleet".to_owned(),
                Some(help),
            );
        } else if lost.is_empty() {
            self.good(Topic::Accounts, format!("{entered} can be entered"));
        } else {
            let found = format!("{} of {} cannot be entered", lost.len(), entered + lost.len());
            self.push(Topic::Accounts, Health::Bad, found, None);
            self.failures.append(&mut lost);
        }
        let unread = observed
            .regions
            .iter()
            .filter(|(place, _)| entered_accounts.get(&place.account).is_some_and(Result::is_ok));
        let (read, unread): (Vec<_>, Vec<_>) = unread.partition(|(_, state)| state.is_ok());
        if unread.is_empty() {
            self.good(Topic::Regions, format!("{} can be read", read.len()));
        } else {
            let found = format!("{} of {} cannot be read", unread.len(), read.len() + unread.len());
            self.push(Topic::Regions, Health::Bad, found, None);
            self.failures.extend(unread.into_iter().filter_map(|(_, state)| state.clone().err()));
        }
    }

    /// The hub bucket, its policy and its key.
    pub fn check_hub(&mut self, fleet: &Fleet, observed: &Observed, plan: &Plan) {
        let bucket = match &observed.bucket {
            Err(failure) => return self.bad(Topic::Bucket, vec![failure.clone()]),
            Ok(bucket) => bucket.as_ref(),
        };
        let name = &fleet.hub.bucket;
        let settings =
            |change: &&HubChange| !matches!(change, HubChange::PutPolicy(_) | HubChange::RemoveGrant(_));
        let changes = plan.hub().iter().chain(&plan.held_back().hub);
        match (bucket, changes.filter(settings).count()) {
            (None, _) => self.good(Topic::Bucket, format!("{name} is not there; `apply` makes it")),
            (Some(_), 0) if concerns(plan).any(|concern| concern.about == Subject::Bucket) => {
                self.good(Topic::Bucket, format!("{name} is there; `apply` changes none of its settings"))
            }
            (Some(_), 0) => self.good(Topic::Bucket, format!("{name} is as declared")),
            (Some(_), n) => {
                self.good(Topic::Bucket, format!("{name} is there; `apply` changes {n} of its settings"))
            }
        }
        self.check_settings(plan);
        self.check_policy(fleet, bucket.and_then(|bucket| bucket.policy.as_deref()), plan);
        let encryption = bucket.and_then(|bucket| bucket.encryption.as_ref());
        let key = concerns(plan).find(|concern| concern.about == Subject::Key);
        match (key, encryption_in_use(&fleet.hub, encryption)) {
            (Some(concern), _) => {
                self.push(Topic::Key, Health::Bad, concern.what.clone(), Some(concern.help.clone()))
            }
            (None, EncryptionInUse::Key { .. }) => {
                if !self.undecided(Topic::Key, Subject::Key, plan) {
                    self.good(Topic::Key, "log delivery may use it for every member".to_owned());
                }
            }
            (None, _) => {}
        }
    }

    /// Settings of the bucket that keep changes from being made, that are kept for someone who may depend on them, or that matter
    /// to flow logs.
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
            let health = if let Note::Expiry { .. } = note { Health::Good } else { Health::Doubtful };
            self.push(Topic::Bucket, health, note.to_string(), None);
        }
    }

    /// Deliveries that are not certain to be allowed; whether there are any.
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
                    Some(bytes) => format!("`apply` writes it: {bytes} of {} bytes", LIMIT),
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

    /// What EC2 answered to dry runs of the plan's changes.
    pub fn check_flow_logs(&mut self, plan: &Plan, refused: Vec<Failure>) {
        if !refused.is_empty() {
            self.bad(Topic::FlowLogs, refused);
        } else if plan.flow_logs().is_empty() && plan.held_back().flow_logs.is_empty() {
            self.good(Topic::FlowLogs, "there is nothing to do".to_owned());
        } else {
            self.good(Topic::FlowLogs, format!("EC2 would do it: {}", plan.summary()));
        }
    }
}

/// What differs from the fleet file, in the way or not.
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
    fn an_organization_without_chosen_accounts_is_a_fault_of_the_accounts_and_not_of_the_policy() {
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
        assert!(examination.checks.iter().all(|check| check.what != Topic::Policy), "it was not decided");
    }

    #[test]
    fn settings_that_are_kept_or_affect_flow_logs_are_doubtful_and_requester_pays_fails() {
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
            (Health::Good, "acme-logs is there; `apply` changes"),
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
