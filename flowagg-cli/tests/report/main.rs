//! Reports of generated fleets: states, findings and the three output forms.

#![allow(clippy::panic, clippy::unwrap_used, reason = "test helpers may panic")]

#[path = "../../examples/report/sample_fleet.rs"]
mod sample_fleet;

#[path = "../support/foreign.rs"]
mod foreign;
mod foreign_text;
mod page;
mod shown;
mod states;
mod trend;
