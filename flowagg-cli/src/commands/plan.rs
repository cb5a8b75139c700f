//! `flowagg plan`: what differs.

use flowagg_core::plan::Unnamed;
use flowagg_policy::plan::plan;

use super::error::CommandError;
use super::start;
use crate::args;
use crate::{Exit, Screen, show};

pub(super) async fn run(
    global: &args::Global,
    options: &args::Plan,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let (fleet, accounts, observed) = start::look(global, screen).await?;
    screen.calls("reading", &accounts.take_calls())?;
    let plan = plan(&fleet, &observed, unnamed(options.prune));
    if options.json {
        show::document(&plan, screen.out)?;
    } else if options.markdown {
        show::markdown(&fleet, &plan, screen.out)?;
    } else {
        show::plan(&fleet, &plan, screen.out)?;
    }
    Ok(match &plan {
        plan if !plan.is_complete() => Exit::Failed,
        plan if options.exit_code && !plan.is_settled() => Exit::Differs,
        _ => Exit::Done,
    })
}

pub(crate) fn unnamed(prune: bool) -> Unnamed {
    if prune { Unnamed::Prune } else { Unnamed::Keep }
}
