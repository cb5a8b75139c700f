//! The text of parts of a plan, with the names of accounts and resources next to their IDs.

use super::{FlowLogChange, HubChange, Note};
use crate::names::Names;

/// A value whose [`Display`](std::fmt::Display) writes names next to IDs.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a, T> {
    pub(super) of: &'a T,
    pub(super) names: &'a Names,
}

macro_rules! named {
    ($($what:ty),*) => {$(
        impl $what {
            /// The text with these names.
            pub fn named<'a>(&'a self, names: &'a Names) -> Named<'a, Self> {
                Named { of: self, names }
            }
        }
    )*};
}

named!(FlowLogChange, HubChange, Note);
