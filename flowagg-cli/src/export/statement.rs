/// A named SQL statement with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SqlStatement {
    /// The name: letters, digits and dashes.
    pub(crate) name: String,
    /// The description, in one line.
    pub(crate) about: String,
    /// The SQL, without a final semicolon.
    pub(crate) sql: String,
}

impl SqlStatement {
    /// The text of a file: the description as a comment, then the SQL.
    pub(super) fn text(&self) -> String {
        format!("-- {}\n{}\n", self.about, self.sql)
    }
}
