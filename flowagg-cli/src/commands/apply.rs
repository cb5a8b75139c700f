//! `flowagg apply`: shows the plan, asks, does that same plan, and looks again.

use std::io::{self, BufRead};

use flowagg_core::fleet::Fleet;
use flowagg_core::plan::Plan;
use serde::Serialize;

use super::plan::{read, unnamed};
use crate::args;
use crate::aws::Accounts;
use crate::aws::apply::{Applied, apply};
use crate::{Exit, Progress, Screen, show};

/// What `apply --json` prints.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report<'a> {
    /// What was to be done.
    plan: &'a Plan,
    /// What became of it.
    applied: &'a Applied,
    /// What a second look says is still to be done.
    remaining: &'a Plan,
}

pub(super) async fn run(
    global: &args::Global,
    options: &args::Apply,
    screen: &mut Screen<'_>,
) -> io::Result<Exit> {
    let unnamed = unnamed(options.prune);
    let make = async |fleet: &Fleet, accounts: &Accounts, progress: &dyn Progress| {
        read(fleet, accounts, unnamed, progress).await
    };
    carry_out(global, &options.consent, screen, make).await
}

/// Makes a plan, shows it, asks, does it, and makes it again to see what is left.
pub(super) async fn carry_out(
    global: &args::Global,
    consent: &args::Consent,
    screen: &mut Screen<'_>,
    make: impl AsyncFn(&Fleet, &Accounts, &dyn Progress) -> Plan,
) -> io::Result<Exit> {
    let (fleet, accounts) = match super::open(global, screen).await? {
        Ok(opened) => opened,
        Err(exit) => return Ok(exit),
    };
    let plan = screen.reading(async |progress| make(&fleet, &accounts, progress).await).await;
    if !consent.json {
        show::plan(&fleet, &plan, screen.out)?;
    }
    if plan.is_empty() {
        if consent.json {
            show::json(&Report { plan: &plan, applied: &Applied::default(), remaining: &plan }, screen.out)?;
        }
        return Ok(if plan.is_settled() { Exit::Done } else { Exit::Failed });
    }
    if !consent.yes {
        if !screen.interactive {
            let help = "look at the plan above, then say `--yes`";
            show::error("nothing was done: there is no terminal to ask on", help, screen.err)?;
            return Ok(Exit::Usage);
        }
        if !agreed(screen)? {
            writeln!(screen.err, "nothing was done")?;
            return Ok(Exit::Failed);
        }
    }
    let applied = screen
        .writing(consent.max_failures.map(usize::from), async |progress| {
            apply(&fleet, &accounts, &plan, progress).await
        })
        .await;
    let remaining = screen.reading(async |progress| make(&fleet, &accounts, progress).await).await;
    if consent.json {
        show::json(&Report { plan: &plan, applied: &applied, remaining: &remaining }, screen.out)?;
    } else {
        show::applied(&fleet, &applied, &remaining, screen.out)?;
    }
    Ok(if applied.failures.is_empty() && remaining.is_settled() { Exit::Done } else { Exit::Failed })
}

fn agreed(screen: &mut Screen<'_>) -> io::Result<bool> {
    write!(screen.err, "\nDo this? [y/N] ")?;
    screen.err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
