//! `flowagg doctor`: checks the prerequisites of `apply` and changes nothing.

use flowagg_core::names::Names;
use flowagg_core::plan::Unnamed;
use flowagg_policy::plan::plan;

use super::error::CommandError;
use super::start;
use crate::args;
use crate::aws::apply::dry_run;
use crate::aws::observe::{Observation, observe};
use crate::aws::{OpenError, Session};
use crate::doctor::{Examination, Topic};
use crate::show::{Extent, View};
use crate::{Exit, Screen, show};

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::DoctorArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let file = start::read(&global.config, screen)?;
    let is_part = !global.only.is_empty();
    let mut examination = Examination { is_part, ..Examination::default() };
    let mut known = None;
    examination.good(Topic::FleetFile, format!("`{}` is valid", global.config.display()));
    match Session::open(&file, &global.connection()).await {
        Err(error @ OpenError::Setting(_)) => return Err(error.into()),
        Err(OpenError::Caller(failure)) => examination.bad(Topic::Credentials, vec![failure]),
        Err(OpenError::Hub(failure)) => examination.bad(Topic::HubAccount, vec![failure]),
        Ok(session) => {
            let hub = file.hub.account;
            examination.good(Topic::Credentials, format!("account {}", session.caller()));
            examination.good(Topic::HubAccount, format!("{hub} is accessible"));
            let looked = screen
                .reading(async |progress| {
                    let observation = observe(file, &session, &global.only, progress).await?;
                    let plan = plan(&observation.fleet, &observation.observed, Unnamed::Keep);
                    // Include flow logs that an unusable key or policy holds back: `apply` creates them once that is fixed.
                    let changes = [plan.flow_logs(), &plan.held_back().flow_logs].concat();
                    let dry_run = dry_run(&observation, &changes, progress).await;
                    Ok((observation, plan, dry_run))
                })
                .await;
            match looked {
                Err(failure) => examination.bad(Topic::Organization, vec![failure]),
                Ok((Observation { fleet, accounts, observed }, plan, dry_run)) => {
                    start::selected(global, &fleet)?;
                    examination.check_accounts(&fleet, &accounts.entered(), &observed);
                    examination.check_hub(&fleet, &observed, &plan);
                    examination.check_flow_logs(&observed, &plan, dry_run);
                    known = Some(Names::new(&fleet, &observed.regions));
                }
            }
        }
    }
    examination.stop();
    if options.json {
        show::document(&examination, screen.out)?;
    } else {
        let view = known.as_ref().map_or(View::UNKNOWN, |names| View::of(names, Extent::Brief));
        show::examination(&examination, view, screen.out)?;
    }
    Ok(if examination.is_good() { Exit::Done } else { Exit::Failed })
}
