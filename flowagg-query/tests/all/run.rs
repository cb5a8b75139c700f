//! Runs queries and converts their rows to text.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use flowagg_query::datafusion::catalog::{Session, TableProvider};
use flowagg_query::datafusion::error::Result;
use flowagg_query::datafusion::logical_expr::{Expr, TableType};
use flowagg_query::datafusion::physical_plan::ExecutionPlan;
use flowagg_query::datafusion::prelude::SessionContext;
use flowagg_query::{FlowLogs, QueryError};

/// The rows of a query in any order, with each value as text.
pub(crate) async fn rows(
    session: &SessionContext,
    sql: &str,
) -> std::result::Result<Vec<Vec<Option<String>>>, QueryError> {
    let batches = session.sql(sql).await?.collect().await?;
    Ok(batches.iter().flat_map(texts).collect())
}

/// The rows of a query, sorted.
pub(crate) async fn sorted(session: &SessionContext, sql: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = rows(session, sql).await.unwrap();
    rows.sort();
    rows
}

fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| {
            let column = match column.data_type() {
                DataType::Timestamp(..) => cast(column, &DataType::Int64).unwrap(),
                _ => Arc::clone(column),
            };
            cast(&column, &DataType::Utf8).unwrap()
        })
        .collect();
    let value = |column: &arrow::array::ArrayRef, row| {
        let column = column.as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| value(column, row)).collect()).collect()
}

pub(crate) fn session(table: FlowLogs) -> SessionContext {
    let session = SessionContext::new();
    table.register(&session).unwrap();
    session
}

/// A table that receives no filters, so that DataFusion filters all rows itself.
#[derive(Debug)]
pub(crate) struct Unfiltered(pub(crate) FlowLogs);

#[async_trait]
impl TableProvider for Unfiltered {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.scan(session, projection, &[], None).await
    }
}

pub(crate) fn unfiltered(table: FlowLogs) -> SessionContext {
    let session = SessionContext::new();
    session.register_table(FlowLogs::NAME, Arc::new(Unfiltered(table))).unwrap();
    session
}
