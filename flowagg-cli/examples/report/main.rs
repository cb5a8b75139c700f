//! Generates a sample fleet of any size and writes its report as an HTML page and as JSON, without AWS. For a page with a thousand
//! accounts: `cargo run --example report -- 1000 7 report.html report.json`.

#![allow(clippy::print_stderr, reason = "usage is printed to standard error")]

mod sample_fleet;

use std::error::Error;

use flowagg::report::{EarlierReport, Report, SCHEMA, Trend, html};
use jiff::SignedDuration;

use crate::sample_fleet::SampleFleet;

/// Copies of the report, dated one to ten weeks earlier.
fn earlier(report: &Report) -> Result<Vec<EarlierReport>, Box<dyn Error>> {
    let mut document = serde_json::to_value(report)?;
    document["schema"] = SCHEMA.into();
    let weeks = (1..=10).map(|week| {
        document["made"] = (report.made - SignedDuration::from_hours(week * 7 * 24)).to_string().into();
        Ok(EarlierReport::parse(&document.to_string())?)
    });
    weeks.collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [accounts, days, page, value] = args.as_slice() else {
        // Every example must run without arguments. This one then writes no files.
        let report = SampleFleet::new(60)?.described()?.report();
        eprintln!(
            "usage: report ACCOUNTS DAYS PAGE.html VALUE.json; a page for 60 has {} bytes",
            html(&report).len()
        );
        return Ok(());
    };
    let mut report = SampleFleet::with_days(accounts.parse()?, days.parse()?)?.described()?.report();
    report.trend = Trend::new(&report, &earlier(&report)?).map_err(|(_, error)| error)?;
    std::fs::write(page, html(&report))?;
    std::fs::write(value, serde_json::to_string(&report)?)?;
    Ok(())
}
