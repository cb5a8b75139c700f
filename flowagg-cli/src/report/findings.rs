//! What should be looked at, with the way out: alike ones together, the worst first.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::arrival::{Delivery, State, Verified};
use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{Failure, Place};
use flowagg_core::plan::{FlowLogChange, Plan, Step};
use flowagg_policy::{Severity, lint};

use super::{About, Finding, Spot};
use crate::aws::observe::Observed;

pub(super) fn findings(fleet: &Fleet, observed: &Observed, verified: &Verified, plan: &Plan) -> Vec<Finding> {
    let mut found = Found { hub: hub(fleet), alike: BTreeMap::new() };
    found.failures(observed, plan);
    verified.flow_logs.iter().for_each(|delivery| found.delivery(delivery));
    found.policy(fleet, observed);
    found.plan(observed, plan);
    for stranger in &verified.strangers {
        let spot = Spot { account: stranger.account, region: None, resource: None };
        let what = "has flow logs in the bucket and is not in the fleet";
        found.add(
            Severity::Note,
            About::Note,
            what,
            Some("name it in the fleet file, or ask its owner"),
            spot,
        );
    }
    found.sorted()
}

fn hub(fleet: &Fleet) -> Spot {
    Spot {
        account: fleet.hub.account,
        region: Some(fleet.hub.region.clone()),
        resource: Some(fleet.hub.bucket.to_string()),
    }
}

struct Found {
    hub: Spot,
    /// By what makes findings alike.
    alike: BTreeMap<(About, String), Finding>,
}

impl Found {
    fn add(&mut self, severity: Severity, about: About, what: &str, help: Option<&str>, spot: Spot) {
        self.add_alike(what.to_owned(), severity, about, what, help, spot);
    }

    fn add_alike(
        &mut self,
        alike: String,
        severity: Severity,
        about: About,
        what: &str,
        help: Option<&str>,
        spot: Spot,
    ) {
        let new = || Finding {
            severity,
            about,
            what: what.to_owned(),
            help: help.map(str::to_owned),
            places: Vec::new(),
        };
        self.alike.entry((about, alike)).or_insert_with(new).places.push(spot);
    }

    /// What could not be read: each account and region, the hub, its key; and what cannot be planned.
    fn failures(&mut self, observed: &Observed, plan: &Plan) {
        let regions = observed.regions.values().filter_map(|state| state.as_ref().err());
        let key = observed.key.as_ref().and_then(|key| key.as_ref().err());
        let unread: BTreeSet<&Failure> = regions.chain(observed.bucket.as_ref().err()).chain(key).collect();
        // What else keeps a plan from being made: a policy that cannot be merged, a fleet without members.
        let others = plan.failures.iter().filter(|failure| !unread.contains(failure));
        let all = unread.iter().map(|failure| (About::Reading, *failure));
        for (about, failure) in all.chain(others.map(|failure| (About::Plan, failure))) {
            let Failure { account, region, call, resource, code, message, help } = failure;
            // Messages name the account and its role: the call, the code and the way out make them one cause.
            let alike = format!("{call} {} {}", code.as_deref().unwrap_or(message), failure.way_out());
            let spot = Spot { account: *account, region: Some(region.clone()), resource: resource.clone() };
            self.add_alike(alike, Severity::Error, about, &failure.what(), Some(help), spot);
        }
    }

