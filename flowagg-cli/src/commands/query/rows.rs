//! Passes the rows of a query from the engine to the output.

use std::io;

use flowagg_core::question::Question;
use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::datatypes::SchemaRef;
use jiff::Timestamp;

use super::super::error::CommandError;
use super::super::files::NewFile;
use super::asked::Remarks;
use super::names::{LookUp, Naming};
use super::output::Output;
use super::rules::RuleAnswer;
use crate::args::QueryArgs;
use crate::show::{Unknown, unused_rule_columns};
use crate::{Exit, Screen};

/// The rows of a query. For `unused-rules`, rows are compared with the security group rules, and the unused rules are written.
pub(super) struct Rows<'a> {
    options: &'a QueryArgs,
    look_up: LookUp<'a>,
    remarks: Remarks<'a>,
    rules: Option<RuleAnswer>,
    naming: Option<Naming>,
    output: Output,
    taken: usize,
}

impl<'a> Rows<'a> {
    /// Without a file, rows are written to standard output.
    pub(super) fn new(
        options: &'a QueryArgs,
        (question, rules): (Option<&'a Question>, Option<RuleAnswer>),
        columns: SchemaRef,
        look_up: LookUp<'a>,
        out: Option<NewFile>,
        heading: Option<String>,
    ) -> Result<Self, CommandError> {
        let columns = if rules.is_some() { unused_rule_columns() } else { columns };
        let naming = options.names.then(|| Naming::new(&columns));
        let columns = naming.as_ref().map_or(columns, Naming::schema);
        let output = Output::new(options.format, columns, out, heading)?;
        let remarks = Remarks::new(question);
        Ok(Self { options, look_up, remarks, rules, naming, output, taken: 0 })
    }

    /// Whether taking rows may write to the terminal, including the progress of a lookup of names.
    pub(super) fn may_print(&self, screen: &Screen<'_>) -> bool {
        self.rules.is_none() && (self.naming.is_some() || self.output.is_on_terminal(screen))
    }

    /// Whether the limit is reached, so that no more rows are written.
    pub(super) fn is_full(&self) -> bool {
        self.rules.is_none() && self.options.limit.is_some_and(|limit| self.taken >= limit)
    }

    /// The number of rows that were written.
    pub(super) fn written(&self) -> usize {
        self.output.rows()
    }

    /// Takes rows of the engine. Returns the exit code if a signal ended the run.
    pub(super) async fn take(
        &mut self,
        rows: &RecordBatch,
        screen: &mut Screen<'_>,
    ) -> Result<Option<Exit>, CommandError> {
        if let Some(rules) = &mut self.rules {
            rules.see(rows)?;
            return Ok(None);
        }
        let most = self.options.limit.map_or(usize::MAX, |limit| limit.saturating_sub(self.taken));
        let rows = rows.slice(0, rows.num_rows().min(most));
        self.taken += rows.num_rows();
        self.remarks.see(&rows);
        self.emit(rows, screen).await
    }

    /// Writes the remaining output. `has_skipped`: records may be missing. Returns the exit code if a signal ended the run.
    pub(super) async fn finish(
        &mut self,
        has_skipped: bool,
        screen: &mut Screen<'_>,
    ) -> Result<Option<Exit>, CommandError> {
        if let Some(rules) = &mut self.rules {
            let rows = rules.rows(self.options.limit, has_skipped)?;
            if let Some(exit) = self.emit(rows, screen).await? {
                return Ok(Some(exit));
            }
        }
        if let Some(naming) = &mut self.naming {
            match naming.finish(&self.look_up, screen).await? {
                Ok(ready) => ready.iter().try_for_each(|rows| self.output.write(rows, screen))?,
                Err(exit) => return not_finished(exit, screen).map(Some),
            }
        }
        self.output.finish(screen)?;
        Ok(None)
    }

    /// Prints notes about the rows of this time window, and returns which lookups were incomplete. `missing` prints which fields of the
    /// question are not recorded.
    pub(super) fn print(
        &self,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        has_records: bool,
        missing: impl FnOnce(&Question, &mut Screen<'_>) -> io::Result<()>,
        screen: &mut Screen<'_>,
    ) -> Result<Vec<Unknown>, CommandError> {
        let written = self.written();
        self.remarks.print(written, self.options.limit, has_records, missing, screen)?;
        if let Some(rules) = &self.rules {
            rules.print(written, from, to, screen)?;
        }
        if let Some(naming) = &self.naming {
            naming.print(screen)?;
        }
        let of_gateways = self.look_up.gateways.map_or(&[][..], |gateways| &gateways.failures);
        let of_rules = self.rules.as_ref().map_or(&[][..], |rules| &rules.failures);
        let of_names = self.naming.as_ref().map_or(&[][..], Naming::failures);
        screen.failures(&[of_gateways, of_rules, of_names].concat())?;
        let unknown =
            [(Unknown::Gateways, of_gateways), (Unknown::Rules, of_rules), (Unknown::Names, of_names)];
        let unknown = unknown.into_iter().filter(|(_, failures)| !failures.is_empty());
        Ok(unknown.map(|(unknown, _)| unknown).collect())
    }

    /// Writes rows, or holds them back until their names are known.
    async fn emit(
        &mut self,
        rows: RecordBatch,
        screen: &mut Screen<'_>,
    ) -> Result<Option<Exit>, CommandError> {
        let ready = match &mut self.naming {
            None => Ok(vec![rows]),
            Some(naming) => naming.take(rows, &self.look_up, screen).await?,
        };
        match ready {
            Ok(ready) => ready.iter().try_for_each(|rows| self.output.write(rows, screen))?,
            Err(exit) => return not_finished(exit, screen).map(Some),
        }
        Ok(None)
    }
}

/// Prints that a signal ended the run.
pub(super) fn not_finished(exit: Exit, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    Ok(screen.ended(exit, "the query was not finished")?)
}
