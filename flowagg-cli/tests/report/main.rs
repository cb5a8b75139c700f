//! The report of fleets that are made up: each state, the findings, and the three ways in which it is shown.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail where it likes, its helpers too")]

#[path = "../../examples/report/made_up.rs"]
mod made_up;

#[path = "../support/foreign.rs"]
mod foreign;
mod foreign_text;
mod page;
mod shown;
mod states;
mod trend;
