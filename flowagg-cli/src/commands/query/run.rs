//! The run of a query: rows, progress, the question, and signals.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstream::StripStream;
use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::datatypes::SchemaRef;
use flowagg_query::datafusion::error::DataFusionError;
use flowagg_query::{Progress, QueryError, StatementKind};
use futures::StreamExt as _;

use super::super::error::{CommandError, Problem};
use super::super::files::NewFile;
use super::ask::{Asking, Question};
use super::asked::Remarks;
use super::failed::{failed, invalid};
use super::names::Naming;
use super::prepared::{Prepared, TICK};
use super::rules::RuleAnswer;
use crate::show::{
    Done, Ended, ResultFormat, ResultWriter, Sheet, Unknown, Watched, missing_fields, nothing_found, so_far,
    totals, unused_rule_columns,
};
use crate::{Exit, Screen};

/// What happens next in a run.
enum Next {
    Rows(RecordBatch),
    Failed(DataFusionError),
    End,
    Asked(Question),
    Tick,
}

impl Prepared<'_> {
    /// Runs the statement. With rules, its rows are compared with them, and the answer is printed instead.
    pub(super) async fn run(
        &self,
        mut rules: Option<RuleAnswer>,
        screen: &mut Screen<'_>,
    ) -> Result<Ended, CommandError> {
        let (asking, mut questions) = Asking::new();
        let asking = Arc::new(asking);
        let table = self.table();
        let table = if self.options.yes {
            table
        } else {
            table.ask_above(self.options.ask_above.unwrap_or_default().0, asking.clone())
        };
        let (session, progress) = Self::session(table.build()).map_err(failed)?;
        let mut rows = self.statement.plan(&session).await.map_err(invalid)?;
        let is_query = self.statement.kind() == StatementKind::Query;
        if let Some(limit) = self.options.limit.filter(|_| is_query && rules.is_none()) {
            rows = rows.limit(0, Some(limit)).map_err(|error| invalid(error.into()))?;
        }
        let path = self.options.out.as_deref();
        let out = path.map(NewFile::create).transpose()?;
        let mut watched = Watched::new(screen.interactive, screen.events);
        let mut rows = rows.execute_stream().await.map_err(|error| invalid(error.into()))?;
        let columns = if rules.is_some() { unused_rule_columns() } else { rows.schema() };
        let mut naming = self.options.names.then(|| Naming::new(&columns));
        let columns = naming.as_ref().map_or(columns, Naming::schema);
        let heading = self.heading.clone();
        let mut output = Output::new(self.options.format, columns, path.zip(out.as_ref()), heading)?;
        let mut remarks = Remarks::new(self.question.as_ref());
        let mut taken = 0;
        let mut tick = tokio::time::interval(TICK);
        loop {
            let next = watched.until(async {
                tokio::select! {
                    Some(question) = questions.recv() => Next::Asked(question),
                    rows = rows.next() => match rows {
                        Some(Ok(rows)) => Next::Rows(rows),
                        Some(Err(error)) => Next::Failed(error),
                        None => Next::End,
                    },
                    _ = tick.tick() => Next::Tick,
                }
            });
            match next.await {
                Ok(Next::Tick) => report(&progress, &mut watched),
                Ok(Next::Rows(batch)) => {
                    if let Some(rules) = &mut rules {
                        rules.see(&batch)?;
                        continue;
                    }
                    if naming.is_some() || output.is_on_terminal(screen) {
                        watched.hide();
                    }
                    let most = self.options.limit.map_or(usize::MAX, |limit| limit.saturating_sub(taken));
                    let batch = batch.slice(0, batch.num_rows().min(most));
                    taken += batch.num_rows();
                    remarks.see(&batch);
                    if let Some(exit) = self.emit(batch, &mut naming, &mut output, screen).await? {
                        return Ok(exit.into());
                    }
                }
                Ok(Next::Asked(question)) => {
                    watched.hide();
                    if let Some(exit) = self.ask(question, &progress, &mut watched, screen).await? {
                        return Ok(exit.into());
                    }
                }
                Ok(Next::End) => break,
                Ok(Next::Failed(error)) => {
                    watched.hide();
                    return Err(failed(QueryError::from(error)));
                }
                Err(exit) => {
                    watched.hide();
                    return Ok(screen.ended(exit, "the query was not finished")?.into());
                }
            }
        }
        watched.hide();
        if let Some(rules) = &mut rules {
            let batch = rules.rows(self.options.limit, &progress)?;
            if let Some(exit) = self.emit(batch, &mut naming, &mut output, screen).await? {
                return Ok(exit.into());
            }
        }
        if let Some(naming) = &mut naming {
            match naming.finish(self, screen).await? {
                Ok(ready) => ready.iter().try_for_each(|batch| output.write(batch, screen))?,
                Err(exit) => return Ok(screen.ended(exit, "the query was not finished")?.into()),
            }
        }
        if let Some(folder) = self.source.folder.as_ref().filter(|folder| !folder.is_dir()) {
            let what = format!("`{}` was removed while it was read", folder.display());
            return Err(CommandError::Query(Problem::new(what, "run it again when the folder is complete")));
        }
        let printed = output.rows();
        output.finish(screen)?;
        if let Some(out) = out {
            out.put()?;
        }
        // EXPLAIN ANALYZE reads objects.
        if !is_query && progress.read().objects == 0 {
            return Ok(Exit::Done.into());
        }
        if !self.gateways.as_ref().is_some_and(|gateways| gateways.are_answer) {
            nothing_found(&progress, screen)?;
        }
        let missing = |question: &_, screen: &mut Screen<'_>| missing_fields(question, &progress, screen);
        remarks.print(printed, self.options.limit, progress.records() > 0, missing, screen)?;
        if let Some(rules) = &rules {
            rules.print(printed, &self.source.scope, screen)?;
        }
        if let Some(naming) = &naming {
            naming.print(screen)?;
        }
        let of_gateways = self.gateways.as_ref().map_or(&[][..], |gateways| &gateways.failures);
        let of_rules = rules.as_ref().map_or(&[][..], |rules| &rules.failures);
        let of_names = naming.as_ref().map_or(&[][..], Naming::failures);
        screen.failures(&[of_gateways, of_rules, of_names].concat())?;
        let unknown =
            [(Unknown::Gateways, of_gateways), (Unknown::Rules, of_rules), (Unknown::Names, of_names)];
        let unknown = unknown.into_iter().filter(|(_, failures)| !failures.is_empty());
        let done = Done {
            progress: &progress,
            rows: printed,
            threshold: self.threshold,
            took: watched.elapsed(),
            unknown: unknown.map(|(unknown, _)| unknown).collect(),
        };
        Ok(done.print(screen)?)
    }

    /// Writes rows, or has them wait for their names. Returns how the run ends if a signal ended it.
    async fn emit(
        &self,
        rows: RecordBatch,
        naming: &mut Option<Naming>,
        output: &mut Output,
        screen: &mut Screen<'_>,
    ) -> Result<Option<Exit>, CommandError> {
        let ready = match naming {
            None => Ok(vec![rows]),
            Some(naming) => naming.take(rows, self, screen).await?,
        };
        match ready {
            Ok(ready) => ready.iter().try_for_each(|batch| output.write(batch, screen))?,
            Err(exit) => return Ok(Some(screen.ended(exit, "the query was not finished")?)),
        }
        Ok(None)
    }

    /// Asks whether to read as much as the query needs. Returns how the run ends if it does not go on.
    async fn ask(
        &self,
        question: Question,
        progress: &Progress,
        watched: &mut Watched,
        screen: &mut Screen<'_>,
    ) -> Result<Option<Exit>, CommandError> {
        if !screen.interactive {
            let listed = totals(question.listed);
            let what = format!(
                "the query reads more than `--ask-above`: {listed} so far, and there is no terminal to ask on"
            );
            let help = "run it with `--explain` first, then with `--yes`; or narrow it with `--from`, `--to` and `--only`";
            return Err(CommandError::usage(what, help));
        }
        let estimate = match self.estimate(watched).await? {
            Ok(estimate) => estimate,
            Err(exit) => return Ok(Some(screen.ended(exit, "the query was not finished")?)),
        };
        write!(screen.err, "{estimate}")?;
        if screen.agreed("Read this?")? {
            // Without a receiver the query has ended.
            let _ = question.answer.send(true);
            return Ok(None);
        }
        let read = progress.read().objects;
        screen.say(&format!("the query was not run: it was stopped after {read} objects"))?;
        Ok(Some(Exit::Failed))
    }
}

