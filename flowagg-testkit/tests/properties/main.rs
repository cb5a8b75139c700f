//! Properties of every fleet, grant, live policy and request.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests and their helpers may panic")]

mod fleets;
mod importing;
mod merging;
mod model;
mod strategies;
mod writing;

use flowagg_policy::{Grant, MergeError, Merged, Unnamed, merge};
use flowagg_testkit::arbitrary::policy::LivePolicy;
use proptest::test_runner::Config;

/// The number of cases of a property; `PROPTEST_CASES` can increase it.
fn cases(least: u32) -> Config {
    let config = Config::default();
    Config { cases: config.cases.max(least), failure_persistence: None, ..config }
}

/// Merges; `None` if this grant cannot be merged into this policy for a legitimate reason.
#[track_caller]
fn merged(live: Option<&str>, grant: &Grant, unnamed: Unnamed) -> Option<Merged> {
    match merge(live, grant, unnamed) {
        Ok(merged) => Some(merged),
        Err(MergeError::Version { .. } | MergeError::Shared { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The policy without the grant's statements.
fn without_ours(live: &LivePolicy) -> String {
    match live.grant {
        None => live.text.clone(),
        Some(_) => format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, live.foreign.join(",")),
    }
}
