//! The only place that names an AWS SDK type: accounts and credentials, reading, doing, and what has arrived.

mod access;
pub mod apply;
pub(crate) mod call;
mod deliveries;
mod failure;
#[cfg(test)]
mod mocked;
pub mod observe;
mod traffic;

pub use access::{Account, Accounts, Connection, Session};
pub use deliveries::{Arrivals, arrivals};
pub use traffic::Calls;

/// How many accounts, or places, or folders are worked on at once.
const AT_ONCE: usize = 256;
