//! Number of records per minute that the delivery service turns into objects on one core, compared with `gzip` alone on
//! the same text. Run by `cargo xtask bench delivery`.
//!
//! An object is generated, formatted and compressed in memory, ready to be put. The reference is flate2 with the same
//! backend and level, on text that already exists. The printed results are based on CPU time if the system reports it
//! (Linux), so that other programs do not affect them.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its results, and may panic if it cannot start"
)]

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flowagg_core::flow_log::{Field, FileFormat, RecordFormat};
use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
use flowagg_testkit::delivery::recording::{Columns, LEVEL, Network, Recording, Shape, Traffic};

/// Midnight of 1 March 2026, in Unix seconds.
const START: i64 = 1_772_323_200;
/// All fields of versions 2 to 5, in the order of the documentation.
const FIELDS: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
     action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type \
     sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path";

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let all = FIELDS.split(' ').map(|name| Field::parse(name).expect("a field")).collect::<Vec<_>>();
    let all = RecordFormat::try_from(all).expect("at least one field");
    let wide = measured(&mut criterion, "29 fields", &all);
    let usual = measured(&mut criterion, "default format", &RecordFormat::default());
    criterion.final_summary();
    for (what, measured) in [("29 fields", wide), ("default format", usual)] {
        // Cargo also runs a bench to test it, or with a filter.
        let Some(Measured { text, parquet, gzip, records, bytes }) = measured else { continue };
        let per_minute = |time: Duration| records / time.as_secs_f64() * 60.0 / 1e6;
        println!(
            "\n{what}: {records} records, {:.1} MB of text, gzip level {LEVEL}, one thread",
            bytes / 1e6
        );
        println!("parquet: {:.1} million records per minute on one core", per_minute(parquet));
        println!("gzip alone: {:.1} million records per minute on one core", per_minute(gzip));
        println!("text: {:.1} million records per minute on one core", per_minute(text));
        println!("ratio to gzip alone {:.2}", text.as_secs_f64() / gzip.as_secs_f64());
    }
}

/// Median times of a run, and the size of its output.
struct Measured {
    text: Duration,
    parquet: Duration,
    gzip: Duration,
    records: f64,
    /// Bytes of the text.
    bytes: f64,
}

/// The flows of an interval, on more than a hundred interfaces.
fn traffic() -> Traffic {
    let mut traffic = Traffic::default();
    (traffic.seed, traffic.flows, traffic.busy, traffic.idle) = (1, 50_000, 100, 10);
    traffic
}

fn measured(criterion: &mut Criterion, name: &str, format: &RecordFormat) -> Option<Measured> {
    let account = AccountId::parse("111122223333").expect("an account");
    let region = Region::parse("eu-west-1").expect("a region");
    let mut recording = Recording::new(Place::new(account, &region), FlowLogId::example());
    recording.columns = Columns::from(format);
    let network = recording.network(&traffic());
    let (text, records) = text(&network);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(records));
    let mut times = [FileFormat::PlainText, FileFormat::Parquet].map(|format| {
        let mut times = Vec::new();
        let mut shape = Shape::default();
        shape.format = format;
        group.bench_function(format.as_str(), |b| {
            b.iter_custom(|turns| timed(turns, &mut times, || objects(&network, shape)));
        });
        times
    });
    let mut gzip = Vec::new();
    group.bench_function("gzip alone", |b| {
        b.iter_custom(|turns| timed(turns, &mut gzip, || compressed(&text)))
    });
    group.finish();
    let [plain, parquet] = &mut times;
    Some(Measured {
        text: median(plain)?,
        parquet: median(parquet)?,
        gzip: median(&mut gzip)?,
        records: records as f64,
        bytes: text.len() as f64,
    })
}

/// Runs `turns` times, and records the average time of one run.
fn timed<T>(turns: u64, times: &mut Vec<Duration>, run: impl Fn() -> T) -> Duration {
    let (start, before) = (Instant::now(), processor());
    for _ in 0..turns {
        black_box(run());
    }
    let elapsed = start.elapsed();
    let worked = before.and_then(|before| processor()?.checked_sub(before)).unwrap_or(elapsed);
    times.push(worked.div_f64(turns as f64));
    elapsed
}

/// The CPU time of this thread.
fn processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

/// The total size of the objects of an interval, generated one after the other.
fn objects(network: &Network, shape: Shape) -> usize {
    network.files(START, shape).map(|file| file.expect("a file").body.len()).sum()
}

fn compressed(text: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(text.as_bytes()).expect("writing to a vector");
    encoder.finish().expect("writing to a vector").len()
}

/// The text of an interval, and its number of records.
fn text(network: &Network) -> (String, u64) {
    let (mut text, mut records) = (String::new(), 0);
    for file in network.files(START, Shape::default()) {
        let file = file.expect("a file");
        GzDecoder::new(file.body.as_slice()).read_to_string(&mut text).expect("gzip of text");
        records += file.records;
    }
    (text, records)
}
