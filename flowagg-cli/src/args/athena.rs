//! Options of `flowagg query` for Amazon Athena.

use clap::{Args as ClapArgs, ValueEnum};

use crate::export::athena::{Name, Names};

/// Where a query runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// On this machine, from the objects in the bucket
    #[default]
    Local,
    /// In Amazon Athena, on the table of `flowagg export athena`
    Athena,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Athena options")]
pub(crate) struct AthenaOptions {
    /// Athena workgroup [default: primary]
    #[arg(long, value_name = "NAME")]
    workgroup: Option<String>,
    /// Location for the results [default: the workgroup's]
    #[arg(long, value_name = "S3-URL", value_parser = s3_url)]
    pub(crate) output: Option<String>,
    /// Price in USD per TB (10^12 bytes) scanned [default: 5]
    ///
    /// The price depends on the region: see "Amazon Athena pricing".
    #[arg(long, value_name = "USD", value_parser = price)]
    price_per_tb: Option<f64>,
    /// Database of the table [default: flowagg]
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    database: Option<Name>,
    /// Table that the questions query [default: vpc_flow_logs]
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    table: Option<Name>,
}

impl AthenaOptions {
    pub(crate) fn workgroup(&self) -> &str {
        self.workgroup.as_deref().unwrap_or("primary")
    }

    pub(crate) fn price_per_tb(&self) -> f64 {
        self.price_per_tb.unwrap_or(5.0)
    }

    pub(crate) fn names(&self) -> Names {
        let default = Names::default();
        Names::new(
            self.database.clone().unwrap_or(default.database),
            self.table.clone().unwrap_or(default.table),
        )
    }

    /// The first of these options that is set.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let all = [
            ("--workgroup", self.workgroup.is_some()),
            ("--output", self.output.is_some()),
            ("--price-per-tb", self.price_per_tb.is_some()),
            ("--database", self.database.is_some()),
            ("--table", self.table.is_some()),
        ];
        all.into_iter().find_map(|(option, is_given)| is_given.then_some(option))
    }
}

fn s3_url(text: &str) -> Result<String, String> {
    let is_one = text.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if is_one {
        Ok(text.to_owned())
    } else {
        Err("expected an S3 URL such as s3://acme-athena/results/".to_owned())
    }
}

fn price(text: &str) -> Result<f64, String> {
    let price: Option<f64> = text.parse().ok().filter(|price: &f64| price.is_finite() && *price >= 0.0);
    price.ok_or_else(|| "expected a price in USD such as 5 or 6.75".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_and_s3_urls_are_parsed() {
        assert_eq!(price("6.75"), Ok(6.75));
        assert!(price("-1").is_err() && price("NaN").is_err() && price("five").is_err());
        assert!(s3_url("s3://acme/").is_ok() && s3_url("acme").is_err() && s3_url("s3://").is_err());
    }
}
