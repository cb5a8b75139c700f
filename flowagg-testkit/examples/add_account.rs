//! A custom tool on flowagg's crates that adds one account to a hub, with its test on an emulator.
//!
//! The tool consists of [`add`] and [`check`]. It has no complete fleet file and knows only the new account.
//! `Unnamed::Keep` keeps the grants of all other accounts in the bucket policy.
//!
//! `cargo build --workspace --examples && target/debug/examples/add_account`

#![allow(clippy::print_stdout, reason = "a program prints its progress")]

use std::error::Error;
use std::process::Command;

use flowagg::Progress;
use flowagg::aws::apply::{ApplyOptions, apply};
use flowagg::aws::observe::observe;
use flowagg::aws::{Connection, Session, verify};
use flowagg_core::arrival::{InUse, Patience};
use flowagg_core::fleet::FleetFile;
use flowagg_core::plan::{HubChange, Unnamed};
use flowagg_policy::plan::plan;
use flowagg_policy::{Policy, Request, diff};
use flowagg_testkit::{emulator::Emulator, world::World};
use jiff::Timestamp;

/// Receives each step; a portal would show a progress bar.
struct Lines;

impl Progress for Lines {
    fn step(&self, what: &str, done: usize, total: usize, at: &str) {
        println!("  {what}: {done} of {total} ({at})");
    }
}

/// Grants delivery to the one account of this fleet file, and creates its flow logs.
async fn add(fleet: &str) -> Result<(), Box<dyn Error>> {
    let file = FleetFile::parse(fleet)?;
    // Credentials come from the same sources as the AWS CLI's. A role is assumed in the account.
    let session = Session::open(&file, &Connection::default()).await?;
    let observation = observe(file, &session, &[], &Lines).await?;
    // The live policy is read and merged into a value that can be inspected before anything is written.
    let plan = plan(&observation.fleet, &observation.observed, Unnamed::Keep);
    plan.failures().first().cloned().map_or(Ok(()), Err)?;
    for change in plan.hub() {
        // The bucket belongs to the platform team: this tool may only update its policy, and never revokes a grant.
        let HubChange::PutPolicy(policy) = change else {
            return Err(format!("unexpected change: {change}").into());
        };
        println!("{}", diff(policy.replaces.as_deref().unwrap_or_default(), &policy.text)?);
        if !policy.revoked.is_empty() {
            return Err(format!("the plan would revoke {:?}", policy.revoked).into());
        }
    }
    // Applies that same plan. The policy is read again right before it is written.
    let applied = apply(&observation, &plan, &ApplyOptions::default(), &Lines).await;
    applied.done.iter().for_each(|done| println!("{done}"));
    Ok(applied.failures.into_iter().next().map_or(Ok(()), Err)?)
}

/// Whether every flow log of the account delivers.
async fn check(fleet: &str) -> Result<(), Box<dyn Error>> {
    let file = FleetFile::parse(fleet)?;
    let session = Session::open(&file, &Connection::default()).await?;
    let found = observe(file, &session, &[], &()).await?;
    let (regions, now) = (&found.observed.regions, Timestamp::now());
    let verified =
        verify(&found.fleet, &found.accounts, regions, &mut InUse::new(), Patience::default(), now).await?;
    for log in &verified.flow_logs {
        println!("  {} {} {}", log.place.region, log.resource, log.state.as_str());
    }
    if verified.is_complete() { Ok(()) } else { Err("some flow logs do not deliver".into()) }
}

/// The test: a hub with an account that must not be affected, and a new one.
async fn rehearse() -> Result<(), Box<dyn Error>> {
    let mut world = World::new(Emulator::shared()?).await?;
    let shop = world.member("shop", 1).await?;
    world.flowagg(["apply", "--yes"]).await?.exits(0);
    let before = world.flow_logs(shop, world.hub_region()).await?;

    let new = world.account("new", 2).await?;
    let (hub, region, bucket) = (world.hub(), world.hub_region().clone(), world.bucket().clone());
    let fleet = format!(
        "[hub]\naccount = \"{hub}\"\nregion = \"{region}\"\nbucket = \"{bucket}\"\n\
         [[members]]\naccount = \"{new}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n"
    );
    // The tool runs as a separate process, with the hub's credentials in its environment.
    let tool = |verb: &str| {
        let mut tool = Command::new(std::env::current_exe()?);
        let ended = tool.args([verb, &fleet]).env_clear().envs(world.environment()).status()?;
        Ok::<_, Box<dyn Error>>(ended.success())
    };
    assert!(tool("add")?, "the account is added");
    assert!(!tool("check")?, "nothing has been delivered yet");
    assert!(
        world.deliver(Timestamp::now()).await?.iter().all(|publication| publication.outcome.key().is_some())
    );
    assert!(tool("check")?, "both VPCs in both regions deliver");
    assert!(tool("add")?, "adding the account again changes nothing and succeeds");

    assert_eq!(world.flow_logs(shop, &region).await?, before, "flow logs of other accounts are unchanged");
    let policy = Policy::compile(&world.policy().await?.unwrap_or_default())?;
    for account in [shop, new] {
        assert!(policy.decide(&Request::acl_check(&bucket, account, &region)).is_allowed(), "{account}");
    }
    println!("ok: {new} delivers, and {shop} still does");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["add", fleet] => add(fleet).await,
        ["check", fleet] => check(fleet).await,
        _ => rehearse().await,
    }
}
