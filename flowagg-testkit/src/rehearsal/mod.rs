//! The whole of it as one story on a terminal: a hub, three members and a stranger; planned, applied, delivered, verified.
//!
//! Each claim is checked where it is made, so the last line is only there when all of it was so.

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
    /// No emulator.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// The world could not be made or asked.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Nobody reads, or a program could not be run.
    #[error("the story could not be told: {0}")]
    Io(#[from] io::Error),
    /// Something claimed is not so.
    #[error("this is not so: {0}")]
    NotSo(String),
}

/// What a rehearsal does besides, and what stays after it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StoryOptions {
    /// Leaves the emulator running and keeps the fleet file.
    pub keep: bool,
    /// Writes the report as an HTML page into this file, whose folder is created.
    pub report: Option<PathBuf>,
    /// Ends with a query over the objects. The program needs its default feature `query`.
    pub query: bool,
}

/// Rehearses on this backend, and writes what happens.
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
            "Starting LocalStack {LOCALSTACK_VERSION} from PyPI. The first time its Python environment is made: a minute or two."
        )?,
        Backend::Endpoint(url) => writeln!(out, "Using the endpoint {url}.")?,
    }
    let emulator = Emulator::start(backend)?;
    writeln!(out, "It answers at {} after {} s.", emulator.url(), start.elapsed().as_secs())?;

    let mut world = World::new(&emulator).await?;
    let told = story::tell(&mut world, options, out).await;
    if told.is_err() {
        let log = emulator.log();
        let lines: Vec<&str> = log.lines().collect();
        writeln!(out, "\nThe emulator's last words:")?;
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

/// Says how to play with what stays, and how to end it.
fn leave(emulator: Emulator, mut world: World, out: &mut impl Write) -> Result<(), RehearsalError> {
    let (folder, fleet, bucket) = (world.keep_folder(), world.fleet_path(), world.bucket());
    writeln!(out, "\nIt stays. To play with it as the hub account:\n")?;
    for (name, value) in world.environment() {
        writeln!(out, "  export {name}={value}")?;
    }
    writeln!(out, "  {} plan -c {}", program()?.display(), fleet.display())?;
    writeln!(out, "  aws s3 ls --recursive s3://{bucket}")?;
    writeln!(out, "  aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text")?;
    if let Some((name, account)) = world.accounts().iter().find(|(_, account)| account.is_member) {
        let region = world.hub_region();
        writeln!(out, "\nAs the member {name} (the access key id is the account):\n")?;
        writeln!(out, "  AWS_ACCESS_KEY_ID={} aws ec2 describe-flow-logs --region {region}", account.id)?;
    }
    let stop = emulator.leave_running().map_or_else(String::new, |stop| format!("{stop}; "));
    writeln!(out, "\nTo end it:\n\n  {stop}rm -r {}", folder.display())?;
    Ok(())
}
