//! A statement with its table and session, and the estimate of what it reads.

use std::time::Duration;

use flowagg_core::fleet::Only;
use flowagg_core::question::Question;
use flowagg_query::datafusion::prelude::SessionContext;
use flowagg_query::{FlowLogs, FlowLogsBuilder, Progress, QueryError, SessionOptions, Statement, Totals};

use super::super::error::CommandError;
use super::failed::{failed, invalid};
use super::lookups::FleetGateways;
use super::source::Source;
use crate::args::QueryArgs;
use crate::show::{Estimate, Watched};
use crate::{Exit, show};

/// The refresh interval of the progress.
pub(super) const TICK: Duration = Duration::from_millis(200);

/// A statement and its data source.
pub(super) struct Prepared<'a> {
    pub(super) options: &'a QueryArgs,
    /// The accounts and regions that the run is limited to.
    pub(super) only: &'a [Only],
    pub(super) statement: Statement,
    /// The question that the statement answers.
    pub(super) question: Option<Question>,
    /// The maximum number of rows that is not a finding; `None` if rows are never a finding.
    pub(super) threshold: Option<u64>,
    /// The heading of the rows with `--watch`.
    pub(super) heading: Option<String>,
    pub(super) source: Source,
    /// The NAT gateways of the fleet, if the question uses them.
    pub(super) gateways: Option<FleetGateways>,
}

impl Prepared<'_> {
    /// The table, limited to the scope of the run.
    pub(super) fn table(&self) -> FlowLogsBuilder {
        let table = self.source.table.clone().prefix(self.source.prefix.clone());
        table.scope(self.source.scope.clone()).strict(self.options.strict)
    }

    pub(super) fn session(table: FlowLogs) -> Result<(SessionContext, Progress), QueryError> {
        let progress = table.progress();
        let session = flowagg_query::session(&SessionOptions::default())?;
        table.register(&session)?;
        Ok((session, progress))
    }

    /// Lists the objects that the statement would read.
    pub(super) async fn estimate(
        &self,
        watched: &mut Watched,
    ) -> Result<Result<Estimate, Exit>, CommandError> {
        let (session, _) = Self::session(self.table().build()).map_err(failed)?;
        let progress = Progress::default();
        let listing = flowagg_query::list(&session, &self.statement, &progress);
        tokio::pin!(listing);
        let mut tick = tokio::time::interval(TICK);
        let listings = loop {
            let part = watched.until(async {
                tokio::select! {
                    listed = &mut listing => Some(listed),
                    _ = tick.tick() => None,
                }
            });
            match part.await {
                Ok(Some(listed)) => break listed.map_err(invalid)?,
                Ok(None) => {
                    let Totals { objects, bytes, .. } = progress.listed();
                    watched.show("listing", objects, objects, &show::bytes(bytes));
                }
                Err(exit) => return Ok(Err(exit)),
            }
        };
        watched.hide();
        let selected = listings.iter().map(|listing| listing.selected).sum();
        let pruned = listings.iter().map(|listing| listing.pruned).sum();
        Ok(Ok(Estimate { selected, pruned, in_bucket: self.source.in_bucket }))
    }
}
