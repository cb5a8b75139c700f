//! `cargo xtask bench`: measures slow operations.

use clap::Subcommand;

use crate::cargo::{self, cargo};
use crate::e2e::rehearsal;
use crate::python::{self, Environment};
use crate::{Emulator, build_time};

/// The benchmarks.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Measure the first `apply` in a large fleet
    ///
    /// The endpoint enforces AWS's rate limits. Ends with the ratio to the shortest possible time.
    Fleet {
        /// Options of the bench, such as `--accounts 100 --regions 2`; `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Measure reading a fleet file of up to 100,000 members
    ///
    /// Prints the ratio to parsing the same text with the `toml` crate alone. Builds no SDK.
    FleetFile,
    /// Measure the cold build of the demo, in empty folders
    ///
    /// Prints the ratio to building the AWS SDK of EC2 and S3 alone.
    Build,
    /// Measure the window in which `apply` overwrites a concurrent change
    ///
    /// The window is from the last byte of the last read of the bucket policy or lifecycle rules to the first byte of the write. Prints
    /// the median and the maximum.
    Window {
        /// Number of runs of `apply`
        #[arg(long, default_value_t = 50)]
        runs: u32,
        /// Cargo profile of the build; cargo compiles the SDK for it first
        #[arg(long, default_value = "bench")]
        profile: String,
    },
    /// Compare the first `apply` on an emulator with a plain script
    ///
    /// Counts the calls of both, and ends with the ratio of their times.
    Script {
        #[command(flatten)]
        emulator: Emulator,
        /// Options, such as `-- --accounts 3 --vpcs 20`
        #[arg(last = true)]
        options: Vec<String>,
    },
    /// Measure five queries over a generated bucket on the local disk
    ///
    /// Ends with the ratios to inflating the same objects alone, to Polars and to DuckDB. Builds no SDK.
    Query {
        /// Options of the bench, such as `--objects 1000 --times 1`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Measure writing records to objects, as the delivery service does
    ///
    /// Ends with the records per minute on one core, and the ratio to gzip alone.
    Delivery {
        /// Options of criterion, such as `--measurement-time 20`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
}

/// The hub account of the bench's fleet. Its endpoint uses account IDs as access keys.
const HUB: &str = "111111111111";
/// Only the testkit: the whole workspace includes DataFusion.
const OF_TESTKIT: &str = "bench -p flowagg-testkit --no-default-features";
/// Variables that would change the endpoint or the credentials of the bench.
const FOREIGN: [&str; 9] = [
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_ORGANIZATIONS",
    "HTTP_PROXY",
    "http_proxy",
];

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Fleet { options } => fleet("bench", options),
            // The crate does not depend on the AWS SDK, so cargo does not compile it.
            Self::FleetFile => cargo::run(&mut cargo("bench -p flowagg-core --bench fleet-file")),
            Self::Build => build_time::measure(),
            Self::Window { runs, profile } => fleet(profile, &["--window".to_owned(), runs.to_string()]),
            Self::Script { emulator, options } => {
                cargo::build()?;
                cargo::run(rehearsal("compare", emulator.backend.as_deref()).args(options))
            }
            Self::Query { options } => {
                let python = python::program_of(Environment::Query, "python")?;
                let mut bench = cargo("bench -p flowagg-query --bench query -- --python");
                bench.arg(python).arg("--script").arg(cargo::root().join("xtask/query/compare.py"));
                cargo::run(bench.args(options))
            }
            Self::Delivery { options } => {
                cargo::run(cargo(OF_TESTKIT).args(["--bench", "delivery", "--"]).args(options))
            }
        }
    }
}

fn fleet(profile: &str, options: &[String]) -> anyhow::Result<()> {
    let mut bench = cargo(OF_TESTKIT);
    bench.args(["--bench", "fleet", "--profile", profile, "--"]).args(options);
    for variable in FOREIGN {
        bench.env_remove(variable);
    }
    bench.env("AWS_ACCESS_KEY_ID", HUB).env("AWS_SECRET_ACCESS_KEY", "secret");
    bench.env("AWS_CONFIG_FILE", "none").env("AWS_SHARED_CREDENTIALS_FILE", "none");
    cargo::run(&mut bench)
}
