//! `cargo xtask bench`: what takes long, measured.

use clap::Subcommand;

use crate::cargo::{self, cargo};
use crate::e2e::rehearsal;
use crate::python::{self, Environment};
use crate::{Emulator, build_time};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The first `apply` in a large fleet, on an endpoint that keeps AWS's limits; ends with its ratio to the least time
    Fleet {
        /// Options of the bench, as in `--accounts 100 --regions 2`; `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Reading a fleet file of up to 100,000 members; prints the ratio to parsing the same text with the `toml` crate alone
    FleetFile,
    /// The cold build of the demo, in empty folders: prints the ratio to building the AWS SDK of EC2 and S3 alone
    Build,
    /// Measure the window of `apply` in which a change of another process is lost: from the last byte of the last read of the bucket
    /// policy or lifecycle rules to the first byte of the write; prints the median and the maximum
    Window {
        /// Runs of `apply`
        #[arg(long, default_value_t = 50)]
        runs: u32,
        /// The profile to build with; the SDK is compiled for it first
        #[arg(long, default_value = "bench")]
        profile: String,
    },
    /// The first `apply` on an emulator beside a plain script, their calls counted; ends with the ratio of their times
    Script {
        #[command(flatten)]
        emulator: Emulator,
        /// Options, as in `-- --accounts 3 --vpcs 20`
        #[arg(last = true)]
        options: Vec<String>,
    },
    /// Five queries over a generated bucket on the local disk, next to inflating the same objects alone, Polars and DuckDB; ends with
    /// the ratios. Builds no SDK
    Query {
        /// Options of the bench, as in `--objects 1000 --times 1`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Records to objects, as the delivery service makes them; ends with the records per minute on one core, and the ratio to
    /// gzip alone
    Delivery {
        /// Options of criterion, as in `--measurement-time 20`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
}

/// The hub account of the bench's fleet: at its endpoint an account's id is its access key.
const HUB: &str = "111111111111";
/// Not of the whole workspace, which has DataFusion.
const OF_TESTKIT: &str = "bench -p flowagg-testkit --no-default-features";
/// What could send the bench elsewhere, or as somebody else.
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
            // The crate has no AWS SDK below it, so this does not compile it.
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
