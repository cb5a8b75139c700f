//! `unused-rules`: reads the rules of security groups and compares them with the rows of the statement.

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::question::{QuestionName, RuleUsage};
use flowagg_query::datafusion::arrow::array::RecordBatch;
use flowagg_query::datafusion::error::DataFusionError;
use flowagg_query::{QueryError, recorded_traffic};
use jiff::{SignedDuration, Timestamp};

use super::super::error::CommandError;
use super::super::start::{self, Access};
use super::failed::failed;
use super::source::{self, FleetSource, Source};
use crate::Screen;
use crate::args::{GlobalArgs, QueryArgs, QueryTime};
use crate::aws::observe::{SecurityGroupSurvey, security_groups};
use crate::show::unused_rule_rows;

/// The default of `--from`. Over an hour, rules that are used less often would look unused.
pub(super) const DEFAULT_FROM: QueryTime = QueryTime::Ago(MONTH);
/// Long enough for jobs that run once a month.
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Checks that a fleet file names the accounts whose rules are read.
pub(super) fn check(options: &QueryArgs) -> Result<(), CommandError> {
    let option = match (&options.bucket, &options.path) {
        (None, None) => return Ok(()),
        (Some(_), _) => "--bucket",
        (None, Some(_)) => "--path",
    };
    let what = format!(
        "`{}` reads rules in the accounts of the fleet file, which `{option}` does not read",
        QuestionName::UnusedRules
    );
    Err(CommandError::usage(what, format!("remove `{option}` to read the bucket of the fleet file")))
}

/// Opens the fleet's bucket and reads the rules.
pub(super) async fn open(
    global: &GlobalArgs,
    options: &QueryArgs,
    screen: &mut Screen<'_>,
) -> Result<(Source, RuleAnswer), CommandError> {
    let (file, session) = start::open(global, Access::Read, screen).await?;
    let fleet = FleetSource { file, session };
    let (members, rules) = look_up(global, &fleet, screen).await?;
    let scope = source::of_members(&global.only, &members);
    Ok((source::of_hub(fleet, options, scope), rules))
}

/// Reads the rules. Fails if no rules could be read.
pub(super) async fn look_up(
    global: &GlobalArgs,
    FleetSource { file, session }: &FleetSource,
    screen: &mut Screen<'_>,
) -> Result<(Fleet, RuleAnswer), CommandError> {
    let only = &global.only;
    let read = screen.reading(async |progress| security_groups(file.clone(), session, only, progress).await);
    let SecurityGroupSurvey { fleet, accounts, found, failures, .. } = read.await?;
    start::selected(global, &fleet)?;
    screen.calls("reading", &accounts.take_calls())?;
    if found.groups.is_empty() && !failures.is_empty() {
        return Err(CommandError::Calls(failures));
    }
    Ok((fleet, RuleAnswer { usage: RuleUsage::new(found), failures }))
}

/// The rules and their use, updated as rows arrive.
pub(super) struct RuleAnswer {
    usage: RuleUsage,
    /// Failed reads.
    pub(super) failures: Vec<Failure>,
}

impl RuleAnswer {
    /// Compares rows of the statement with the rules.
    pub(super) fn see(&mut self, rows: &RecordBatch) -> Result<(), CommandError> {
        recorded_traffic(rows).map_err(failed)?.iter().for_each(|traffic| self.usage.see(traffic));
        Ok(())
    }

    /// The unused rules, up to `limit`. Skipped objects may contain records that use them.
    pub(super) fn rows(
        &mut self,
        limit: Option<usize>,
        has_skipped: bool,
    ) -> Result<RecordBatch, CommandError> {
        if has_skipped {
            self.usage.miss_records();
        }
        let rows = unused_rule_rows(&self.usage.unused());
        let rows = rows.map_err(|error| failed(QueryError::from(DataFusionError::from(error))))?;
        Ok(rows.slice(0, limit.unwrap_or(usize::MAX).min(rows.num_rows())))
    }

    /// Prints notes about the limits of the answer.
    pub(super) fn print(
        &self,
        rows: usize,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        screen: &mut Screen<'_>,
    ) -> Result<(), CommandError> {
        let end = to.unwrap_or_else(Timestamp::now);
        if rows > 0 {
            let time = from.map(|from| format!(" from {from:.0} to {end:.0}")).unwrap_or_default();
            screen.note(&format!(
                "rules with `no traffic` allowed no accepted request in the records{time}. They may be needed at other times, and the other \
                 rules may be in use; `flowagg query unused-rules --list` describes the reasons"
            ))?;
        }
        if from.is_some_and(|from| end.duration_since(from) < MONTH) {
            screen.note(
                "less than 30 days of records were read, so rules that are used once a month may look unused; `--from 30d` reads more",
            )?;
        }
        match self.usage.gone() {
            0 => {}
            1 => screen.note(
                "1 network interface in the records was not found: it was deleted, or its account-region was not read. It may have used \
                 listed rules",
            )?,
            gone => screen.note(&format!(
                "{gone} network interfaces in the records were not found: they were deleted, or their account-regions were not read. They \
                 may have used listed rules"
            ))?,
        }
        Ok(())
    }
}
