//! A fleet of any size, made up, and its report: as a page, and as the value that the page shows. With it a page for a
//! thousand accounts is looked at without an AWS: `cargo run --example report -- 1000 7 report.html report.json`.

#![allow(clippy::print_stderr, reason = "a program says on standard error how it is used")]

mod made_up;

use std::error::Error;

use flowagg::report::{EarlierReport, Report, SCHEMA, Trend, html};
use jiff::SignedDuration;

use crate::made_up::MadeUp;

/// The same report, as it was made once a week in the ten weeks before.
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
        // Every example runs without arguments, too: the two files are then not written.
        let report = MadeUp::new(60)?.described()?.report();
        eprintln!(
            "usage: report ACCOUNTS DAYS PAGE.html VALUE.json; a page for 60 has {} bytes",
            html(&report).len()
        );
        return Ok(());
    };
    let mut report = MadeUp::with_days(accounts.parse()?, days.parse()?)?.described()?.report();
    report.trend = Trend::new(&report, &earlier(&report)?).map_err(|(_, error)| error)?;
    std::fs::write(page, html(&report))?;
    std::fs::write(value, serde_json::to_string(&report)?)?;
    Ok(())
}
