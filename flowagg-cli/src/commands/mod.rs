//! One module for each verb. They join reading, planning and doing; what is decided, core and policy decide.

mod apply;
mod athena;
mod destroy;
mod doctor;
mod export;
mod import;
mod init;
mod key;
mod permissions;
mod plan;
mod policy;
mod report;
mod schema;
mod shell;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

use flowagg_core::fleet::{Declared, Fleet};
use flowagg_core::observed::Failure;
use flowagg_policy::{Grant, Unnamed, merge};

use crate::args::{Args, Athena, Global, Verb};
use crate::aws::observe::{Observed, Survey, observe, survey};
use crate::aws::{Accounts, Session};
use crate::export::File;
use crate::{Exit, Screen};

pub use doctor::{Check, Examination, Health};
pub use plan::assemble;

pub(crate) async fn run(args: Args, screen: &mut Screen<'_>) -> io::Result<Exit> {
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
        Verb::Man { out } => shell::man(out, screen),
        Verb::Init(options) => init::run(&args.global, options, screen).await,
        Verb::Import(options) => import::run(&args.global, options, screen).await,
        Verb::Athena(Athena::Query(options)) => athena::query(&args.global, options, screen).await,
        Verb::Policy(verb) => policy::run(&args.global, verb, screen).await,
    }
}

/// The fleet as declared, and the hub account entered; or how the run ends, after saying why.
async fn open(global: &Global, screen: &mut Screen<'_>) -> io::Result<Result<(Declared, Session), Exit>> {
    let Some(declared) = declared(&global.config, screen)? else { return Ok(Err(Exit::Usage)) };
    match Session::open(&declared, &global.connection()).await {
        Ok(session) => Ok(Ok((declared, session))),
        Err(failure) => Ok(Err(failed(failure, screen)?)),
    }
}

/// What is declared and what there is; or how the run ends, after saying why.
async fn look(
    global: &Global,
    screen: &mut Screen<'_>,
) -> io::Result<Result<(Fleet, Accounts, Observed), Exit>> {
    let (declared, session) = match open(global, screen).await? {
        Ok(opened) => opened,
        Err(exit) => return Ok(Err(exit)),
    };
    let looked =
        screen.reading(async |progress| observe(declared, &session, &global.only, progress).await).await;
    match looked {
        Ok(looked) => Ok(Ok(looked)),
        Err(failure) => Ok(Err(failed(failure, screen)?)),
    }
}

/// How a run ends that a failure keeps from beginning, after saying which.
fn failed(failure: Failure, screen: &mut Screen<'_>) -> io::Result<Exit> {
    screen.failures(&[failure])?;
    Ok(Exit::Failed)
}

/// The fleet, whose accounts and regions are looked up only where the fleet file does not name them; or how the run ends.
async fn fleet(global: &Global, screen: &mut Screen<'_>) -> io::Result<Result<Fleet, Exit>> {
    let Some(declared) = declared(&global.config, screen)? else { return Ok(Err(Exit::Usage)) };
    if declared.is_named() {
        return Ok(Ok(declared.into_fleet()));
    }
    let found = match Session::open(&declared, &global.connection()).await {
        Ok(session) => {
            screen.reading(async |progress| survey(declared, &session, &global.only, progress).await).await
        }
        Err(failure) => Err(failure),
    };
    match found {
        Ok(Survey { fleet, .. }) => Ok(Ok(fleet)),
        Err(failure) => Ok(Err(failed(failure, screen)?)),
    }
}

/// Writes a text file, but not over one that says something else, unless it is to go.
fn write_text(path: &Path, text: String, force: bool, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        let what = format!("`{}` is no name of a file", path.display());
        screen.error(&what, "name a file, as in `flowagg.toml`")?;
        return Ok(Exit::Usage);
    };
    export::into_folder(&[File { name: name.to_owned(), text }], &folder, force, screen)
}

/// Reads the fleet file; tells all its faults.
fn declared(path: &Path, screen: &mut Screen<'_>) -> io::Result<Option<Declared>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let help = "write one with `flowagg init`, or name another with `--config FILE`";
            screen.error(&format!("the fleet file `{}` cannot be read: {error}", path.display()), help)?;
            return Ok(None);
        }
    };
    let declared = match Declared::parse(&text) {
        Ok(declared) => declared,
        Err(error) => {
            screen.faults(path, &error)?;
            return Ok(None);
        }
    };
    // A grant that fits no empty bucket fits no other: that can be told before any call.
    if declared.is_named()
        && let Err(error) = merge(None, &Grant::of(&declared.clone().into_fleet()), Unnamed::Keep)
    {
        screen.error(&format!("`{}`: {error}", path.display()), &error.help())?;
        return Ok(None);
    }
    Ok(Some(declared))
}
