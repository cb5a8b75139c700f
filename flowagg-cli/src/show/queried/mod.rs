//! The result of `flowagg query`: its rows in each format, what they cost, and how the query ended.

mod cells;
mod end;
mod estimate;
mod json;
mod questions;
mod rows;

pub(crate) use end::{Done, Unknown, nothing_found, so_far};
pub(crate) use estimate::{Estimate, totals};
pub(crate) use questions::{counts, missing_fields, questions};
pub(crate) use rows::{ResultFormat, ResultWriter};
