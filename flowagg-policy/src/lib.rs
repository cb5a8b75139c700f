#![doc = include_str!("../README.md")]

mod adopt;
mod assure;
mod diff;
mod document;
mod evaluate;
mod grant;
mod json;
pub mod key;
mod lint;
mod merge;
pub mod plan;
pub mod size;

pub use adopt::{AdoptError, Adopted, StatementRef, adopt};
pub use assure::{Doubt, assure};
pub use diff::{ChangeKind, Difference, StatementChange, diff};
pub use document::{DocumentError, LARGEST};
pub use evaluate::{Decision, DecisionKind, Miss, NearMiss, Policy, Request, StatementId};
pub use grant::{DELIVERY_ACL, DELIVERY_SERVICE, Grant, GrantError, HubMember, Who};
pub use lint::{Check, Finding, Place, Severity, checks, lint};
pub use merge::{
    Capacity, FormSize, MergeError, Merged, Sizes, Unnamed, capacity, foreign_losses, granted_by,
    granted_by_anyone, merge, remove, sizes, statements,
};
pub use plan::Plan;
