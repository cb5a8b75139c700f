//! DataFusion sessions with limits, and listing what a statement would read.

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

/// Resource limits of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Memory for groups, sorting and joins, in bytes. Each step of a query gets an equal part on each processor and
    /// spills to disk beyond that, so most queries use less than half. Reader buffers and downloads
    /// ([`ScanOptions::prefetch`](crate::ScanOptions::prefetch)) are not included. Default: 1.5 GiB.
    pub memory: usize,
    /// The number of objects that are read concurrently. Default: one per processor.
    pub partitions: Option<NonZeroUsize>,
    /// The folder for spilled data. Default: the folder for temporary files.
    pub spill: Option<PathBuf>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { memory: 1_536 * 1024 * 1024, partitions: None, spill: None }
    }
}

/// Creates a session with these limits. DataFusion's default session has no memory limit.
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

/// Lists the objects that a statement would read, without reading them: one [`Listing`] for each occurrence of the
/// table. `progress` is updated during the listing; the table's own counters are not.
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
