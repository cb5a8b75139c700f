//! The state of a fleet as one value: coverage, deliveries, the free space in the bucket policy, and findings. A pure function
//! creates it from the observed state; the terminal output, the HTML page and the JSON are views of it.

mod chargeback;
mod compare;
mod findings;
mod html;
mod make;
mod trend;
mod value;
pub mod words;

pub use chargeback::chargeback;
pub use html::html;
pub use make::ReportInput;
pub use trend::{EarlierError, EarlierReport, SCHEMA, StateChange, Trend, UnhealthySince, WeekReport};
pub use value::{
    About, AccountReport, AffectedResource, ExcludedVpc, HubReport, MadeBy, NewestObject, PolicySize,
    RegionReport, Report, ReportFinding, Totals, heat,
};
