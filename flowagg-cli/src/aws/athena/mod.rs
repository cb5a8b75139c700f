//! Runs Athena queries and reads their results, and measures the folders that a query will scan.

#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_sdk_athena::Client;
use aws_sdk_athena::types::{
    ColumnInfo, QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row,
    StatementType,
};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::flow_log::FileFormat;
use flowagg_core::text::one_line;
use futures::{StreamExt, TryStreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::Account;
use super::call::{GET_QUERY_EXECUTION, GET_QUERY_RESULTS, LIST_OBJECTS, START_QUERY, STOP_QUERY};
use super::complete::Pages;
use super::failure::At;
use super::tasks::AT_ONCE;
use crate::Progress;

/// The delay after the first poll of a query. Each delay is twice the previous one.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The maximum delay between polls.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A query and where it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct QueryRequest {
    pub sql: String,
    /// The default database for tables.
    pub database: String,
    pub workgroup: String,
    /// The result location, e.g. `s3://bucket/folder/`; `None` uses the workgroup's.
    pub output: Option<String>,
}

impl QueryRequest {
    /// A query with the workgroup's result location.
    pub fn new(sql: impl Into<String>, database: impl Into<String>, workgroup: impl Into<String>) -> Self {
        Self { sql: sql.into(), database: database.into(), workgroup: workgroup.into(), output: None }
    }
}

/// A successful query. Its rows are read page by page.
#[derive(Debug)]
#[non_exhaustive]
pub struct QueryResult {
    /// The number of bytes scanned.
    pub scanned_bytes: u64,
    /// The execution time, including queueing.
    pub took: Duration,
    runner: QueryRunner,
    id: String,
    /// Whether the first row contains the column names, as for SELECT.
    names_columns: bool,
    turned: Pages,
    next: Next,
}

/// The page to read next.
#[derive(Debug)]
enum Next {
    First,
    Page(String),
    None,
}

/// A page of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct ResultPage {
    pub columns: Vec<ResultColumn>,
    /// The rows, each with a value for every column; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

impl QueryResult {
    /// Reads the next page, up to 1,000 rows; `None` after the last one. A result without rows has one empty page.
    pub async fn page(&mut self) -> Result<Option<ResultPage>, Failure> {
        let token = match &self.next {
            Next::First => None,
            Next::Page(token) => Some(token.clone()),
            Next::None => return Ok(None),
        };
        let at = &self.runner.at;
        let request = self.runner.athena.get_query_results().query_execution_id(&self.id);
        let page = request.set_next_token(token.clone()).send().await;
        let page = page.map_err(|error| at.failure(GET_QUERY_RESULTS, &error))?;
        let turned = self.turned.turn(page.next_token(), None);
        turned.map_err(|why| at.incomplete(GET_QUERY_RESULTS, &why))?;
        self.next = page.next_token.filter(|token| !token.is_empty()).map_or(Next::None, Next::Page);
        let Some(found) = page.result_set else { return Ok(Some(ResultPage::default())) };
        let columns: Vec<ResultColumn> = found
            .result_set_metadata()
            .map_or_else(Vec::new, |it| it.column_info().iter().map(column).collect());
        let mut rows: Vec<_> = found.rows().iter().map(values).collect();
        let mut names = columns.iter().map(|column| Some(column.name.as_str()));
        if token.is_none()
            && self.names_columns
            && rows.first().is_some_and(|first| first.iter().map(Option::as_deref).eq(&mut names))
        {
            rows.remove(0);
        }
        Ok(Some(ResultPage { columns, rows }))
    }
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct ResultColumn {
    pub name: String,
    /// Its Athena type.
    pub kind: String,
    /// For decimals: the number of digits.
    pub precision: u8,
    /// For decimals: the number of digits after the decimal point.
    pub scale: i8,
}

impl ResultColumn {
    /// A column with this name and type, and zero precision.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { name: name.into(), kind: kind.into(), precision: 0, scale: 0 }
    }
}

