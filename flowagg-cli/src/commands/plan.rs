//! `flowagg plan`: what differs.

use flowagg_core::plan::{Expiry, Unnamed};
use flowagg_policy::plan::{PlanOptions, plan};

use super::error::CommandError;
use super::start;
use crate::args;
use crate::aws::observe::Observation;
use crate::show::{Extent, Failures};
use crate::{Exit, Screen, show};

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::PlanArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let adopts = !options.terms.adopt.is_empty();
    let Observation { fleet, accounts, observed } =
        start::look_to_adopt(global, start::Access::Read, adopts, screen).await?;
    screen.calls("reading", &accounts.take_calls())?;
    let plan = plan(&fleet, &observed, terms(&options.terms));
    if options.json {
        show::document(&plan, screen.out)?;
    } else if options.markdown {
        show::markdown(&fleet, &plan, screen.out)?;
    } else {
        let extent = if options.all { Extent::All } else { Extent::Brief };
        show::plan(&fleet, &plan, extent, Failures::Now, screen.out)?;
        show::next(show::after_plan(&plan), screen.out)?;
    }
    Ok(match &plan {
        plan if !plan.is_complete() => Exit::Failed,
        plan if options.exit_code && !plan.is_settled() => Exit::Differs,
        _ => Exit::Done,
    })
}

/// What the command line allows a plan to do.
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
