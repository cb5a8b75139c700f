//! One module for each verb. They join reading, planning and doing; what is decided, core and policy decide.

mod apply;
mod destroy;
mod permissions;
mod plan;
mod policy;
mod verify;

use std::io;
use std::path::Path;

use flowagg_core::fleet::Fleet;
use flowagg_policy::{Grant, Unnamed, merge};

use crate::args::{Args, Global, Verb};
use crate::aws::Accounts;
use crate::{Exit, Screen, show};

pub use plan::assemble;
pub(crate) use policy::SizeReport;
pub use verify::{Delivery, Stranger, Verified, verify};

pub(crate) async fn run(args: Args, screen: &mut Screen<'_>) -> io::Result<Exit> {
    match &args.verb {
        Verb::Plan(options) => plan::run(&args.global, options, screen).await,
        Verb::Apply(options) => apply::run(&args.global, options, screen).await,
        Verb::Verify(options) => verify::run(&args.global, options, screen).await,
        Verb::Destroy(consent) => destroy::run(&args.global, consent, screen).await,
        Verb::Permissions(options) => permissions::run(&args.global.config, options, screen),
        Verb::Policy(verb) => policy::run(&args.global.config, verb, screen),
    }
}

/// The fleet and its accounts; or how the run ends, after saying why.
async fn open(global: &Global, screen: &mut Screen<'_>) -> io::Result<Result<(Fleet, Accounts), Exit>> {
    let Some(fleet) = fleet(&global.config, screen)? else { return Ok(Err(Exit::Usage)) };
    match Accounts::open(&fleet, &global.connection(), &global.only).await {
        Ok(accounts) => Ok(Ok((fleet, accounts))),
        Err(failure) => {
            show::failures(&[failure], screen.err)?;
            Ok(Err(Exit::Failed))
        }
    }
}

/// Reads the fleet file; tells all its faults.
fn fleet(path: &Path, screen: &mut Screen<'_>) -> io::Result<Option<Fleet>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let help = "write one (the README shows how), or name another with `--config FILE`";
            show::error(
                &format!("the fleet file `{}` cannot be read: {error}", path.display()),
                help,
                screen.err,
            )?;
            return Ok(None);
        }
    };
    let fleet = match Fleet::parse(&text) {
        Ok(fleet) => fleet,
        Err(error) => {
            show::faults(path, &error, screen.err)?;
            return Ok(None);
        }
    };
    // A grant that fits no empty bucket fits no other: that can be told before any call.
    if let Err(error) = merge(None, &Grant::of(&fleet), Unnamed::Keep) {
        show::error(&format!("`{}`: {error}", path.display()), &error.help(), screen.err)?;
        return Ok(None);
    }
    Ok(Some(fleet))
}