    fn delivery(&mut self, delivery: &Delivery) {
        let (severity, what, help) = match (delivery.state, delivery.age_seconds) {
            (State::Delivering, _) => return,
            (State::Waiting, _) => (
                Severity::Note,
                "a new flow log, nothing has come yet".to_owned(),
                "`flowagg verify --wait 15m` waits for it",
            ),
            (State::Silent, Some(_)) => (
                Severity::Warning,
                "a flow log has delivered nothing of late".to_owned(),
                "no traffic, or something stops it: `flowagg plan` compares the bucket policy and the key with the fleet file",
            ),
            (State::Silent, None) => (
                Severity::Warning,
                "a flow log has delivered nothing in all these days".to_owned(),
                "no traffic, or something stops it: `flowagg plan` compares the bucket policy and the key with the fleet file",
            ),
            (State::Failed, _) => (
                Severity::Error,
                format!(
                    "AWS says that delivery fails: {}",
                    delivery.message.as_deref().unwrap_or("no reason given")
                ),
                "look at the bucket policy and the KMS key policy; `flowagg plan` shows what differs there",
            ),
            (State::Missing, _) => {
                (Severity::Error, "there is no flow log to the bucket".to_owned(), "`flowagg apply` makes it")
            }
        };
        let spot = Spot {
            account: delivery.account,
            region: Some(delivery.region.clone()),
            resource: Some(delivery.resource.to_string()),
        };
        self.add(severity, About::Delivery, &what, Some(help), spot);
    }

    /// What the linter finds in the policy that is there.
    fn policy(&mut self, fleet: &Fleet, observed: &Observed) {
        let live = observed.bucket.as_ref().ok().and_then(|bucket| bucket.as_ref()?.policy.as_deref());
        for finding in live.map(|live| lint(live, Some(&fleet.hub.bucket))).unwrap_or_default() {
            let statement = finding.statement.map(|it| format!("statement {it}: ")).unwrap_or_default();
            let place = format!(
                "the policy of {}, {}:{}",
                fleet.hub.bucket, finding.place.line, finding.place.column
            );
            let spot = Spot { resource: Some(place), ..self.hub.clone() };
            let what = format!("{}: {statement}{}", finding.id, finding.message);
            self.add(finding.severity, About::Policy, &what, Some(finding.help), spot);
        }
    }

    /// What `apply` would do, what it leaves, and what is not flowagg's to change.
    fn plan(&mut self, observed: &Observed, plan: &Plan) {
        const APPLY: Option<&str> = Some("`flowagg apply` does it");
        for change in &plan.hub {
            let spot = self.hub.clone();
            self.add(Severity::Warning, About::Plan, &format!("to do at the bucket: {change}"), APPLY, spot);
        }
        for change in &plan.flow_logs {
            let FlowLogChange { account, region, resource, step, reason } = change;
            let verb = match step {
                // It is told as a flow log that is not there.
                Step::Create => continue,
                Step::Replace { .. } => "replace",
                Step::Tag { .. } => "tag",
                Step::Delete { .. } => "delete",
            };
            let what = format!("a flow log to {verb}: {reason}");
            let spot = Spot {
                account: *account,
                region: Some(region.clone()),
                resource: Some(resource.to_string()),
            };
            self.add(Severity::Warning, About::Plan, &what, APPLY, spot);
        }
        for concern in &plan.concerns {
            let spot = Spot {
                account: concern.account,
                region: concern.region.clone(),
                resource: Some(concern.resource.clone()),
            };
            self.add(Severity::Warning, About::Plan, &concern.what, Some(&concern.help), spot);
        }
        for left in plan.left.iter().filter(|left| !left.is_as_wanted()) {
            let spot = Spot {
                account: left.account,
                region: Some(left.region.clone()),
                resource: Some(left.resource.clone()),
            };
            self.add(Severity::Note, About::Note, &format!("left as it is: {}", left.reason), None, spot);
        }
        // That a region has nothing to log is told by its coverage.
        let places: BTreeSet<String> = observed.regions.keys().map(Place::to_string).collect();
        let of_a_place = |note: &str| note.split_once(": ").is_some_and(|(place, _)| places.contains(place));
        for note in plan.notes.iter().filter(|note| !of_a_place(note)) {
            self.add(Severity::Note, About::Note, note, None, self.hub.clone());
        }
    }

    fn sorted(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.alike.into_values().collect();
        for finding in &mut findings {
            finding.places.sort();
        }
        findings.sort_by(|a, b| (b.severity, a.about, &a.what).cmp(&(a.severity, b.about, &b.what)));
        findings
    }
}
