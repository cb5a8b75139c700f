//! Creates a report from the observed state. Pure: the caller provides the current time.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::arrival::{
    Amount, Deliveries, FlowLogDelivery, Object, Patience, State, StateCounts, Verified, judged,
};
use flowagg_core::cost::MonthlyCost;
use flowagg_core::estimate::kept_days;
use flowagg_core::fleet::{Fleet, Member, Regions};
use flowagg_core::id::{AccountId, Place, Region};
use flowagg_core::layout::FileName;
use flowagg_core::lifecycle::LifecycleDocument;
use flowagg_core::names::Names;
use flowagg_core::observed::{Bucket, Observed, Scope};
use flowagg_core::plan::{Note, Unnamed};
use flowagg_policy::plan::plan;
use flowagg_policy::size::{LIMIT, compact_len};
use flowagg_policy::{Grant, capacity, merge};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{
    AccountReport, ExcludedVpc, HubReport, MadeBy, NewestObject, PolicySize, RegionReport, Report, Totals,
    findings,
};

/// The input of a report.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReportInput<'a> {
    /// The fleet, including looked-up accounts.
    pub fleet: &'a Fleet,
    /// The state that was read from AWS.
    pub observed: &'a Observed,
    /// The deliveries that were counted.
    pub deliveries: &'a Deliveries,
    /// The organizational unit of each account, if known.
    pub units: &'a BTreeMap<AccountId, String>,
    /// The days on which deliveries were counted, in order.
    pub days: &'a [Date],
    /// The time limits after which a delivery is late.
    pub patience: Patience,
    /// The current time.
    pub now: Timestamp,
    /// The account and the ARN of the caller, if known.
    pub caller: (Option<AccountId>, Option<&'a str>),
}

impl<'a> ReportInput<'a> {
    /// Creates the input at the time `now`, with deliveries counted on `days`, no organizational units, no caller and the default
    /// time limits.
    pub fn new(
        fleet: &'a Fleet,
        observed: &'a Observed,
        deliveries: &'a Deliveries,
        days: &'a [Date],
        now: Timestamp,
    ) -> Self {
        const NO_UNITS: &BTreeMap<AccountId, String> = &BTreeMap::new();
        Self {
            fleet,
            observed,
            deliveries,
            units: NO_UNITS,
            days,
            patience: Patience::default(),
            now,
            caller: (None, None),
        }
    }
}

impl Report {
    /// Creates the report.
    pub fn new(input: &ReportInput<'_>) -> Self {
        let ReportInput { fleet, observed, deliveries, patience, now, .. } = *input;
        let verified = judged(fleet, &observed.regions, &deliveries.arrivals, patience, now);
        let mut logs: BTreeMap<Place, Vec<&FlowLogDelivery>> = BTreeMap::new();
        for delivery in &verified.flow_logs {
            logs.entry(delivery.place.clone()).or_default().push(delivery);
        }
        let regions: Vec<Region> = observed
            .regions
            .keys()
            .map(|place| place.region.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let builder = ReportBuilder { input, newest: newest(deliveries), logs, regions: &regions };
        let looked_at: BTreeSet<AccountId> = observed.regions.keys().map(|place| place.account).collect();
        let members = fleet.members.values().filter(|member| looked_at.contains(&member.account));
        let mut accounts: Vec<AccountReport> = members.map(|member| builder.member(member)).collect();
        accounts.extend(fleet.left_out.iter().map(|(account, why)| builder.left_out(*account, why)));
        accounts.sort_by(|a, b| (&a.unit, a.account).cmp(&(&b.unit, b.account)));
        let hub = HubReport {
            account: fleet.hub.account,
            region: fleet.hub.region.clone(),
            bucket: fleet.hub.bucket.clone(),
            prefix: fleet.hub.prefix.clone(),
        };
        let plan = plan(fleet, observed, Unnamed::Keep);
        let today = now.to_zoned(TimeZone::UTC).date();
        let findings = findings::findings(fleet, observed, &verified, &plan, today);
        let affected = findings.iter().flat_map(|finding| &finding.places);
        let affected = affected.filter_map(|affected| affected.resource.as_deref());
        let also = plan.also_logged().iter().map(|also| also.resource.as_str());
        let mut names = Names::new(fleet, &observed.regions);
        names.retain(&affected.chain(also).collect());
        Self {
            names,
            made: now,
            made_by: MadeBy::new(input.caller.0, input.caller.1),
            is_whole: observed.scope == Scope::Whole,
            hub,
            days: input.days.to_vec(),
            totals: totals(&accounts, &verified),
            prices: fleet.prices,
            policy: policy_size(input),
            expiry: plan
                .notes()
                .iter()
                .find(|note| matches!(note, Note::Expiry { .. }))
                .map(ToString::to_string),
            encryption: bucket(observed).and_then(|bucket| bucket.encryption.clone()),
            also_logged: plan.also_logged().to_vec(),
            findings,
            exceptions: verified.exceptions,
            trend: None,
            accounts,
            regions,
        }
    }
}

/// Finds the newest object of each account-region. The account-region is part of the object key.
fn newest(deliveries: &Deliveries) -> BTreeMap<Place, &Object> {
    let mut newest: BTreeMap<Place, &Object> = BTreeMap::new();
    for object in deliveries.arrivals.newest.values() {
        let Some(name) = object.key.rsplit('/').next().and_then(|name| FileName::parse(name).ok()) else {
            continue;
        };
        let found = newest.entry(name.place).or_insert(object);
        if found.stored < object.stored {
            *found = object;
        }
    }
    newest
}

struct ReportBuilder<'a> {
    input: &'a ReportInput<'a>,
    newest: BTreeMap<Place, &'a Object>,
    logs: BTreeMap<Place, Vec<&'a FlowLogDelivery>>,
    regions: &'a [Region],
}

