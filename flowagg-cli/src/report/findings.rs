//! The findings of a report, each with its fix. Similar findings are merged; the most severe come first.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::arrival::{Acceptance, ExceptionUse, FlowLogDelivery, State, Verified};
use flowagg_core::failure::{Advice, Failure};
use flowagg_core::fleet::Fleet;
use flowagg_core::id::{Place, ResourceId};
use flowagg_core::observed::{Observed, Scope};
use flowagg_core::plan::{FlowLogChange, Note, Step};
use flowagg_policy::{Plan, Severity, lint_live};
use jiff::civil::Date;

use super::{About, AffectedResource, ReportFinding};

/// The call that gives access to an account.
const ASSUME_ROLE: &str = "AssumeRole";

pub(super) fn findings(
    fleet: &Fleet,
    observed: &Observed,
    verified: &Verified,
    plan: &Plan,
    today: Date,
) -> Vec<ReportFinding> {
    let mut found = Found { fleet, observed, today, hub: hub(fleet), alike: BTreeMap::new() };
    found.failures(verified);
    let created: BTreeSet<(&Place, &ResourceId)> = plan
        .flow_logs()
        .iter()
        .filter(|change| change.step == Step::Create)
        .map(|change| (&change.place, &change.resource))
        .collect();
    for delivery in &verified.flow_logs {
        found.delivery(delivery, created.contains(&(&delivery.place, &delivery.resource)));
    }
    found.policy();
    found.plan(plan);
    found.exceptions(verified);
    for stranger in &verified.strangers {
        let affected =
            AffectedResource { account: stranger.account, region: None, resource: None, exception: None };
        let what = "an account outside the fleet has flow logs in the bucket";
        found.add(
            Severity::Note,
            About::Note,
            what,
            Some("add it to the fleet file, or contact its owner"),
            affected,
        );
    }
    found.sorted()
}

fn hub(fleet: &Fleet) -> AffectedResource {
    AffectedResource::new(&fleet.hub.place(), Some(fleet.hub.bucket.to_string()))
}

struct Found<'a> {
    fleet: &'a Fleet,
    observed: &'a Observed,
    today: Date,
    hub: AffectedResource,
    /// The findings by subject and common cause.
    alike: BTreeMap<(About, Alike), ReportFinding>,
}

/// The common cause of occurrences that are merged into one finding.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Alike {
    /// The same sentence.
    What(String),
    /// A failed call, its code (or its message if there is none), and the advice. Messages differ because they name the account and its role.
    Failure(String, String, Advice),
}

