//! Estimates the cost of the flow logs that a plan creates from the deliveries of existing flow logs of the same accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::arrival::Amount;
use crate::cost::{MonthlyCost, Prices};
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::id::{AccountId, FlowLogId, Place};
use crate::lifecycle::{Rule, fate};
use crate::observed::RegionState;
use crate::plan::{FlowLogChange, Step};

/// The estimated monthly cost of the flow logs that a plan creates, based on existing flow logs of the same accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct NewFlowLogCost {
    /// The cost of the new flow logs whose cost can be estimated; `null` if there are none.
    pub month: Option<MonthlyCost>,
    /// The number of new flow logs that `month` includes.
    pub estimated: usize,
    /// The number of new flow logs whose cost is unknown, by account: no comparable flow log of the account delivered anything
    /// yesterday (UTC), or the bucket could not be listed.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, usize>"))]
    pub unknown: BTreeMap<AccountId, usize>,
    /// The prices that the estimate uses.
    pub prices: Prices,
    /// Why nothing was estimated, if the bucket could not be listed.
    pub failure: Option<Failure>,
}

/// The number of days for which objects in this folder are stored. Without an expiration, only one month is counted, because
/// each further month adds the same cost.
pub fn kept_days(rules: &[Rule], folder: &str) -> u32 {
    fate(rules, folder).expires.map_or(Prices::MONTH, |expires| expires.days)
}

/// Existing flow logs that new ones are compared with, by account-region. They are in accounts that get new flow logs, deliver at least
/// the declared traffic to the fleet's destination, and were created before this day (UTC).
pub fn comparable(
    fleet: &Fleet,
    regions: &BTreeMap<Place, Result<RegionState, Failure>>,
    changes: &[FlowLogChange],
    day: Date,
) -> BTreeMap<Place, BTreeSet<FlowLogId>> {
    let accounts = new_by_account(changes);
    let destination = fleet.destination();
    let existed = |created: &Option<Timestamp>| {
        created.is_some_and(|created| created.to_zoned(TimeZone::UTC).date() < day)
    };
    let mut found = BTreeMap::new();
    for (place, state) in regions.iter().filter(|(place, _)| accounts.contains_key(&place.account)) {
        let Ok(state) = state else { continue };
        let up_to_date = state.up_to_date.iter().filter(|one| existed(&one.created));
        let others = state.flow_logs.iter().filter(|log| destination.is(&log.destination));
        let others =
            others.filter(|log| log.covers(&fleet.flow_logs) && existed(&log.created)).map(|log| &log.id);
        let logs: BTreeSet<FlowLogId> = up_to_date.map(|one| &one.flow_log).chain(others).cloned().collect();
        if !logs.is_empty() {
            found.insert(place.clone(), logs);
        }
    }
    found
}

impl NewFlowLogCost {
    /// The estimate for the flow logs that these changes create; `None` if they create none. A new flow log costs as much as the
    /// average of the [comparable] ones in its account. `delivered` is the amount that each of those delivered on one day, and
    /// `rules` are the lifecycle rules of the bucket.
    pub fn estimate(
        fleet: &Fleet,
        changes: &[FlowLogChange],
        comparable: &BTreeMap<Place, BTreeSet<FlowLogId>>,
        delivered: &BTreeMap<FlowLogId, Amount>,
        rules: &[Rule],
    ) -> Option<Self> {
        let mut by_account: BTreeMap<AccountId, (u64, u64)> = BTreeMap::new();
        for (place, logs) in comparable {
            let (number, bytes) = by_account.entry(place.account).or_default();
            *number += logs.len() as u64;
            *bytes +=
                logs.iter().filter_map(|log| delivered.get(log)).map(|amount| amount.bytes).sum::<u64>();
        }
        let mut cost = Self::unknown(fleet, changes)?;
        for (account, new) in std::mem::take(&mut cost.unknown) {
            match by_account.get(&account) {
                Some((number, bytes)) if *bytes > 0 => {
                    let bytes_a_day = bytes.saturating_mul(new as u64) / number;
                    let folder = fleet.layout().flow_logs_folder(account);
                    let month = fleet.prices.month(bytes_a_day, kept_days(rules, &folder));
                    *cost.month.get_or_insert_default() += month;
                    cost.estimated += new;
                }
                _ => {
                    cost.unknown.insert(account, new);
                }
            }
        }
        Some(cost)
    }

    /// The estimate if the deliveries could not be read: the cost of every new flow log is unknown.
    pub fn unread(fleet: &Fleet, changes: &[FlowLogChange], failure: Failure) -> Option<Self> {
        Some(Self { failure: Some(failure), ..Self::unknown(fleet, changes)? })
    }

    fn unknown(fleet: &Fleet, changes: &[FlowLogChange]) -> Option<Self> {
        let unknown = new_by_account(changes);
        let cost = Self { month: None, estimated: 0, unknown, prices: fleet.prices, failure: None };
        (!cost.unknown.is_empty()).then_some(cost)
    }
}

