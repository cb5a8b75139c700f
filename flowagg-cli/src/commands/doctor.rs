//! `flowagg doctor`: what would keep a roll-out from working, told before anything is changed.

use std::io;

use flowagg_core::fleet::{Encryption, Fleet};
use flowagg_core::observed::Failure;
use flowagg_core::plan::{HubChange, Plan, Unnamed};
use flowagg_policy::size::LIMIT;
use flowagg_policy::{Finding, Severity, lint};
use schemars::JsonSchema;
use serde::Serialize;

use super::key;
use super::plan::everything;
use crate::args;
use crate::aws::apply::dry_run;
use crate::aws::call::ASSUME_ROLE;
use crate::aws::observe::{Observed, observe};
use crate::aws::{Accounts, Session};
use crate::{Exit, Screen, show};

/// What was looked at, in the order in which a roll-out needs it. What could not be looked at is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Examination {
    /// One look each.
    pub checks: Vec<Check>,
    /// The calls that failed, or would.
    pub failures: Vec<Failure>,
}

/// One thing that a roll-out needs.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// What was looked at.
    #[schemars(extend("enum" = LOOKS))]
    pub what: &'static str,
    /// Whether it is as it should be.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do about it, where it is known.
    pub help: Option<String>,
}

/// All that is looked at.
const LOOKS: [&str; 10] = [
    "fleet file",
    "credentials",
    "hub account",
    "organization",
    "accounts",
    "regions",
    "bucket",
    "policy",
    "key",
    "flow logs",
];

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It is.
    Good,
    /// It works, and somebody should look at it.
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

pub(super) async fn run(
    global: &args::Global,
    options: &args::Doctor,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    let Some(declared) = super::declared(&global.config, screen)? else { return Ok(Exit::Usage) };
    let mut examination = Examination::default();
    examination.good("fleet file", format!("`{}` can be used", global.config.display()));
    match Session::open(&declared, &global.connection()).await {
        // Which of the two calls failed says how far it came.
        Err(failure) => {
            let what = if failure.call == ASSUME_ROLE.name { "hub account" } else { "credentials" };
            examination.bad(what, vec![failure]);
        }
        Ok(session) => {
            let hub = declared.hub().account;
            examination.good("credentials", format!("they are of {}", session.caller()));
            examination.good("hub account", format!("{hub} can be entered"));
            let looked = screen
                .reading(async |progress| {
                    let (fleet, accounts, observed) =
                        observe(declared, &session, &global.only, progress).await?;
                    let plan = everything(&fleet, &observed, Unnamed::Keep);
                    let refused = dry_run(&fleet, &accounts, &plan, progress).await;
                    Ok((fleet, accounts, observed, plan, refused))
                })
                .await;
            match looked {
                Err(failure) => examination.bad("organization", vec![failure]),
                Ok((fleet, accounts, observed, plan, refused)) => {
                    examination.of_accounts(&fleet, &accounts, &observed);
                    examination.of_hub(&fleet, &observed, &plan);
                    examination.of_flow_logs(&plan, refused);
                }
            }
        }
    }
    if options.json {
        show::document(&examination, screen.out)?;
    } else {
        show::examination(&examination, screen.out)?;
    }
    Ok(if examination.is_good() { Exit::Done } else { Exit::Failed })
}

impl Examination {
    /// Whether nothing would keep a roll-out from working.
    pub fn is_good(&self) -> bool {
        self.checks.iter().all(|check| check.health != Health::Bad)
    }

    fn push(&mut self, what: &'static str, health: Health, found: String, help: Option<String>) {
        self.checks.push(Check { what, health, found, help });
    }

    fn good(&mut self, what: &'static str, found: String) {
        self.push(what, Health::Good, found, None);
    }

    fn bad(&mut self, what: &'static str, failures: Vec<Failure>) {
        let found = match &failures[..] {
            [one] => one.message.clone(),
            many => format!("{} calls failed", many.len()),
        };
        self.push(what, Health::Bad, found, None);
        self.failures.extend(failures);
    }

