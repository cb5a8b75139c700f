//! Benchmarks five queries on a generated bucket on the local disk. Each answer is checked against the generated data.
//! The times are compared with those for decompressing the same objects and, if a Python environment is given, with
//! Polars and DuckDB. The last lines are the ratios.
//!
//! Every measurement runs in a separate process, which reports its time and peak memory.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark"
)]

mod bucket;
mod ours;
mod peers;
mod questions;

use std::path::PathBuf;
use std::process::Command;

use bucket::{Bucket, Size};
use peers::Peer;
use questions::Question;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The time in seconds, and the peak memory of the process in MiB.
#[derive(Clone, Copy, Debug)]
struct Measured {
    seconds: f64,
    peak: f64,
}

impl Measured {
    /// Runs a command and returns its output lines, the last of which is the measurement.
    fn with_rows(command: &mut Command) -> (Vec<String>, Self) {
        let output = command.output().unwrap();
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command:?}\n{out}\n{error}");
        let mut rows: Vec<String> = out.lines().map(str::to_owned).collect();
        let line = rows.pop().unwrap_or_default();
        let (seconds, peak) = line.split_once(' ').unwrap_or_else(|| panic!("{command:?}\n{out}"));
        (rows, Self { seconds: seconds.parse().unwrap(), peak: peak.parse().unwrap() })
    }
}

struct Options {
    folder: PathBuf,
    size: Size,
    python: Option<PathBuf>,
    script: Option<PathBuf>,
    times: u32,
    measure: Option<String>,
}

impl Options {
    fn read() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("query");
        let size = Size { objects: 10_000, records: 1_000 };
        let mut options = Self { folder, size, python: None, script: None, times: 3, measure: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("an option has a value");
            match word.as_str() {
                "--bench" => {}
                "--folder" => options.folder = value().into(),
                "--objects" => options.size.objects = value().parse().unwrap(),
                "--records" => options.size.records = value().parse().unwrap(),
                "--python" => options.python = Some(value().into()),
                "--script" => options.script = Some(value().into()),
                "--times" => options.times = value().parse().unwrap(),
                "--measure" => options.measure = Some(value()),
                other => panic!("unknown option `{other}`"),
            }
        }
        options
    }

    /// The best of several runs of this program, each in a separate process.
    fn best(&self, measure: &str) -> Measured {
        let runs = (0..self.times).map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.arg("--folder").arg(&self.folder).args(["--measure", measure]);
            command.arg("--objects").arg(self.size.objects.to_string());
            command.arg("--records").arg(self.size.records.to_string());
            Measured::with_rows(&mut command).1
        });
        runs.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).unwrap()
    }
}

fn main() {
    let options = Options::read();
    if let Some(measure) = &options.measure {
        return ours::measure(&Bucket::new(&options.folder, options.size), measure);
    }
    let bucket = Bucket::new(&options.folder, options.size);
    bucket.make();
    let (records, text, stored) = bucket.totals();
    println!(
        "{} objects, {records} records, {:.2} GB of text, {:.2} GB compressed, {} cores",
        options.size.objects,
        text as f64 / 1e9,
        stored as f64 / 1e9,
        std::thread::available_parallelism().unwrap(),
    );
    let alone = options.best("inflate");
    println!("{:<34} {:>7.2} s {:>6.0} MiB", "decompression only", alone.seconds, alone.peak);
    let mut ratios = Vec::new();
    for question in Question::ALL {
        let ours = options.best(question.name());
        println!("{:<34} {:>7.2} s {:>6.0} MiB", question.name(), ours.seconds, ours.peak);
        let mut line =
            format!("{:<28} {:>5.2} of decompression only", question.name(), ours.seconds / alone.seconds);
        if let (Some(python), Some(script)) = (&options.python, &options.script) {
            for peer in Peer::ALL {
                let theirs = peer.measure(python, script, &bucket, question);
                println!(
                    "{:<34} {:>7.2} s {:>6.0} MiB",
                    format!("  {}", peer.name()),
                    theirs.seconds,
                    theirs.peak
                );
                line += &format!(", {:.2} of {}", ours.seconds / theirs.seconds, peer.name());
            }
        }
        ratios.push(format!("{line}; peak {:.0} MiB", ours.peak));
    }
    let slow = options.best("latency");
    let ideal = ours::SLOW_OBJECTS as f64 * ours::LATENCY.as_secs_f64() / ours::concurrency() as f64;
    println!("{:<34} {:>7.2} s {:>6.0} MiB", "30 ms per call", slow.seconds, slow.peak);
    ratios.push(format!(
        "{:<28} {:>5.2} of {} objects x 30 ms / {} downloads",
        "30 ms per call",
        slow.seconds / ideal,
        ours::SLOW_OBJECTS,
        ours::concurrency(),
    ));
    println!();
    for line in ratios {
        println!("{line}");
    }
}
