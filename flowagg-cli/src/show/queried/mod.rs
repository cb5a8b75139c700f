//! The result of `flowagg query`: its rows in each format, what they cost, and how the query ended.

mod cells;
mod end;
mod estimate;
mod json;
mod questions;
mod rows;
mod rules;

pub(crate) use end::{Done, nothing_found, so_far};
pub(crate) use estimate::{Estimate, totals};
pub(crate) use questions::{counts, missing_fields, questions};
pub(crate) use rows::{ResultFormat, ResultWriter};
pub(crate) use rules::{unused_rule_columns, unused_rule_rows};
