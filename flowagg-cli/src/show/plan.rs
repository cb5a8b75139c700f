//! The output of a plan and of its execution.

use std::io;

use flowagg_core::estimate::NewFlowLogCost;
use flowagg_core::fleet::{Fleet, Hub};
use flowagg_core::plan::Concern;
use flowagg_policy::Plan;

use super::also_logged::also_logged;
use super::changes::{at_hub, changes};
use super::cost::of_new_flow_logs;
use super::failures::{error, failures};
use super::remarks::{concerns, notes, unanswered};
use super::results::results;
use super::sheet::Sheet;
use super::style::{BOLD, GREEN, RED, YELLOW};
use super::view::{Extent, View};
use crate::Exit;
use crate::aws::apply::Applied;
use crate::report::words::counted;

/// The indent of text after `warning: `.
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

/// A run that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndedRun {
    pub(crate) run: Run,
    pub(crate) exit: Exit,
}

impl EndedRun {
    /// The first word of its last line if not everything was applied: the command, or the word for the signal that ended it.
    fn word(self) -> &'static str {
        match self.exit {
            Exit::Interrupted | Exit::Terminated => self.exit.by_signal(),
            Exit::Done | Exit::Failed | Exit::Usage | Exit::Differs => self.run.name(),
        }
    }
}

/// When the failures of a plan are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failures {
    /// With the plan.
    Now,
    /// After the run that follows immediately, next to the prompt.
    Last,
}

/// Writes the changes, the problems, and the number of unchanged flow logs.
pub(crate) fn plan(
    fleet: &Fleet,
    plan: &Plan,
    cost: Option<&NewFlowLogCost>,
    extent: Extent,
    failures: Failures,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    let view = View::of(plan.names(), extent);
    changes(&fleet.hub, plan, view, out)?;
    if !view.is_all() {
        also_logged(plan.also_logged(), &fleet.destination(), "flowagg plan --all", view, out)?;
    }
    not_applied(plan, view, out)?;
    concerns(plan.concerns(), view, out)?;
    notes(plan.notes(), view, out)?;
    unanswered(&fleet.flow_logs, out)?;
    if !plan.is_complete() && failures == Failures::Now {
        writeln!(out)?;
        unread(plan, view, out)?;
    }
    writeln!(out)?;
    if plan.is_empty() && !plan.is_complete() {
        return writeln!(out, "{BOLD}plan{BOLD:#}: no changes can be made until the errors are fixed");
    }
    if let Some(cost) = cost {
        out.line(6, format_args!("{BOLD}cost{BOLD:#}: {}", of_new_flow_logs(cost, view)))?;
    }
    out.line(6, format_args!("{BOLD}plan{BOLD:#}: {}{}", plan.summary(), besides(plan)))
}

/// The next step after a plan. `given` contains the options of the plan, each after a space.
pub(crate) fn after_plan(plan: &Plan, given: &str) -> String {
    match plan {
        plan if !plan.is_complete() => format!("fix the errors above, then run `flowagg plan{given}` again"),
        plan if !plan.is_empty() => format!("run `flowagg apply{given}` to make these changes"),
        plan if !plan.not_applied().is_empty() => {
            format!("run `flowagg apply{given} --allow-expiry` to apply the remaining changes")
        }
        plan if !plan.concerns().is_empty() => {
            format!("resolve the items that need attention, then run `flowagg plan{given}` again")
        }
        _ => "run `flowagg verify` to check that the logs arrive".to_owned(),
    }
}

/// Writes the last line of a command: the next step.
pub(crate) fn next(what: &str, out: &mut Sheet<'_>) -> io::Result<()> {
    out.line(6, format_args!("{BOLD}next{BOLD:#}: {what}"))
}

/// Writes the obstacles that block changes, and the failed reads.
fn unread(plan: &Plan, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    for obstacle in plan.obstacles() {
        error(&format!("{}: {}", at(obstacle, view), obstacle.what), &obstacle.help, out)?;
    }
    failures(plan.failures(), view, out)
}

/// Writes changes that would expire existing objects sooner, and the option that applies them.
fn not_applied(plan: &Plan, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    if !plan.not_applied().is_empty() {
        writeln!(out, "\n{BOLD}not applied{BOLD:#}")?;
    }
    for change in plan.not_applied() {
        at_hub(change, view, out)?;
        out.aside(
            4,
            "existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply this change",
        )?;
    }
    Ok(())
}

/// Formats the location of a concern, as for a failed call.
pub(super) fn at(concern: &Concern, view: View<'_>) -> String {
    let region = concern.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
    format!("{}{region}: {}", view.account(concern.account), concern.resource)
}

fn besides(plan: &Plan) -> String {
    let mut parts = String::new();
    match plan.not_applied().len() {
        0 => {}
        n => parts.push_str(&format!(", {n} not applied without `--allow-expiry`")),
    }
    match plan.concerns().len() {
        0 => {}
        1 => parts.push_str(", 1 needs attention"),
        n => parts.push_str(&format!(", {n} need attention")),
    }
    match plan.failures().len() {
        0 => {}
        1 => parts.push_str(", 1 read failed"),
        n => parts.push_str(&format!(", {n} reads failed")),
    }
    parts
}

