//! The measurements of flowagg-query, each in a process of this program.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flowagg_query::datafusion::arrow::array::{AsArray as _, RecordBatch};
use flowagg_query::datafusion::arrow::compute::cast;
use flowagg_query::datafusion::arrow::datatypes::DataType;
use flowagg_query::object_store::ObjectStoreExt as _;
use flowagg_query::object_store::memory::InMemory;
use flowagg_query::object_store::throttle::{ThrottleConfig, ThrottledStore};
use flowagg_query::{FlowLogs, FlowLogsBuilder, ScanOptions, SessionOptions};
use libdeflater::Decompressor;

use crate::bucket::Bucket;
use crate::questions::{Answer, Question};

/// The latency of each call to the slow endpoint.
pub(crate) const LATENCY: Duration = Duration::from_millis(30);
/// The number of objects that are read from it.
pub(crate) const SLOW_OBJECTS: usize = 4_000;

pub(crate) fn concurrency() -> usize {
    ScanOptions::default().concurrency
}

/// Runs a measurement, checks the result, and prints seconds and peak memory.
pub(crate) fn measure(bucket: &Bucket, what: &str) {
    let seconds = match (what, Question::named(what)) {
        ("inflate", _) => inflate(bucket),
        ("latency", _) => latency(bucket),
        (_, Some(question)) => query(bucket, question),
        _ => panic!("unknown measurement `{what}`"),
    };
    println!("{seconds} {}", peak());
}

/// The peak memory of this process in MiB.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kibibytes.unwrap_or_default() / 1024.0
}

/// Only decompresses all objects, on all cores.
fn inflate(bucket: &Bucket) -> f64 {
    let files = bucket.files();
    let (_, text, _) = bucket.totals();
    let next = AtomicUsize::new(0);
    let total = AtomicUsize::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                let mut decompressor = Decompressor::new();
                let mut buffer = Vec::new();
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let body = fs::read(file).unwrap();
                    let length = u32::from_le_bytes(body[body.len() - 4..].try_into().unwrap()) as usize;
                    buffer.resize(length.max(buffer.len()), 0);
                    total.fetch_add(
                        decompressor.gzip_decompress(&body, &mut buffer[..length]).unwrap(),
                        Ordering::Relaxed,
                    );
                }
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(total.into_inner() as u64, text);
    seconds
}

fn query(bucket: &Bucket, question: Question) -> f64 {
    let table = FlowLogs::in_folder(&bucket.root.join("bucket")).unwrap();
    let (seconds, mut answer, read) = run(table, &question.sql());
    if question == Question::OneAddress {
        assert!(answer.iter().all(|row| row[..2].iter().any(|address| address == crate::bucket::RARE)));
        answer = vec![vec![answer.len().to_string()]];
    }
    if question == Question::OneAccount {
        assert_eq!(read, bucket.objects_of_an_account());
    }
    bucket.check(question, &answer.iter().map(|row| row.join(" ")).collect::<Vec<_>>());
    seconds
}

fn latency(bucket: &Bucket) -> f64 {
    let config = ThrottleConfig {
        wait_get_per_call: LATENCY,
        wait_list_per_call: LATENCY,
        wait_list_with_delimiter_per_call: LATENCY,
        ..ThrottleConfig::default()
    };
    let objects = InMemory::new();
    let files = bucket.files();
    let slow = SLOW_OBJECTS.min(files.len());
    futures::executor::block_on(async {
        for file in files.iter().take(slow) {
            let key = file.strip_prefix(bucket.root.join("bucket")).unwrap().to_str().unwrap();
            objects.put(&key.into(), fs::read(file).unwrap().into()).await.unwrap();
        }
    });
    let store = Arc::new(ThrottledStore::new(objects, config));
    let (seconds, answer, read) = run(FlowLogs::builder(store), "SELECT count(*) FROM vpc_flow_logs");
    assert_eq!(
        (read, answer),
        (slow as u64, vec![vec![(slow as u64 * bucket.records_of_an_object()).to_string()]])
    );
    seconds * SLOW_OBJECTS as f64 / slow as f64
}

/// Runs a query and returns the seconds, the rows, and the number of objects read.
fn run(table: FlowLogsBuilder, sql: &str) -> (f64, Answer, u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let started = Instant::now();
        let table = table.build();
        let progress = table.progress();
        let session = flowagg_query::session(&SessionOptions::default()).unwrap();
        table.register(&session).unwrap();
        let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        assert_eq!(progress.skipped(), []);
        (seconds, batches.iter().flat_map(rows).collect(), progress.read().objects)
    })
}

fn rows(batch: &RecordBatch) -> Answer {
    let texts: Vec<_> = batch.columns().iter().map(|column| cast(column, &DataType::Utf8).unwrap()).collect();
    (0..batch.num_rows())
        .map(|row| texts.iter().map(|column| column.as_string::<i32>().value(row).to_owned()).collect())
        .collect()
}
