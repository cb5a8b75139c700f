//! A plan, and what became of it.

use std::collections::BTreeMap;
use std::io;

use anstyle::Style;
use flowagg_core::fleet::{Fleet, Member};
use flowagg_core::id::{FlowLogId, Place};
use flowagg_core::plan::{Concern, HubChange, Step};
use flowagg_policy::Plan;

use super::also_logged::also_logged;
use super::failures::{HANG, error, failures};
use super::sheet::Sheet;
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::table::{Row, table};
use crate::aws::apply::Applied;

/// What comes after `warning: ` begins here.
const WARNING: usize = 9;

/// A command that changes AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    Apply,
    Destroy,
}

impl Run {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Destroy => "destroy",
        }
    }
}

/// How much is shown of what stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unchanged {
    /// How many flow logs and resources there are, by the reason why they stay.
    Counted,
    /// Each of them.
    Listed,
}

/// The changes, the problems, and a count of what stays.
pub(crate) fn plan(fleet: &Fleet, plan: &Plan, unchanged: Unchanged, out: &mut Sheet<'_>) -> io::Result<()> {
    changes(fleet, plan, unchanged, out)?;
    also(fleet, plan, unchanged, out)?;
    not_applied(plan, out)?;
    concerns(plan, out)?;
    if !plan.notes().is_empty() {
        writeln!(out)?;
    }
    for note in plan.notes() {
        out.line(6, format_args!("{DIM}note{DIM:#}: {note}"))?;
    }
    if !plan.is_complete() {
        writeln!(out)?;
        unread(plan, out)?;
    }
    writeln!(out)?;
    if plan.is_empty() && !plan.is_complete() {
        return writeln!(out, "{BOLD}plan{BOLD:#}: nothing can be done before that is settled");
    }
    out.line(6, format_args!("{BOLD}plan{BOLD:#}: {}{}", plan.summary(), besides(plan)))
}

/// The command that follows a plan.
pub(crate) fn after_plan(plan: &Plan) -> &'static str {
    match plan {
        plan if !plan.is_complete() => "fix the errors above, then run `flowagg plan` again",
        plan if !plan.is_empty() => "`flowagg apply` makes these changes",
        plan if !plan.not_applied().is_empty() => {
            "`flowagg apply --allow-expiry` applies what was not applied"
        }
        plan if !plan.concerns().is_empty() => {
            "settle what is not as declared, then run `flowagg plan` again"
        }
        _ => "`flowagg verify` checks that the logs arrive",
    }
}

/// The last line of a command: what to do next.
pub(crate) fn next(what: &str, out: &mut Sheet<'_>) -> io::Result<()> {
    out.line(6, format_args!("{BOLD}next{BOLD:#}: {what}"))
}

fn changes(fleet: &Fleet, plan: &Plan, unchanged: Unchanged, out: &mut Sheet<'_>) -> io::Result<()> {
    let hub = &fleet.hub;
    writeln!(out, "{BOLD}hub{BOLD:#} {} {} {}", hub.account, hub.region, hub.bucket)?;
    for change in plan.hub() {
        let (style, sign) = hub_sign(change);
        out.line(4, format_args!("  {style}{sign}{style:#} {change}"))?;
    }
    let is_read = plan.failures().iter().all(|failure| failure.place.account != hub.account);
    let hub_differs = !plan.hub().is_empty() || !plan.not_applied().is_empty();
    if !hub_differs && is_read && plan.obstacles().is_empty() {
        writeln!(out, "  {DIM}={DIM:#} as declared")?;
    }
    let rows = flow_log_rows(fleet, plan, unchanged);
    let counts = if unchanged == Unchanged::Counted { counts(plan) } else { Vec::new() };
    if !rows.is_empty() || !counts.is_empty() {
        writeln!(out, "\n{BOLD}flow logs{BOLD:#}")?;
    }
    table(&rows, out)?;
    if !counts.is_empty() {
        out.line(4, format_args!("  {DIM}={DIM:#} {}", counts.join(", ")))?;
    }
    Ok(())
}

/// Flow logs of others, unless each is listed.
fn also(fleet: &Fleet, plan: &Plan, unchanged: Unchanged, out: &mut Sheet<'_>) -> io::Result<()> {
    match unchanged {
        Unchanged::Counted => {
            also_logged(plan.also_logged(), &fleet.destination(), "flowagg plan --all", out)
        }
        Unchanged::Listed => Ok(()),
    }
}

/// What keeps changes from being made, and what could not be read.
fn unread(plan: &Plan, out: &mut Sheet<'_>) -> io::Result<()> {
    for obstacle in plan.obstacles() {
        error(&format!("{}: {}", at(obstacle), obstacle.what), &obstacle.help, out)?;
    }
    failures(plan.failures(), out)
}

