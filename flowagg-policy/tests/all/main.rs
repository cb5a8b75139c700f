//! The crate from outside, in one binary: one link instead of many.

mod evaluation;
mod linting;
mod merging;
