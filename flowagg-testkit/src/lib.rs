//! A small AWS on this machine, for those who test what flowagg does and for those who embed its crates.
//!
//! * [`emulator`]: LocalStack in a container, from PyPI, or where it runs already; moto from PyPI
//! * [`organization`]: an organization with units and accounts, on moto
//! * [`world`]: accounts, VPCs and a hub, made by naming them; the real `flowagg` program among them
//! * [`delivery`]: the log delivery service, which no emulator has: it obeys the bucket policy and writes the objects
//! * [`sample`]: a copy of a bucket with two days of flow logs, to ask questions about
//! * [`simulation`]: a generated organization of hundreds of accounts, in memory
//! * [`faults`]: an endpoint in front of the emulator that says no
//! * [`proxy`]: an HTTP proxy, with or without credentials
//! * [`rehearsal`]: all of it in one story, with every claim checked
//! * [`aws`]: SDK clients of any account
//! * [`arbitrary`]: strategies for proptest: fleets, grants, bucket policies and requests
//!
//! A test, whole:
//!
//! ```no_run
//! # use std::error::Error;
//! use flowagg_testkit::{emulator::Emulator, world::World};
//! use jiff::Timestamp;
//!
//! # /* The body is compiled here as well.
//! #[tokio::test]
//! # */
//! async fn a_new_account_delivers() -> Result<(), Box<dyn Error>> {
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
//! Tests share the emulator of their program and nothing else: each world takes fresh account ids. Where a test panics, the
//! end of the emulator's log is shown with it. One emulator for several test programs is `flowagg-emulator`, whose two lines
//! of output are the values of [`FLOWAGG_BACKEND`](emulator::BACKEND_VARIABLE) and
//! [`FLOWAGG_EMULATOR_LOG`](emulator::LOG_VARIABLE).
//!
//! Where to go on:
//!
//! * `examples/add_account.rs`: a tool of one's own, made of flowagg's crates, and its test
//! * `examples/own_policy.rs`: a bucket policy that was made elsewhere, asked by the delivery service
//! * `examples/rehearsal.rs`: a roll-out of one's own shape, and a mistake that is seen and repaired
//! * [`arbitrary`]: for properties of one's own, over fleets, policies and requests as AWS and people write them
//! * [`delivery::recording`]: flow log files without an AWS, as many as an Athena table or a SIEM is to be tried with

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

/// The page of the crate is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
