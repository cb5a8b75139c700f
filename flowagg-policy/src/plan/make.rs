//! Creates plans from a fleet and the observed state.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::Fleet;
use flowagg_core::id::AccountId;
use flowagg_core::names::Names;
use flowagg_core::observed::{Bucket, Observed, Scope};
use flowagg_core::plan::{
    Access, Concern, Expiry, FlowLogPart, GrantRemoval, HubChange, HubPart, LifecycleChange, Note,
    PolicyChange, Sooner, Subject, Unnamed, flow_log_changes, flow_log_removals, hub_changes,
    lifecycle_removal, revoked,
};

use super::effects::{Effects, compare, deliverers, evaluate_for};
use super::key::{self, KeyFinding};
use super::value::{Adoption, Goal, HeldBack, Plan, about_bucket, about_policy, at_hub};
use super::{access_points, adoption, overlap};
use crate::adopt::{Adopted, StatementRef, adopt, adopt_again};
use crate::assure::{DeliveryProblem, ProblemKind};
use crate::document::{DocumentError, NOTHING};
use crate::grant::Grant;
use crate::lint::{DeletedPrincipal, deleted_principals};
use crate::merge::{MergeError, Merged, granted_by, merge, merge_part, remove, unlisted};
use crate::size::compact_len;

/// Options of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// How to treat managed grants and flow logs that the fleet file does not name.
    pub unnamed: Unnamed,
    /// Foreign statements to replace with the fleet's grant. Requires
    /// [`LogFolders::Listed`](flowagg_core::observed::LogFolders).
    pub adopt: BTreeSet<StatementRef>,
    /// Whether to adopt statements even if the deliveries that they serve are unknown.
    pub adopt_unchecked: bool,
    /// Whether objects of an existing bucket may expire sooner.
    pub expiry: Expiry,
}

impl From<Unnamed> for PlanOptions {
    fn from(unnamed: Unnamed) -> Self {
        Self { unnamed, adopt: BTreeSet::new(), adopt_unchecked: false, expiry: Expiry::Withhold }
    }
}

/// Creates the plan that makes AWS match the fleet file.
pub fn plan(fleet: &Fleet, observed: &Observed, options: impl Into<PlanOptions>) -> Plan {
    let PlanOptions { unnamed, adopt: statements, adopt_unchecked: unchecked, expiry } = options.into();
    make(fleet, observed, Goal::Apply(unnamed, expiry, Adoption::Named { statements, unchecked }))
}

/// Creates the plan that deletes every managed flow log to the hub bucket, then the fleet's lifecycle rules and grant.
/// The bucket, its objects and everything foreign stay.
pub fn destroy(fleet: &Fleet, observed: &Observed) -> Plan {
    make(fleet, observed, Goal::Destroy)
}

/// Creates every plan.
fn make(fleet: &Fleet, observed: &Observed, goal: Goal) -> Plan {
    let flow_logs = match &goal {
        Goal::Apply(unnamed, ..) => flow_log_changes(fleet, &observed.regions, *unnamed),
        Goal::Destroy => flow_log_removals(fleet, &observed.regions),
    };
    let mut plan = Plan::of_flow_logs(goal.clone(), flow_logs);
    match (&observed.bucket, goal) {
        // Flow logs without their bucket would only fail.
        (Err(failure), _) => {
            plan.failures.push(failure.clone());
            plan.failures.sort();
        }
        (Ok(bucket), Goal::Apply(unnamed, expiry, adoption)) => {
            plan.add_hub(fleet, observed, bucket.as_ref(), unnamed, expiry, &adoption);
        }
        (Ok(bucket), Goal::Destroy) => plan.add_removal(fleet, observed, bucket.as_ref()),
    }
    if observed.bucket.is_err() || !plan.obstacles.is_empty() {
        plan.hold_back();
    }
    plan.set_names(fleet, observed);
    plan
}

