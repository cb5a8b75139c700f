//! `flowagg plan`: shows what `apply` would change.

use flowagg_core::estimate::NewFlowLogCost;
use flowagg_core::plan::{Expiry, Unnamed};
use flowagg_policy::Plan;
use flowagg_policy::plan::{PlanOptions, plan};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::CommandError;
use super::{cost, start};
use crate::args;
use crate::aws::observe::Observation;
use crate::show::{Extent, Failures};
use crate::{Exit, Screen, show};

/// What `plan --json` prints.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PlanDocument<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// The estimated cost of the flow logs that the plan creates; `null` if it creates none.
    cost: Option<&'a NewFlowLogCost>,
}

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::PlanArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let adopts = !options.terms.adopt.is_empty();
    let observation = start::look_to_plan(global, start::Access::Read, adopts, screen).await?;
    let Observation { fleet, accounts, observed } = &observation;
    let plan = plan(fleet, observed, terms(&options.terms));
    let cost = cost::of_new_flow_logs(&observation, &plan, screen).await;
    screen.calls("reading", &accounts.take_calls())?;
    if options.json {
        show::document(&PlanDocument { plan: &plan, cost: cost.as_ref() }, screen.out)?;
    } else if options.markdown {
        show::markdown(fleet, &plan, cost.as_ref(), screen.out)?;
    } else {
        let extent = if options.all { Extent::All } else { Extent::Brief };
        show::plan(fleet, &plan, cost.as_ref(), extent, Failures::Now, screen.out)?;
        show::next(&show::after_plan(&plan, &given(global, Some(&options.terms))), screen.out)?;
    }
    Ok(match &plan {
        plan if !plan.is_complete() => Exit::Failed,
        plan if options.exit_code && !plan.is_settled() => Exit::Differs,
        _ => Exit::Done,
    })
}

/// The options that determine the contents of a plan, each preceded by a space, for commands in messages.
pub(super) fn given(global: &args::GlobalArgs, terms: Option<&args::TermsArgs>) -> String {
    let mut words: Vec<String> =
        global.only.iter().flat_map(|only| ["--only".to_owned(), only.to_string()]).collect();
    if let Some(args::TermsArgs { prune, adopt, adopt_unchecked, allow_expiry }) = terms {
        words.extend(prune.then(|| "--prune".to_owned()));
        words.extend(adopt.iter().flat_map(|statement| ["--adopt".to_owned(), statement.to_string()]));
        words.extend(adopt_unchecked.then(|| "--adopt-unchecked".to_owned()));
        words.extend(allow_expiry.then(|| "--allow-expiry".to_owned()));
    }
    words.iter().map(|word| format!(" {}", show::in_a_shell(word))).collect()
}

/// The plan options of the command line.
pub(super) fn terms(terms: &args::TermsArgs) -> PlanOptions {
    let mut options = PlanOptions::from(unnamed(terms.prune));
    options.adopt = terms.adopt.iter().cloned().collect();
    options.adopt_unchecked = terms.adopt_unchecked;
    if terms.allow_expiry {
        options.expiry = Expiry::Allow;
    }
    options
}

pub(crate) fn unnamed(prune: bool) -> Unnamed {
    if prune { Unnamed::Prune } else { Unnamed::Keep }
}
