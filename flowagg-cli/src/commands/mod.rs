//! One module for each command. A command connects reading, planning and applying; all decisions are made in core and policy. `error`,
//! `start` and `files` are shared by several commands.

mod apply;
mod cost;
mod destroy;
mod doctor;
mod error;
mod export;
mod files;
mod import;
mod init;
mod man;
mod metrics;
mod permissions;
mod plan;
mod policy;
#[cfg(feature = "query")]
mod query;
mod report;
mod schema;
mod shell;
mod start;
mod verify;

use std::path::Path;

use crate::args::{Args, FLEET_FILE, Verb};
use crate::{Exit, Screen};

use error::CommandError;

pub(crate) async fn run(args: Args, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    let config = &args.global.config;
    if config != Path::new(FLEET_FILE) {
        screen.out.set_fleet_file(config);
        screen.err.set_fleet_file(config);
    }
    match &args.verb {
        Verb::Plan(options) => plan::run(&args.global, options, screen).await,
        Verb::Apply(options) => apply::run(&args.global, options, screen).await,
        Verb::Verify(options) => verify::run(&args.global, options, screen).await,
        Verb::Doctor(options) => doctor::run(&args.global, options, screen).await,
        Verb::Report(options) => report::run(&args.global, options, screen).await,
        Verb::Destroy(consent) => destroy::run(&args.global, consent, screen).await,
        Verb::Permissions(options) => permissions::run(&args.global.config, options, screen),
        Verb::Export(verb) => export::run(&args.global, verb, screen).await,
        Verb::Schema { of } => schema::run(*of, screen),
        Verb::Completions { shell } => shell::completions(*shell, screen),
        Verb::Man { out } => man::man(out, screen),
        Verb::Init(options) => init::run(&args.global, options, screen).await,
        Verb::Import(options) => import::run(&args.global, options, screen).await,
        #[cfg(feature = "query")]
        Verb::Query(options) => query::run(&args.global, options, &args.words, screen).await,
        Verb::Policy(verb) => policy::run(&args.global, verb, screen).await,
    }
}
