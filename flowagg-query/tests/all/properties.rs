//! Random fleets, formats, layouts, windows and conditions: the table has the same rows as a line-by-line parser,
//! whether the reader or DataFusion applies the filters.

use std::fmt;

use flowagg_core::flow_log::FileFormat;
use flowagg_query::FlowLogs;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::bucket::{Home, Object, bucket};
use crate::oracle::{self, Row};
use crate::run::{session, sorted, unfiltered};

/// 2026-03-01T20:00:00Z.
const START: i64 = 1_772_395_200;
/// The number of five-minute intervals with files: the rest of the day, the next day, and a few more.
const INTERVALS: i64 = 370;
/// Fields of the random formats; three of them are in no version.
const FIELDS: [&str; 16] = [
    "account-id",
    "srcaddr",
    "dstport",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "tcp-flags",
    "protocol",
    "region",
    "tgw-id",
    "packets-lost-blackhole",
    "instance-tag",
    "future-field",
    "x9",
];

fn home() -> impl Strategy<Value = Home> {
    let places = select(vec![
        ("111122223333", "eu-west-1"),
        ("111122223333", "us-east-1"),
        ("444455556666", "eu-west-1"),
    ]);
    let prefix = select(vec![None, Some("network")]);
    (places, prefix, any::<bool>(), any::<bool>()).prop_map(
        |((account, region), prefix, is_hive, is_hourly)| Home {
            account,
            region,
            prefix,
            is_hive,
            is_hourly,
        },
    )
}

/// A value of a field. Files are named up to one hour after the end of their records.
fn value(field: &'static str, named: i64) -> BoxedStrategy<String> {
    let some = match field {
        "account-id" => {
            select(vec!["111122223333", "444455556666", "unknown"]).prop_map(str::to_owned).boxed()
        }
        "srcaddr" => select(vec!["10.0.0.1", "10.0.0.12", "2001:db8::1", "203.0.113.255"])
            .prop_map(str::to_owned)
            .boxed(),
        "action" => select(vec!["ACCEPT", "REJECT"]).prop_map(str::to_owned).boxed(),
        "log-status" => select(vec!["OK", "NODATA", "SKIPDATA"]).prop_map(str::to_owned).boxed(),
        "region" => select(vec!["eu-west-1", "us-east-1"]).prop_map(str::to_owned).boxed(),
        "dstport" => select(vec![22, 443, 65_535]).prop_map(|port| port.to_string()).boxed(),
        "tcp-flags" => (0..20_i64).prop_map(|flags| flags.to_string()).boxed(),
        "protocol" => select(vec![1, 6, 17]).prop_map(|protocol| protocol.to_string()).boxed(),
        "bytes" | "packets-lost-blackhole" => {
            prop_oneof![0..2_000_i64, Just(i64::MAX)].prop_map(|bytes| bytes.to_string()).boxed()
        }
        "end" => (named - 3_600..named + 300).prop_map(|end| end.to_string()).boxed(),
        // The caller sets a start that matches the end.
        "start" => Just(String::new()).boxed(),
        _ => "[a-z0-9:/+%é]{1,20}".boxed(),
    };
    match field {
        "end" | "start" => some,
        _ => prop_oneof![5 => some, 1 => Just("-".to_owned())].boxed(),
    }
}

fn object() -> impl Strategy<Value = (Home, i64, FileFormat, Vec<&'static str>, Vec<Vec<String>>)> {
    let fields = subsequence(FIELDS.to_vec(), 1..FIELDS.len()).prop_shuffle();
    let format = prop_oneof![3 => Just(FileFormat::PlainText), 1 => Just(FileFormat::Parquet)];
    (home(), 0..INTERVALS, format, fields).prop_flat_map(|(home, interval, format, fields)| {
        let named = START + interval * 300;
        let values: Vec<BoxedStrategy<String>> = fields.iter().map(|field| value(field, named)).collect();
        let record = (values, 0..=660_i64).prop_map({
            let fields = fields.clone();
            move |(mut values, span)| {
                let end = fields.iter().position(|field| *field == "end");
                let end = end.map_or(named, |place| values[place].parse().unwrap());
                if let Some(place) = fields.iter().position(|field| *field == "start") {
                    values[place] = (end - span).to_string();
                }
                values
            }
        });
        let records = prop::collection::vec(record, 0..5);
        (Just(home), Just(named), Just(format), Just(fields), records)
    })
}

