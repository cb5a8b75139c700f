//! A tool of one's own, made of flowagg's crates, that adds one account to a hub; and its test, on an emulator.
//!
//! The tool is [`add`] and [`check`]: it has no fleet file and knows of no account but the new one. Everybody else's place
//! in the bucket policy is safe with it, since `Unnamed::Keep` takes nobody's away.
//!
//! `cargo build --workspace --examples && target/debug/examples/add_account`

#![allow(clippy::print_stdout, reason = "a program tells what it does")]

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

/// Is told of each step; a portal would show a bar.
struct Lines;

impl Progress for Lines {
    fn step(&self, what: &str, done: usize, total: usize, at: &str) {
        println!("  {what}: {done} of {total} ({at})");
    }
}

/// Lets the one account of this text deliver, and makes its flow logs.
async fn add(fleet: &str) -> Result<(), Box<dyn Error>> {
    let file = FleetFile::parse(fleet)?;
    // Credentials come from where the AWS CLI has them from, too; a role is taken in the account.
    let session = Session::open(&file, &Connection::default()).await?;
    let observation = observe(file, &session, &[], &Lines).await?;
    // The live policy, read and merged: a value to look at, before anything is written.
    let plan = plan(&observation.fleet, &observation.observed, Unnamed::Keep);
    plan.failures().first().cloned().map_or(Ok(()), Err)?;
    for change in plan.hub() {
        // The bucket is the platform team's: this tool writes its policy, and revokes nothing.
        let HubChange::PutPolicy(policy) = change else { return Err(format!("not ours: {change}").into()) };
        println!("{}", diff(policy.replaces.as_deref().unwrap_or_default(), &policy.text)?);
        if !policy.revoked.is_empty() {
            return Err(format!("{:?} would be revoked", policy.revoked).into());
        }
    }
    // The same value is done. The policy is read once more right before it is written.
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
    if verified.is_complete() { Ok(()) } else { Err("not everything delivers".into()) }
}

/// The test: a hub with an account that is not to be disturbed, and one that comes new.
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
    // The tool runs as a program of its own, with the credentials of the hub in its environment.
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
    assert!(tool("add")?, "there is nothing left to do, and that is no failure");

    assert_eq!(world.flow_logs(shop, &region).await?, before, "the others' flow logs stay as they are");
    let policy = Policy::compile(&world.policy().await?.unwrap_or_default())?;
    for account in [shop, new] {
        assert!(policy.decide(&Request::acl_check(&bucket, account, &region)).is_allowed(), "{account}");
    }
    println!("ok: {new} delivers beside {shop}");
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