/// Shows how far a query is.
fn report(progress: &Progress, watched: &mut Watched) {
    let at = so_far(progress, watched.elapsed());
    watched.show("reading", progress.read().objects, progress.listed().objects, &at);
}

/// Clears a terminal, and begins at its top.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// Where rows are written: standard output, or a file.
pub(super) struct Output {
    writer: ResultWriter,
    /// Without the escape sequences of a terminal.
    file: Option<(PathBuf, BufWriter<StripStream<File>>)>,
    /// What is written before the first row.
    heading: Option<String>,
}

impl Output {
    pub(super) fn new(
        format: ResultFormat,
        schema: SchemaRef,
        out: Option<(&Path, &NewFile)>,
        heading: Option<String>,
    ) -> Result<Self, CommandError> {
        let Some((path, new)) = out else {
            return Ok(Self { writer: ResultWriter::text(format, schema), file: None, heading });
        };
        let writer = match format {
            ResultFormat::Parquet => {
                let writer = ResultWriter::parquet(schema, new.file()?);
                writer.map_err(|error| NewFile::unwritten(path, &error))?
            }
            format => ResultWriter::text(format, schema),
        };
        let file = BufWriter::new(StripStream::new(new.file()?));
        Ok(Self { writer, file: Some((path.to_owned(), file)), heading })
    }

    pub(super) fn rows(&self) -> usize {
        self.writer.rows()
    }

    /// Whether rows and progress share a terminal.
    fn is_on_terminal(&self, screen: &Screen<'_>) -> bool {
        self.file.is_none() && screen.out.width().is_some()
    }

    pub(super) fn write(&mut self, batch: &RecordBatch, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        self.to(screen, |writer, sheet| writer.write(batch, sheet))
    }

    pub(super) fn finish(mut self, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        self.to(screen, |writer, sheet| writer.finish(sheet))?;
        let Some((path, mut file)) = self.file else { return Ok(()) };
        file.flush().map_err(|error| NewFile::unwritten(&path, &error))
    }

    fn to(
        &mut self,
        screen: &mut Screen<'_>,
        write: impl FnOnce(&mut ResultWriter, &mut Sheet<'_>) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        if let Some(heading) = self.heading.take() {
            // The rows of the last time stay until these are there.
            let is_on_terminal = self.is_on_terminal(screen);
            if is_on_terminal {
                write!(screen.out, "{CLEAR}{heading}\n\n")?;
            } else {
                screen.say(&heading)?;
            }
        }
        match &mut self.file {
            None => Ok(write(&mut self.writer, screen.out)?),
            Some((path, file)) => {
                let written = write(&mut self.writer, &mut Sheet::new(file, None));
                written.map_err(|error| NewFile::unwritten(path, &error))
            }
        }
    }
}