/// How many stay, by the reason.
fn counts(plan: &Plan) -> Vec<String> {
    let mut counts: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for left in plan.left() {
        *counts.entry((!left.is_as_wanted(), left.why.short())).or_default() += 1;
    }
    counts.into_iter().map(|((_, why), count)| format!("{count} {why}")).collect()
}

/// Changes and, if they are listed, flow logs that stay, by account, region and resource.
fn flow_log_rows(fleet: &Fleet, plan: &Plan, unchanged: Unchanged) -> Vec<Row> {
    let cells = |Place { account, region }: &Place, rest: [String; 3]| {
        let name =
            fleet.members.get(account).and_then(|member: &Member| member.name.clone()).unwrap_or_default();
        let mut cells = vec![account.to_string(), name, region.to_string()];
        cells.extend(rest);
        cells
    };
    let changes = plan.flow_logs().iter().map(|change| {
        let (style, sign) = sign(&change.step);
        let (what, why) = match &change.step {
            Step::Create => ("create".to_owned(), String::new()),
            step => (step.to_string(), change.reason.clone()),
        };
        let cells = cells(&change.place, [change.resource.to_string(), what, why]);
        Row { style, sign, cells, below: None }
    });
    let stays = |place: &Place, resource: String, log: Option<&FlowLogId>, why: String| {
        let what = log.map_or_else(String::new, |log| format!("leave {log}"));
        let cells = cells(place, [resource, what, why]);
        Row { style: DIM, sign: "=", cells, below: None }
    };
    let left = plan
        .left()
        .iter()
        .map(|left| stays(&left.place, left.resource.clone(), left.flow_log.as_ref(), left.why.to_string()));
    let also = plan
        .also_logged()
        .iter()
        .map(|also| stays(&also.place, also.resource.to_string(), Some(&also.flow_log), also.to_string()));
    let unchanged = left.chain(also).filter(|_| unchanged == Unchanged::Listed);
    let mut rows: Vec<Row> = changes.chain(unchanged).collect();
    rows.sort_by(|a, b| {
        (&a.cells[0], &a.cells[2], &a.cells[3]).cmp(&(&b.cells[0], &b.cells[2], &b.cells[3]))
    });
    rows
}

/// The sign of a change at the hub, and its style. `!` stands for a change that expires objects of an existing bucket sooner.
pub(super) fn hub_sign(change: &HubChange) -> (Style, &'static str) {
    match change {
        HubChange::SetLifecycle(change) if !change.sooner.is_empty() => (RED, "!"),
        HubChange::RemoveGrant(_) | HubChange::RemoveLifecycle(_) => (RED, "-"),
        _ => (GREEN, "+"),
    }
}

/// Changes that expire objects of an existing bucket sooner, and the option that applies them.
fn not_applied(plan: &Plan, out: &mut Sheet<'_>) -> io::Result<()> {
    if !plan.not_applied().is_empty() {
        writeln!(out, "\n{BOLD}not applied{BOLD:#}")?;
    }
    for change in plan.not_applied() {
        let (style, sign) = hub_sign(change);
        out.line(4, format_args!("  {style}{sign}{style:#} {change}"))?;
        out.aside(
            4,
            "existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply this change",
        )?;
    }
    Ok(())
}

/// The sign of a change, and its style.
pub(super) fn sign(step: &Step) -> (Style, &'static str) {
    match step {
        Step::Create => (GREEN, "+"),
        Step::Replace { .. } | Step::Tag { .. } => (YELLOW, "~"),
        Step::Delete { .. } => (RED, "-"),
    }
}

fn concerns(plan: &Plan, out: &mut Sheet<'_>) -> io::Result<()> {
    if !plan.concerns().is_empty() {
        writeln!(out)?;
    }
    for concern in plan.concerns() {
        let region = concern.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
        let place = format_args!("{}{region} {}", concern.account, concern.resource);
        out.line(HANG + 2, format_args!("{YELLOW}not as declared{YELLOW:#}: {place}: {}", concern.what))?;
        out.aside(HANG, &concern.help)?;
    }
    Ok(())
}

/// Where an obstacle is, as for a call that failed.
pub(super) fn at(concern: &Concern) -> String {
    let region = concern.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
    format!("{}{region}: {}", concern.account, concern.resource)
}

