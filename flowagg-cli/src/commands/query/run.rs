//! The run of a query: rows, progress, the question, and signals.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstream::StripStream;
use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::arrow::datatypes::SchemaRef;
use flowagg_query::datafusion::error::DataFusionError;
use flowagg_query::{FlowLogs, Progress, QueryError, StatementKind};
use futures::StreamExt as _;

use super::super::error::CommandError;
use super::super::files::NewFile;
use super::ask::{Asking, Question};
use super::asked::Remarks;
use super::failed::{failed, invalid};
use super::names::Naming;
use super::prepared::{Prepared, TICK};
use crate::show::{Done, ResultFormat, ResultWriter, Sheet, Unknown, Watched, nothing_found, so_far, totals};
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
    pub(super) async fn run(&self, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
        let (asking, mut questions) = Asking::new();
        let asking = Arc::new(asking);
        let table = self.table();
        let table =
            if self.options.yes { table } else { table.ask_above(self.options.ask_above.0, asking.clone()) };
        let (session, progress) = Self::session(table.build()).map_err(failed)?;
        let mut rows = self.statement.plan(&session).await.map_err(invalid)?;
        let is_query = self.statement.kind() == StatementKind::Query;
        if let Some(limit) = self.options.limit.filter(|_| is_query) {
            rows = rows.limit(0, Some(limit)).map_err(|error| invalid(error.into()))?;
        }
        let path = self.options.out.as_deref();
        let out = path.map(NewFile::create).transpose()?;
        let mut watched = Watched::new(screen.interactive, screen.events);
        let mut rows = rows.execute_stream().await.map_err(|error| invalid(error.into()))?;
        let mut naming = self.options.names.then(|| Naming::new(&rows.schema()));
        let schema = naming.as_ref().map_or_else(|| rows.schema(), Naming::schema);
        let mut output = Output::new(self.options.format, schema, path.zip(out.as_ref()))?;
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
                    if naming.is_some() || output.is_on_terminal(screen) {
                        watched.hide();
                    }
                    let most = self.options.limit.map_or(usize::MAX, |limit| limit.saturating_sub(taken));
                    let batch = batch.slice(0, batch.num_rows().min(most));
                    taken += batch.num_rows();
                    remarks.see(&batch);
                    let ready = match &mut naming {
                        None => Ok(vec![batch]),
                        Some(naming) => naming.take(batch, self, screen).await?,
                    };
                    match ready {
                        Ok(ready) => ready.iter().try_for_each(|batch| output.write(batch, screen))?,
                        Err(exit) => return Ok(screen.ended(exit, "the query was not finished")?),
                    }
                }
                Ok(Next::Asked(question)) => {
                    watched.hide();
                    if let Some(exit) = self.ask(question, &progress, &mut watched, screen).await? {
                        return Ok(exit);
                    }
                }
                Ok(Next::End) => break,
                Ok(Next::Failed(error)) => {
                    watched.hide();
                    return Err(failed(QueryError::from(error)));
                }
                Err(exit) => {
                    watched.hide();
                    return Ok(screen.ended(exit, "the query was not finished")?);
                }
            }
        }
        watched.hide();
        if let Some(naming) = &mut naming {
            match naming.finish(self, screen).await? {
                Ok(ready) => ready.iter().try_for_each(|batch| output.write(batch, screen))?,
                Err(exit) => return Ok(screen.ended(exit, "the query was not finished")?),
            }
        }
        let printed = output.rows();
        output.finish(screen)?;
        if let Some(out) = out {
            out.put()?;
        }
        // EXPLAIN ANALYZE reads objects.
        if !is_query && progress.read().objects == 0 {
            return Ok(Exit::Done);
        }
        let is_answered = self.gateways.as_ref().is_some_and(|gateways| gateways.are_answer);
        let is_listed = self.options.limit != Some(0) && !is_answered;
        if is_listed && self.statement.to_string().to_ascii_lowercase().contains(FlowLogs::NAME) {
            nothing_found(&progress, screen)?;
        }
        remarks.print(printed, self.options.limit, &progress, screen)?;
        let mut done =
            Done { progress: &progress, rows: printed, took: watched.elapsed(), unknown: Vec::new() };
        let of_gateways = self.gateways.as_ref().map_or(&[][..], |gateways| &gateways.failures);
        let of_names = naming.as_ref().map_or(&[][..], Naming::failures);
        if let Some(naming) = &naming {
            naming.print(screen)?;
        }
        screen.failures(&[of_gateways, of_names].concat())?;
        done.unknown.extend((!of_gateways.is_empty()).then_some(Unknown::Gateways));
        done.unknown.extend((!of_names.is_empty()).then_some(Unknown::Names));
        Ok(done.print(screen)?)
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

/// Where rows are written: standard output, or a file.
struct Output {
    writer: ResultWriter,
    /// Without the escape sequences of a terminal.
    file: Option<(PathBuf, BufWriter<StripStream<File>>)>,
}

impl Output {
    fn new(
        format: ResultFormat,
        rows: SchemaRef,
        out: Option<(&Path, &NewFile)>,
    ) -> Result<Self, CommandError> {
        let Some((path, new)) = out else {
            return Ok(Self { writer: ResultWriter::text(format, rows), file: None });
        };
        let writer = match format {
            ResultFormat::Parquet => {
                let writer = ResultWriter::parquet(rows, new.file()?);
                writer.map_err(|error| NewFile::unwritten(path, &error))?
            }
            format => ResultWriter::text(format, rows),
        };
        Ok(Self { writer, file: Some((path.to_owned(), BufWriter::new(StripStream::new(new.file()?)))) })
    }

    fn rows(&self) -> usize {
        self.writer.rows()
    }

    /// Whether rows and progress share a terminal.
    fn is_on_terminal(&self, screen: &Screen<'_>) -> bool {
        self.file.is_none() && screen.out.width().is_some()
    }

    fn write(&mut self, batch: &RecordBatch, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        self.to(screen, |writer, sheet| writer.write(batch, sheet))
    }

    fn finish(mut self, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        self.to(screen, |writer, sheet| writer.finish(sheet))?;
        let Some((path, mut file)) = self.file else { return Ok(()) };
        file.flush().map_err(|error| NewFile::unwritten(&path, &error))
    }

    fn to(
        &mut self,
        screen: &mut Screen<'_>,
        write: impl FnOnce(&mut ResultWriter, &mut Sheet<'_>) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        match &mut self.file {
            None => Ok(write(&mut self.writer, screen.out)?),
            Some((path, file)) => {
                let written = write(&mut self.writer, &mut Sheet::new(file, None));
                written.map_err(|error| NewFile::unwritten(path, &error))
            }
        }
    }
}
