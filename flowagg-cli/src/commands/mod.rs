//! One module for each verb. They join reading, planning and doing; what is decided, core and policy decide.

mod apply;
mod plan;
mod verify;

use std::io;
use std::path::Path;

use flowagg_core::fleet::Fleet;

use crate::args::{Args, Verb};
use crate::aws::Accounts;
use crate::{Exit, Screen, show};

pub use plan::assemble;
pub use verify::{Delivery, Stranger, Verified, verify};

pub(crate) async fn run(args: Args, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let Some(fleet) = fleet(&args.global.config, screen)? else { return Ok(Exit::Usage) };
    let accounts = match Accounts::open(&fleet, args.global.endpoint_url.as_deref()).await {
        Ok(accounts) => accounts,
        Err(failure) => {
            show::failures(&[failure], screen.err)?;
            return Ok(Exit::Failed);
        }
    };
    match args.verb {
        Verb::Plan(options) => plan::run(&fleet, &accounts, &options, screen).await,
        Verb::Apply(options) => apply::run(&fleet, &accounts, &options, screen).await,
        Verb::Verify(options) => verify::run(&fleet, &accounts, &options, screen).await,
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
    match Fleet::parse(&text) {
        Ok(fleet) => Ok(Some(fleet)),
        Err(error) => {
            show::faults(path, &error, screen.err)?;
            Ok(None)
        }
    }
}
