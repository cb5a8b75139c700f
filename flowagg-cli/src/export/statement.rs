/// A statement with its name and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SqlStatement {
    /// The name, of letters, digits and dashes.
    pub(crate) name: String,
    /// What it is for, in one line.
    pub(crate) about: String,
    /// The SQL, without a semicolon at its end.
    pub(crate) sql: String,
}

impl SqlStatement {
    /// The SQL under what it is for, as the text of a file.
    pub(super) fn text(&self) -> String {
        format!("-- {}\n{}\n", self.about, self.sql)
    }
}
