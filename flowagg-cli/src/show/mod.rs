//! Terminal output: one column for each kind of fact, a sign and a word for each state. Colour only repeats them.

mod also_logged;
mod changes;
mod cost;
mod document;
mod event;
mod examination;
mod failures;
#[cfg(test)]
#[path = "../../tests/support/foreign.rs"]
mod foreign;
#[cfg(test)]
mod foreign_text;
#[cfg(feature = "query")]
mod grid;
mod markdown;
mod plan;
mod policy;
mod progress;
#[cfg(feature = "query")]
mod queried;
mod remarks;
mod report;
mod results;
mod screen;
mod sheet;
#[cfg(feature = "query")]
mod size;
mod style;
mod table;
mod trend;
mod verdict;
mod verified;
mod view;

pub use document::SCHEMA;
pub(crate) use document::{Document, document, json, line};
pub(crate) use event::{Event, Trace};
pub(crate) use examination::examination;
pub(crate) use markdown::markdown;
pub use markdown::report_markdown;
pub(crate) use plan::{EndedRun, Failures, Run, after_plan, after_run, applied, applied_unread, next, plan};
pub(crate) use policy::{answer, findings, sizes};
pub(crate) use progress::{Waited, Watch};
#[cfg(feature = "query")]
pub(crate) use progress::{Watched, end, signal};
#[cfg(all(feature = "athena", feature = "query"))]
pub(crate) use queried::{AthenaCost, not_recorded, typed};
#[cfg(feature = "query")]
pub(crate) use queried::{
    Done, Ended, Estimate, ResultFormat, ResultWriter, Unknown, counts, missing_fields, nothing_found,
    questions, saved_questions, so_far, totals, unused_rule_columns, unused_rule_rows,
};
pub(crate) use report::report_verdict;
pub use report::{Glyphs, report};
pub use screen::Screen;
pub(crate) use screen::{is_yes, usage};
pub use sheet::Sheet;
pub(crate) use sheet::in_a_shell;
#[cfg(feature = "query")]
pub(crate) use size::bytes;
pub(crate) use style::heading;
pub(crate) use verified::{interrupted, verified};
pub use view::Extent;
pub(crate) use view::View;
