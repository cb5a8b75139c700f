//! Text that other tools take, made from a fleet. Nothing here talks to AWS.

mod permissions;

pub use permissions::{Permissions, permissions};
