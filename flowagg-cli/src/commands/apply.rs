//! `flowagg apply`: shows the plan, prompts for confirmation, applies that plan, and reads AWS again.

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::Observed;
use flowagg_policy::Plan;
use flowagg_policy::plan::plan;
use schemars::JsonSchema;
use serde::Serialize;

use super::error::CommandError;
use super::plan::{given, terms};
use super::{cost, start};
use crate::args;
use crate::aws::Calls;
use crate::aws::apply::{Applied, ApplyOptions, apply};
use crate::show::{EndedRun, Extent, Failures, Run, View};
use crate::{Exit, Screen, show};

/// Output of `apply --json`.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ApplyDocument<'a> {
    /// The plan.
    plan: &'a Plan,
    /// The result of the plan.
    applied: &'a Applied,
    /// The plan after the run; `null` if a signal ended the run before. If the run exits with 0, its `hub` and
    /// `flow-logs` are empty.
    remaining: Option<&'a Plan>,
    /// The AWS calls of the run.
    calls: &'a CallsByPhase,
}

/// The number of requests for each operation, including retries.
#[derive(Default, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CallsByPhase {
    /// Calls to create the plan.
    reading: Calls,
    /// Calls to apply it.
    applying: Calls,
    /// Calls to find remaining differences.
    looking_again: Calls,
}

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::ApplyArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let adopts = !options.terms.adopt.is_empty();
    let make = |fleet: &Fleet, observed: &Observed| plan(fleet, observed, terms(&options.terms));
    let given = given(global, Some(&options.terms));
    carry_out(Run::Apply, global, &given, &options.consent, adopts, screen, make).await
}

/// Reads AWS, creates and shows a plan, prompts for confirmation, applies the plan, and reads AWS again for remaining differences.
pub(super) async fn carry_out(
    run: Run,
    global: &args::GlobalArgs,
    given: &str,
    consent: &args::ConsentArgs,
    adopts: bool,
    screen: &mut Screen<'_>,
    make: impl FnOnce(&Fleet, &Observed) -> Plan,
) -> Result<Exit, CommandError> {
    let observation = match run {
        Run::Apply => start::look_to_plan(global, start::Access::Write, adopts, screen).await?,
        // The whole state: flow logs that are up to date are deleted as well.
        Run::Destroy => start::look(global, start::Access::Write, screen).await?,
    };
    let plan = make(&observation.fleet, &observation.observed);
    // A document has the plan without its cost, which is for the decision.
    let cost = if consent.json { None } else { cost::of_new_flow_logs(&observation, &plan, screen).await };
    let mut calls = CallsByPhase { reading: observation.accounts.take_calls(), ..CallsByPhase::default() };
    screen.calls("reading", &calls.reading)?;
    let extent = if consent.all { Extent::All } else { Extent::Brief };
    if !consent.json {
        // Without a confirmation, failures are printed once, at the end of the run.
        let failures = if consent.yes && !plan.is_empty() { Failures::Last } else { Failures::Now };
        show::plan(&observation.fleet, &plan, cost.as_ref(), extent, failures, screen.out)?;
    }
    if plan.is_empty() {
        if consent.json {
            let applied = &Applied::default();
            show::document(
                &ApplyDocument { plan: &plan, applied, remaining: Some(&plan), calls: &calls },
                screen.out,
            )?;
        } else {
            show::next(&show::after_run(run, given, &Applied::default(), &plan), screen.out)?;
        }
        return Ok(exit(&Applied::default(), &plan));
    }
    if !consent.yes {
        if !screen.interactive {
            let help = "review the plan above, then pass `--yes`";
            return Err(CommandError::usage(
                "nothing was applied: cannot ask for confirmation without a terminal",
                help,
            ));
        }
        if !screen.agreed("Apply these changes?")? {
            writeln!(screen.err, "nothing was applied")?;
            return Ok(Exit::Failed);
        }
    }
    let (mut applied, interrupted) = screen
        .writing(async |cancel, progress| {
            let options = ApplyOptions { cancel, max_failures: consent.max_failures.map(usize::from) };
            apply(&observation, &plan, &options, progress).await
        })
        .await;
    calls.applying = observation.accounts.take_calls();
    screen.calls("applying", &calls.applying)?;
    let view = View::of(plan.names(), extent);
    let again = screen.watching(async |watch| applied.observe_again(observation, &plan, watch).await).await;
    let observation = match again {
        Ok(observation) => observation,
        Err(interrupted) => {
            if consent.json {
                let document =
                    ApplyDocument { plan: &plan, applied: &applied, remaining: None, calls: &calls };
                show::document(&document, screen.out)?;
            } else {
                show::applied_unread(&applied, interrupted, view, screen.out)?;
                show::next("run `flowagg plan` to see the remaining changes", screen.out)?;
            }
            return Ok(interrupted);
        }
    };
    let remaining = plan.again(&observation.fleet, &observation.observed);
    calls.looking_again = observation.accounts.take_calls();
    screen.calls("looking again", &calls.looking_again)?;
    let ended = match (exit(&applied, &remaining), interrupted) {
        (Exit::Done, _) => Exit::Done,
        (_, Some(interrupted)) => interrupted,
        (ended, None) => ended,
    };
    if consent.json {
        let document =
            ApplyDocument { plan: &plan, applied: &applied, remaining: Some(&remaining), calls: &calls };
        show::document(&document, screen.out)?;
    } else {
        let run = EndedRun { run, exit: ended };
        show::applied(run, &observation.fleet.hub, &applied, &remaining, view, screen.out)?;
        show::next(&show::after_run(run.run, given, &applied, &remaining), screen.out)?;
    }
    Ok(ended)
}

/// The exit code of a run that leaves this plan. A difference that flowagg does not manage is a finding, as in `plan`.
fn exit(applied: &Applied, remaining: &Plan) -> Exit {
    let is_done = applied.failures.is_empty()
        && remaining.is_empty()
        && remaining.not_applied().is_empty()
        && remaining.is_complete();
    match (is_done, remaining.concerns().is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Differs,
        (true, true) => Exit::Done,
    }
}
