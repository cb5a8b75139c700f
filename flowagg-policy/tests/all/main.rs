//! The crate from outside, in one binary: one link instead of many.

mod capacity;
mod differential;
mod evaluation;
mod linting;
mod merging;
mod naive;
mod properties;
mod support;