impl ReportBuilder<'_> {
    fn member(&self, member: &Member) -> AccountReport {
        let at = |region: &Region| Place::new(member.account, region);
        let states = || self.regions.iter().filter_map(|region| self.input.observed.regions.get(&at(region)));
        // An account whose regions could not be listed has a single failure, and all of its regions are unknown.
        let is_lost = matches!(member.regions, Regions::All { .. }) && states().all(Result::is_err);
        let regions: Vec<RegionReport> = self
            .regions
            .iter()
            .map(|region| {
                let place = at(region);
                let unread = match self.input.observed.regions.get(&place) {
                    Some(state) => state.is_err(),
                    None => is_lost,
                };
                self.region(place, unread)
            })
            .collect();
        let mut days = vec![Amount::default(); self.input.days.len()];
        for region in self.regions {
            let Some(found) = self.input.deliveries.days.get(&at(region)) else { continue };
            for (sum, day) in days.iter_mut().zip(self.input.days) {
                *sum += found.get(day).copied().unwrap_or_default();
            }
        }
        let newest = self.regions.iter().filter_map(|region| self.newest.get(&at(region)));
        let newest = newest.max_by_key(|object| object.stored).map(|object| NewestObject {
            key: object.key.clone(),
            stored: object.stored,
            age_seconds: self.age(object),
        });
        AccountReport {
            account: member.account,
            name: member.name.clone(),
            unit: self.input.units.get(&member.account).cloned(),
            state: regions.iter().filter_map(|region| region.state).collect::<StateCounts>().worst(),
            why: None,
            objects: days.iter().map(|day| day.objects).sum(),
            bytes: days.iter().map(|day| day.bytes).sum(),
            cost: self.cost(member.account, &days),
            regions,
            flow_logs: self.flow_logs(member.account),
            excluded_vpcs: self.excluded_vpcs(member),
            days,
            newest,
        }
    }

    fn region(&self, place: Place, unread: bool) -> RegionReport {
        let flow_logs = self.logs.get(&place).into_iter().flatten();
        let flow_logs: StateCounts = flow_logs.map(|delivery| delivery.state).collect();
        let days = self.input.deliveries.days.get(&place);
        let amounts = || days.into_iter().flatten().filter(|(day, _)| self.input.days.contains(day));
        RegionReport {
            state: if unread { Some(State::Unknown) } else { flow_logs.worst() },
            flow_logs,
            objects: amounts().map(|(_, day)| day.objects).sum(),
            bytes: amounts().map(|(_, day)| day.bytes).sum(),
            newest_age_seconds: self.newest.get(&place).map(|object| self.age(object)),
            region: place.region,
        }
    }

    fn flow_logs(&self, account: AccountId) -> Vec<FlowLogDelivery> {
        let places = self.regions.iter().map(|region| Place::new(account, region));
        let flow_logs = places.filter_map(|place| self.logs.get(&place)).flatten();
        flow_logs.map(|delivery| (*delivery).clone()).collect()
    }

    fn excluded_vpcs(&self, member: &Member) -> Vec<ExcludedVpc> {
        let of_region = |region: &Region| {
            let state = self.input.observed.regions.get(&Place::new(member.account, region));
            let resources = state.and_then(|state| Some(&state.as_ref().ok()?.resources));
            let excluded = member.excluded_vpcs(resources.map_or(&[], Vec::as_slice)).into_iter();
            let excluded = excluded.map(|(vpc, why)| ExcludedVpc {
                region: region.clone(),
                vpc: vpc.id.clone(),
                name: vpc.name().map(str::to_owned),
                why,
            });
            excluded.collect::<Vec<_>>()
        };
        self.regions.iter().flat_map(of_region).collect()
    }

    fn left_out(&self, account: AccountId, why: &str) -> AccountReport {
        let region = |region: &Region| self.region(Place { account, region: region.clone() }, false);
        AccountReport {
            account,
            name: self.input.fleet.account_name(account).map(str::to_owned),
            unit: self.input.units.get(&account).cloned(),
            state: None,
            why: Some(why.to_owned()),
            regions: self.regions.iter().map(region).collect(),
            flow_logs: Vec::new(),
            excluded_vpcs: Vec::new(),
            days: vec![Amount::default(); self.input.days.len()],
            objects: 0,
            bytes: 0,
            newest: None,
            cost: None,
        }
    }

    /// Estimates the monthly cost of an account from its complete days. The first day with objects is skipped, because the flow logs may have
    /// been created during that day, unless it is the first day of the report.
    fn cost(&self, account: AccountId, days: &[Amount]) -> Option<MonthlyCost> {
        let (_, over) = days.split_last()?;
        let first = over.iter().position(|day| day.objects > 0)?;
        let whole = over.get(if first == 0 { 0 } else { first + 1 }..).filter(|whole| !whole.is_empty())?;
        let bytes = whole.iter().map(|day| day.bytes).sum::<u64>() / whole.len() as u64;
        let bucket = self.input.observed.bucket.as_ref().ok()?.as_ref()?;
        let rules = bucket.lifecycle.as_ref().map_or(Ok(Vec::new()), LifecycleDocument::rules).ok()?;
        let folder = self.input.fleet.layout().flow_logs_folder(account);
        Some(self.input.fleet.prices.month(bytes, kept_days(&rules, &folder)))
    }

    fn age(&self, object: &Object) -> i64 {
        self.input.now.duration_since(object.stored).as_secs().max(0)
    }
}

