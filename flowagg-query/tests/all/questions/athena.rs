//! The same queries in Athena's SQL, compared with flowagg-query and the simulated traffic. A Python script stands in
//! for Athena.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flowagg_core::flow_log::{FieldKind, FileFormat, RecordedField};
use flowagg_core::question::{BOTH_ENDS, Table};
use flowagg_query::{FlowLogs, Scope};
use jiff::Timestamp;

use super::record::Format;
use super::truth::Row;
use super::world::World;
use super::{LINES, ROWS, objects, place, question};
use crate::bucket::{Home, Object, bucket};
use crate::run::{rows, session};

/// The script that stands in for Athena, and its main part: it prints a line for each statement and for each of its
/// rows.
const ATHENA: &str = "../flowagg-testkit/readers/athena.py";
const MAIN: &str = r#"
import sys
job = json.load(sys.stdin)
table = exp.to_table(job["table"], dialect="athena")
athena = Athena(table, job["columns"], ["log_account", "log_region", "log_date"], job["files"], job["is_text"])
for sql in job["statements"]:
    print("statement")
    for row in athena.rows(parsed_sql(sql)):
        print("\t".join("NULL" if value is None else value for value in row))
"#;
const TABLE: &str = "\"flowagg\".\"vpc_flow_logs\"";

/// The environment variable with the path of a Python that has sqlglot and DuckDB; `cargo xtask readers` sets it.
const PYTHON: &str = "FLOWAGG_PYTHON";

/// The flow log format and file format of each world.
const KINDS: [(Format, FileFormat); 7] = [
    (Format::Full, FileFormat::PlainText),
    (Format::Full, FileFormat::PlainText),
    (Format::Directed, FileFormat::PlainText),
    (Format::Full, FileFormat::Parquet),
    (Format::Default, FileFormat::PlainText),
    (Format::Default, FileFormat::Parquet),
    (Format::Poor, FileFormat::PlainText),
];

type Answer = Vec<Vec<Option<String>>>;

/// Formats text as JSON.
fn json(text: &str) -> String {
    assert!(text.is_ascii(), "{text}");
    format!("{text:?}")
}

/// A world whose flow logs have one format and one file format, so that Athena has one table for them.
struct Asked {
    world: World,
    format: Format,
    objects: Vec<Object>,
    file_format: FileFormat,
    /// A window for record ends: the first time is inclusive, the second exclusive.
    window: Option<[i64; 2]>,
}

impl Asked {
    fn new(seed: u64, format: Format, file_format: FileFormat) -> Self {
        // Some interfaces have no flow log.
        let some = Some(format);
        let world = World::new(seed, &[some, some, some, some, some, None]);
        let objects = objects(&world, &[file_format]);
        Self { world, format, objects, file_format, window: None }
    }

    fn recorded(&self) -> Vec<RecordedField> {
        let field = |name: &&str| RecordedField::all().find(|field| field.as_str() == *name).unwrap();
        self.format.fields().iter().map(field).collect()
    }

    fn sql(&self, line: &str, rows: usize) -> String {
        let recorded = self.recorded();
        let condition = |[from, to]: [i64; 2]| format!("\"end\" >= {from} AND \"end\" < {to}");
        let table = Table::of_athena(TABLE, &recorded, self.window.map(condition).into_iter().collect());
        question(line).sql(&table, rows)
    }

    /// The rows of flowagg-query.
    async fn here(&self, statements: &[String]) -> Vec<Answer> {
        let mut scope = Scope::default();
        let time = |place: usize| Some(Timestamp::from_second(self.window?[place]).unwrap());
        (scope.from, scope.to) = (time(0), time(1));
        let store = bucket(&self.objects).await;
        let session = session(FlowLogs::builder(store).scope(scope).build());
        let mut answers = Vec::new();
        for sql in statements {
            answers.push(rows(&session, sql).await.unwrap());
        }
        answers
    }

    /// The rows of Athena's SQL.
    fn athena(&self, statements: &[String]) -> Vec<Answer> {
        let folder = tempfile::tempdir().unwrap();
        let files = self.objects.iter().map(|object| {
            let path = folder.path().join(&object.key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, object.body()).unwrap();
            let parts: Vec<&str> = object.key.split('/').collect();
            let (account, region, date) = (parts[1], parts[3], parts[4..7].join("/"));
            let values = [&path.display().to_string(), account, region, &date].map(json);
            format!("[{}]", values.join(","))
        });
        let files: Vec<String> = files.collect();
        let columns = self.recorded().into_iter().map(|field| {
            let kind = match field.kind() {
                FieldKind::Int32 => "INT",
                FieldKind::Int64 => "BIGINT",
                FieldKind::Text => "VARCHAR",
            };
            format!("{}:{}", json(&field.column()), json(kind))
        });
        let columns: Vec<String> = columns.collect();
        let statements: Vec<String> = statements.iter().map(|sql| json(sql)).collect();
        let job = format!(
            "{{\"table\":{},\"columns\":{{{}}},\"files\":[{}],\"is_text\":{},\"statements\":[{}]}}",
            json(TABLE),
            columns.join(","),
            files.join(","),
            self.file_format == FileFormat::PlainText,
            statements.join(",")
        );
        let text = python(&job);
        let mut answers: Vec<Answer> = Vec::new();
        for line in text.lines() {
            if line == "statement" {
                answers.push(Vec::new());
                continue;
            }
            let value = |value: &str| (value != "NULL").then(|| value.to_owned());
            let row = line.split('\t').map(value).collect();
            answers.last_mut().unwrap_or_else(|| panic!("unexpected line `{line}`")).push(row);
        }
        assert_eq!(answers.len(), statements.len());
        answers
    }