/// The amount of objects in folders of the bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredObjects {
    /// The number of objects.
    pub objects: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// The number of objects whose name is that of another file format.
    pub of_other_format: u64,
}

/// Measures these folders of the hub bucket, where files of this format are expected. Lists each folder; makes no calls for single
/// objects.
pub async fn stored_objects(
    hub: &Hub,
    account: &Account,
    folders: &[String],
    format: FileFormat,
) -> Result<StoredObjects, Failure> {
    let others = || FileFormat::ALL.into_iter().filter(|other| *other != format);
    let is_other = |key: &str| others().any(|other| key.ends_with(other.suffix()));
    let s3 = account.s3(&hub.region);
    let at = At::new(hub.place()).about(&hub.bucket);
    let under = |folder: &String| {
        let request = s3.list_objects_v2().bucket(hub.bucket.as_str()).prefix(folder);
        let mut pages = request.expected_bucket_owner(hub.account.to_string()).into_paginator().send();
        let (at, is_other) = (&at, &is_other);
        async move {
            let mut found = StoredObjects::default();
            let mut turned = Pages::default();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| at.failure(LIST_OBJECTS, &error))?;
                let next = turned.turn(page.next_continuation_token(), page.is_truncated());
                next.map_err(|why| at.incomplete(LIST_OBJECTS, &why))?;
                let new = page
                    .contents()
                    .iter()
                    .filter(|object| object.key().is_some_and(|key| turned.is_new(key)));
                for object in new {
                    found.objects += 1;
                    found.bytes +=
                        object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                    found.of_other_format += u64::from(object.key().is_some_and(is_other));
                }
            }
            Ok(found)
        }
    };
    let found: Vec<StoredObjects> =
        stream::iter(folders.iter().map(under)).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().fold(StoredObjects::default(), |sum, one| StoredObjects {
        objects: sum.objects + one.objects,
        bytes: sum.bytes + one.bytes,
        of_other_format: sum.of_other_format + one.of_other_format,
    }))
}

/// Runs a query in the hub's account and region, and waits for its result. The query is stopped if the token is cancelled.
///
/// Fails if Athena rejects the query, or if it fails or is cancelled.
pub async fn run_query(
    hub: &Hub,
    account: &Account,
    request: &QueryRequest,
    cancel: &CancellationToken,
    progress: &dyn Progress,
) -> Result<QueryResult, Failure> {
    let at = At::new(hub.place()).about(format!("workgroup {}", request.workgroup));
    QueryRunner { athena: account.athena(&hub.region), at }.run(request, cancel, progress).await
}

#[derive(Debug)]
struct QueryRunner {
    athena: Client,
    at: At,
}

impl QueryRunner {
    async fn run(
        self,
        request: &QueryRequest,
        cancel: &CancellationToken,
        progress: &dyn Progress,
    ) -> Result<QueryResult, Failure> {
        let id = self.start(request).await?;
        let done = self.wait(&id, cancel, progress).await?;
        let statistics = done.statistics();
        let scanned = statistics.and_then(|it| it.data_scanned_in_bytes()).unwrap_or_default();
        let took = statistics.and_then(|it| it.total_execution_time_in_millis()).unwrap_or_default();
        Ok(QueryResult {
            scanned_bytes: scanned.unsigned_abs(),
            took: Duration::from_millis(took.unsigned_abs()),
            runner: self,
            id,
            names_columns: done.statement_type() == Some(&StatementType::Dml),
            turned: Pages::default(),
            next: Next::First,
        })
    }

    async fn start(&self, request: &QueryRequest) -> Result<String, Failure> {
        let QueryRequest { sql, database, workgroup, output, .. } = request;
        let mut start = self.athena.start_query_execution().query_string(sql).work_group(workgroup);
        start = start.query_execution_context(QueryExecutionContext::builder().database(database).build());
        if let Some(output) = output {
            start =
                start.result_configuration(ResultConfiguration::builder().output_location(output).build());
        }
        let started = start.send().await.map_err(|error| {
            let mut failure = self.at.failure(START_QUERY, &error);
            match failure.code.as_deref() {
                Some("InvalidRequestException") => {
                    failure.advice = refused(&failure.message).into();
                    failure
                }
                _ => failure,
            }
        })?;
        Ok(started.query_execution_id().unwrap_or_default().to_owned())
    }

