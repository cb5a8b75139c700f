#![doc = include_str!("../README.md")]

mod access;
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
mod service;
pub mod size;

pub use access::{LogRoot, Mentioned, mentioned};
pub use adopt::{AdoptError, Adopted, StatementRef, adopt};
pub use assure::{DeliveryProblem, ProblemKind, and_more, assure};
pub use diff::{ChangeKind, Difference, StatementChange, Undecided, changed_statements, diff};
pub use document::{DocumentError, LARGEST};
pub use evaluate::{
    Cause, Decision, DecisionKind, Delivery, Found, Membership, Miss, NearMiss, Owner, Policy, Request,
    StatementId,
};
pub use grant::{Extent, Grant, GrantError, GrantedOrganization, HubMember};
pub use lint::{
    Check, DeletedPrincipal, Finding, Location, Severity, checks, deleted_principals, lint, lint_live,
};
pub use merge::{
    Capacity, FormReason, FormSize, MergeError, Merged, Sizes, Unnamed, capacity, foreign_losses, granted_by,
    granted_by_anyone, merge, remove, sizes, statements,
};
pub use plan::Plan;
pub use service::{DELIVERY_ACL, DELIVERY_SERVICE};
