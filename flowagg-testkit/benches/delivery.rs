//! How many records the delivery service makes objects of, on one core, beside `gzip` alone of the same text: run by
//! `cargo xtask bench delivery`.
//!
//! An object is what would be put: traffic made, written, compressed, in memory. The reference is flate2 with the same
//! backend and level, on text that lies there already. What is printed at the end is the processor's time, where the system
//! tells it (Linux): other programs do not count.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints what it measured, and one that cannot start may panic"
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
/// All fields of versions 2 to 5, in the documentation's order.
const FIELDS: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
     action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type \
     sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path";

fn main() {
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let all = FIELDS.split(' ').map(|name| Field::parse(name).expect("a field")).collect::<Vec<_>>();
    let all = RecordFormat::try_from(all).expect("there are fields");
    let wide = measured(&mut criterion, "29 fields", &all);
    let usual = measured(&mut criterion, "default format", &RecordFormat::default());
    criterion.final_summary();
    for (what, measured) in [("29 fields", wide), ("default format", usual)] {
        // Cargo also runs a bench to see whether it would, or for some of its parts.
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

/// The median time of a run, by what was made.
struct Measured {
    text: Duration,
    parquet: Duration,
    gzip: Duration,
    records: f64,
    /// Of the text.
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

/// Runs so many times, and keeps what one run took.
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

/// The processor time of this thread.
fn processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

/// The size of all objects of an interval, each held until it is made.
fn objects(network: &Network, shape: Shape) -> usize {
    network.files(START, shape).map(|file| file.expect("a file").body.len()).sum()
}

fn compressed(text: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(text.as_bytes()).expect("a vector takes it");
    encoder.finish().expect("a vector takes it").len()
}

/// The text of an interval, and its records.
fn text(network: &Network) -> (String, u64) {
    let (mut text, mut records) = (String::new(), 0);
    for file in network.files(START, Shape::default()) {
        let file = file.expect("a file");
        GzDecoder::new(file.body.as_slice()).read_to_string(&mut text).expect("gzip of text");
        records += file.records;
    }
    (text, records)
}
