//! Converts query errors to command errors.

use std::error::Error;

use flowagg_core::failure::Failure;
use flowagg_core::text::one_line;
use flowagg_query::QueryError;

use super::super::error::{CommandError, Problem};

const COLUMNS: &str = "correct the statement; `DESCRIBE vpc_flow_logs` lists the columns";

/// The error for a statement that cannot run, or for a call that failed before it ran.
pub(super) fn invalid(error: QueryError) -> CommandError {
    match call(&error) {
        Some(failure) => failure.into(),
        None => match problem(&error) {
            (problem, true) => CommandError::Usage(vec![problem]),
            (problem, false) => CommandError::Query(problem),
        },
    }
}

/// The error for a query that failed while it ran.
pub(super) fn failed(error: QueryError) -> CommandError {
    match call(&error) {
        Some(failure) => failure.into(),
        None => CommandError::Query(problem(&error).0),
    }
}

/// The AWS call that failed, if that is the cause.
fn call(error: &QueryError) -> Option<Failure> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source())
        .find_map(|error| error.downcast_ref::<Failure>().cloned())
}

/// The problem, and whether the statement causes it.
fn problem(error: &QueryError) -> (Problem, bool) {
    let error = error.root();
    let of_statement =
        matches!(error, QueryError::Sql(_) | QueryError::NotRead(_) | QueryError::Statements(_));
    let message = match error {
        QueryError::List { source, .. } | QueryError::Get { source, .. } => format!("{error}: {source}"),
        error => error.to_string(),
    };
    let fix = match error {
        QueryError::Broken { .. } => "delete or restore it, or run without `--strict` to skip broken objects",
        QueryError::List { .. } | QueryError::Get { .. } => "check that the folder and its files can be read",
        error => error.help().unwrap_or(COLUMNS),
    };
    (Problem::new(one_line(&message), fix), of_statement)
}
