//! User scenarios on an emulator: the real program, real calls, and a simulated delivery service.
//!
//! Each scenario has its own world; all share one emulator.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests and their helpers may panic")]

mod bucket;
mod concurrent;
mod delivery;
mod doctor;
mod documents;
mod exits;
mod failures;
mod faults;
mod fleet;
mod foreign;
mod import;
mod incomplete;
#[cfg(unix)]
mod interrupted;
mod key;
mod killed;
mod life;
mod lifecycle;
mod names;
#[path = "../support/paper.rs"]
#[allow(dead_code, reason = "`papers` uses the rest")]
mod paper;
mod policy;
mod proxy;
mod query;
mod replaced;
mod report;
mod resources;
mod rules;
mod states;
mod watching;

use flowagg_testkit::delivery::{Outcome, Publication};
use flowagg_testkit::emulator::Emulator;
use flowagg_testkit::world::{Ran, World};
use jiff::Timestamp;
use paper::Paper;

/// A line of `[hub]` for an existing bucket: its flow logs do not expire, and that is not a finding.
const FOREVER: &str = "retention-days = \"forever\"";

/// A foreign statement.
const READERS: &str = r#"{"Sid":"Readers","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}"#;

/// A world with these members and one VPC in each of two regions, before the first apply.
async fn world<const N: usize>(members: [&str; N]) -> World {
    let mut world = World::new(Emulator::shared().unwrap()).await.unwrap();
    for name in members {
        world.member(name, 1).await.unwrap();
    }
    world
}

/// The same, after `apply`.
async fn applied<const N: usize>(members: [&str; N]) -> World {
    let world = world(members).await;
    apply(&world).await;
    world
}

#[track_caller]
fn apply(world: &World) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let ran = world.flowagg(["apply", "--yes"]).await.unwrap();
        assert_eq!(ran.code, Some(0), "at {caller}: {ran}");
    }
}

/// Replaces the names of the world by those of the documentation, so that the text is the same in every run.
fn on_paper(world: &World, text: &str) -> String {
    Paper::of(world).on_paper(text)
}

/// The output of a run, with the names of the documentation.
fn told(world: &World, ran: &Ran) -> String {
    on_paper(world, &format!("{}{}", ran.stdout, ran.stderr))
}

/// The errors, warnings, concerns and notes of a run with their advice, and the skipped changes, with the names of the
/// documentation.
fn messages(world: &World, ran: &Ran) -> String {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    let starts = ["error: ", "warning: ", "needs attention: ", "note: ", "  skipped ", "       "];
    let lines = text.lines().filter(|line| starts.iter().any(|start| line.starts_with(start)));
    on_paper(world, &lines.collect::<Vec<_>>().join("\n"))
}

/// Runs the delivery service at the current time.
async fn deliver(world: &World) -> Vec<Publication> {
    world.deliver(Timestamp::now()).await.unwrap()
}

/// Runs the delivery service. Every flow log of the fleet delivers according to `verify`.
#[track_caller]
fn delivers(world: &World) -> impl Future<Output = Vec<Publication>> {
    let caller = std::panic::Location::caller();
    async move {
        let reports = deliver(world).await;
        let ran = world.flowagg(["verify"]).await.unwrap();
        assert_eq!(ran.code, Some(0), "at {caller}: {ran}");
        reports
    }
}

/// Runs the delivery service. Nothing of the fleet arrives, and `verify` reports AWS's error.
#[track_caller]
fn is_refused(world: &World) -> impl Future<Output = Vec<Publication>> {
    let caller = std::panic::Location::caller();
    async move {
        let reports = deliver(world).await;
        assert!(reports.iter().all(|report| report.outcome.key().is_none()), "at {caller}: {reports:?}");
        let ran = world.flowagg(["verify", "--all"]).await.unwrap();
        assert_eq!(ran.code, Some(3), "at {caller}: {ran}");
        let number =
            if reports.len() == 1 { "1 flow log".to_owned() } else { format!("{} flow logs", reports.len()) };
        let told = format!("failing: {number}: AWS reports: Access error");
        assert!(ran.stdout.lines().any(|line| line == told), "at {caller}: {ran}");
        reports
    }
}

/// The outcome of an account's only flow log in the hub's region.
#[track_caller]
fn outcome<'a>(world: &World, reports: &'a [Publication], name: &str) -> &'a Outcome {
    let account = world.accounts()[name].id;
    let mut of_account = reports
        .iter()
        .filter(|report| report.place.account == account && &report.place.region == world.hub_region());
    let report = of_account.next().unwrap();
    assert_eq!(of_account.next(), None, "one flow log per VPC");
    &report.outcome
}
