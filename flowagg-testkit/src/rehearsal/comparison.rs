//! `flowagg apply` and a plain script on the same emulator, with their times and their numbers of calls.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use flowagg_core::id::Region;
use tokio::process::Command;

use super::RehearsalError;
use super::readers::PACKAGES;
use crate::emulator::{Backend, Emulator, tail};
use crate::world::{Ran, World};

/// The script that most people would write first.
const SCRIPT: &str = include_str!("script.py");
/// Regions to choose from, the hub's first.
const REGIONS: [&str; 6] =
    ["eu-west-1", "us-east-1", "eu-central-1", "us-west-2", "eu-north-1", "ap-southeast-2"];

/// Number of calls by operation.
type CallCounts = BTreeMap<String, u64>;

/// Size of the fleet.
#[derive(Clone, Copy, Debug, clap::Args)]
#[non_exhaustive]
pub struct FleetSize {
    /// Member accounts
    #[arg(long, default_value_t = 10)]
    pub accounts: u32,
    /// Regions of each account, up to six
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=6))]
    pub regions: u32,
    /// VPCs in each region of an account
    #[arg(long, default_value_t = 6)]
    pub vpcs: u32,
}

/// Runs a script that creates the flow logs of one fleet, and `flowagg apply` for an identical fleet. Both run as
/// programs, from start to exit. Prints the time and the calls of each, and last the ratio of the times.
///
/// Fails if the first `apply` makes more calls than necessary, or if a second one writes anything.
pub async fn compare(backend: &Backend, size: FleetSize, out: &mut impl Write) -> Result<(), RehearsalError> {
    let python = PACKAGES.python()?;
    let emulator = Emulator::start(backend)?;
    let FleetSize { accounts, regions, vpcs } = size;
    writeln!(out, "{accounts} accounts x {regions} regions x {vpcs} VPCs")?;
    let [ours, scripted] = [fleet(&emulator, size).await?, fleet(&emulator, size).await?];
    scripted.create_bucket(scripted.hub()).await?;

    let mut script = Command::new(python);
    let names: Vec<&str> = scripted.regions().iter().map(Region::as_str).collect();
    script.args(["-c", SCRIPT, scripted.bucket().as_str(), &names.join(",")]);
    script.args(scripted.accounts().values().map(|account| account.id.to_string()));
    let start = Instant::now();
    let output = script.envs(scripted.environment()).output().await?;
    let script = start.elapsed();
    if !output.status.success() {
        return Err(not_so(format!("the script failed: {}", tail(&String::from_utf8_lossy(&output.stderr)))));
    }
    told("plain script", script, &counted(&String::from_utf8_lossy(&output.stdout)), out)?;

    let (apply, calls) = applied(&ours).await?;
    told("flowagg apply", apply, &calls, out)?;
    let (accounts, places) = (u64::from(accounts), u64::from(accounts * regions));
    let least = [
        ("AssumeRole", accounts),
        ("DescribeVpcs", places),
        ("DescribeFlowLogs", places),
        ("CreateFlowLogs", places),
    ];
    for (operation, least) in least {
        if calls.get(operation) != Some(&least) {
            return Err(not_so(format!("{operation} was not called exactly {least} times, the minimum")));
        }
    }
    for world in [&ours, &scripted] {
        let (made, wanted) = (flow_logs(world).await?, places * u64::from(vpcs));
        if made != wanted {
            return Err(not_so(format!("expected {wanted} flow logs, found {made}")));
        }
    }

    let (again, calls) = applied(&ours).await?;
    told("flowagg apply again", again, &calls, out)?;
    if let Some(write) =
        calls.keys().find(|call| ["Create", "Put", "Delete"].iter().any(|verb| call.starts_with(verb)))
    {
        return Err(not_so(format!("a second apply must not write, but it called {write}")));
    }

    ours.deliver(jiff::Timestamp::now()).await?;
    let start = Instant::now();
    succeeded(ours.flowagg(["verify"]).await?)?;
    writeln!(out, "{:20}{:8.2} s", "flowagg verify", start.elapsed().as_secs_f64())?;
    writeln!(
        out,
        "ratio {:.2} (flowagg apply over the plain script)",
        apply.as_secs_f64() / script.as_secs_f64()
    )?;
    Ok(())
}

async fn fleet(emulator: &Emulator, size: FleetSize) -> Result<World, RehearsalError> {
    let regions: Result<Vec<Region>, _> =
        REGIONS.into_iter().zip(0..size.regions).map(|(name, _)| Region::parse(name)).collect();
    let mut regions = regions.map_err(crate::world::WorldError::from)?.into_iter();
    let hub = regions.next().ok_or_else(|| not_so("at least one region is required".to_owned()))?;
    let mut world = World::in_regions(emulator, hub, regions).await?;
    for number in 1..=size.accounts {
        world.member(&format!("account-{number:03}"), size.vpcs as usize).await?;
    }
    Ok(world)
}

/// Runs `flowagg apply` and returns its time and all of its calls.
async fn applied(world: &World) -> Result<(Duration, CallCounts), RehearsalError> {
    let start = Instant::now();
    let run = succeeded(world.flowagg(["apply", "--yes", "--json"]).await?)?;
    let took = start.elapsed();
    let mut calls = CallCounts::new();
    for phase in run.json()["calls"].as_object().into_iter().flat_map(|phases| phases.values()) {
        for (operation, count) in phase.as_object().into_iter().flatten() {
            *calls.entry(operation.clone()).or_default() += count.as_u64().unwrap_or_default();
        }
    }
    Ok((took, calls))
}

fn succeeded(run: Ran) -> Result<Ran, RehearsalError> {
    if run.code == Some(0) { Ok(run) } else { Err(not_so(format!("the program failed: {run}"))) }
}

async fn flow_logs(world: &World) -> Result<u64, RehearsalError> {
    let mut count = 0;
    for account in world.accounts().values() {
        for region in world.regions() {
            count += world.flow_logs(account.id, region).await?.len() as u64;
        }
    }
    Ok(count)
}

/// Parses the script's own count: an operation and a number on each line.
fn counted(text: &str) -> CallCounts {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.filter_map(|(operation, count)| Some((operation.to_owned(), count.parse().ok()?))).collect()
}

fn told(what: &str, took: Duration, calls: &CallCounts, out: &mut impl Write) -> Result<(), RehearsalError> {
    let named: Vec<String> = calls.iter().map(|(operation, count)| format!("{operation} {count}")).collect();
    let all: u64 = calls.values().sum();
    writeln!(out, "{what:20}{:8.2} s  {all} calls: {}", took.as_secs_f64(), named.join(", "))?;
    Ok(())
}

fn not_so(claim: String) -> RehearsalError {
    RehearsalError::NotSo(claim)
}
