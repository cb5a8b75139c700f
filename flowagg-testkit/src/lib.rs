//! A local stand-in for AWS, for tests of flowagg and of programs that embed its crates.
//!
//! * [`emulator`]: LocalStack in a container, from PyPI, or at the URL of a running one; moto from PyPI
//! * [`organization`]: an organization with units and accounts, on moto
//! * [`world`]: accounts, VPCs and a hub, created by name, and the real `flowagg` program that runs in it
//! * [`delivery`]: the log delivery service, which no emulator has: it evaluates the bucket policy and writes the
//!   objects
//! * [`sample`]: a copy of a bucket with two days of flow logs, for queries
//! * [`simulation`]: a generated organization of hundreds of accounts, in memory
//! * [`faults`]: an endpoint in front of the emulator that injects errors
//! * [`proxy`]: an HTTP proxy, with or without credentials
//! * [`rehearsal`]: a whole rollout as one story, with every claim checked
//! * [`aws`]: SDK clients of any account
//! * [`arbitrary`]: strategies for proptest: fleets, grants, bucket policies and requests
//!
//! A complete test:
//!
//! ```no_run
//! # use std::error::Error;
//! use flowagg_testkit::{emulator::Emulator, world::World};
//! use jiff::Timestamp;
//!
//! # /* The body is compiled here too.
//! #[tokio::test]
//! # */
//! async fn new_account_delivers() -> Result<(), Box<dyn Error>> {
//!     let mut world = World::new(Emulator::shared()?).await?;
//!     world.member("shop", 2).await?; // an account with two VPCs in each of two regions
//!     world.flowagg(["apply", "--yes"]).await?.exits(0);
//!     for publication in world.deliver(Timestamp::now()).await? {
//!         assert!(publication.outcome.key().is_some(), "{}", publication.outcome);
//!     }
//!     world.flowagg(["verify"]).await?.exits(0);
//!     Ok(())
//! }
//! ```
//!
//! Tests share the emulator of their program and nothing else, because each world takes fresh account IDs. If a test
//! panics, the end of the emulator's log is printed with it. To share one emulator among several test programs, run
//! `flowagg-emulator` and set [`FLOWAGG_BACKEND`](emulator::BACKEND_VARIABLE) and
//! [`FLOWAGG_EMULATOR_LOG`](emulator::LOG_VARIABLE) to its two lines of output.
//!
//! Next steps:
//!
//! * `examples/add_account.rs`: a custom tool on flowagg's crates, with its test
//! * `examples/own_policy.rs`: a bucket policy from another tool, evaluated by the delivery service
//! * `examples/rehearsal.rs`: a custom rollout, with a mistake that is detected and repaired
//! * [`arbitrary`]: property tests over fleets, policies and requests as AWS and people write them
//! * [`delivery::recording`]: flow log files without AWS, in any volume, to load-test an Athena table or a SIEM

#[cfg(feature = "arbitrary")]
pub mod arbitrary;
pub mod aws;
pub mod delivery;
pub mod emulator;
mod endpoint;
pub mod faults;
pub mod organization;
pub mod proxy;
pub mod rehearsal;
pub mod sample;
pub mod simulation;
pub mod world;

/// Compiles and runs the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
