//! A scan: folders are listed into a queue, queued objects are prefetched, and partitions read them.

mod exec;
mod list;
mod run;
mod source;
mod tree;

pub(crate) use exec::FlowLogsExec;
pub use exec::Listing;
pub(crate) use source::Source;