impl Plan {
    /// Creates the plan with the same goal for the current state of AWS.
    ///
    /// It may not revoke anything that is not among this plan's changes: in that case it makes no changes, and an
    /// obstacle names the difference. To plan only the hub, leave `observed.regions` empty.
    #[must_use]
    pub fn again(&self, fleet: &Fleet, observed: &Observed) -> Self {
        let goal = match self.goal.clone() {
            // This plan adopted nothing, so the new one does not adopt anything either.
            Goal::Apply(unnamed, expiry, Adoption::Named { .. }) => {
                let (texts, deliveries) = (BTreeSet::new(), BTreeSet::new());
                Goal::Apply(unnamed, expiry, Adoption::Again { texts, deliveries })
            }
            goal => goal,
        };
        let mut plan = make(fleet, observed, goal);
        let ((accounts, access), (shown, shown_access)) = (plan.revoked(), self.revoked());
        let more = revoked(&(&accounts - &shown), &(&access - &shown_access), &plan.names);
        if !more.is_empty() {
            plan.obstacles.push(about_policy(
                fleet,
                format!(
                    "the new plan would also revoke {}, which the first plan did not show, so nothing was revoked",
                    more.join("; ")
                ),
                "run `flowagg plan` again",
            ));
            plan.hold_back();
        }
        let ends = |sooner: &Sooner| (sooner.end, sooner.before, sooner.after);
        let creates = self.hub.iter().any(|change| matches!(change, HubChange::CreateBucket { .. }));
        let shown: BTreeSet<_> =
            self.lifecycle().map_or(&[][..], |change| &change.sooner).iter().map(ends).collect();
        let now = plan.lifecycle().map_or(&[][..], |change| &change.sooner).iter().map(ends);
        if !creates && now.into_iter().any(|end| !shown.contains(&end)) {
            let what = "the lifecycle rules changed after the plan was made, and objects would now expire sooner than the plan \
                        showed, so no rule was set";
            plan.obstacles.push(about_bucket(fleet, what.to_owned(), "run `flowagg plan` again"));
            plan.hold_back();
        }
        plan
    }

    /// The change to the lifecycle rules.
    fn lifecycle(&self) -> Option<&LifecycleChange> {
        self.hub.iter().find_map(|change| match change {
            HubChange::SetLifecycle(change) | HubChange::RemoveLifecycle(change) => Some(change),
            _ => None,
        })
    }

    fn of_flow_logs(goal: Goal, flow_logs: FlowLogPart) -> Self {
        let FlowLogPart { changes, left, also_logged, concerns, failures, notes, .. } = flow_logs;
        Self {
            hub: Vec::new(),
            flow_logs: changes,
            left,
            also_logged,
            concerns,
            obstacles: Vec::new(),
            failures,
            notes,
            not_applied: Vec::new(),
            names: Names::default(),
            held_back: HeldBack::default(),
            goal,
        }
    }

    /// Sets the names of the accounts and resources that the plan mentions.
    fn set_names(&mut self, fleet: &Fleet, observed: &Observed) {
        let changes = self.flow_logs.iter().chain(&self.held_back.flow_logs);
        let mentioned = changes.map(|change| change.resource.as_str());
        let left = self.left.iter().map(|left| left.resource.as_str());
        let concerns = self.concerns.iter().map(|concern| concern.resource.as_str());
        let also = self.also_logged.iter().map(|also| also.resource.as_str());
        let mut names = Names::new(fleet, &observed.regions);
        names.retain(&mentioned.chain(left).chain(also).chain(concerns).collect());
        self.names = names;
    }