fn objects() -> impl Strategy<Value = Vec<Object>> {
    prop::collection::vec(object(), 1..12).prop_map(|objects| {
        let known = |fields: &[&str]| fields.iter().any(|field| !matches!(*field, "future-field" | "x9"));
        objects
            .into_iter()
            .enumerate()
            .filter(|(_, (.., fields, _))| known(fields))
            .map(|(number, (home, named, format, fields, records))| {
                let mut text = format!("{}\n", fields.join(" "));
                for record in records {
                    text.push_str(&record.join(" "));
                    text.push('\n');
                }
                Object::new(&home, named, number, format, text)
            })
            .collect()
    })
}

/// A condition that can be formatted as SQL and evaluated.
#[derive(Clone, Debug)]
enum Ask {
    Compare(&'static str, &'static str, Literal),
    In(&'static str, Vec<Literal>, bool),
    Between(&'static str, Literal, Literal, bool),
    IsNull(&'static str, bool),
    /// A condition that the reader does not know.
    Longer(&'static str, i64),
    And(Box<Ask>, Box<Ask>),
    Or(Box<Ask>, Box<Ask>),
    Not(Box<Ask>),
}

#[derive(Clone, Debug)]
enum Literal {
    Number(i64),
    Text(String),
    /// In milliseconds.
    Time(i64),
}

fn literal(column: &'static str) -> BoxedStrategy<Literal> {
    let texts = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        select(texts).prop_map(Literal::Text).boxed()
    };
    match column {
        "start_time" | "end_time" => {
            let half_seconds = (START - 600) * 2..(START + INTERVALS * 300) * 2;
            half_seconds.prop_map(|time| Literal::Time(time * 500)).boxed()
        }
        "start" | "end" => (START - 600..START + INTERVALS * 300).prop_map(Literal::Number).boxed(),
        "bytes" => prop_oneof![0..2_000_i64, Just(i64::MAX), Just(-1)].prop_map(Literal::Number).boxed(),
        "dstport" => select(vec![22, 443, 1 << 40]).prop_map(Literal::Number).boxed(),
        "log_account" | "account_id" => texts(&["111122223333", "444455556666", "999999999999", "-"]),
        "log_region" | "region" => texts(&["eu-west-1", "us-east-1", "nowhere"]),
        "log_date" => texts(&["2026/03/01", "2026/03/02", "2026/03/03", "2026", "other"]),
        "log_hour" => texts(&["00", "09", "20", "23"]),
        _ => texts(&["10.0.0.1", "10.0.0.12", "ACCEPT", "REJECT", "OK", "-", ""]),
    }
}

const ASKED: [&str; 13] = [
    "start",
    "end",
    "start_time",
    "end_time",
    "bytes",
    "dstport",
    "log_account",
    "account_id",
    "log_region",
    "log_date",
    "log_hour",
    "srcaddr",
    "action",
];

fn ask() -> impl Strategy<Value = Ask> {
    let column = || select(ASKED.to_vec());
    let leaf = prop_oneof![
        6 => (column(), select(vec!["=", "<>", "<", "<=", ">", ">="]))
            .prop_flat_map(|(column, op)| (Just(column), Just(op), literal(column)))
            .prop_map(|(column, op, literal)| Ask::Compare(column, op, literal)),
        2 => column()
            .prop_flat_map(|column| (Just(column), prop::collection::vec(literal(column), 1..5), any::<bool>()))
            .prop_map(|(column, literals, negated)| Ask::In(column, literals, negated)),
        2 => column()
            .prop_flat_map(|column| (Just(column), literal(column), literal(column), any::<bool>()))
            .prop_map(|(column, low, high, negated)| Ask::Between(column, low, high, negated)),
        1 => (column(), any::<bool>()).prop_map(|(column, negated)| Ask::IsNull(column, negated)),
        1 => (select(vec!["srcaddr", "action", "log_region"]), 0..12_i64)
            .prop_map(|(column, length)| Ask::Longer(column, length)),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Ask::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Ask::Or(Box::new(a), Box::new(b))),
            inner.prop_map(|inner| Ask::Not(Box::new(inner))),
        ]
    })
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Time(time) => {
                let time = jiff::Timestamp::from_millisecond(*time).unwrap();
                write!(f, "TIMESTAMP '{time}'")
            }
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Self::Compare(column, op, literal) => write!(f, "\"{column}\" {op} {literal}"),
            Self::In(column, literals, negated) => {
                let literals: Vec<String> = literals.iter().map(ToString::to_string).collect();
                write!(f, "\"{column}\" {}IN ({})", not(negated), literals.join(", "))
            }
            Self::Between(column, low, high, negated) => {
                write!(f, "\"{column}\" {}BETWEEN {low} AND {high}", not(negated))
            }
            Self::IsNull(column, negated) => write!(f, "\"{column}\" IS {}NULL", not(negated)),
            Self::Longer(column, length) => write!(f, "length(\"{column}\") > {length}"),
            Self::And(a, b) => write!(f, "({a} AND {b})"),
            Self::Or(a, b) => write!(f, "({a} OR {b})"),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
        }
    }
}

