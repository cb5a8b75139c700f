//! The command line of `flowagg athena`.

use clap::{Args as ClapArgs, Subcommand};
use flowagg_core::id::{ResourceId, ResourceKind};
use jiff::civil::Date;

use super::export::TableArgs;
use crate::show::RowFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum AthenaVerb {
    /// Run a query in the hub account: one by its name, or any SQL. Tells what it will read, asks, and waits for the rows
    ///
    /// The queries are top-talkers, rejected-by-account, between-accounts, interface, bytes-per-day and unexpected-ports;
    /// with --only they read these accounts and regions. `flowagg export athena` writes the table that they are of.
    #[command(after_help = "\
Examples:
  flowagg athena query top-talkers --output s3://acme-athena/
  flowagg athena query bytes-per-day --from 2026-11-01 \\
    --to 2026-11-07 --format csv > bytes.csv
  flowagg athena query interface --interface eni-0a1b2c3d4e5f67890 \\
    --only 222222222222
  flowagg athena query top-talkers --print   the SQL, without running it
  flowagg athena query 'SELECT count(*) FROM vpc_flow_logs' --yes")]
    Query(AthenaQueryArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AthenaQueryArgs {
    /// The name of a query, or SQL
    #[arg(value_name = "NAME|SQL")]
    pub(crate) query: String,
    #[command(flatten)]
    pub(crate) names: TableArgs,
    /// The first day (UTC) that a query by name reads [default: yesterday]
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<Date>,
    /// The last day [default: yesterday]
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<Date>,
    /// The network interface of `interface` [default: the one with the most bytes]
    #[arg(long, value_name = "ID", value_parser = interface)]
    pub(crate) interface: Option<ResourceId>,
    /// A port at which `unexpected-ports` expects traffic; may be given more than once [default: 53, 80, 123, 443]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Vec<u16>,
    /// The workgroup of Athena
    #[arg(long, value_name = "NAME", default_value = "primary")]
    pub(crate) workgroup: String,
    /// Where Athena keeps the result [default: where the workgroup does]
    #[arg(long, value_name = "S3-URL", value_parser = s3_url)]
    pub(crate) output: Option<String>,
    /// What Athena charges in the region for 10^12 bytes, for the estimate: see "Amazon Athena pricing"
    #[arg(long, value_name = "USD", value_parser = price, default_value = "5")]
    pub(crate) price_per_tb: f64,
    /// Print the SQL, and do not run it
    #[arg(long)]
    pub(crate) print: bool,
    /// How the rows are printed
    #[arg(long, default_value = "table")]
    pub(crate) format: RowFormat,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

fn interface(text: &str) -> Result<ResourceId, String> {
    let id = ResourceId::parse(text).ok().filter(|id| id.kind() == ResourceKind::NetworkInterface);
    id.ok_or_else(|| "the id of a network interface, as in eni-0a1b2c3d4e5f67890".to_owned())
}

fn s3_url(text: &str) -> Result<String, String> {
    let is_one = text.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if is_one { Ok(text.to_owned()) } else { Err("a place such as s3://acme-athena/results/".to_owned()) }
}

fn price(text: &str) -> Result<f64, String> {
    let price: Option<f64> = text.parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| "an amount of USD, as in 5 or 6.75".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_network_interface_has_a_story() {
        assert!(interface("eni-0a1b2c3d4e5f67890").is_ok());
        assert!(interface("vpc-0a1b2c3d4e5f67890").is_err() && interface("eni-' OR 1=1").is_err());
    }

    #[test]
    fn prices_and_places_are_read_as_people_write_them() {
        assert_eq!(price("6.75"), Ok(6.75));
        assert!(price("-1").is_err() && price("NaN").is_err() && price("five").is_err());
        assert!(s3_url("s3://acme/").is_ok() && s3_url("acme").is_err() && s3_url("s3://").is_err());
    }
}
