//! Measures the time to read a fleet file as a ratio to parsing the same text with the `toml` crate alone. Run it with
//! `cargo xtask bench fleet-file`.
//!
//! Each round runs both, one after the other. The shortest time of each counts, because other processes can only add to it.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints its measurements, and may panic if it cannot start"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use flowagg_core::fleet::FleetFile;
use toml::de::DeTable;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The numbers of members.
const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
const ROUNDS: usize = 20;

fn main() {
    // Without `--bench`, `cargo test` only checks that the bench runs.
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let (sizes, rounds) = if is_bench { (&SIZES[..], ROUNDS) } else { (&SIZES[..1], 1) };
    println!("{:>8} {:>12} {:>12} {:>6}", "members", "flowagg", "toml alone", "ratio");
    for members in sizes {
        let text = fleet_file(*members);
        let (mut flowagg, mut toml) = (Duration::MAX, Duration::MAX);
        for _ in 0..rounds {
            toml = toml.min(time(|| DeTable::parse(black_box(&text)).expect("valid TOML")));
            flowagg = flowagg.min(time(|| FleetFile::parse(black_box(&text)).expect("a valid fleet file")));
        }
        let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let ratio = flowagg.as_secs_f64() / toml.as_secs_f64();
        println!("{members:>8} {:>12} {:>12} {ratio:>6.2}", milliseconds(flowagg), milliseconds(toml));
    }
}

/// The time of one run, including the release of its result.
fn time<T>(run: impl Fn() -> T) -> Duration {
    let start = Instant::now();
    drop(black_box(run()));
    start.elapsed()
}

/// A fleet file with this number of members, each with a name and two regions.
fn fleet_file(members: u64) -> String {
    let mut text =
        "[hub]\naccount = \"111111111111\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n".to_owned();
    for member in 0..members {
        write!(
            text,
            "\n[[members]]\naccount = \"{:012}\"\nname = \"team-{member}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n",
            200_000_000_000 + member * 7_919
        )
        .expect("writing to a String does not fail");
    }
    text
}
