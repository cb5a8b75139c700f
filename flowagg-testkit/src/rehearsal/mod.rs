//! A whole rollout as one story on a terminal: a hub, three members and a stranger; planned, applied, delivered,
//! verified.
//!
//! Each claim is checked where it is made, so the last line is printed only if all of them hold.

pub mod comparison;
mod metrics;
pub mod queries;
pub mod readers;
mod story;
mod tree;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use crate::emulator::{Backend, Emulator, EmulatorError, LOCALSTACK_VERSION};
use crate::world::{World, WorldError, program};

/// Why a rehearsal ended early.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The emulator could not be started.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// The world could not be created or queried.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The output could not be written, or a program could not be run.
    #[error("the rehearsal failed: {0}")]
    Io(#[from] io::Error),
    /// A claim does not hold.
    #[error("check failed: {0}")]
    NotSo(String),
}

/// Optional steps of a rehearsal, and what it leaves behind.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoryOptions {
    /// Leaves the emulator running and keeps the fleet file.
    pub keep: bool,
    /// Writes the report as an HTML page to this file, creating its folder.
    pub report: Option<PathBuf>,
    /// Ends with a query over the objects. Requires a program with the feature `query`.
    pub query: bool,
}

/// Rehearses on this backend and prints each step.
pub async fn rehearse(
    backend: &Backend,
    options: &StoryOptions,
    out: &mut impl Write,
) -> Result<(), RehearsalError> {
    let start = Instant::now();
    match backend {
        Backend::Docker => writeln!(out, "Starting LocalStack {LOCALSTACK_VERSION} in a container.")?,
        Backend::Python => writeln!(
            out,
            "Starting LocalStack {LOCALSTACK_VERSION} from PyPI. The first run creates its Python environment, which takes a minute or two."
        )?,
        Backend::Endpoint(url) => writeln!(out, "Using the endpoint {url}.")?,
    }
    let emulator = Emulator::start(backend)?;
    writeln!(out, "Ready at {} after {} s.", emulator.url(), start.elapsed().as_secs())?;

    let mut world = World::new(&emulator).await?;
    let told = story::tell(&mut world, options, out).await;
    if told.is_err() {
        let log = emulator.log();
        let lines: Vec<&str> = log.lines().collect();
        writeln!(out, "\nLast lines of the emulator's log:")?;
        for line in &lines[lines.len().saturating_sub(20)..] {
            writeln!(out, "  {line}")?;
        }
    }
    if options.keep {
        leave(emulator, world, out)?;
    }
    let counts = told?;
    writeln!(out, "\nok: {counts} in {} s", start.elapsed().as_secs())?;
    Ok(())
}

/// Prints how to use the running emulator, and how to stop it.
fn leave(emulator: Emulator, mut world: World, out: &mut impl Write) -> Result<(), RehearsalError> {
    let (folder, fleet, bucket) = (world.keep_folder(), world.fleet_path(), world.bucket());
    writeln!(out, "\nThe emulator is still running. To use it as the hub account:\n")?;
    for (name, value) in world.environment() {
        writeln!(out, "  export {name}={value}")?;
    }
    writeln!(out, "  {} plan -c {}", program()?.display(), fleet.display())?;
    writeln!(out, "  aws s3 ls --recursive s3://{bucket}")?;
    writeln!(out, "  aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text")?;
    if let Some((name, account)) = world.accounts().iter().find(|(_, account)| account.is_member) {
        let region = world.hub_region();
        writeln!(out, "\nAs the member {name} (the access key ID is the account ID):\n")?;
        writeln!(out, "  AWS_ACCESS_KEY_ID={} aws ec2 describe-flow-logs --region {region}", account.id)?;
    }
    let stop = emulator.leave_running().map_or_else(String::new, |stop| format!("{stop}; "));
    writeln!(out, "\nTo stop it and delete its files:\n\n  {stop}rm -r {}", folder.display())?;
    Ok(())
}