impl Found<'_> {
    /// The exception that accepts a finding about a resource or an account-region.
    fn exception(&self, place: &Place, resource: Option<&ResourceId>) -> Option<Acceptance> {
        let found = resource.and_then(|resource| {
            let state = self.observed.regions.get(place)?.as_ref().ok()?;
            state.resources.iter().find(|it| it.id == *resource)
        });
        self.fleet.exceptions(place, found, self.today).first().map(|exception| Acceptance::from(*exception))
    }

    fn add(
        &mut self,
        severity: Severity,
        about: About,
        what: &str,
        help: Option<&str>,
        affected: AffectedResource,
    ) {
        self.add_alike(Alike::What(what.to_owned()), severity, about, what, help, affected);
    }

    fn add_alike(
        &mut self,
        alike: Alike,
        severity: Severity,
        about: About,
        what: &str,
        help: Option<&str>,
        affected: AffectedResource,
    ) {
        let new = || ReportFinding {
            severity,
            about,
            what: what.to_owned(),
            help: help.map(str::to_owned),
            places: Vec::new(),
        };
        self.alike.entry((about, alike)).or_insert_with(new).places.push(affected);
    }

    /// Adds failed reads: of account-regions, of the resources in use there, of the hub and of its key.
    fn failures(&mut self, verified: &Verified) {
        let observed = self.observed;
        let key = observed.key.as_ref().and_then(|key| key.as_ref().err());
        let at_hub = observed.bucket.as_ref().err().into_iter().chain(key);
        let open = verified.failures.iter().chain(at_hub).map(|failure| (failure, None));
        let accepted = verified.accepted_failures.iter().map(|it| (&it.failure, Some(it.exception.clone())));
        let unread: BTreeMap<&Failure, Option<Acceptance>> = accepted.chain(open).collect();
        for (failure, exception) in unread {
            let Failure { place, call, resource, code, message, advice, .. } = failure;
            let cause = code.as_ref().unwrap_or(message).clone();
            let alike = Alike::Failure(call.clone(), cause, advice.clone());
            let affected = AffectedResource::new(place, resource.clone()).accepted(exception);
            let (what, help) = (format!("{}: {}", self.unknown(failure), failure.what()), failure.help());
            self.add_alike(alike, Severity::Error, About::Reading, &what, Some(&help), affected);
        }
    }

    /// Describes what is unknown because of a failure.
    fn unknown(&self, failure: &Failure) -> &'static str {
        let is_of = |found: Option<&Failure>| found == Some(failure);
        let observed = self.observed;
        if is_of(observed.bucket.as_ref().err()) {
            "the bucket could not be read"
        } else if is_of(observed.key.as_ref().and_then(|key| key.as_ref().err())) {
            "the KMS key could not be read"
        } else if !observed.regions.values().any(|state| is_of(state.as_ref().err())) {
            "the resources in use could not be read"
        } else if failure.call == ASSUME_ROLE {
            "the account is not accessible"
        } else {
            "resources and flow logs could not be read"
        }
    }

    /// Adds a finding if a flow log does not deliver. If it is missing, the plan creates it or has a reason not to.
    fn delivery(&mut self, delivery: &FlowLogDelivery, is_created: bool) {
        let (severity, what, help) = match (delivery.state, delivery.age_seconds) {
            // Failed reads are separate findings.
            (State::Delivering | State::Idle | State::Unknown, _) => return,
            (State::Waiting, _) => (
                Severity::Note,
                "a new flow log has not delivered any objects yet".to_owned(),
                "run `flowagg verify --wait 30m` to wait for it",
            ),
            (State::Silent, newest) => (
                Severity::Warning,
                format!(
                    "a flow log has delivered no objects {}, although its resource is in use",
                    if newest.is_some() { "recently" } else { "on any day of this report" }
                ),
                "run `flowagg plan` to check the bucket policy and the KMS key policy",
            ),
            (State::Failing, _) => (
                Severity::Error,
                format!(
                    "AWS reports a delivery error: {}",
                    delivery.message.as_deref().unwrap_or("no reason given")
                ),
                "run `flowagg plan` to check the bucket policy and the KMS key policy",
            ),
            (State::Missing, _) => (
                Severity::Error,
                "the resource has no flow log to the bucket".to_owned(),
                if is_created {
                    "run `flowagg apply` to create it"
                } else {
                    "run `flowagg plan` to see what prevents its creation"
                },
            ),
        };
        let affected = AffectedResource::new(&delivery.place, Some(delivery.resource.to_string()));
        let affected = affected.accepted(delivery.exception.clone());
        self.add(severity, About::Delivery, &what, Some(help), affected);
    }

    /// Adds the linter's findings about the current bucket policy.
    fn policy(&mut self) {
        let (fleet, observed) = (self.fleet, self.observed);
        let live = observed.bucket.as_ref().ok().and_then(|bucket| bucket.as_ref()?.policy.as_deref());
        for finding in live.map(|live| lint_live(live, &fleet.hub.bucket)).unwrap_or_default() {
            let statement = finding.statement.map(|it| format!("statement {it}: ")).unwrap_or_default();
            let place = format!(
                "the policy of {}, {}:{}",
                fleet.hub.bucket, finding.place.line, finding.place.column
            );
            let affected = AffectedResource { resource: Some(place), ..self.hub.clone() };
            let what = format!("{}: {statement}{}", finding.id, finding.message);
            self.add(finding.severity, About::Policy, &what, Some(&finding.help), affected);
        }
    }

    /// Adds pending changes, flow logs that are left unchanged, and differences that flowagg does not change.
    fn plan(&mut self, plan: &Plan) {
        const APPLY: Option<&str> = Some("run `flowagg apply`");
        for change in plan.hub() {
            let affected = self.hub.clone();
            self.add(
                Severity::Warning,
                About::Plan,
                &format!("pending bucket change: {}", change.named(plan.names())),
                APPLY,
                affected,
            );
        }
        for change in plan.not_applied() {
            let what = format!("not applied, because existing objects would expire sooner: {change}");
            let help = Some("run `flowagg apply --allow-expiry` to apply it");
            self.add(Severity::Warning, About::Plan, &what, help, self.hub.clone());
        }
        for change in plan.flow_logs() {
            let FlowLogChange { place, resource, step, reason, .. } = change;
            let verb = match step {
                // Reported as a missing flow log.
                Step::Create => continue,
                Step::Replace { .. } => "replace",
                Step::Tag { .. } => "tag",
                Step::Delete { .. } => "delete",
            };
            let what = format!("pending flow log change ({verb}): {reason}");
            let affected = AffectedResource::new(place, Some(resource.to_string()));
            let affected = affected.accepted(self.exception(place, Some(resource)));
            self.add(Severity::Warning, About::Plan, &what, APPLY, affected);
        }
        let obstacles = plan.obstacles().iter().map(|obstacle| (Severity::Error, obstacle));
        let concerns = plan.concerns().iter().map(|concern| (Severity::Warning, concern));
        for (severity, concern) in obstacles.chain(concerns) {
            let place = concern.region.as_ref().map(|region| Place::new(concern.account, region));
            let affected = AffectedResource {
                account: concern.account,
                region: concern.region.clone(),
                resource: Some(concern.resource.clone()),
                exception: place.and_then(|place| self.exception(&place, None)),
            };
            self.add(severity, About::Plan, &concern.what, Some(&concern.help), affected);
        }
        for left in plan.left().iter().filter(|left| !left.is_as_wanted()) {
            let affected = AffectedResource::new(&left.place, Some(left.resource.clone()));
            self.add(Severity::Note, About::Note, &format!("left unchanged: {}", left.why), None, affected);
        }
        // Reported elsewhere: regions with nothing to log by their state, the expiry with the bucket, unknown resources above.
        let is_reported = |note: &&Note| {
            matches!(note, Note::NothingToLog { .. } | Note::Expiry { .. } | Note::UnknownResource { .. })
        };
        for note in plan.notes().iter().filter(|note| !is_reported(note)) {
            let what = note.named(plan.names()).to_string();
            self.add(Severity::Note, About::Note, &what, None, self.hub.clone());
        }
    }

    /// Adds expired exceptions, and, if everything was read, exceptions that match nothing.
    fn exceptions(&mut self, verified: &Verified) {
        let is_whole = self.observed.scope == Scope::Whole && verified.failures.is_empty();
        for ExceptionUse { exception, is_expired, accepts, .. } in &verified.exceptions {
            // An exception without an account applies to the whole fleet, which is represented by the hub.
            let affected = match exception.account {
                Some(account) => AffectedResource { account, region: None, resource: None, exception: None },
                None => self.hub.clone(),
            };
            let accepts_finding = self
                .alike
                .values()
                .flat_map(|finding| &finding.places)
                .any(|place| place.exception.as_ref() == Some(&Acceptance::from(exception)));
            let (until, reason) = (exception.until, &exception.reason);
            if *is_expired {
                let what = format!("an exception expired on {until}: {exception} ({reason})");
                let help = Some("remove it from the fleet file, or set a later `until`");
                self.add(Severity::Warning, About::Exception, &what, help, affected);
            } else if *accepts == 0 && !accepts_finding && is_whole {
                let what = format!("an exception matches nothing: {exception} ({reason})");
                self.add(
                    Severity::Note,
                    About::Exception,
                    &what,
                    Some("remove it from the fleet file"),
                    affected,
                );
            }
        }
    }

    fn sorted(self) -> Vec<ReportFinding> {
        let findings = self.alike.into_iter().map(|((_, alike), mut finding)| {
            // Accepted occurrences come last.
            finding.places.sort_by(|one, other| {
                (one.exception.is_some(), one).cmp(&(other.exception.is_some(), other))
            });
            if let Alike::Failure(_, _, advice) = alike {
                let place = |it: &AffectedResource| Some(Place::new(it.account, it.region.as_ref()?));
                let places: Vec<Place> = finding.places.iter().filter_map(place).collect();
                finding.help = Some(advice.at_each(&places));
            }
            finding
        });
        let mut findings: Vec<ReportFinding> = findings.collect();
        findings.sort_by(|a, b| (b.severity, a.about, &a.what).cmp(&(a.severity, b.about, &b.what)));
        findings
    }
}