    fn add_hub(
        &mut self,
        fleet: &Fleet,
        observed: &Observed,
        bucket: Option<&Bucket>,
        unnamed: Unnamed,
        expiry: Expiry,
        adoption: &Adoption,
    ) {
        // With pruning, a grant without accounts would revoke all others.
        if fleet.members.is_empty() {
            self.obstacles.push(no_members(fleet));
            self.notes.extend(left_out(fleet));
            return;
        }
        let HubPart { changes, not_applied, concerns, obstacles, notes, .. } =
            hub_changes(fleet, bucket, expiry, &observed.scope);
        let encrypts = changes.iter().any(|change| matches!(change, HubChange::Encrypt { .. }));
        self.hub = changes;
        self.not_applied = not_applied;
        // Hub changes are made first, so hub concerns come first.
        self.concerns.splice(0..0, concerns);
        self.obstacles.extend(obstacles);
        self.notes.splice(0..0, notes);
        let live = bucket.and_then(|bucket| bucket.policy.as_deref());
        let grant = Grant::from(fleet);
        match decide(fleet, &grant, observed, live, unnamed, adoption) {
            Ok(decided) => {
                if let Some(change) = &decided.change {
                    self.obstacles.extend(deleted(fleet, &change.text));
                }
                self.goal = Goal::Apply(unnamed, expiry, decided.adoption);
                self.hub.extend(decided.change.map(HubChange::PutPolicy));
                self.notes.extend(left_out(fleet));
                self.notes.extend(decided.notes);
                self.add_problems(fleet, decided.problems);
            }
            Err(obstacle) => self.obstacles.push(obstacle),
        }
        let encryption = bucket.and_then(|bucket| bucket.encryption.as_ref());
        match key::finding(fleet, &grant, encryption, observed.key.as_ref(), &observed.scope) {
            // Encryption with this key would stop all deliveries.
            Some(KeyFinding::Certain(concern)) if encrypts => self.obstacles.push(concern),
            Some(KeyFinding::Certain(concern)) => self.concerns.push(concern),
            Some(KeyFinding::Undecided(note)) => self.notes.push(note),
            None => {}
        }
    }

    /// Certain problems with the policy block every change. Without changes, and if a problem is uncertain, it is only
    /// reported.
    fn add_problems(&mut self, fleet: &Fleet, problems: Vec<DeliveryProblem>) {
        let changes = !self.is_empty();
        for problem in problems {
            let concern = |help| about_policy(fleet, problem.to_string(), help);
            match problem.kind {
                ProblemKind::Undecided => {
                    self.notes.push(Note::Undecided { about: Subject::Policy, what: problem.to_string() });
                }
                ProblemKind::Denied | ProblemKind::Unintended if changes => {
                    let what = format!("no changes were made: {problem}");
                    self.obstacles.push(about_policy(fleet, what, denied_help(&problem)));
                }
                ProblemKind::Denied | ProblemKind::Unintended => {
                    self.concerns.push(concern(denied_help(&problem)))
                }
            }
        }
    }

    fn add_removal(&mut self, fleet: &Fleet, observed: &Observed, bucket: Option<&Bucket>) {
        let live = bucket.and_then(|bucket| bucket.policy.as_deref());
        let grant = match live.map(|live| removal(fleet, live)).transpose() {
            Ok(removal) => removal.flatten().map(HubChange::RemoveGrant),
            Err(obstacle) => return self.obstacles.push(obstacle),
        };
        let rules = match bucket.map(|bucket| lifecycle_removal(fleet, bucket)).transpose() {
            Ok(removal) => removal.flatten().map(HubChange::RemoveLifecycle),
            Err(error) => {
                let obstacle = about_bucket(fleet, error.to_string(), error.help());
                return self.obstacles.push(obstacle);
            }
        };
        if let Some(HubChange::RemoveGrant(GrantRemoval { leaves: Some(leaves), .. })) = &grant {
            self.obstacles.extend(deleted(fleet, leaves));
        }
        let removals: Vec<HubChange> = rules.into_iter().chain(grant).collect();
        match live.map(|live| overlap::notes(fleet, &Grant::from(fleet), live)).transpose() {
            Ok(notes) => self.notes.extend(notes.unwrap_or_default()),
            Err(error) => self.obstacles.push(about_policy(fleet, error.to_string(), &error.help())),
        }
        let stays = match &observed.scope {
            Scope::Part { .. } => Some(Note::GrantStaysForPart),
            Scope::Whole if !self.failures.is_empty() => Some(Note::GrantStaysForUnread),
            Scope::Whole => None,
        };
        match stays {
            Some(note) if !removals.is_empty() => {
                self.held_back.hub.extend(removals);
                self.notes.push(note);
            }
            _ => self.hub.extend(removals),
        }
    }
}

/// The decision about the bucket policy.
struct Decided {
    change: Option<PolicyChange>,
    /// The statements that a repeated plan adopts.
    adoption: Adoption,
    problems: Vec<DeliveryProblem>,
    notes: Vec<Note>,
}

