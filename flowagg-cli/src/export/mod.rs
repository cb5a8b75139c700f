//! Exports a fleet as text for other tools. Nothing here calls AWS or writes files.

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
pub use managed::{ManagedPolicy, POLICIES_OF_ROLE, PolicyPart};
pub use permissions::{Permissions, ReadPermissions, permissions, permissions_with_query};
use statement::SqlStatement;
