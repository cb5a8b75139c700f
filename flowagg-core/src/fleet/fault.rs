use std::fmt;

/// An error in a fleet file, with its position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Fault {
    /// The line in the file, starting at 1.
    pub line: usize,
    /// The column in the line, in characters, starting at 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// How to fix it.
    pub help: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// All errors in a fleet file, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct FleetError {
    /// The errors.
    pub faults: Vec<Fault>,
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.faults.iter().enumerate() {
            let line_break = if n == 0 { "" } else { "\n" };
            write!(f, "{line_break}{fault}\n    {}", fault.help)?;
        }
        Ok(())
    }
}
