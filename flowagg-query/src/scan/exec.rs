//! The scan as a node of DataFusion's physical plan.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput as _,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use tokio::sync::mpsc;

use super::list::Lister;
use super::run::{Batch, Fetched, Run};
use super::source::Source;
use crate::error::QueryError;
use crate::filter::Predicate;
use crate::object::Object;
use crate::progress::{Progress, Totals};
use crate::read::{ReadLayout, Reader};

/// A scan of the table.
#[derive(Debug)]
pub(crate) struct FlowLogsExec {
    source: Arc<Source>,
    layout: Arc<ReadLayout>,
    predicate: Arc<Predicate>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    started: Mutex<Started>,
}

/// An execution whose partitions have not all been started.
#[derive(Default)]
struct Started {
    run: Option<Arc<std::sync::OnceLock<Run>>>,
    partitions: BTreeSet<usize>,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Started").field(&self.partitions).finish()
    }
}

/// The amount of data that a query would read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// Objects that would be downloaded.
    pub selected: Totals,
    /// Listed objects that cannot contain rows of the result, according to their keys.
    pub pruned: Totals,
}

impl FlowLogsExec {
    pub(crate) fn new(
        source: Arc<Source>,
        layout: ReadLayout,
        limit: Option<usize>,
        partitions: usize,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&layout.schema)),
            Partitioning::UnknownPartitioning(partitions.max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            source,
            predicate: Arc::new(layout.predicate.clone()),
            layout: Arc::new(layout),
            limit,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            started: Mutex::default(),
        }
    }

    /// Lists the objects that the scan would download, and counts them in `progress`.
    pub(crate) async fn list(&self, progress: &Progress) -> Result<Listing, QueryError> {
        let before = (progress.listed(), progress.pruned());
        let source = self.source.counted_by(progress.clone());
        let (sender, mut objects) = mpsc::channel::<Object>(1_000);
        let lister = Lister::new(&source, &self.predicate);
        let list = async move { lister.run(&sender).await };
        let (listed, ()) = futures::join!(list, async { while objects.recv().await.is_some() {} });
        listed?;
        Ok(Listing { selected: progress.listed() - before.0, pruned: progress.pruned() - before.1 })
    }

    /// The execution that a partition belongs to. Its partitions share it, and the first one to be polled starts it.
    fn run(&self, partition: usize) -> Arc<std::sync::OnceLock<Run>> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if !started.partitions.insert(partition) {
            // The plan is executed again.
            *started = Started { run: None, partitions: BTreeSet::from([partition]) };
        }
        let run = Arc::clone(started.run.get_or_insert_default());
        if started.partitions.len() == self.properties.partitioning.partition_count() {
            *started = Started::default();
        }
        run
    }
}

impl DisplayAs for FlowLogsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            self.layout.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "FlowLogsExec: columns=[{}]", names.join(", "))?;
        if !self.predicate.is_trivial() {
            write!(f, ", filter={}", self.predicate)?;
        }
        if let Some(limit) = self.limit {
            write!(f, ", limit={limit}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for FlowLogsExec {
    fn name(&self) -> &'static str {
        "FlowLogsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = context.session_config().batch_size();
        let rows = self.limit.map_or(rows, |limit| limit.min(rows));
        let part = Part {
            run: self.run(partition),
            source: Arc::clone(&self.source),
            predicate: Arc::clone(&self.predicate),
            limit: self.limit,
            partitions: self.properties.partitioning.partition_count(),
            reader: Reader::new(Arc::clone(&self.layout), rows),
            batch: Batch::new(),
            is_at_end: false,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let stream = futures::stream::try_unfold(part, |mut part| async move {
            let next = part.next().await?;
            Ok(next.map(|batch| (batch, part)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.layout.schema), stream)))
    }
}

/// One partition of an execution.
struct Part {
    run: Arc<std::sync::OnceLock<Run>>,
    source: Arc<Source>,
    predicate: Arc<Predicate>,
    limit: Option<usize>,
    partitions: usize,
    reader: Reader,
    /// Objects that were taken from the run and not read yet.
    batch: Batch,
    is_at_end: bool,
    metrics: BaselineMetrics,
}

impl Part {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let run = Arc::clone(&self.run);
        let run = run.get_or_init(|| Run::start(&self.source, &self.predicate, self.limit, self.partitions));
        loop {
            if let Some(batch) = self.reader.next() {
                let batch = batch?;
                let rows = run.take(batch.num_rows());
                if rows == 0 {
                    return Ok(None);
                }
                return Ok(Some(batch.slice(0, rows)).record_output(&self.metrics));
            }
            if self.is_at_end {
                return Ok(None);
            }
            if let Some(fetched) = self.batch.pop_front() {
                self.read(fetched?)?;
                // Reading blocks the thread; let its downloads continue in between.
                tokio::task::yield_now().await;
                continue;
            }
            match run.next().await {
                Some(batch) => self.batch = batch,
                None => {
                    self.reader.finish();
                    self.is_at_end = true;
                }
            }
        }
    }

    fn read(&mut self, fetched: Fetched) -> Result<(), DataFusionError> {
        let _timer = self.metrics.elapsed_compute().timer();
        let object = &fetched.object;
        let read = fetched.data.and_then(|data| self.reader.read(object, data));
        self.source.progress.add_read(object.size, read.as_ref().map_or(0, |contents| contents.records));
        match read {
            Ok(contents) => {
                self.source.progress.add_missing(&contents.missing);
                Ok(())
            }
            Err(reason) if self.source.options.strict => {
                Err(QueryError::Broken { key: object.key(), reason }.into())
            }
            Err(reason) => {
                self.source.progress.skip(object.key(), reason);
                Ok(())
            }
        }
    }
}
