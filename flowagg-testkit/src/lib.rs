//! A small AWS on this machine, for those who test what flowagg does and for those who embed its crates.
//!
//! * [`emulator`]: LocalStack in a container, from PyPI, or where it runs already; moto from PyPI
//! * [`organization`]: an organization with units and accounts, on moto
//! * [`world`]: accounts, VPCs and a hub, made by naming them; the real `flowagg` program among them
//! * [`delivery`]: the log delivery service, which no emulator has: it obeys the bucket policy and writes the objects
//! * [`faults`]: an endpoint in front of the emulator that says no
//! * [`rehearsal`]: all of it in one story, with every claim checked
//! * [`aws`]: SDK clients of any account
//! * [`arbitrary`]: strategies for proptest: fleets, grants, bucket policies and requests
//!
//! ```no_run
//! # async fn rehearse() -> Result<(), Box<dyn std::error::Error>> {
//! use flowagg_testkit::{emulator::Emulator, world::World};
//!
//! let mut world = World::new(Emulator::shared()?).await?;
//! world.member("shop", 2).await?; // an account with two VPCs in each of two regions
//! world.flowagg(["apply", "--yes"]).await?.exits(0);
//! for report in world.deliver(jiff::Timestamp::now()).await? {
//!     assert!(report.outcome.key().is_some(), "{}", report.outcome);
//! }
//! world.flowagg(["verify"]).await?.exits(0);
//! # Ok(())
//! # }
//! ```

pub mod arbitrary;
pub mod aws;
pub mod delivery;
pub mod emulator;
mod endpoint;
pub mod faults;
pub mod organization;
pub mod rehearsal;
pub mod world;
