//! Athena export: a table of the whole bucket, and questions that read only the partitions they need.
//!
//! * [`Table`]: the columns and the projected partitions
//! * [`TablePart`]: accounts, regions and times, as query conditions and as folders of the bucket
//! * [`Table::question`]: the questions of `flowagg query` in Athena's SQL
//!
//! Sources: "Query Amazon VPC flow logs" and "Use partition projection with Amazon Athena" (Amazon Athena User Guide).

mod part;
mod questions;
mod table;

use flowagg_core::fleet::{Fleet, Only};
use flowagg_core::lifecycle::StorageClass;

pub use part::{TablePart, Times, Window};
pub use table::{Name, NameError, Names, Table};

use super::cloudformation::{self, TemplateFormat};
use super::{ExportError, ExportFile, ExportFiles, SqlStatement};

/// The output format of the export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// SQL, one statement per file.
    #[default]
    Sql,
    /// A CloudFormation template of a workgroup with the same statements as named queries.
    Template(TemplateFormat),
}

impl Form {
    /// All values.
    pub const ALL: [Self; 3] =
        [Self::Sql, Self::Template(TemplateFormat::Yaml), Self::Template(TemplateFormat::Json)];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Template(format) => format.as_str(),
        }
    }
}

/// Exports the database, the table, and every question that the fields of the fleet's records can answer, for the previous day (UTC).
/// `only` limits the questions to accounts and regions. Without an account it is all accounts, and without a region all regions.
///
/// # Errors
///
/// If one table cannot cover the whole bucket, or one query cannot name all selected accounts.
pub fn athena(fleet: &Fleet, names: &Names, only: &[Only], form: Form) -> Result<ExportFiles, ExportError> {
    let table = Table::new(fleet, names)?;
    let part = TablePart::new(&table, only, Times::Yesterday)?;
    let mut statements = vec![
        SqlStatement {
            name: "database".to_owned(),
            about: "Creates the database of the table. Run this first.".to_owned(),
            sql: table.create_database(),
        },
        SqlStatement {
            name: "table".to_owned(),
            about: "Creates the table of all flow logs in the bucket. Run this second.".to_owned(),
            sql: table.create_table(),
        },
    ];
    let mut notes = notes(fleet, &table);
    let (saved, unanswered) = questions::saved(&table, &part);
    statements.extend(saved);
    if !unanswered.is_empty() {
        let names: Vec<String> = unanswered.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!(
            "the flow logs do not record the required fields of these questions: {}; `flowagg query --list` shows the fields",
            names.join(", ")
        ));
    }
    match form {
        Form::Sql => {
            let file = |it: &SqlStatement| ExportFile { name: format!("{}.sql", it.name), text: it.text() };
            Ok(ExportFiles { files: statements.iter().map(file).collect(), notes })
        }
        Form::Template(format) => {
            cloudformation::workgroup(fleet, names.database.as_str(), &statements, notes, format)
        }
    }
}

fn notes(fleet: &Fleet, table: &Table<'_>) -> Vec<String> {
    let hub = &fleet.hub;
    let mut notes = vec![format!("run the statements in account {}, region {}", hub.account, hub.region)];
    notes.push(
        "export again after adding accounts or regions: the table contains only the current ones".to_owned(),
    );
    if table.is_injected() {
        notes.push(format!(
            "there are too many accounts for the table to enumerate: every query must name its accounts, as in `{} IN ('...')`",
            table::ACCOUNT
        ));
    }
    let archives = [StorageClass::Glacier, StorageClass::DeepArchive].map(StorageClass::as_str);
    if let Some(to) = &hub.lifecycle.transition
        && archives.contains(&to.storage_class.as_str())
    {
        notes.push(format!(
            "Athena cannot read objects in {}, and objects move there after {} days",
            to.storage_class, to.days
        ));
    }
    notes
}