impl Ask {
    /// Evaluates the condition for a row as in SQL: true, false or NULL.
    fn of(&self, row: &Row) -> Option<bool> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match self {
            Self::Compare(column, op, literal) => {
                let order = compare(row.get(*column)?, literal);
                Some(match *op {
                    "=" => order == Equal,
                    "<>" => order != Equal,
                    "<" => order == Less,
                    "<=" => order != Greater,
                    ">" => order == Greater,
                    _ => order != Less,
                })
            }
            Self::In(column, literals, negated) => {
                let value = row.get(*column)?;
                Some(literals.iter().any(|literal| compare(value, literal) == Equal) != *negated)
            }
            Self::Between(column, low, high, negated) => {
                let value = row.get(*column)?;
                Some((compare(value, low) != Less && compare(value, high) != Greater) != *negated)
            }
            Self::IsNull(column, negated) => Some(row.contains_key(*column) == *negated),
            Self::Longer(column, length) => Some(row.get(*column)?.chars().count() as i64 > *length),
            Self::And(a, b) => match (a.of(row), b.of(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (a, b) => Some(a? && b?),
            },
            Self::Or(a, b) => match (a.of(row), b.of(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (a, b) => Some(a? || b?),
            },
            Self::Not(inner) => inner.of(row).map(|is_true| !is_true),
        }
    }
}

fn compare(value: &str, literal: &Literal) -> std::cmp::Ordering {
    match literal {
        Literal::Number(number) => value.parse::<i64>().unwrap().cmp(number),
        Literal::Text(text) => value.cmp(text.as_str()),
        Literal::Time(time) => (value.parse::<i64>().unwrap() * 1_000).cmp(time),
    }
}

/// The columns to select from, in random order.
const SELECTED: [&str; 17] = [
    "account_id",
    "srcaddr",
    "dstport",
    "bytes",
    "start",
    "end",
    "start_time",
    "end_time",
    "action",
    "tcp_flags",
    "region",
    "tgw_id",
    "packets_lost_blackhole",
    "instance_tag",
    "object_key",
    "log_hour",
    "log_date",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn table_has_the_rows_of_a_line_by_line_parser(
        objects in objects(),
        ask in prop::option::of(ask()),
        columns in subsequence(SELECTED.to_vec(), 1..SELECTED.len()).prop_shuffle(),
    ) {
        let condition = ask.as_ref().map_or_else(String::new, |ask| format!(" WHERE {ask}"));
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let sql = format!("SELECT {} FROM vpc_flow_logs{condition}", names.join(", "));
        let rows = oracle::rows(&objects);
        let passes = |row: &&Row| ask.as_ref().is_none_or(|ask| ask.of(row) == Some(true));
        let mut expected: Vec<Vec<Option<String>>> = rows
            .iter()
            .filter(passes)
            .map(|row| columns.iter().map(|column| row.get(*column).cloned()).collect())
            .collect();
        expected.sort();

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (filtered, unfiltered, counted, skipped) = runtime.block_on(async {
            let store = bucket(&objects).await;
            let prefix = || Some(flowagg_core::id::Prefix::parse("network").unwrap());
            let table = || FlowLogs::builder(store.clone()).prefix(None).prefix(prefix()).build();
            let pushed = table();
            let progress = pushed.progress();
            let pushed = session(pushed);
            let count = format!("SELECT count(*) FROM vpc_flow_logs{condition}");
            (
                sorted(&pushed, &sql).await,
                sorted(&unfiltered(table()), &sql).await,
                sorted(&pushed, &count).await,
                progress.skipped(),
            )
        });
        prop_assert_eq!(skipped, []);
        prop_assert_eq!(&unfiltered, &expected, "filtered by DataFusion: {}", sql);
        prop_assert_eq!(&filtered, &expected, "filtered by the reader: {}", sql);
        prop_assert_eq!(counted, [[Some(expected.len().to_string())]]);
    }
}
