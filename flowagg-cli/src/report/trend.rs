//! Earlier reports and the changes since then, as values.

use std::collections::BTreeMap;

use flowagg_core::arrival::{Share, State};
use flowagg_core::id::{AccountId, Place, Region};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::count;

/// The schema version of the JSON report, and of every other JSON document and event of flowagg.
pub const SCHEMA: u32 = 1;

/// An earlier report, as `flowagg report --json` wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EarlierReport {
    /// When it was created.
    pub made: Timestamp,
    pub(super) hub: ReadHub,
    pub(super) accounts: usize,
    pub(super) resources: Share,
    pub(super) flow_logs: Share,
    /// The worst state of each account-region with something to log.
    pub(super) states: BTreeMap<Place, State>,
}

/// An earlier report that cannot be compared. [`help`](Self::help) returns the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EarlierError {
    /// The text is not a report.
    #[error("not a report from `flowagg report --json`: {0}")]
    NotAReport(String),
    /// It was written by a newer version of flowagg.
    #[error("its schema version is {0}, but this version of flowagg supports only up to {SCHEMA}")]
    Newer(u32),
    /// It is about another bucket or prefix.
    #[error("it covers {0}, not {1}")]
    OtherBucket(String, String),
    /// It is newer than the report that it is compared with.
    #[error("it was created at {0}, after this run started")]
    Later(Timestamp),
}

impl EarlierError {
    /// How to fix it, as one imperative sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotAReport(_) => "pass a file written by `flowagg report --json FILE`",
            Self::Newer(_) => "update flowagg",
            Self::OtherBucket(..) => "pass reports of the bucket in the fleet file",
            Self::Later(_) => "omit it, or check the system clock",
        }
    }
}

#[derive(Deserialize)]
struct ReadReport {
    made: Timestamp,
    hub: ReadHub,
    totals: ReadTotals,
    accounts: Vec<ReadAccount>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ReadHub {
    pub(super) bucket: String,
    pub(super) prefix: Option<String>,
}

#[derive(Deserialize)]
struct ReadTotals {
    accounts: usize,
    coverage: ReadCoverage,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ReadCoverage {
    resources: Share,
    flow_logs: Share,
}

#[derive(Deserialize)]
struct ReadAccount {
    account: String,
    regions: Vec<ReadRegion>,
}

#[derive(Deserialize)]
struct ReadRegion {
    region: String,
    state: Option<State>,
}

/// The schema version only, which determines how the rest is parsed.
#[derive(Deserialize)]
struct ReadSchema {
    schema: u32,
}

impl EarlierReport {
    /// Parses a report. Fields that later versions added are optional.
    pub fn parse(text: &str) -> Result<Self, EarlierError> {
        let wrong = |error: &dyn std::fmt::Display| EarlierError::NotAReport(error.to_string());
        let ReadSchema { schema } = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        if schema > SCHEMA {
            return Err(EarlierError::Newer(schema));
        }
        let read: ReadReport = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        let ReadReport { made, hub, totals, accounts } = read;
        let mut states = BTreeMap::new();
        for ReadAccount { account, regions } in accounts {
            let account: AccountId = account.parse().map_err(|error| wrong(&error))?;
            for ReadRegion { region, state } in regions {
                let region: Region = region.parse().map_err(|error| wrong(&error))?;
                states.extend(state.map(|state| (Place::new(account, &region), state)));
            }
        }
        let ReadTotals { accounts, coverage: ReadCoverage { resources, flow_logs } } = totals;
        Ok(Self { made, hub, accounts, resources, flow_logs, states })
    }
}

/// Changes since earlier reports.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Trend {
    /// When the previous report was created.
    pub since: Timestamp,
    /// The share of resources with a flow log in the previous report.
    pub resources: Share,
    /// The share of flow logs that deliver in the previous report.
    pub flow_logs: Share,
    /// Account-regions whose state changed, except from one healthy state to another.
    pub changes: Vec<StateChange>,
    /// Account-regions that are not healthy.
    pub unhealthy: Vec<UnhealthySince>,
    /// The last report of each week, this one included.
    pub weeks: Vec<WeekReport>,
}

/// A change of an account-region's state.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct StateChange {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// The previous worst state of its flow logs; `None` if there was nothing to log, or if it was not in the report.
    pub before: Option<State>,
    /// The current worst state of its flow logs; `None` if there is nothing to log, or if it is not in the report.
    pub now: Option<State>,
}

/// An unhealthy account-region, and the time of the earliest report that shows it as unhealthy without a break.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct UnhealthySince {
    /// The account and the region.
    #[serde(flatten)]
    pub place: Place,
    /// The current worst state of its flow logs.
    pub state: State,
    /// The time of the first report in the current series of unhealthy reports.
    pub since: Timestamp,
}

/// The last report of a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct WeekReport {
    /// The Monday of the week (UTC).
    pub monday: Date,
    /// When the report was created.
    pub made: Timestamp,
    /// The number of accounts.
    pub accounts: usize,
    /// Resources with a flow log.
    pub resources: Share,
    /// Flow logs that deliver.
    pub flow_logs: Share,
}

impl Trend {
    /// Summarizes the changes, as in `account-regions: 3 became unhealthy, 12 recovered`.
    pub fn summary(&self) -> String {
        let mut numbers: BTreeMap<Became, u64> = BTreeMap::new();
        self.changes.iter().for_each(|change| *numbers.entry(Became::of(change)).or_default() += 1);
        let parts = numbers.iter().map(|(became, number)| format!("{} {}", count(*number), became.words()));
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { "none".to_owned() } else { format!("account-regions: {}", parts.join(", ")) }
    }
}

impl ReadHub {
    pub(super) fn folder(&self) -> String {
        let prefix = self.prefix.as_ref().map(|prefix| format!("/{prefix}")).unwrap_or_default();
        format!("s3://{}{prefix}", self.bucket)
    }
}

/// The kind of change of an account-region.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Became {
    Unhealthy,
    StillUnhealthy,
    Healthy,
    New,
    NewAndUnhealthy,
    Gone,
}

impl Became {
    fn of(change: &StateChange) -> Self {
        let is_healthy = |state: State| state.is_healthy();
        match (change.before.map(is_healthy), change.now.map(is_healthy)) {
            (Some(true), Some(false)) => Self::Unhealthy,
            (Some(false), Some(false)) => Self::StillUnhealthy,
            (Some(_), Some(true)) => Self::Healthy,
            (None, Some(true)) => Self::New,
            (None, Some(false)) => Self::NewAndUnhealthy,
            (_, None) => Self::Gone,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Unhealthy => "became unhealthy",
            Self::StillUnhealthy => "changed to another unhealthy state",
            Self::Healthy => "recovered",
            Self::New => "new",
            Self::NewAndUnhealthy => "new and unhealthy",
            Self::Gone => "removed",
        }
    }
}
