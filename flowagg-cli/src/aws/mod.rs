//! The only place that names an AWS SDK type: accounts and credentials, reading, doing, and what has arrived.

mod access;
pub mod apply;
pub(crate) mod call;
mod deliveries;
mod failure;
#[cfg(test)]
mod mocked;
pub mod observe;

pub use access::{Account, Accounts, Connection};
pub use deliveries::{Arrivals, arrivals};

/// How many calls are under way at once.
const AT_ONCE: usize = 32;
