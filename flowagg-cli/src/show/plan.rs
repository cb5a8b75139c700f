//! A plan, and what became of it.

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

/// A run that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndedRun {
    pub(crate) run: Run,
    pub(crate) exit: Exit,
}

impl EndedRun {
    /// What its last line says first, unless all is done: the command, or that a signal ended it.
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
    /// After the run that follows at once, next to the prompt.
    Last,
}

/// The changes, the problems, and a count of what stays.
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
        return writeln!(out, "{BOLD}plan{BOLD:#}: nothing can be done before that is settled");
    }
    if let Some(cost) = cost {
        out.line(6, format_args!("{BOLD}cost{BOLD:#}: {}", of_new_flow_logs(cost, view)))?;
    }
    out.line(6, format_args!("{BOLD}plan{BOLD:#}: {}{}", plan.summary(), besides(plan)))
}

/// The command that follows a plan. `given` are the options that the plan was made with, each after a space.
pub(crate) fn after_plan(plan: &Plan, given: &str) -> String {
    match plan {
        plan if !plan.is_complete() => format!("fix the errors above, then run `flowagg plan{given}` again"),
        plan if !plan.is_empty() => format!("`flowagg apply{given}` makes these changes"),
        plan if !plan.not_applied().is_empty() => {
            format!("`flowagg apply{given} --allow-expiry` applies what was not applied")
        }
        plan if !plan.concerns().is_empty() => {
            format!("settle what is not as declared, then run `flowagg plan{given}` again")
        }
        _ => "`flowagg verify` checks that the logs arrive".to_owned(),
    }
}

/// The last line of a command: what to do next.
pub(crate) fn next(what: &str, out: &mut Sheet<'_>) -> io::Result<()> {
    out.line(6, format_args!("{BOLD}next{BOLD:#}: {what}"))
}

/// What keeps changes from being made, and what could not be read.
fn unread(plan: &Plan, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    for obstacle in plan.obstacles() {
        error(&format!("{}: {}", at(obstacle, view), obstacle.what), &obstacle.help, out)?;
    }
    failures(plan.failures(), view, out)
}

/// Changes that expire objects of an existing bucket sooner, and the option that applies them.
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

/// Where an obstacle is, as for a call that failed.
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
        writeln!(out, "\n{BOLD}a second look finds{BOLD:#}")?;
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
                "{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: {} done, and a second look finds nothing to do{}",
                applied.changes(),
                counts(applied)
            ),
        );
    }
    let left = if remaining.is_empty() { String::new() } else { format!("; left: {}", remaining.summary()) };
    let (name, done) = (run.word(), applied.changes());
    out.line(
        6,
        format_args!(
            "{BOLD}{RED}{name}{RED:#}{BOLD:#}: {done} done{}{left}{}",
            counts(applied),
            besides(remaining)
        ),
    )
}

/// The results of a run that a signal ended before a second look.
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
    let (word, done, counts) = (interrupted.by_signal(), applied.changes(), counts(applied));
    out.line(
        6,
        format_args!(
            "{BOLD}{RED}{word}{RED:#}{BOLD:#}: {done} done{counts}; what is left was not read again"
        ),
    )
}

/// What was done and what was not.
fn outcome(applied: &Applied, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    writeln!(out, "\n{BOLD}applied{BOLD:#}")?;
    results(&applied.done, view, out)?;
    for held_back in &applied.held_back {
        out.line(12, format_args!("  {YELLOW}not tried{YELLOW:#} {held_back}"))?;
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

/// How many failed, were not tried, and are to be checked.
fn counts(applied: &Applied) -> String {
    let warnings = if applied.warnings.len() == 1 { "warning" } else { "warnings" };
    let counts = [
        (applied.failures.len(), "failed"),
        (applied.held_back.len(), "not tried"),
        (applied.warnings.len(), warnings),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    counts.map(|(number, what)| format!(", {number} {what}")).collect()
}

/// The command that follows a run that changes.
pub(crate) fn after_run(run: Run, given: &str, applied: &Applied, remaining: &Plan) -> String {
    let name = run.name();
    match (run, remaining) {
        _ if !applied.failures.is_empty() || !remaining.is_complete() => {
            format!(
                "fix the errors above, then run `flowagg {name}{given}` again: what is done is not repeated"
            )
        }
        (_, plan) if !plan.is_empty() => format!("run `flowagg {name}{given}` again"),
        (Run::Apply, plan) if plan.is_settled() => {
            "`flowagg verify --wait 30m` waits until the logs arrive".to_owned()
        }
        (Run::Apply, plan) => after_plan(plan, given),
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
