//! A session of DataFusion with limits, and what a statement would read.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode as _, TreeNodeRecursion};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::error::QueryError;
use crate::progress::Progress;
use crate::scan::{FlowLogsExec, Listing};
use crate::statement::Statement;

/// How much a session may use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Memory for groups, sorting and joins, in bytes. Each step of a query on each processor gets an equal part of it, and writes
    /// to disk what exceeds its part, so most queries use less than half. Buffers of the reader and downloads
    /// ([`ScanOptions::prefetch`](crate::ScanOptions::prefetch)) come on top. Default: 1.5 GiB.
    pub memory: usize,
    /// How many objects are read at the same time. Default: one for each processor.
    pub partitions: Option<NonZeroUsize>,
    /// Where to write what exceeds the memory. Default: the folder for temporary files.
    pub spill: Option<PathBuf>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { memory: 1_536 * 1024 * 1024, partitions: None, spill: None }
    }
}

/// A session with these limits. A session of DataFusion's own default has no limit of memory.
pub fn session(options: &SessionOptions) -> Result<SessionContext, QueryError> {
    let mut config = SessionConfig::new().with_information_schema(true);
    if let Some(partitions) = options.partitions {
        config = config.with_target_partitions(partitions.get());
    }
    let mut runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(options.memory)));
    if let Some(folder) = &options.spill {
        runtime = runtime.with_temp_file_path(folder);
    }
    Ok(SessionContext::new_with_config_rt(config, runtime.build_arc()?))
}

/// Lists what a statement would read, and reads no object: one [`Listing`] for each time that the table occurs in it. The counters
/// grow while it lists; those of the table itself do not count it.
pub async fn list(
    session: &SessionContext,
    statement: &Statement,
    progress: &Progress,
) -> Result<Vec<Listing>, QueryError> {
    let plan = statement.plan(session).await?.create_physical_plan().await?;
    let mut scans = Vec::new();
    plan.apply(|node| {
        if node.downcast_ref::<FlowLogsExec>().is_some() {
            scans.push(Arc::clone(node));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut listings = Vec::new();
    for scan in &scans {
        if let Some(scan) = scan.downcast_ref::<FlowLogsExec>() {
            listings.push(scan.list(progress).await?);
        }
    }
    Ok(listings)
}
