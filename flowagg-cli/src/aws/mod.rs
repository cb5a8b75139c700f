//! All code that uses AWS SDK types: credentials and accounts, observing, applying, and arrived deliveries.

mod access;
pub mod apply;
#[cfg(feature = "athena")]
mod athena;
pub(crate) mod call;
mod complete;
mod defaults;
mod deliveries;
mod failure;
mod found;
#[cfg(feature = "query")]
pub(crate) mod lookup;
#[cfg(test)]
pub(crate) mod mocked;
#[cfg(feature = "query")]
mod objects;
pub mod observe;
mod proxy;
mod put_report;
mod sender;
mod setting;
mod tasks;
mod traffic;

pub use access::{Account, Accounts, Connection, OpenError, OpenOwnError, Session};
#[cfg(feature = "athena")]
pub use athena::{
    QueryRequest, QueryResult, ResultColumn, ResultPage, StoredObjects, run_query, stored_objects,
};
pub use defaults::{FoundOrganization, InitDefaults, init_defaults};
pub use deliveries::{arrivals, delivered_by_flow_log, deliveries, find_idle, verify};
pub use failure::CallError;
pub use found::{ImportScope, find, find_hub};
#[cfg(feature = "query")]
pub use objects::{BucketObjects, locate_bucket};
pub use put_report::{ReportObject, put_report};
pub use setting::SettingError;
pub use traffic::Calls;
