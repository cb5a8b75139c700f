//! Strategies for [proptest](https://docs.rs/proptest): names, fleets and their files, grants, bucket policies and
//! requests. They shrink to what a person would write by hand.
//!
//! Grants, policies and requests are drawn from one small [`Scene`], so that they refer to the same accounts and
//! folders.
//!
//! ```
//! use flowagg_policy::{Unnamed, merge};
//! use flowagg_testkit::arbitrary::{Scene, grant, policy};
//! use proptest::prelude::*;
//!
//! proptest!(|((live, grant) in Scene::each(|scene| (policy::foreign(scene), grant(scene))))| {
//!     if let Ok(merged) = merge(Some(&live.text), &grant, Unnamed::Keep) {
//!         let after = policy::statements(&merged.text).unwrap();
//!         prop_assert!(live.foreign.iter().all(|statement| after.contains(statement)));
//!     }
//! });
//! ```

mod fleet;
mod grant;
mod hand;
pub mod id;
pub mod policy;
mod request;
mod scene;

pub use fleet::{WrittenFleet, fleet};
pub use grant::{crowded_grant, grant, grown, settings};
pub use request::{Action, PlainRequest, request};
pub use scene::Scene;
