//! Filters that the reader can apply: a predicate that every row of the result passes.

mod bounds;
mod predicate;
mod translate;

pub(crate) use bounds::{Bounds, Window};
pub(crate) use predicate::{Leaf, Numbers, Predicate, Test, Texts};
pub(crate) use translate::translate;
