//! The result of an export: named files and notes.

/// The files of an export, in the order of their use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct ExportFiles {
    pub files: Vec<ExportFile>,
    /// Notes for the user, one sentence each: manual steps, and what the files cannot express.
    pub notes: Vec<String>,
}

/// A named text file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportFile {
    /// The file name, without a folder.
    pub name: String,
    /// The text. It ends with a line break.
    pub text: String,
}