fn besides(plan: &Plan) -> String {
    let mut parts = String::new();
    match plan.not_applied().len() {
        0 => {}
        n => parts.push_str(&format!(", {n} not applied without `--allow-expiry`")),
    }
    match plan.concerns().len() {
        0 => {}
        n => parts.push_str(&format!(", {n} not as declared and left alone")),
    }
    match plan.failures().len() {
        0 => {}
        n => parts.push_str(&format!(", {n} could not be read")),
    }
    parts
}

/// What was done and what was not, what a second look finds, and last what failed.
pub(crate) fn applied(
    run: Run,
    fleet: &Fleet,
    applied: &Applied,
    remaining: &Plan,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    writeln!(out, "\n{BOLD}applied{BOLD:#}")?;
    for done in &applied.done {
        out.line(7, format_args!("  {GREEN}done{GREEN:#} {done}"))?;
    }
    for held_back in &applied.held_back {
        out.line(12, format_args!("  {YELLOW}not tried{YELLOW:#} {held_back}"))?;
    }
    for warning in &applied.warnings {
        out.line(WARNING, format_args!("{YELLOW}warning{YELLOW:#}: {}: {}", at(warning), warning.what))?;
        out.aside(WARNING, &warning.help)?;
    }
    let is_as_declared =
        remaining.is_empty() && remaining.not_applied().is_empty() && remaining.concerns().is_empty();
    if !is_as_declared {
        writeln!(out, "\n{BOLD}a second look finds{BOLD:#}")?;
        if !remaining.is_empty() {
            changes(fleet, remaining, Unchanged::Counted, out)?;
        }
        not_applied(remaining, out)?;
        concerns(remaining, out)?;
    }
    if !applied.failures.is_empty() || !remaining.is_complete() {
        writeln!(out)?;
    }
    unread(remaining, out)?;
    failures(&applied.failures, out)?;
    writeln!(out)?;
    let count = |number: usize, what: &str| match number {
        0 => String::new(),
        number => format!(", {number} {what}"),
    };
    let warnings =
        count(applied.warnings.len(), if applied.warnings.len() == 1 { "warning" } else { "warnings" });
    if applied.failures.is_empty() && remaining.is_settled() {
        return out.line(
            4,
            format_args!(
                "{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: {} done, and a second look finds nothing to do{warnings}",
                applied.changes()
            ),
        );
    }
    let failed = count(applied.failures.len(), "failed");
    let held_back = count(applied.held_back.len(), "not tried");
    let left = if remaining.is_empty() { String::new() } else { format!("; left: {}", remaining.summary()) };
    let (name, done) = (run.name(), applied.changes());
    out.line(
        6,
        format_args!(
            "{BOLD}{RED}{name}{RED:#}{BOLD:#}: {done} done{failed}{held_back}{warnings}{left}{}",
            besides(remaining)
        ),
    )
}

/// The command that follows a run that changes.
pub(crate) fn after_run(run: Run, applied: &Applied, remaining: &Plan) -> String {
    let name = run.name();
    match (run, remaining) {
        _ if !applied.failures.is_empty() || !remaining.is_complete() => {
            format!("fix the errors above, then run `flowagg {name}` again: what is done is not repeated")
        }
        (_, plan) if !plan.is_empty() => format!("run `flowagg {name}` again"),
        (Run::Apply, plan) if plan.is_settled() => {
            "`flowagg verify --wait 30m` waits until the logs arrive".to_owned()
        }
        (Run::Apply, plan) => after_plan(plan).to_owned(),
        (Run::Destroy, _) => "the bucket and its objects stay: delete them if nobody needs them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use flowagg_core::plan::{Subject, Unnamed};
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::aws::mocked;

    #[test]
    fn a_warning_has_its_place_and_help_on_the_screen() {
        let fleet = mocked::fleet();
        let mut warning = Concern::new(
            Subject::Policy,
            fleet.hub.account,
            "the bucket policy of acme-logs",
            "another process changed it",
            "check its statements",
        );
        warning.region = Some(fleet.hub.region.clone());
        let mut outcome = Applied::default();
        outcome.warnings.push(warning);
        let remaining = flowagg_policy::plan::plan(&fleet, &mocked::observed(None), Unnamed::Keep);
        let mut out = Vec::new();
        applied(Run::Apply, &fleet, &outcome, &remaining, &mut Sheet::new(&mut out, None)).unwrap();
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
        assert_data_eq!(
            text,
            str![[r#"

applied
warning: 111122223333 eu-west-1: the bucket policy of acme-logs: another process changed it
         check its statements

a second look finds
hub 111122223333 eu-west-1 acme-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, unfinished uploads deleted after 7
  + write the bucket policy: grants delivery to 222222222222 (594 bytes)

apply: 0 done, 1 warning; left: 6 changes to the hub

"#]]
        );
    }
}
