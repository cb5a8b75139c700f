use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use crate::failure::Failure;
use crate::fleet::{Exception, Fleet};

/// The exception that accepts a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Acceptance {
    /// Why the finding is accepted.
    pub reason: String,
    /// The last day (UTC) on which it is accepted.
    pub until: Date,
}

/// A failure that an exception accepts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AcceptedFailure {
    /// The failure.
    pub failure: Failure,
    /// The exception.
    pub exception: Acceptance,
}

/// An exception of the fleet file and its effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ExceptionUse {
    /// The exception.
    #[serde(flatten)]
    pub exception: Exception,
    /// Whether it has expired and accepts nothing.
    pub is_expired: bool,
    /// The number of flow logs and failures that it accepts.
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

/// Each exception of a fleet, with the number of findings that it accepts.
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