    /// Polls a query until it has succeeded.
    async fn wait(
        &self,
        id: &str,
        cancel: &CancellationToken,
        progress: &dyn Progress,
    ) -> Result<QueryExecution, Failure> {
        let mut wait = FIRST_WAIT;
        let mut stopped = false;
        loop {
            let look = self.athena.get_query_execution().query_execution_id(id).send().await;
            let look = look.map_err(|error| self.at.failure(GET_QUERY_EXECUTION, &error))?;
            let found = look.query_execution.unwrap_or_else(|| QueryExecution::builder().build());
            let status = found.status();
            let why = status
                .and_then(|status| status.state_change_reason())
                .unwrap_or("Athena returned no reason")
                .to_owned();
            match status.and_then(|status| status.state()) {
                Some(QueryExecutionState::Succeeded) => return Ok(found),
                Some(QueryExecutionState::Failed) => {
                    let help = failed(&why);
                    return Err(self.at.failed(START_QUERY, Some("FAILED"), one_line(&why), help));
                }
                Some(QueryExecutionState::Cancelled) => {
                    let help = "run the query again; AWS bills the data that the cancelled query scanned";
                    return Err(self.at.failed(START_QUERY, Some("CANCELLED"), one_line(&why), help));
                }
                state => progress.step("query", 0, 1, &status_line(&found, state)),
            }
            // A stopped query is polled until Athena reports it as cancelled.
            if cancel.is_cancelled() && !stopped {
                let stop = self.athena.stop_query_execution().query_execution_id(id).send().await;
                stop.map_err(|error| self.at.failure(STOP_QUERY, &error))?;
                stopped = true;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = cancel.cancelled(), if !stopped => {}
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

fn column(info: &ColumnInfo) -> ResultColumn {
    let mut column = ResultColumn::new(info.name(), info.r#type());
    column.precision = u8::try_from(info.precision()).unwrap_or_default();
    column.scale = i8::try_from(info.scale()).unwrap_or_default();
    column
}

fn values(row: &Row) -> Vec<Option<String>> {
    row.data().iter().map(|value| value.var_char_value().map(str::to_owned)).collect()
}

/// The progress of a query.
fn status_line(found: &QueryExecution, state: Option<&QueryExecutionState>) -> String {
    let scanned = found.statistics().and_then(|it| it.data_scanned_in_bytes()).unwrap_or_default();
    let state = state.map_or("unknown state", QueryExecutionState::as_str);
    format!("{state}, {scanned} bytes read")
}

/// Advice if Athena rejects a query.
fn refused(message: &str) -> &'static str {
    if message.contains("output") || message.contains("result") {
        "set a result location with `--output s3://BUCKET/FOLDER/`, or use a workgroup that has one with `--workgroup`"
    } else if message.contains("WorkGroup") || message.contains("Workgroup") {
        "use a workgroup of the hub account and region with `--workgroup`"
    } else {
        "correct the SQL; `--print` shows the SQL of a question"
    }
}

/// Advice if a query fails.
fn failed(why: &str) -> &'static str {
    if ["TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "does not exist"].iter().any(|reason| why.contains(reason)) {
        "create the database and the table with the SQL from `flowagg export athena`"
    } else if why.contains("CONSTRAINT_VIOLATION") {
        "the table has too many accounts to enumerate: select some, e.g. `log_account IN ('...')`"
    } else if why.contains("Access Denied") || why.contains("AccessDenied") {
        "allow s3:GetObject and s3:ListBucket on the flow logs and on the result location, and kms:Decrypt if they are encrypted"
    } else if why.contains("limit was exceeded") {
        "the query exceeds the data limit of the workgroup: narrow it with `--from`, `--to` and `--only`"
    } else {
        "correct the SQL, or export the table again if the fleet has changed"
    }
}