/// Writes the results of a run, the remaining differences, and last the failures.
pub(crate) fn applied(
    run: EndedRun,
    hub: &Hub,
    applied: &Applied,
    remaining: &Plan,
    view: View<'_>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    outcome(applied, view, out)?;
    let is_as_declared =
        remaining.is_empty() && remaining.not_applied().is_empty() && remaining.concerns().is_empty();
    if !is_as_declared {
        writeln!(out, "\n{BOLD}remaining differences{BOLD:#}")?;
        if !remaining.is_empty() {
            changes(hub, remaining, view, out)?;
        }
        not_applied(remaining, view, out)?;
        concerns(remaining.concerns(), view, out)?;
    }
    if !applied.failures.is_empty() || !remaining.is_complete() {
        writeln!(out)?;
    }
    unread(remaining, view, out)?;
    failures(&applied.failures, view, out)?;
    writeln!(out)?;
    if applied.failures.is_empty() && remaining.is_settled() {
        return out.line(
            4,
            format_args!(
                "{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: {} applied; no differences remain{}",
                counted(applied.changes(), "change", "changes"),
                counts(applied)
            ),
        );
    }
    let left =
        if remaining.is_empty() { String::new() } else { format!("; remaining: {}", remaining.summary()) };
    let (name, done) = (run.word(), counted(applied.changes(), "change", "changes"));
    out.line(
        6,
        format_args!(
            "{BOLD}{RED}{name}{RED:#}{BOLD:#}: {done} applied{}{left}{}",
            counts(applied),
            besides(remaining)
        ),
    )
}

/// Writes the results of a run that a signal ended before the state was read again.
pub(crate) fn applied_unread(
    applied: &Applied,
    interrupted: Exit,
    view: View<'_>,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    outcome(applied, view, out)?;
    if !applied.failures.is_empty() {
        writeln!(out)?;
    }
    failures(&applied.failures, view, out)?;
    writeln!(out)?;
    let (word, counts) = (interrupted.by_signal(), counts(applied));
    let done = counted(applied.changes(), "change", "changes");
    out.line(
        6,
        format_args!(
            "{BOLD}{RED}{word}{RED:#}{BOLD:#}: {done} applied{counts}; remaining differences were not checked"
        ),
    )
}

/// Writes what was applied, what was skipped, and the warnings.
fn outcome(applied: &Applied, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    writeln!(out, "\n{BOLD}applied{BOLD:#}")?;
    results(&applied.done, view, out)?;
    for held_back in &applied.held_back {
        out.line(10, format_args!("  {YELLOW}skipped{YELLOW:#} {held_back}"))?;
    }
    for warning in &applied.warnings {
        out.line(
            WARNING,
            format_args!("{YELLOW}warning{YELLOW:#}: {}: {}", at(warning, view), warning.what),
        )?;
        out.aside(WARNING, &warning.help)?;
    }
    Ok(())
}

/// Formats the numbers of failures, skipped changes and warnings.
fn counts(applied: &Applied) -> String {
    let warnings = if applied.warnings.len() == 1 { "warning" } else { "warnings" };
    let counts = [
        (applied.failures.len(), "failed"),
        (applied.held_back.len(), "skipped"),
        (applied.warnings.len(), warnings),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    counts.map(|(number, what)| format!(", {number} {what}")).collect()
}

/// The next step after `apply` or `destroy`.
pub(crate) fn after_run(run: Run, given: &str, applied: &Applied, remaining: &Plan) -> String {
    let name = run.name();
    match (run, remaining) {
        _ if !applied.failures.is_empty() || !remaining.is_complete() => {
            format!(
                "fix the errors above, then run `flowagg {name}{given}` again; completed changes are kept"
            )
        }
        (_, plan) if !plan.is_empty() => format!("run `flowagg {name}{given}` again"),
        (Run::Apply, plan) if plan.is_settled() => {
            "run `flowagg verify --wait 30m` to wait until the logs arrive".to_owned()
        }
        (Run::Apply, plan) => after_plan(plan, given),
        (Run::Destroy, _) => {
            "the bucket and its objects are kept; delete them if you no longer need them".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use flowagg_core::plan::{Subject, Unnamed};
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::aws::mocked;

    #[test]
    fn warning_has_location_and_fix() {
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
        let view = View::of(remaining.names(), Extent::Brief);
        let run = EndedRun { run: Run::Apply, exit: Exit::Failed };
        applied(run, &fleet.hub, &outcome, &remaining, view, &mut Sheet::new(&mut out, None)).unwrap();
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
        assert_data_eq!(
            text,
            str![[r#"

applied
warning: 111122223333 eu-west-1: the bucket policy of acme-logs: another process changed it
         check its statements

remaining differences
hub 111122223333 eu-west-1 acme-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership to BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after 7 days
  + write the bucket policy: grants delivery to 222222222222 (594 bytes)

apply: 0 changes applied, 1 warning; remaining: 6 changes to the hub

"#]]
        );
    }
}
