//! The state of a fleet as one value: coverage, deliveries, the room in the bucket policy, and findings. It is made from
//! what was read, by a pure function; a terminal, a page and JSON are views of it.

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
    About, AccountReport, AffectedResource, HubReport, MadeBy, NewestObject, PolicySize, RegionReport,
    Report, ReportFinding, Totals, heat,
};
