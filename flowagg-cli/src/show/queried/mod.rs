//! The output of `flowagg query`: the rows in each format, the cost, and the outcome.

#[cfg(feature = "athena")]
mod athena;
mod cells;
mod end;
mod estimate;
mod json;
mod questions;
mod rows;
mod rules;

#[cfg(feature = "athena")]
pub(crate) use athena::{AthenaCost, typed};
pub(crate) use end::{Done, Ended, Unknown, nothing_found, so_far};
pub(crate) use estimate::{Estimate, totals};
#[cfg(feature = "athena")]
pub(crate) use questions::not_recorded;
pub(crate) use questions::{counts, missing_fields, questions, saved_questions};
pub(crate) use rows::{ResultFormat, ResultWriter};
pub(crate) use rules::{unused_rule_columns, unused_rule_rows};
