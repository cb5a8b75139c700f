//! Objects in, rows out: the table as its users see it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

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
