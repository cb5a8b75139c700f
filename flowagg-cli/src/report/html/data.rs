//! The data for the page's script, in a compact form: 5,000 accounts with 30,000 flow logs take a few megabytes.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::arrival::{Acceptance, FlowLogDelivery, State};
use flowagg_core::fleet::Exclusion;
use flowagg_core::id::{AccountId, Partition, Region};
use serde_json::{Value, json};

use super::super::words::{letter, meaning, state};
use super::super::{About, AccountReport, ExcludedVpc, RegionReport, Report, heat};

pub(super) fn data(report: &Report) -> Value {
    let units: BTreeSet<&str> =
        report.accounts.iter().filter_map(|account| account.unit.as_deref()).collect();
    let most =
        report.accounts.iter().flat_map(|account| &account.days).map(|day| day.objects).max().unwrap_or(0);
    let mut packer = Packer {
        units: units.into_iter().collect(),
        most,
        regions: report.regions.iter().zip(0..).collect(),
        open: accounts_with_problems(report),
        unread: unread(report),
        messages: Numbered::default(),
        exceptions: Numbered::default(),
        exclusions: Numbered::default(),
    };
    let accounts: Vec<Value> = report.accounts.iter().map(|account| packer.account(account)).collect();
    let exceptions = packer.exceptions.in_order();
    let exceptions = exceptions.map(|it| json!([it.until, it.reason])).collect::<Vec<_>>();
    json!({
        "bucket": report.hub.bucket,
        "made": report.made,
        "console": console(report.hub.region.partition()),
        "regions": report.regions,
        "days": report.days,
        "units": packer.units,
        "states": worst_first().map(state).collect::<Vec<_>>(),
        "letters": worst_first().map(letter).collect::<Vec<_>>(),
        "meanings": worst_first().map(meaning).collect::<Vec<_>>(),
        "messages": packer.messages.in_order().collect::<Vec<_>>(),
        "exceptions": exceptions,
        "exclusions": packer.exclusions.in_order().map(|why| why.to_string()).collect::<Vec<_>>(),
        "accounts": accounts,
    })
}

/// The host name of the AWS Management Console, without the region that precedes it.
///
/// Sources: "AWS Management Console" of "Getting Started with AWS services in China", "AWS GovCloud (US) User Guide".
fn console(partition: Partition) -> &'static str {
    match partition {
        Partition::Aws => "console.aws.amazon.com",
        Partition::AwsCn => "console.amazonaws.cn",
        Partition::AwsUsGov => "console.amazonaws-us-gov.com",
    }
}

/// Accounts with a failed read or delivery that no exception accepts.
pub(super) fn accounts_with_problems(report: &Report) -> BTreeSet<AccountId> {
    let of_accounts = |about| matches!(about, About::Reading | About::Delivery);
    let findings = report.findings.iter().filter(|finding| of_accounts(finding.about));
    let open = findings.flat_map(|finding| &finding.places).filter(|place| place.exception.is_none());
    open.map(|place| place.account).collect()
}

/// The account-regions that could not be read, each with the exception that accepts it.
fn unread(report: &Report) -> BTreeMap<(AccountId, &Region), Option<&Acceptance>> {
    let findings = report.findings.iter().filter(|finding| finding.about == About::Reading);
    let places = findings.flat_map(|finding| &finding.places);
    let places = places.filter_map(|it| Some(((it.account, it.region.as_ref()?), it.exception.as_ref())));
    places.collect()
}

/// The states in the order of the script, worst first.
pub(super) fn worst_first() -> impl Iterator<Item = Option<State>> {
    State::WORST_FIRST.into_iter().map(Some).chain([None])
}

fn position(state: Option<State>) -> usize {
    worst_first().position(|it| it == state).unwrap_or_default()
}

