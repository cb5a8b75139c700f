//! Runs a query: rows, progress, the confirmation and signals.

use std::sync::Arc;

use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::error::DataFusionError;
use flowagg_query::{Progress, QueryError, StatementKind};
use futures::StreamExt as _;

use super::super::error::{CommandError, Problem};
use super::super::files::NewFile;
use super::ask::{Asking, Question};
use super::failed::{failed, invalid};
use super::names::LookUp;
use super::prepared::{Prepared, TICK};
use super::rows::{Rows, not_finished};
use super::rules::RuleAnswer;
use crate::show::{Done, Ended, Watched, missing_fields, nothing_found, so_far, totals};
use crate::{Exit, Screen};

/// The next event of a run.
enum Next {
    Rows(RecordBatch),
    Failed(DataFusionError),
    End,
    Asked(Question),
    Tick,
}

impl Prepared<'_> {
    /// Runs the statement. With `rules`, its rows are compared with the rules, and the unused rules are printed.
    pub(super) async fn run(
        &self,
        rules: Option<RuleAnswer>,
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
        let out = self.options.out.as_deref().map(NewFile::create).transpose()?;
        let mut watched = Watched::new(screen.interactive, screen.events);
        let mut stream = rows.execute_stream().await.map_err(|error| invalid(error.into()))?;
        let look_up =
            LookUp { fleet: self.source.fleet.as_ref(), only: self.only, gateways: self.gateways.as_ref() };
        let (asked, heading) = ((self.question.as_ref(), rules), self.heading.clone());
        let mut rows = Rows::new(self.options, asked, stream.schema(), look_up, out, heading)?;
        let mut tick = tokio::time::interval(TICK);
        loop {
            let next = watched.until(async {
                tokio::select! {
                    Some(question) = questions.recv() => Next::Asked(question),
                    batch = stream.next() => match batch {
                        Some(Ok(batch)) => Next::Rows(batch),
                        Some(Err(error)) => Next::Failed(error),
                        None => Next::End,
                    },
                    _ = tick.tick() => Next::Tick,
                }
            });
            match next.await {
                Ok(Next::Tick) => report(&progress, &mut watched),
                Ok(Next::Rows(batch)) => {
                    if rows.may_print(screen) {
                        watched.hide();
                    }
                    if let Some(exit) = rows.take(&batch, screen).await? {
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
                    return Ok(not_finished(exit, screen)?.into());
                }
            }
        }
        watched.hide();
        if let Some(folder) = self.source.folder.as_ref().filter(|folder| !folder.is_dir()) {
            let what = format!("`{}` was removed during the query", folder.display());
            return Err(CommandError::Query(Problem::new(
                what,
                "run the query again when the folder is complete",
            )));
        }
        if let Some(exit) = rows.finish(progress.skipped_objects() > 0, screen).await? {
            return Ok(exit.into());
        }
        // EXPLAIN ANALYZE reads objects.
        if !is_query && progress.read().objects == 0 {
            return Ok(Exit::Done.into());
        }
        if !self.gateways.as_ref().is_some_and(|gateways| gateways.are_answer) {
            nothing_found(&progress, screen)?;
        }
        let missing = |question: &_, screen: &mut Screen<'_>| missing_fields(question, &progress, screen);
        let window = (self.source.scope.from, self.source.scope.to);
        let unknown = rows.print(window, progress.records() > 0, missing, screen)?;
        let done = Done {
            progress: &progress,
            rows: rows.written(),
            threshold: self.threshold,
            took: watched.elapsed(),
            unknown,
        };
        Ok(done.print(screen)?)
    }

    /// Prompts for confirmation of a large read. Returns the exit code if the run does not continue.
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
                "the query reads more than `--ask-above` ({listed} so far): cannot ask for confirmation without a terminal"
            );
            let help = "run it with `--explain` first, then with `--yes`, or limit it with `--from`, `--to` and `--only`";
            return Err(CommandError::usage(what, help));
        }
        let estimate = match self.estimate(watched).await? {
            Ok(estimate) => estimate,
            Err(exit) => return not_finished(exit, screen).map(Some),
        };
        write!(screen.err, "{estimate}")?;
        if screen.agreed("Read these objects?")? {
            // Without a receiver, the query has ended.
            let _ = question.answer.send(true);
            return Ok(None);
        }
        let read = progress.read().objects;
        screen.say(&format!("query stopped after reading {read} objects"))?;
        Ok(Some(Exit::Failed))
    }
}

/// Shows the progress of a query.
fn report(progress: &Progress, watched: &mut Watched) {
    let at = so_far(progress, watched.elapsed());
    watched.show("reading", progress.read().objects, progress.listed().objects, &at);
}
