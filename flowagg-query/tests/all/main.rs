//! Tests of the public API: objects in, rows out.

#![allow(clippy::panic, clippy::unwrap_used, reason = "test helpers may panic")]

mod bucket;
mod folder;
mod fuzz;
mod memory;
mod oracle;
mod properties;
mod pruning;
mod questions;
mod run;
mod simulated;
mod statements;
mod sums;
mod table;
