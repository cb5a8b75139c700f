//! A part of a plan as a sentence, with the names of accounts and resources next to their ids.

use super::{FlowLogChange, HubChange, Note};
use crate::names::Names;

/// Something that [`Display`](std::fmt::Display) writes with names next to ids.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a, T> {
    pub(super) of: &'a T,
    pub(super) names: &'a Names,
}

macro_rules! named {
    ($($what:ty),*) => {$(
        impl $what {
            /// The sentence with these names.
            pub fn named<'a>(&'a self, names: &'a Names) -> Named<'a, Self> {
                Named { of: self, names }
            }
        }
    )*};
}

named!(FlowLogChange, HubChange, Note);
