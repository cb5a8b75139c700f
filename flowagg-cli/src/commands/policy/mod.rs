//! `flowagg policy`: the policy engine by hand. Offline, but for a fleet file whose accounts have to be looked up.

pub(super) mod ask;
pub(super) mod check;
mod size;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use flowagg_core::fleet::{Fleet, GrantForm};
use flowagg_core::id::AccountId;
use flowagg_policy::{Grant, Merged, Unnamed, diff, merge};
use schemars::JsonSchema;
use serde::Serialize;

use super::plan::unnamed;
use crate::args::{self, Global, Policy};
use crate::{Exit, Screen, show};

/// The name that stands for standard input.
const STDIN: &str = "-";

pub(super) async fn run(global: &Global, verb: &Policy, screen: &mut Screen<'_>) -> io::Result<Exit> {
    let outcome = match verb {
        Policy::Build(options) => build(global, options, screen).await,
        Policy::Merge(options) => merged(global, options, screen).await,
        Policy::Diff(options) => compared(options, screen),
        Policy::Check(options) => check::run(options, screen),
        Policy::Simulate(options) => ask::run(options, screen),
        Policy::Size(options) => size::run(global, options, screen).await,
    };
    match outcome {
        Ok(exit) => Ok(exit),
        Err(Stop::Said(exit)) => Ok(exit),
        Err(Stop::Output(error)) => Err(error),
        Err(Stop::Wrong { what, help }) => {
            screen.error(&what, &help)?;
            Ok(Exit::Usage)
        }
    }
}

/// Why a run ends early.
enum Stop {
    /// Something was wrong, and it is to be said.
    Wrong { what: String, help: String },
    /// It has been said.
    Said(Exit),
    /// The output cannot be written.
    Output(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Stop {
    fn wrong(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Wrong { what: what.into(), help: help.into() }
    }

    fn policy(path: &Path, what: impl std::fmt::Display, help: impl Into<String>) -> Self {
        Self::wrong(format!("the policy in {}: {what}", name(path)), help)
    }
}

fn name(path: &Path) -> String {
    if path == Path::new(STDIN) { "standard input".to_owned() } else { format!("`{}`", path.display()) }
}

fn text(path: &Path) -> Result<String, Stop> {
    let mut text = String::new();
    let read = if path == Path::new(STDIN) {
        io::stdin().lock().read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Stop::wrong(
            format!("{} cannot be read: {error}", name(path)),
            "name a file of UTF-8 text, or `-`",
        )),
    }
}

async fn fleet(global: &Global, screen: &mut Screen<'_>) -> Result<Fleet, Stop> {
    super::fleet(global, screen).await?.map_err(Stop::Said)
}

async fn build(global: &Global, options: &args::Build, screen: &mut Screen<'_>) -> Result<Exit, Stop> {
    let fleet = fleet(global, screen).await?;
    let merged = merge(None, &Grant::of(&fleet), Unnamed::Keep)
        .map_err(|error| Stop::wrong(error.to_string(), error.help()))?;
    write(&merged, options.json, screen)
}

async fn merged(global: &Global, options: &args::Merge, screen: &mut Screen<'_>) -> Result<Exit, Stop> {
    let fleet = fleet(global, screen).await?;
    let live = text(&options.policy)?;
    // `aws s3api get-bucket-policy` prints nothing where there is no policy.
    let live = (!live.trim().is_empty()).then_some(live);
    let merged = merge(live.as_deref(), &Grant::of(&fleet), unnamed(options.prune))
        .map_err(|error| Stop::policy(&options.policy, &error, error.help()))?;
    if let Some(live) = &live {
        let difference =
            diff(live, &merged.text).map_err(|error| Stop::policy(&options.policy, &error, error.help()))?;
        screen.say(&difference.to_string())?;
    }
    for note in &merged.notes {
        screen.note(note)?;
    }
    for account in &merged.kept {
        screen.note(&format!("{account} may deliver and is not in the fleet file; `--prune` revokes it"))?;
    }
    write(&merged, options.json, screen)
}

/// What `policy build --json` and `policy merge --json` print.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report<'a> {
    /// The policy's text.
    policy: &'a str,
    /// Whether it says anything else than the policy that it was merged into.
    changed: bool,
    /// The form of the fleet's grant in it.
    #[schemars(with = "GrantForm")]
    form: &'static str,
    /// What counts against the limit, in bytes of compact JSON.
    bytes: usize,
    /// The most that S3 takes.
    limit: usize,
    /// Accounts that may deliver from now on.
    granted: &'a BTreeSet<AccountId>,
    /// Accounts that may no longer deliver.
    revoked: &'a BTreeSet<AccountId>,
    /// Accounts that could deliver before, are not in the fleet file, and still may.
    kept: &'a BTreeSet<AccountId>,
    /// What else is worth knowing.
    notes: &'a [String],
}

fn write(merged: &Merged, json: bool, screen: &mut Screen<'_>) -> Result<Exit, Stop> {
    if json {
        let report = Report {
            policy: &merged.text,
            changed: merged.changed,
            form: merged.form.as_str(),
            bytes: merged.bytes,
            limit: flowagg_policy::size::LIMIT,
            granted: &merged.granted,
            revoked: &merged.revoked,
            kept: &merged.kept,
            notes: &merged.notes,
        };
        show::document(&report, screen.out)?;
    } else {
        writeln!(screen.out, "{}", merged.text.trim_end())?;
    }
    Ok(Exit::Done)
}

fn compared(options: &args::Diff, screen: &mut Screen<'_>) -> Result<Exit, Stop> {
    if options.before == options.after && options.before == Path::new(STDIN) {
        return Err(Stop::wrong(
            "both policies are to come from standard input",
            "name a file for one of them",
        ));
    }
    let (before, after) = (text(&options.before)?, text(&options.after)?);
    let difference = diff(&before, &after).map_err(|error| {
        // Which of the two it is, its own comparison with itself tells.
        let path = if diff(&before, &before).is_err() { &options.before } else { &options.after };
        Stop::policy(path, &error, error.help())
    })?;
    if options.json {
        show::document(&difference, screen.out)?;
    } else if difference.is_empty() {
        writeln!(screen.out, "the two say the same")?;
    } else {
        write!(screen.out, "{difference}")?;
    }
    Ok(if options.exit_code && !difference.is_empty() { Exit::Differs } else { Exit::Done })
}
