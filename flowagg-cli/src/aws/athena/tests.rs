use aws_sdk_athena::operation::get_query_execution::GetQueryExecutionOutput;
use aws_sdk_athena::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_athena::operation::start_query_execution::{StartQueryExecutionError, StartQueryExecutionOutput};
use aws_sdk_athena::operation::stop_query_execution::StopQueryExecutionOutput;
use aws_sdk_athena::types::error::InvalidRequestException;
use aws_sdk_athena::types::{
    Datum, QueryExecutionStatistics, QueryExecutionStatus, ResultSet, ResultSetMetadata,
};
use aws_smithy_mocks::{Rule, mock};
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::mocked;

fn runner(rules: &[&Rule]) -> QueryRunner {
    let place = mocked::place();
    QueryRunner { athena: mocked::athena(rules), at: At::new(place.clone()) }
}

fn request() -> QueryRequest {
    QueryRequest {
        sql: "SELECT 1".to_owned(),
        database: "flowagg".to_owned(),
        workgroup: "primary".to_owned(),
        output: Some("s3://acme-athena/".to_owned()),
    }
}

fn started() -> Rule {
    mock!(Client::start_query_execution)
        .match_requests(|request| {
            let output = request.result_configuration().and_then(|it| it.output_location());
            request.query_string() == Some("SELECT 1") && output == Some("s3://acme-athena/")
        })
        .then_output(|| StartQueryExecutionOutput::builder().query_execution_id("q-1").build())
}

fn looked(state: QueryExecutionState, why: Option<&str>) -> GetQueryExecutionOutput {
    let status = QueryExecutionStatus::builder().state(state).set_state_change_reason(why.map(str::to_owned));
    let statistics =
        QueryExecutionStatistics::builder().data_scanned_in_bytes(1234).total_execution_time_in_millis(560);
    let found = QueryExecution::builder()
        .statement_type(StatementType::Dml)
        .status(status.build())
        .statistics(statistics.build())
        .build();
    GetQueryExecutionOutput::builder().query_execution(found).build()
}

fn row(values: [Option<&str>; 2]) -> Row {
    let datum = |value: Option<&str>| Datum::builder().set_var_char_value(value.map(str::to_owned)).build();
    Row::builder().set_data(Some(values.map(datum).to_vec())).build()
}

fn page(rows: Vec<Row>, next: Option<&str>) -> GetQueryResultsOutput {
    let info = |name, kind| ColumnInfo::builder().name(name).r#type(kind).build().unwrap();
    let columns = vec![info("log_account", "varchar"), info("total_bytes", "bigint")];
    let about = ResultSetMetadata::builder().set_column_info(Some(columns)).build();
    let rows = ResultSet::builder().result_set_metadata(about).set_rows(Some(rows)).build();
    GetQueryResultsOutput::builder().result_set(rows).set_next_token(next.map(str::to_owned)).build()
}

#[tokio::test]
async fn all_pages_are_read_without_the_header_row() {
    let look = mock!(Client::get_query_execution)
        .sequence()
        .output(|| looked(QueryExecutionState::Running, None))
        .output(|| looked(QueryExecutionState::Succeeded, None))
        .build();
    let first = mock!(Client::get_query_results)
        .match_requests(|request| request.next_token().is_none())
        .then_output(|| {
            page(
                vec![row([Some("log_account"), Some("total_bytes")]), row([Some("1"), Some("20")])],
                Some("more"),
            )
        });
    let second = mock!(Client::get_query_results)
        .match_requests(|request| request.next_token() == Some("more"))
        .then_output(|| page(vec![row([Some("2"), None])], None));
    let run = runner(&[&started(), &look, &first, &second]);
    let mut answer = run.run(&request(), &CancellationToken::new(), &()).await.unwrap();
    assert_eq!((answer.scanned_bytes, answer.took), (1234, Duration::from_millis(560)));
    let columns =
        vec![ResultColumn::new("log_account", "varchar"), ResultColumn::new("total_bytes", "bigint")];
    let text = |value: &str| Some(value.to_owned());
    for rows in [vec![vec![text("1"), text("20")]], vec![vec![text("2"), None]]] {
        let expected = ResultPage { columns: columns.clone(), rows };
        assert_eq!(answer.page().await.unwrap(), Some(expected));
    }
    assert_eq!(answer.page().await.unwrap(), None);
}

#[tokio::test]
async fn failed_query_has_a_reason_and_advice() {
    let why = "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.flowagg.vpc_flow_logs' does not exist";
    let look = mock!(Client::get_query_execution)
        .then_output(move || looked(QueryExecutionState::Failed, Some(why)));
    let failure =
        runner(&[&started(), &look]).run(&request(), &CancellationToken::new(), &()).await.unwrap_err();
    assert_eq!((failure.code.as_deref(), failure.message.as_str()), (Some("FAILED"), why));
    assert_data_eq!(
        failure.help(),
        str!["create the database and the table with the SQL from `flowagg export athena`"]
    );
}

#[tokio::test]
async fn missing_result_location_advises_output_or_workgroup() {
    let start = mock!(Client::start_query_execution).then_error(|| {
        let message = "No output location provided. An output location is required either through the Workgroup result \
                       configuration setting or as an API input.";
        let error = InvalidRequestException::builder().message(message);
        let code = aws_smithy_types::error::ErrorMetadata::builder().code("InvalidRequestException").message(message);
        StartQueryExecutionError::InvalidRequestException(error.meta(code.build()).build())
    });
    let failure = runner(&[&start]).run(&request(), &CancellationToken::new(), &()).await.unwrap_err();
    assert_data_eq!(
        failure.help(),
        str![
            "set a result location with `--output s3://BUCKET/FOLDER/`, or use a workgroup that has one with `--workgroup`"
        ]
    );
}

#[tokio::test]
async fn cancelled_query_is_stopped() {
    /// Cancels at the first step.
    struct Impatient(CancellationToken);
    impl Progress for Impatient {
        fn step(&self, _: &str, _: usize, _: usize, at: &str) {
            assert_eq!(at, "RUNNING, 1234 bytes read");
            self.0.cancel();
        }
    }
    let look = mock!(Client::get_query_execution)
        .sequence()
        .output(|| looked(QueryExecutionState::Running, None))
        .output(|| looked(QueryExecutionState::Cancelled, Some("Query was cancelled by user")))
        .build();
    let stop = mock!(Client::stop_query_execution)
        .match_requests(|request| request.query_execution_id() == Some("q-1"))
        .then_output(|| StopQueryExecutionOutput::builder().build());
    let runner = runner(&[&started(), &look, &stop]);
    let cancel = CancellationToken::new();
    let failure = runner.run(&request(), &cancel, &Impatient(cancel.clone())).await.unwrap_err();
    assert_eq!((failure.code.as_deref(), stop.num_calls()), (Some("CANCELLED"), 1));
}