/// Merges the grant into the live policy, and evaluates the result for every delivery of the fleet.
fn decide(
    fleet: &Fleet,
    grant: &Grant,
    observed: &Observed,
    live: Option<&str>,
    unnamed: Unnamed,
    adoption: &Adoption,
) -> Result<Decided, Concern> {
    let adopted = adopted(fleet, live, adoption)?;
    let base = adopted.as_ref().map_or(live, |adopted| Some(adopted.policy.as_str()));
    let unreadable = |error: MergeError| about_policy(fleet, error.to_string(), &error.help());
    let mut merged = match &observed.scope {
        Scope::Whole => merge(base, grant, unnamed),
        Scope::Part { members } if adopted.is_none() => merge_part(base, grant, members),
        // Accounts that the adopted statements allow also get the grant.
        Scope::Part { members } => {
            let deliverers = deliverers(fleet, grant, live).map_err(|error| unreadable(error.into()))?;
            merge_part(base, grant, &(members | &deliverers))
        }
    }
    .map_err(unreadable)?;
    let deliveries = match adopted.as_ref().filter(|adopted| !adopted.names.is_empty()) {
        Some(adopted) => {
            merged.changed = true;
            adoption::check(fleet, observed, grant, &merged.text, adopted, adoption)?
        }
        None => BTreeSet::new(),
    };
    let (Effects { granted, allowed_anyway, revoked }, problems) =
        evaluate_for(fleet, grant, live, &merged, &observed.scope).map_err(unreadable)?;
    let strangers = merged.kept.iter().filter(|account| !fleet.members.contains_key(account));
    let mut notes: Vec<Note> = strangers.map(|account| Note::StillGranted { account: *account }).collect();
    if !merged.kept_access.is_empty() {
        notes.push(Note::StillGrantedIn { access: merged.kept_access.clone() });
    }
    if observed.scope != Scope::Whole {
        if unnamed == Unnamed::Prune && !notes.is_empty() {
            notes.push(Note::NothingPrunedForPart);
        }
        if merged.changed {
            notes.extend(
                newly_granted_organization(grant, live, &merged).map_err(|error| unreadable(error.into()))?,
            );
        }
    }
    let overlaps = overlap::notes(fleet, grant, &merged.text);
    notes.extend(overlaps.map_err(|error| about_policy(fleet, error.to_string(), &error.help()))?);
    let delegated = access_points::notes(&merged.text);
    notes.extend(delegated.map_err(|error| about_policy(fleet, error.to_string(), error.help()))?);
    if !merged.changed {
        // Without a change, the only notes are about statements that stay.
        notes.extend(merged.notes.iter().map(|what| Note::StatementKept { what: what.clone() }));
    }
    let change = merged.changed.then(|| {
        let mut change = PolicyChange::new(merged.text, merged.bytes);
        change.bytes_before = live.map(compact_len);
        change.replaces = live.map(str::to_owned);
        change.granted = granted;
        change.also_granted = &allowed_anyway & &merged.granted;
        change.revoked = revoked;
        change.revoked_access = merged.revoked_access;
        change.adopted = adopted.as_ref().map(|adopted| adopted.names.clone()).unwrap_or_default();
        change.notes = merged.notes;
        change
    });
    let texts = adopted.map(|adopted| adopted.texts).unwrap_or_default();
    let adoption = Adoption::Again { texts, deliveries };
    Ok(Decided { change, adoption, problems, notes })
}

/// Returns a note if the grant newly allows a whole organization, or units of it, to deliver.
fn newly_granted_organization(
    grant: &Grant,
    live: Option<&str>,
    merged: &Merged,
) -> Result<Option<Note>, DocumentError> {
    let Some(organization) = grant.organization.as_ref().filter(|_| merged.form.is_by_organization()) else {
        return Ok(None);
    };
    let (id, units) = (organization.id.clone(), organization.units.clone());
    let access = Access::Organization { id: id.clone(), units: units.clone() };
    let is_live =
        live.map(|live| unlisted(live, grant)).transpose()?.is_some_and(|live| live.contains(&access));
    Ok((!is_live).then_some(Note::GrantsOrganization { id, units }))
}