/// The number of new flow logs, by account. Replacements are excluded, because they cost the same as the flow logs that they
/// replace.
fn new_by_account(changes: &[FlowLogChange]) -> BTreeMap<AccountId, usize> {
    let mut new = BTreeMap::new();
    for change in changes.iter().filter(|change| change.step == Step::Create) {
        *new.entry(change.place.account).or_default() += 1;
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::FleetFile;
    use crate::flow_log::LogDestination;
    use crate::id::{Region, ResourceId};
    use crate::observed::{FlowLog, UpToDate};

    const FLEET: &str = r#"
hub = { account = "111122223333", region = "eu-west-1", bucket = "acme-logs" }
members = [
    { account = "222222222222", regions = ["eu-west-1", "us-east-1"] },
    { account = "333333333333", regions = ["eu-west-1"] },
]
"#;
    const DAY: &str = "2026-03-02";

    fn place(account: &str, region: &str) -> Place {
        Place::new(AccountId::parse(account).unwrap(), &Region::parse(region).unwrap())
    }

    fn id(number: u8) -> FlowLogId {
        FlowLogId::parse(&format!("fl-{number:017x}")).unwrap()
    }

    fn vpc(number: u8) -> ResourceId {
        ResourceId::parse(&format!("vpc-{number:017x}")).unwrap()
    }

    fn log(number: u8, created: Option<&str>, bucket: &str) -> FlowLog {
        let mut log = FlowLog::new(id(number), vpc(number), LogDestination::from(bucket));
        log.created = created.map(|created| created.parse().unwrap());
        log
    }

    fn create(account: &str, number: u8) -> FlowLogChange {
        FlowLogChange::new(place(account, "eu-west-1"), vpc(number), Step::Create, "")
    }

    #[test]
    fn older_flow_logs_to_the_bucket_in_accounts_with_new_ones_are_comparable() {
        let fleet = FleetFile::parse(FLEET).unwrap().named().unwrap();
        let ours = "arn:aws:s3:::acme-logs";
        let mut reduced = UpToDate::new(vpc(6), id(6));
        reduced.created = Some("2026-03-01T23:59:59Z".parse().unwrap());
        let up_to_date = vec![reduced, UpToDate::new(vpc(7), id(7))];
        let up_to_date = RegionState { up_to_date, ..RegionState::default() };
        let mut rejected = log(10, Some("2026-01-01T00:00:00Z"), ours);
        rejected.traffic = Some("REJECT".to_owned());
        let mixed = RegionState::new(
            Vec::new(),
            vec![
                log(1, Some("2026-01-01T00:00:00Z"), ours),
                log(2, Some("2026-03-02T00:00:00Z"), ours),
                log(3, None, ours),
                log(4, Some("2026-01-01T00:00:00Z"), "arn:aws:s3:::other-logs"),
                rejected,
            ],
        );
        let elsewhere = RegionState::new(Vec::new(), vec![log(5, Some("2026-01-01T00:00:00Z"), ours)]);
        let regions = BTreeMap::from([
            (place("222222222222", "eu-west-1"), Ok(mixed)),
            (place("222222222222", "us-east-1"), Ok(up_to_date)),
            (place("333333333333", "eu-west-1"), Ok(elsewhere)),
        ]);
        let found = comparable(&fleet, &regions, &[create("222222222222", 9)], DAY.parse().unwrap());
        assert_eq!(
            found,
            BTreeMap::from([
                (place("222222222222", "eu-west-1"), BTreeSet::from([id(1)])),
                (place("222222222222", "us-east-1"), BTreeSet::from([id(6)])),
            ])
        );
        assert!(comparable(&fleet, &regions, &[], DAY.parse().unwrap()).is_empty());
    }

    #[test]
    fn new_flow_log_costs_the_average_of_its_account() {
        let fleet = FleetFile::parse(FLEET).unwrap().named().unwrap();
        // Of the two flow logs in 222222222222, one delivered 1 GB and the other was idle.
        let logs = BTreeMap::from([
            (place("222222222222", "eu-west-1"), BTreeSet::from([id(1)])),
            (place("222222222222", "us-east-1"), BTreeSet::from([id(2)])),
            (place("333333333333", "eu-west-1"), BTreeSet::from([id(3)])),
        ]);
        let delivered = BTreeMap::from([(id(1), Amount::new(288, 1 << 30))]);
        let changes = [create("222222222222", 8), create("222222222222", 9), create("333333333333", 10)];
        let cost = NewFlowLogCost::estimate(&fleet, &changes, &logs, &delivered, &[]);
        let cost = cost.unwrap();
        // Two new flow logs of 0.5 GB per day: 30 GB stored per month, and 330 GB delivered before compression.
        let month = cost.month.unwrap();
        assert_eq!((month.delivery.to_string(), month.storage.to_string()), ("82.50".into(), "0.69".into()));
        assert_eq!(cost.estimated, 2);
        assert_eq!(cost.unknown, BTreeMap::from([(AccountId::parse("333333333333").unwrap(), 1)]));
    }

    #[test]
    fn cost_is_none_without_new_flow_logs_and_unknown_without_deliveries() {
        let fleet = FleetFile::parse(FLEET).unwrap().named().unwrap();
        let none = BTreeMap::new();
        let replace = FlowLogChange::new(
            place("222222222222", "eu-west-1"),
            vpc(1),
            Step::Replace { old: id(1), may_conflict: true },
            "",
        );
        assert_eq!(NewFlowLogCost::estimate(&fleet, &[replace], &none, &BTreeMap::new(), &[]), None);
        let changes = [create("222222222222", 8)];
        let cost = NewFlowLogCost::estimate(&fleet, &changes, &none, &BTreeMap::new(), &[]).unwrap();
        assert_eq!((cost.month, cost.estimated, cost.unknown.len()), (None, 0, 1));
        let failure = Failure::new(place("111122223333", "eu-west-1"), "ListObjectsV2", "denied", "wait");
        let unread = NewFlowLogCost::unread(&fleet, &changes, failure.clone()).unwrap();
        assert_eq!((unread.month, unread.unknown.len(), unread.failure), (None, 1, Some(failure)));
    }
}
