/// A statement with its name and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The name, of letters, digits and dashes.
    pub name: String,
    /// What it is for, in one line.
    pub about: String,
    /// The SQL, without a semicolon at its end.
    pub sql: String,
}

impl Statement {
    /// The SQL under what it is for, as the text of a file.
    pub(super) fn text(&self) -> String {
        format!("-- {}\n{}\n", self.about, self.sql)
    }
}