    /// The rows of Athena and of flowagg-query.
    async fn both(&self, lines: &[&str], limit: usize) -> [Vec<Answer>; 2] {
        let of_athena: Vec<String> = lines.iter().map(|line| self.sql(line, limit)).collect();
        let table = Table::of_session(FlowLogs::NAME);
        let here: Vec<String> = lines.iter().map(|line| question(line).sql(&table, limit)).collect();
        [self.athena(&of_athena), self.here(&here).await]
    }

    /// Compares the answers of both, including their order.
    async fn compare(&self, lines: &[&str], limit: usize) -> Vec<Answer> {
        let [athena, here] = self.both(lines, limit).await;
        for (line, (athena, here)) in lines.iter().zip(athena.iter().zip(&here)) {
            let about = format!("{line}: {:?}, {:?}, {:?}", self.format, self.file_format, self.window);
            assert_eq!(athena, here, "{about}\n{}", self.sql(line, limit));
        }
        athena
    }
}

/// Runs the script with a job and returns its output.
fn python(job: &str) -> String {
    let python: PathBuf = std::env::var_os(PYTHON).unwrap_or_else(|| panic!("`{PYTHON}` is not set")).into();
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(ATHENA)).unwrap() + MAIN;
    let mut child = Command::new(python)
        .args(["-I", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(job.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The rows with each value as text, sorted; `-` is NULL.
fn sorted(answer: &Answer) -> Vec<Row> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut rows: Vec<Row> = answer.iter().map(|row| row.iter().map(text).collect()).collect();
    rows.sort();
    rows
}

#[tokio::test]
#[ignore = "needs Python with sqlglot and DuckDB: `cargo xtask readers` runs it"]
async fn athena_and_flowagg_query_return_the_expected_rows() {
    let mut found = [0; LINES.len()];
    for (seed, (format, file_format)) in KINDS.into_iter().enumerate() {
        let asked = Asked::new(10 + seed as u64, format, file_format);
        let answers = asked.compare(&LINES, ROWS).await;
        let session = session(FlowLogs::new(bucket(&asked.objects).await));
        for ((line, answer), found) in LINES.iter().zip(&answers).zip(&mut found) {
            *found += answer.len();
            // There are no expected answers for records without sizes.
            if format == Format::Poor {
                continue;
            }
            let (mut rows, mut truth) = (sorted(answer), asked.world.answer(line));
            // A marked row may count both ends.
            if let Some(mark) = place(&session, line, BOTH_ENDS).await {
                for rows in [&mut rows, &mut truth] {
                    rows.retain(|row| row[mark] == "false");
                }
            }
            assert_eq!(rows, truth, "{line}: {format:?}, {file_format:?}");
        }
    }
    for (line, found) in LINES.iter().zip(found) {
        assert!(found > 0, "no world has rows for {line}");
    }
}

#[tokio::test]
#[ignore = "needs Python with sqlglot and DuckDB: `cargo xtask readers` runs it"]
async fn athena_returns_the_same_traffic_for_rules() {
    for (seed, (format, file_format)) in KINDS.into_iter().enumerate() {
        let asked = Asked::new(20 + seed as u64, format, file_format);
        let [mut athena, mut here] =
            asked.both(&["unused-rules"], ROWS).await.map(|answers| answers.concat());
        // The order is not specified for either.
        athena.sort();
        here.sort();
        assert!(!athena.is_empty(), "{format:?}");
        assert_eq!(athena, here, "{format:?}, {file_format:?}\n{}", asked.sql("unused-rules", ROWS));
    }
}

#[tokio::test]
#[ignore = "needs Python with sqlglot and DuckDB: `cargo xtask readers` runs it"]
async fn athena_returns_the_same_rows_with_a_limit_and_a_window() {
    let mut asked = Asked::new(6, Format::Full, FileFormat::PlainText);
    asked.compare(&LINES, 3).await;
    asked.objects = records_alone(&asked.world);
    let mut ends: Vec<i64> = asked.world.events.iter().map(|event| event.end).collect();
    ends.sort_unstable();
    // Records that end at the first time are in the window, and records that end at the last time are not.
    asked.window = Some([ends[ends.len() / 4], ends[3 * ends.len() / 4]]);
    let answers = asked.compare(&LINES, ROWS).await;
    assert!(answers.iter().filter(|answer| !answer.is_empty()).count() > LINES.len() / 2);
}

/// An object for each record, with the end of the record in its name.
fn records_alone(world: &World) -> Vec<Object> {
    let mut objects = Vec::new();
    for (interface, text) in world.texts() {
        let home = Home { account: interface.account, region: interface.region, ..Home::PLAIN };
        let (header, records) = text.split_once('\n').unwrap();
        let place = header.split(' ').position(|field| field == "end").unwrap();
        for record in records.lines() {
            let end: i64 = record.split(' ').nth(place).unwrap().parse().unwrap();
            let text = format!("{header}\n{record}\n");
            objects.push(Object::new(&home, end / 300 * 300, objects.len(), FileFormat::PlainText, text));
        }
    }
    objects
}
