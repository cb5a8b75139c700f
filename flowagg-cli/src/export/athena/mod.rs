//! Athena: a table over the whole bucket, and questions that read no more of it than they need.
//!
//! * [`Table`]: the columns, and the partitions that Athena projects instead of looking them up
//! * [`TablePart`]: accounts, regions and times, as conditions of a query and as folders of the bucket
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

/// How the export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// SQL, a statement in each file.
    #[default]
    Sql,
    /// A CloudFormation template of a workgroup in which the same statements are named queries.
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

/// The database, the table, and every question that the fields of the fleet's records can answer, of the day before the one on
/// which it is run. The questions read these accounts and regions only; where no account is named all count, and so with
/// regions.
///
/// Fails where one table cannot be the whole bucket, or one query cannot be all of those accounts.
pub fn athena(fleet: &Fleet, names: &Names, only: &[Only], form: Form) -> Result<ExportFiles, ExportError> {
    let table = Table::new(fleet, names)?;
    let part = TablePart::new(&table, only, Times::Yesterday)?;
    let mut statements = vec![
        SqlStatement {
            name: "database".to_owned(),
            about: "The database of the table: run this first.".to_owned(),
            sql: table.create_database(),
        },
        SqlStatement {
            name: "table".to_owned(),
            about: "The table over all flow logs in the bucket: run this second.".to_owned(),
            sql: table.create_table(),
        },
    ];
    let mut notes = notes(fleet, &table);
    let (saved, unanswered) = questions::saved(&table, &part);
    statements.extend(saved);
    if !unanswered.is_empty() {
        let names: Vec<String> = unanswered.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!(
            "the flow logs do not record what these questions need: {}; `flowagg query --list` shows the fields",
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
    let mut notes = vec![format!("run it in account {}, region {}", hub.account, hub.region)];
    notes.push(
        "export it again when accounts or regions are added: the table knows those of today".to_owned(),
    );
    if table.is_injected() {
        notes.push(format!(
            "there are more accounts than Athena should enumerate: every query has to name its own, as in `{} IN ('...')`",
            table::ACCOUNT
        ));
    }
    let archives = [StorageClass::Glacier, StorageClass::DeepArchive].map(StorageClass::as_str);
    if let Some(to) = &hub.lifecycle.transition
        && archives.contains(&to.storage_class.as_str())
    {
        notes.push(format!(
            "Athena does not read what is in {}: objects go there after {} days",
            to.storage_class, to.days
        ));
    }
    notes
}
