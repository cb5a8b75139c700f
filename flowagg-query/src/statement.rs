//! Validation of statements: only read-only statements are run.

use std::fmt;

use datafusion::dataframe::DataFrame;
use datafusion::prelude::{SQLOptions, SessionContext};
use datafusion::sql::parser::{DFParser, Statement as Parsed};
use datafusion::sql::sqlparser::ast::{self, SetExpr};

use crate::error::QueryError;

/// A single read-only SQL statement: SELECT, WITH, EXPLAIN, DESCRIBE or SHOW.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    sql: String,
    kind: StatementKind,
}

/// The kind of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementKind {
    /// SELECT, WITH or VALUES: returns rows.
    Query,
    /// EXPLAIN: returns a plan, and only runs it with ANALYZE.
    Explain,
    /// DESCRIBE or SHOW: reads no objects.
    Describe,
}

impl Statement {
    /// Parses a statement. A trailing semicolon is accepted.
    pub fn parse(sql: &str) -> Result<Self, QueryError> {
        let statements = DFParser::parse_sql(sql)?;
        let count = statements.len();
        match statements.front() {
            Some(statement) if count == 1 => {
                let kind =
                    kind(statement).ok_or_else(|| QueryError::NotRead(first_word(&statement.to_string())))?;
                Ok(Self { sql: sql.to_owned(), kind })
            }
            _ => Err(QueryError::Statements(count)),
        }
    }

    /// The kind of the statement.
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// Plans the statement. Nothing is listed or read until the result is consumed.
    pub async fn plan(&self, session: &SessionContext) -> Result<DataFrame, QueryError> {
        let only_reads =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        Ok(session.sql_with_options(&self.sql, only_reads).await?)
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

fn kind(statement: &Parsed) -> Option<StatementKind> {
    match statement {
        Parsed::Statement(statement) => kind_of_sql(statement),
        Parsed::Explain(explain) => {
            (kind(&explain.statement)? == StatementKind::Query).then_some(StatementKind::Explain)
        }
        Parsed::CreateExternalTable(_) | Parsed::CopyTo(_) | Parsed::Reset(_) => None,
    }
}

fn kind_of_sql(statement: &ast::Statement) -> Option<StatementKind> {
    match statement {
        ast::Statement::Query(query) => reads(query).then_some(StatementKind::Query),
        ast::Statement::Explain { statement, .. } => {
            (kind_of_sql(statement)? == StatementKind::Query).then_some(StatementKind::Explain)
        }
        ast::Statement::ExplainTable { .. }
        | ast::Statement::ShowColumns { .. }
        | ast::Statement::ShowFunctions { .. }
        | ast::Statement::ShowTables { .. }
        | ast::Statement::ShowVariable { .. } => Some(StatementKind::Describe),
        _ => None,
    }
}

/// Whether a query and its `WITH` queries are read-only.
fn reads(query: &ast::Query) -> bool {
    let with = query.with.iter().flat_map(|with| &with.cte_tables);
    reads_set(&query.body) && with.map(|table| &table.query).all(|query| reads(query))
}

fn reads_set(set: &SetExpr) -> bool {
    match set {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Query(query) => reads(query),
        SetExpr::SetOperation { left, right, .. } => reads_set(left) && reads_set(right),
        SetExpr::Values(_) | SetExpr::Table(_) => true,
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => false,
    }
}

fn first_word(sql: &str) -> String {
    sql.split_whitespace().next().unwrap_or_default().to_uppercase()
}
