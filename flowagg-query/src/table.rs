//! The table provider.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use flowagg_core::flow_log::RecordedField;
use flowagg_core::id::Prefix;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::columns::{Column, PathPart, SCHEMA};
use crate::error::QueryError;
use crate::filter::{Leaf, Numbers, Predicate, Test, Texts, translate};
use crate::functions;
use crate::gate::{Gate, Gatekeeper};
use crate::options::{ScanOptions, Scope};
use crate::progress::{Progress, Totals};
use crate::read::ReadLayout;
use crate::scan::{FlowLogsExec, Source};

/// The flow logs of a bucket as a table.
///
/// The columns are the fields of all record versions, with `_` instead of `-`, and:
///
/// | column | type | value |
/// |---|---|---|
/// | `start_time`, `end_time` | timestamp, UTC | `start` and `end`, which are Unix seconds |
/// | `log_account`, `log_region` | text | the account and region of the folder; `account_id` and `region` are fields of the record |
/// | `log_date`, `log_hour` | text | `2026/03/01` and `09`, UTC, from the folder or the name; records may have ended a little earlier |
/// | `object_key` | text | the key of the object |
///
/// Fields that an object does not have, and values of `-`, are NULL.
#[derive(Debug)]
pub struct FlowLogs {
    source: Arc<Source>,
    scope: Predicate,
}

impl FlowLogs {
    /// The name of the table, as in the Athena export.
    pub const NAME: &str = "vpc_flow_logs";

    /// The names of the columns in order.
    pub fn columns() -> impl Iterator<Item = &'static str> {
        SCHEMA.fields().iter().map(|field| field.name().as_str())
    }

    /// Starts to build a table for a bucket, or for a store with the same folders.
    pub fn builder(store: Arc<dyn ObjectStore>) -> FlowLogsBuilder {
        FlowLogsBuilder {
            store,
            is_local: false,
            prefixes: BTreeSet::new(),
            options: ScanOptions::default(),
            scope: Scope::default(),
            gate: None,
        }
    }

    /// Starts to build a table for a local folder: a copy of a bucket. It is read with [`ScanOptions::local`], in
    /// dedicated threads.
    pub fn in_folder(folder: &Path) -> Result<FlowLogsBuilder, QueryError> {
        let store = LocalFileSystem::new_with_prefix(folder);
        let store =
            store.map_err(|source| QueryError::List { folder: folder.display().to_string(), source })?;
        Ok(FlowLogsBuilder { is_local: true, ..Self::builder(Arc::new(store)).options(ScanOptions::local()) })
    }

    /// A table for the folder `AWSLogs/` at the root of a bucket.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self::builder(store).build()
    }

    /// The counters of the table's scans. They can be polled while a query runs.
    pub fn progress(&self) -> Progress {
        self.source.progress.clone()
    }

    /// Registers the table as [`FlowLogs::NAME`] in a session, and the functions for addresses.
    pub fn register(self, session: &SessionContext) -> Result<(), QueryError> {
        functions::register(session);
        session.register_table(Self::NAME, Arc::new(self))?;
        Ok(())
    }
}

/// Builds a [`FlowLogs`] table.
#[derive(Clone, Debug)]
pub struct FlowLogsBuilder {
    store: Arc<dyn ObjectStore>,
    is_local: bool,
    prefixes: BTreeSet<Option<Prefix>>,
    options: ScanOptions,
    scope: Scope,
    gate: Option<(Arc<dyn Gate>, Totals)>,
}

impl FlowLogsBuilder {
    /// Adds a prefix that contains a folder `AWSLogs/`; `None` is the root of the bucket. If no prefix is added, the
    /// root is read.
    #[must_use]
    pub fn prefix(mut self, prefix: Option<Prefix>) -> Self {
        self.prefixes.insert(prefix);
        self
    }

    /// Limits the visible accounts, regions and times.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the scan options.
    #[must_use]
    pub fn options(mut self, options: ScanOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets whether a broken object ends the query; see [`ScanOptions::strict`].
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.options.strict = strict;
        self
    }

    /// Asks the gate before more than this is read.
    #[must_use]
    pub fn ask_above(mut self, above: Totals, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some((gate, above));
        self
    }

    /// Creates the table.
    pub fn build(mut self) -> FlowLogs {
        if self.prefixes.is_empty() {
            self.prefixes.insert(None);
        }
        let source = Source {
            store: self.store,
            is_local: self.is_local,
            prefixes: self.prefixes.into_iter().collect(),
            options: self.options,
            progress: Progress::default(),
            gate: Gatekeeper::new(self.gate),
        };
        FlowLogs { source: Arc::new(source), scope: predicate(&self.scope) }
    }
}

/// Converts a scope to a predicate.
fn predicate(scope: &Scope) -> Predicate {
    let leaf = |column, test| Predicate::Leaf(Leaf { column, test });
    let part = |part, texts: BTreeSet<String>| leaf(Column::Path(part), Test::Text(Texts::In(texts)));
    let mut parts = Vec::new();
    if let Some(accounts) = &scope.accounts {
        parts.push(part(PathPart::Account, accounts.iter().map(ToString::to_string).collect()));
    }
    if let Some(regions) = &scope.regions {
        parts.push(part(PathPart::Region, regions.iter().map(|region| region.as_str().to_owned()).collect()));
    }
    if scope.from.is_some() || scope.to.is_some() {
        let from = scope.from.map_or(i64::MIN, |from| ceiling(from.as_second(), from.subsec_nanosecond()));
        let to = scope.to.map_or(i64::MAX, |to| ceiling(to.as_second(), to.subsec_nanosecond()) - 1);
        let end = RecordedField::all().find(|field| field.as_str() == "end");
        parts.extend(end.map(|end| leaf(Column::Field(end), Test::Number(Numbers::Range(from, to)))));
    }
    Predicate::All(parts)
}

/// Rounds a time up to whole seconds.
fn ceiling(second: i64, nanosecond: i32) -> i64 {
    second + i64::from(nanosecond > 0)
}

#[async_trait]
impl TableProvider for FlowLogs {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&SCHEMA)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let supported = |filter: &&Expr| match translate(filter) {
            predicate if predicate.is_exact() => TableProviderFilterPushDown::Exact,
            predicate if predicate.is_trivial() => TableProviderFilterPushDown::Unsupported,
            _ => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(supported).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize>;
        let indices = match projection {
            Some(indices) => indices,
            None => {
                all = (0..SCHEMA.fields().len()).collect();
                &all
            }
        };
        let columns = indices.iter().map(|index| Column::at(*index)).collect::<Option<Vec<_>>>();
        let columns = columns.ok_or_else(|| DataFusionError::Internal("unknown column index".to_owned()))?;
        let schema = Arc::new(SCHEMA.project(indices)?);
        let mut parts = vec![self.scope.clone()];
        parts.extend(filters.iter().map(translate));
        let predicate = Predicate::All(parts);
        // DataFusion may drop rows that the reader returns.
        let limit = limit.filter(|_| predicate.is_exact());
        let layout = ReadLayout::new(columns, schema, predicate);
        let partitions = session.config().target_partitions();
        Ok(Arc::new(FlowLogsExec::new(Arc::clone(&self.source), layout, limit, partitions)))
    }
}