fn totals(accounts: &[AccountReport], verified: &Verified) -> Totals {
    let mut totals = Totals {
        accounts: accounts.len(),
        coverage: verified.coverage,
        account_regions: StateCounts::default(),
        nothing_to_log: 0,
        flow_logs: verified.counts(),
        accepted: verified.accepted(),
        objects: 0,
        bytes: 0,
        newest_age_seconds: None,
        cost: None,
    };
    for account in accounts {
        for region in &account.regions {
            match region.state {
                Some(state) => totals.account_regions.count(state),
                None => totals.nothing_to_log += 1,
            }
        }
        totals.objects += account.objects;
        if let Some(cost) = account.cost {
            *totals.cost.get_or_insert_default() += cost;
        }
        totals.bytes += account.bytes;
    }
    let newest = accounts.iter().filter_map(|account| account.newest.as_ref());
    totals.newest_age_seconds = newest.map(|newest| newest.age_seconds).min();
    totals
}

fn bucket(observed: &Observed) -> Option<&Bucket> {
    observed.bucket.as_ref().ok()?.as_ref()
}

/// Compares the current policy with the size limit, and computes how many accounts fit in the form of the fleet's grant.
fn policy_size(input: &ReportInput<'_>) -> Option<PolicySize> {
    let live = bucket(input.observed)?.policy.as_deref()?;
    let grant = Grant::from(input.fleet);
    let form = merge(Some(live), &grant, Unnamed::Keep).ok().map(|merged| merged.form);
    let fit = form.and_then(|form| capacity(Some(live), &grant, form).ok());
    Some(PolicySize {
        bytes: compact_len(live),
        limit: LIMIT,
        form: form.map(|form| form.as_str()),
        accounts_fit: fit.and_then(|fit| fit.accounts),
    })
}
