//! The state of a fleet as one value: coverage, deliveries, the room in the bucket policy, and findings. It is made from
//! what was read, by a pure function; a terminal, a page and JSON are views of it.

mod findings;
mod html;
mod make;
mod value;
pub mod words;

pub use html::html;
pub use make::ReportInput;
pub use value::{
    About, AccountReport, AffectedResource, HubReport, NewestObject, PolicySize, RegionReport, Report,
    ReportFinding, Totals, heat,
};
