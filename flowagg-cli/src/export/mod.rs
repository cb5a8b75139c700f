//! Text that other tools take, made from a fleet. Nothing here talks to AWS, and nothing writes a file.

pub mod athena;
pub mod cloudformation;
mod error;
mod files;
mod managed;
mod permissions;
mod statement;
pub mod terraform;

pub use error::{ExportError, Unseen};
pub use files::{ExportFile, ExportFiles};
pub(crate) use managed::POLICIES_OF_ROLE;
pub use managed::{ManagedPolicy, PolicyPart};
pub use permissions::{Permissions, ReadPermissions, permissions};
use statement::SqlStatement;
