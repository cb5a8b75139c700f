//! What an export comes to: texts with names, and what is to be told beside them.

/// The files of an export, in the order in which they are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportFiles {
    /// The files.
    pub files: Vec<ExportFile>,
    /// What the reader has to know, one sentence each: what is left to do by hand, what the files cannot do.
    pub notes: Vec<String>,
}

/// A text with the name of the file that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportFile {
    /// The name, without a folder.
    pub name: String,
    /// The text, which ends with a line break.
    pub text: String,
}
