//! Compares a report with earlier ones of the same bucket.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::arrival::State;
use flowagg_core::id::{AccountId, Place, Region};
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::trend::{EarlierError, EarlierReport, ReadHub, StateChange, Trend, UnhealthySince, WeekReport};
use super::value::{RegionReport, Report};

impl Trend {
    /// Compares a report with earlier ones, in any order; returns `None` if there are none. The error contains the index of the first
    /// report that cannot be compared.
    pub fn new(report: &Report, earlier: &[EarlierReport]) -> Result<Option<Self>, (usize, EarlierError)> {
        let hub = ReadHub {
            bucket: report.hub.bucket.to_string(),
            prefix: report.hub.prefix.as_ref().map(ToString::to_string),
        };
        for (number, one) in earlier.iter().enumerate() {
            if one.hub != hub {
                let error = EarlierError::OtherBucket(one.hub.folder(), hub.folder());
                return Err((number, error));
            }
            if one.made > report.made {
                return Err((number, EarlierError::Later(one.made)));
            }
        }
        let mut earlier: Vec<&EarlierReport> = earlier.iter().collect();
        earlier.sort_by_key(|one| one.made);
        let Some(before) = earlier.last() else { return Ok(None) };
        let states = states(report);
        let unhealthy = states.iter().filter(|(_, state)| !state.is_healthy());
        let unhealthy = unhealthy.map(|(place, state)| UnhealthySince {
            place: place.clone(),
            state: *state,
            since: unhealthy_since(place, &earlier).unwrap_or(report.made),
        });
        Ok(Some(Self {
            since: before.made,
            resources: before.resources,
            flow_logs: before.flow_logs,
            changes: changes(&before.states, &states),
            unhealthy: unhealthy.collect(),
            weeks: weeks(report, &earlier),
        }))
    }

    /// The unhealthy account-regions that have a finding without an exception, longest unhealthy first.
    pub fn open(&self, report: &Report) -> Vec<&UnhealthySince> {
        let places = report.open_findings().flat_map(|finding| &finding.places);
        let open: BTreeSet<(AccountId, Option<&Region>)> = places
            .filter(|place| place.exception.is_none())
            .map(|place| (place.account, place.region.as_ref()))
            .collect();
        let is_open = |it: &&UnhealthySince| open.contains(&(it.place.account, Some(&it.place.region)));
        let mut unhealthy: Vec<&UnhealthySince> = self.unhealthy.iter().filter(is_open).collect();
        unhealthy.sort_by(|one, other| (one.since, &one.place).cmp(&(other.since, &other.place)));
        unhealthy
    }
}

fn states(report: &Report) -> BTreeMap<Place, State> {
    let places = report.accounts.iter().flat_map(|account| {
        let of = |region: &RegionReport| Some((Place::new(account.account, &region.region), region.state?));
        account.regions.iter().filter_map(of)
    });
    places.collect()
}

fn changes(before: &BTreeMap<Place, State>, now: &BTreeMap<Place, State>) -> Vec<StateChange> {
    let places: BTreeSet<&Place> = before.keys().chain(now.keys()).collect();
    let change = |place: &Place| {
        let (before, now) = (before.get(place).copied(), now.get(place).copied());
        let are_healthy = before.is_some_and(State::is_healthy) && now.is_some_and(State::is_healthy);
        (before != now && !are_healthy).then(|| StateChange { place: place.clone(), before, now })
    };
    places.into_iter().filter_map(change).collect()
}

/// The time of the first report in the current series of unhealthy reports.
fn unhealthy_since(place: &Place, earlier: &[&EarlierReport]) -> Option<Timestamp> {
    let is_unhealthy = |one: &&&EarlierReport| one.states.get(place).is_some_and(|state| !state.is_healthy());
    earlier.iter().rev().take_while(is_unhealthy).last().map(|one| one.made)
}

fn weeks(report: &Report, earlier: &[&EarlierReport]) -> Vec<WeekReport> {
    let coverage = &report.totals.coverage;
    let of_earlier = earlier.iter().map(|one| (one.made, one.accounts, one.resources, one.flow_logs));
    let this = (report.made, report.totals.accounts, coverage.resources, coverage.flow_logs);
    let mut weeks: BTreeMap<Date, WeekReport> = BTreeMap::new();
    for (made, accounts, resources, flow_logs) in of_earlier.chain([this]) {
        let week = made.to_zoned(TimeZone::UTC).date().iso_week_date();
        // Every calendar week has a Monday.
        let Ok(monday) = jiff::civil::ISOWeekDate::new(week.year(), week.week(), Weekday::Monday) else {
            continue;
        };
        let monday = monday.date();
        weeks.insert(monday, WeekReport { monday, made, accounts, resources, flow_logs });
    }
    weeks.into_values().collect()
}