/// Returns the live policy without the adopted statements; `None` if nothing is adopted.
fn adopted(fleet: &Fleet, live: Option<&str>, adoption: &Adoption) -> Result<Option<Adopted>, Concern> {
    let adopted = match (adoption, live) {
        (Adoption::Named { statements, .. }, _) if statements.is_empty() => return Ok(None),
        (Adoption::Named { statements, .. }, live) => adopt(live.unwrap_or(NOTHING), statements),
        (Adoption::Again { texts, .. }, Some(live)) if !texts.is_empty() => adopt_again(live, texts),
        (Adoption::Again { .. }, _) => return Ok(None),
    };
    adopted.map(Some).map_err(|error| about_policy(fleet, error.to_string(), &error.help()))
}

/// Returns the live policy without managed statements; `None` if it has none.
fn removal(fleet: &Fleet, live: &str) -> Result<Option<GrantRemoval>, Concern> {
    let grant = Grant::from(fleet);
    removed(fleet, &grant, live).map_err(|error| about_policy(fleet, error.to_string(), &error.help()))
}

fn removed(fleet: &Fleet, grant: &Grant, live: &str) -> Result<Option<GrantRemoval>, MergeError> {
    let leaves = remove(live, grant)?;
    if leaves.as_deref() == Some(live) {
        return Ok(None);
    }
    let mut accounts: BTreeSet<AccountId> = fleet.members.keys().copied().collect();
    accounts.extend(granted_by(live, grant)?.iter().flat_map(|granted| &granted.accounts));
    let revoked = compare(fleet, grant, Some(live), leaves.as_deref(), &accounts)?.effects.revoked;
    let revoked_access = unlisted(live, grant)?;
    let mut removal = GrantRemoval::new(live.to_owned());
    removal.leaves = leaves;
    removal.revoked = revoked;
    removal.revoked_access = revoked_access;
    Ok(Some(removal))
}

/// Returns a concern if a policy to be written contains deleted principals, because S3 rejects it.
fn deleted(fleet: &Fleet, policy: &str) -> Option<Concern> {
    let deleted = deleted_principals(policy);
    let named =
        |it: &DeletedPrincipal| format!("statement {} names the deleted principal {}", it.statement, it.id);
    let named: Vec<String> = deleted.iter().map(named).collect();
    let what = (!named.is_empty()).then(|| format!("S3 would reject the new policy: {}", named.join(", ")));
    let help = "remove the principal or the statement, which flowagg does not manage; `flowagg policy check` reports its position \
                as `deleted-principal`";
    what.map(|what| about_policy(fleet, what, help))
}

/// Help for a delivery that is denied, or that is allowed unintentionally.
fn denied_help(problem: &DeliveryProblem) -> &'static str {
    match (problem.kind, &problem.statement) {
        (ProblemKind::Denied, Some(_)) => {
            "change that statement, which flowagg does not manage, so that it does not deny `delivery.logs.amazonaws.com` for these \
             accounts; test the change with `flowagg policy simulate`"
        }
        _ => "compare the fleet file with the policy; `flowagg policy simulate` evaluates it for an account",
    }
}

/// A concern that the fleet file selects no account of the organization.
fn no_members(fleet: &Fleet) -> Concern {
    let resource = match &fleet.organization {
        Some(organization) => organization.id.to_string(),
        None => fleet.hub.bucket.to_string(),
    };
    let help = "fix `organization.units`, `organization.accounts` or their exceptions";
    let what = "the fleet file selects no account of the organization";
    at_hub(fleet, Subject::Organization, resource, what.to_owned(), help.to_owned())
}

/// Notes about accounts of the organization that are not members, grouped by reason.
fn left_out(fleet: &Fleet) -> impl Iterator<Item = Note> {
    let mut reasons: BTreeMap<&str, Vec<AccountId>> = BTreeMap::new();
    for (account, why) in &fleet.left_out {
        reasons.entry(why).or_default().push(*account);
    }
    reasons.into_iter().map(|(why, accounts)| Note::LeftOut { accounts, why: why.to_owned() })
}
