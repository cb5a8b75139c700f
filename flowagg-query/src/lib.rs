#![doc = include_str!("../README.md")]

mod columns;
mod error;
mod filter;
mod functions;
mod gate;
mod object;
mod options;
mod progress;
mod read;
mod scan;
mod session;
mod statement;
mod sum;
mod table;
mod template;
mod traffic;

pub use datafusion;
pub use object_store;

pub use error::{Broken, QueryError};
pub use gate::Gate;
pub use options::{ScanOptions, Scope};
pub use progress::{Progress, Skipped, Totals};
pub use scan::Listing;
pub use session::{SessionOptions, list, session};
pub use statement::{Statement, StatementKind};
pub use table::{FlowLogs, FlowLogsBuilder};
pub use template::{Template, first_word, statement_end};
pub use traffic::recorded_traffic;
