//! What must hold for every fleet, every grant, every live policy and every request.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail where it likes, its helpers too")]

mod fleets;
mod importing;
mod merging;
mod model;
mod strategies;
mod writing;

use flowagg_policy::{Grant, MergeError, Merged, Unnamed, merge};
use flowagg_testkit::arbitrary::policy::LivePolicy;
use proptest::test_runner::Config;

/// So many cases for each property; `PROPTEST_CASES` gives more.
fn cases(least: u32) -> Config {
    let config = Config::default();
    Config { cases: config.cases.max(least), failure_persistence: None, ..config }
}

/// Merges; `None` where this grant cannot be merged into this policy, for a reason that is not a fault.
#[track_caller]
fn merged(live: Option<&str>, grant: &Grant, unnamed: Unnamed) -> Option<Merged> {
    match merge(live, grant, unnamed) {
        Ok(merged) => Some(merged),
        Err(MergeError::Version { .. } | MergeError::Shared { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The policy as it was before anybody granted anything in it.
fn without_ours(live: &LivePolicy) -> String {
    match live.grant {
        None => live.text.clone(),
        Some(_) => format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, live.foreign.join(",")),
    }
}
