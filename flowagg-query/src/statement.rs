//! Which statements are run: those that only read.

use std::fmt;

use datafusion::dataframe::DataFrame;
use datafusion::prelude::{SQLOptions, SessionContext};
use datafusion::sql::parser::{DFParser, Statement as Parsed};
use datafusion::sql::sqlparser::ast::{self, SetExpr};

use crate::error::QueryError;

/// One SQL statement that only reads: SELECT, WITH, EXPLAIN, DESCRIBE or SHOW.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    sql: String,
    kind: StatementKind,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementKind {
    /// SELECT, WITH or VALUES: it returns rows.
    Query,
    /// EXPLAIN: it returns a plan, and runs it only with ANALYZE.
    Explain,
    /// DESCRIBE or SHOW: it reads no object.
    Describe,
}

impl Statement {
    /// Reads a statement. A semicolon at the end is accepted.
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

    /// What it does.
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// Plans the statement. Nothing is listed or read before the result is.
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

/// Whether a query and the queries in its `WITH` only read.
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
