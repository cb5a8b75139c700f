use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use crate::failure::Failure;
use crate::fleet::{Exception, Fleet};

/// The exception for which a finding is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Acceptance {
    /// Why it is accepted.
    pub reason: String,
    /// The last day (UTC) on which it is.
    pub until: Date,
}

/// What could not be read and is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AcceptedFailure {
    /// What could not be read.
    pub failure: Failure,
    /// The exception.
    pub exception: Acceptance,
}

/// An exception of the fleet file, and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ExceptionUse {
    /// The exception.
    #[serde(flatten)]
    pub exception: Exception,
    /// Whether its last day is over: it accepts nothing.
    pub is_expired: bool,
    /// How many flow logs and failures it accepts.
    pub accepts: usize,
}

/// `exception until 2027-01-31: being closed`
impl fmt::Display for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exception until {}: {}", self.until, self.reason)
    }
}

impl From<&Exception> for Acceptance {
    fn from(exception: &Exception) -> Self {
        Self { reason: exception.reason.clone(), until: exception.until }
    }
}

/// Each exception of a fleet, with how many of what was accepted it accepts.
pub(super) fn uses<'a>(
    fleet: &'a Fleet,
    accepted: impl Iterator<Item = &'a Exception>,
    today: Date,
) -> Vec<ExceptionUse> {
    let accepted: Vec<&Exception> = accepted.collect();
    let of = |exception: &Exception| ExceptionUse {
        exception: exception.clone(),
        is_expired: exception.is_expired(today),
        accepts: accepted.iter().filter(|it| std::ptr::eq(**it, exception)).count(),
    };
    fleet.exceptions.iter().map(of).collect()
}
