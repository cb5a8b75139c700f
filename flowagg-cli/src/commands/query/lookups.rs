//! Lookups in the accounts of the fleet: NAT gateways before a query runs, and names for its rows.

use std::collections::BTreeSet;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Only;
use flowagg_core::question::{Gateway, Question};

use super::super::error::CommandError;
use super::source::FleetSource;
use crate::args::QueryArgs;
use crate::aws::lookup::{self, Gateways};
use crate::aws::observe::{Detail, Survey, survey_in};
use crate::{Exit, Screen};

/// Checks that a fleet file is read if lookups are needed.
pub(super) fn check(options: &QueryArgs, question: Option<&Question>) -> Result<(), CommandError> {
    let source = match (&options.bucket, &options.path) {
        (None, None) => return Ok(()),
        (Some(_), _) => "--bucket",
        (None, Some(_)) => "--path",
    };
    let what = if options.names {
        "`--names` looks up names"
    } else if question.is_some_and(Question::asks_fleet) {
        "`--nat fleet` looks up NAT gateways"
    } else {
        return Ok(());
    };
    Err(CommandError::usage(
        format!("{what} in the accounts of the fleet file, which `{source}` does not read"),
        format!("remove one of the two options; without `{source}`, the bucket of the fleet file is read"),
    ))
}

/// The NAT gateways of the fleet.
pub(super) struct FleetGateways {
    /// The accounts and regions that they were looked up in.
    pub(super) survey: Survey,
    /// Failed lookups.
    pub(super) failures: Vec<Failure>,
    /// Whether the answer is already known: there are no gateways, so nothing has to be read.
    pub(super) are_answer: bool,
    count: usize,
    named: BTreeSet<Gateway>,
    places: usize,
}

impl FleetGateways {
    /// Looks them up in the selected accounts and regions. Fails if nothing could be looked up.
    pub(super) async fn look_up(
        fleet: &FleetSource,
        only: &[Only],
        screen: &mut Screen<'_>,
    ) -> Result<Self, CommandError> {
        let looking = screen.reading(async |progress| {
            let file = fleet.file.clone();
            let survey = survey_in(Detail::Places, file, &fleet.session, only, progress).await?;
            let places = lookup::reachable(&survey);
            let number = places.len();
            let found = lookup::gateways(&survey.accounts, places, progress).await;
            Ok::<_, Failure>((survey, number, found))
        });
        let (survey, reachable, Gateways { count, named, failures: of_calls }) = looking.await?;
        let places = reachable - of_calls.len();
        let failures = [lookup::unreachable(&survey), of_calls].concat();
        if count == 0 && !failures.is_empty() {
            return Err(CommandError::Calls(failures));
        }
        Ok(Self { survey, failures, are_answer: false, count, named, places })
    }

    /// The question with these gateways, and the maximum number of rows: 0 if it is about gateways and there are none.
    pub(super) fn of(&mut self, question: Question, fleet: &FleetSource, rows: usize) -> (Question, usize) {
        self.are_answer = self.count == 0 && question.needs_listed_gateways(&fleet.file.flow_logs);
        (question.with_gateways(self.named.iter().cloned()), if self.are_answer { 0 } else { rows })
    }

    /// Prints failed lookups, and returns the exit code of a run that only prints a statement.
    pub(super) fn end(&self, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
        screen.failures(&self.failures)?;
        Ok(if self.failures.is_empty() { Exit::Done } else { Exit::Failed })
    }

    /// Prints the number of gateways.
    pub(super) fn print(&self, screen: &mut Screen<'_>) -> Result<(), CommandError> {
        let places = match self.places {
            1 => "1 account-region".to_owned(),
            places => format!("{places} account-regions"),
        };
        let found = match self.count {
            0 if self.are_answer => format!("no NAT gateway was found in {places}, so nothing was read"),
            0 => format!("no NAT gateway was found in {places}"),
            1 => format!("1 NAT gateway was found in {places}"),
            count => format!("{count} NAT gateways were found in {places}"),
        };
        Ok(screen.note(&format!("{found}. Deleted gateways cannot be found; name them with `--nat`"))?)
    }
}
