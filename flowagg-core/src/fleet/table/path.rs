//! The path of a value in the file.

use std::fmt;
use std::rc::Rc;

/// The keys and indexes that lead to a value, as in `members[0].regions`. It is formatted only for error messages, because most
/// values are valid.
#[derive(Clone)]
pub(super) struct Path<'r> {
    /// The path of the table or list that contains the value; `None` for the top level.
    pub(super) parent: Option<Rc<Self>>,
    pub(super) step: Step<'r>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'r> {
    Key(&'r str),
    Index(usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = &self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) if self.parent.is_some() => write!(f, ".{key}"),
            Step::Key(key) => f.write_str(key),
        }
    }
}