/// Assigns numbers to values that many rows share.
struct Numbered<T>(BTreeMap<T, usize>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord> Numbered<T> {
    fn number(&mut self, value: T) -> usize {
        let next = self.0.len();
        *self.0.entry(value).or_insert(next)
    }

    fn in_order(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(|(value, number)| (number, value)).collect::<BTreeMap<_, _>>().into_values()
    }
}

struct Packer<'a> {
    units: Vec<&'a str>,
    most: u64,
    regions: BTreeMap<&'a Region, usize>,
    open: BTreeSet<AccountId>,
    unread: BTreeMap<(AccountId, &'a Region), Option<&'a Acceptance>>,
    messages: Numbered<&'a str>,
    exceptions: Numbered<&'a Acceptance>,
    exclusions: Numbered<Exclusion>,
}

impl<'a> Packer<'a> {
    fn account(&mut self, account: &'a AccountReport) -> Value {
        let unit = account.unit.as_deref().and_then(|unit| self.units.binary_search(&unit).ok());
        let days = account.days.iter();
        let days: Vec<Value> =
            days.map(|day| json!([day.objects, day.bytes, heat(day.objects, self.most)])).collect();
        let regions: Vec<Value> = account.regions.iter().map(region).collect();
        let mut logs: Vec<Value> = account.flow_logs.iter().map(|log| self.flow_log(log)).collect();
        for region in account.regions.iter().filter(|it| it.state == Some(State::Unknown)) {
            if region.flow_logs.total() == 0 {
                logs.push(self.unread(account.account, &region.region));
            }
        }
        json!([
            account.account,
            account.name,
            unit.map_or(json!(-1), |unit| json!(unit)),
            position(account.state),
            account.why,
            account.newest.as_ref().map(|newest| &newest.key),
            account.newest.as_ref().map(|newest| newest.age_seconds),
            account.objects,
            account.bytes,
            days,
            regions,
            u8::from(self.open.contains(&account.account)),
            logs,
            account.excluded_vpcs.iter().map(|vpc| self.excluded(vpc)).collect::<Vec<_>>(),
        ])
    }

    /// Region, VPC, reason, name; an unknown name is omitted.
    fn excluded(&mut self, ExcludedVpc { region, vpc, name, why }: &'a ExcludedVpc) -> Value {
        let region = json!(self.regions.get(region));
        trimmed(vec![region, json!(vpc), json!(self.exclusions.number(*why)), json!(name)])
    }

    /// Region, state, resource, flow log, age, name, message, exception; trailing unknown values are omitted.
    fn flow_log(&mut self, log: &'a FlowLogDelivery) -> Value {
        let message = log.message.as_deref().map(|message| self.messages.number(message));
        let exception = log.exception.as_ref().map(|exception| self.exceptions.number(exception));
        trimmed(vec![
            json!(self.regions.get(&log.place.region)),
            json!(position(Some(log.state))),
            json!(log.resource),
            json!(log.flow_log),
            json!(log.age_seconds),
            json!(log.resource_name),
            json!(message),
            json!(exception),
        ])
    }

    /// The row of an account-region that could not be read: its resources are unknown.
    fn unread(&mut self, account: AccountId, region: &'a Region) -> Value {
        let exception = self.unread.get(&(account, region)).copied().flatten();
        let exception = exception.map(|exception| self.exceptions.number(exception));
        let none = Value::Null;
        trimmed(vec![
            json!(self.regions.get(region)),
            json!(position(Some(State::Unknown))),
            none.clone(),
            none.clone(),
            none.clone(),
            none.clone(),
            none,
            json!(exception),
        ])
    }
}

fn trimmed(mut values: Vec<Value>) -> Value {
    while values.last().is_some_and(Value::is_null) {
        values.pop();
    }
    Value::Array(values)
}

/// Packs a region: only its state, if it has no flow logs and no objects.
fn region(region: &RegionReport) -> Value {
    let RegionReport { state, flow_logs, objects, bytes, newest_age_seconds, region: _ } = region;
    let state = position(*state);
    if flow_logs.total() == 0 && *objects == 0 {
        return json!(state);
    }
    json!([state, State::WORST_FIRST.map(|state| flow_logs.of(state)), objects, bytes, newest_age_seconds])
}