    fn of_accounts(&mut self, fleet: &Fleet, accounts: &Accounts, observed: &Observed) {
        let mut lost: Vec<Failure> = Vec::new();
        let mut entered = 0;
        for account in fleet.members.keys() {
            match accounts.member(*account) {
                Some(Ok(_)) => entered += 1,
                Some(Err(failure)) => lost.push(failure.clone()),
                None => {}
            }
        }
        if fleet.members.is_empty() {
            let help = "correct `organization.units`, `organization.accounts` or what they except".to_owned();
            self.push(
                "accounts",
                Health::Bad,
                "the organization has none for this fleet".to_owned(),
                Some(help),
            );
        } else if lost.is_empty() {
            self.good("accounts", format!("{entered} can be entered"));
        } else {
            let found = format!("{} of {} cannot be entered", lost.len(), entered + lost.len());
            self.push("accounts", Health::Bad, found, None);
            self.failures.append(&mut lost);
        }
        let unread = observed
            .regions
            .iter()
            .filter(|(place, _)| accounts.member(place.account).is_some_and(|account| account.is_ok()));
        let (read, unread): (Vec<_>, Vec<_>) = unread.partition(|(_, state)| state.is_ok());
        if unread.is_empty() {
            self.good("regions", format!("{} can be read", read.len()));
        } else {
            let found = format!("{} of {} cannot be read", unread.len(), read.len() + unread.len());
            self.push("regions", Health::Bad, found, None);
            self.failures.extend(unread.into_iter().filter_map(|(_, state)| state.clone().err()));
        }
    }

    fn of_hub(&mut self, fleet: &Fleet, observed: &Observed, plan: &Plan) {
        let bucket = match &observed.bucket {
            Err(failure) => return self.bad("bucket", vec![failure.clone()]),
            Ok(bucket) => bucket.as_ref(),
        };
        let name = &fleet.hub.bucket;
        let settings =
            |change: &&HubChange| !matches!(change, HubChange::PutPolicy(_) | HubChange::RemoveGrant(_));
        match (bucket, plan.hub.iter().filter(settings).count()) {
            (None, _) => self.good("bucket", format!("{name} is not there; `apply` makes it")),
            (Some(_), 0) => self.good("bucket", format!("{name} is as wanted")),
            (Some(_), n) => {
                self.good("bucket", format!("{name} is there; `apply` changes {n} of its settings"))
            }
        }
        self.of_policy(fleet, bucket.and_then(|bucket| bucket.policy.as_deref()), plan);
        if let Encryption::SseKms { .. } = &fleet.hub.encryption {
            match key::obstacle(fleet, plan) {
                Some(concern) => {
                    self.push("key", Health::Bad, concern.what.clone(), Some(concern.help.clone()))
                }
                None => self.good("key", "log delivery may use it for every member".to_owned()),
            }
        }
    }

    fn of_policy(&mut self, fleet: &Fleet, live: Option<&str>, plan: &Plan) {
        // What no call stands behind is the policy's own.
        if let Some(failure) = plan.failures.iter().find(|failure| failure.call.is_empty()) {
            self.push("policy", Health::Bad, failure.message.clone(), Some(failure.help.clone()));
        } else {
            let written = plan.hub.iter().find_map(|change| match change {
                HubChange::PutPolicy(change) => Some(change.bytes),
                _ => None,
            });
            self.good(
                "policy",
                match written {
                    Some(bytes) => format!("`apply` writes it: {bytes} of {} bytes", LIMIT),
                    None => "every member may deliver".to_owned(),
                },
            );
        }
        let findings = live.map(|live| lint(live, Some(&fleet.hub.bucket))).unwrap_or_default();
        let grave = |finding: &&Finding| finding.severity >= Severity::Warning;
        for finding in findings.iter().filter(grave) {
            self.push("policy", Health::Doubtful, finding.message.clone(), Some(finding.help.to_owned()));
        }
    }

    fn of_flow_logs(&mut self, plan: &Plan, refused: Vec<Failure>) {
        if !refused.is_empty() {
            self.bad("flow logs", refused);
        } else if plan.flow_logs.is_empty() {
            self.good("flow logs", "there is nothing to do".to_owned());
        } else {
            self.good("flow logs", format!("EC2 would do it: {}", plan.summary()));
        }
    }
}
