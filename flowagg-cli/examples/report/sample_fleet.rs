//! A generated sample fleet with its observed state: units, regions without VPCs, and occasional problems. The same parameters
//! always produce the same fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use flowagg::report::{Report, ReportInput};
use flowagg_core::arrival::{Amount, Carrier, Deliveries, Object};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Choice, Exception, Filter, Fleet, FleetFile, FoundAccount, Regions, Selection};
use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId, ResourceKind};
use flowagg_core::layout::FileName;
use flowagg_core::lifecycle::LifecycleDocument;
use flowagg_core::observed::{
    Bucket, BucketEncryption, FlowLog, Observed, PublicAccessBlock, RegionState, Resource,
};
use flowagg_core::plan::rule_of_new_bucket;
use flowagg_policy::{Grant, Unnamed, merge};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

const FLEET: &str = r#"
[hub]
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"

[organization]
id = "o-a1b2c3d4e5"
regions = ["eu-west-1"]
"#;

/// The regions that are enabled in an account by default.
///
/// Source: "AWS Regions", those enabled by default (AWS Account Management Reference Guide).
const REGIONS: [&str; 17] = [
    "eu-west-1",
    "us-east-1",
    "eu-central-1",
    "us-west-2",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ca-central-1",
    "eu-north-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-2",
    "us-west-1",
];
const UNITS: [&str; 6] = [
    "workloads/production",
    "workloads/staging",
    "workloads/development",
    "security",
    "platform",
    "sandboxes",
];
const TEAMS: [&str; 12] = [
    "shop", "bank", "search", "maps", "mail", "billing", "ledger", "fraud", "stock", "media", "login",
    "reports",
];
const CALLER: &str = "arn:aws:sts::111122223333:assumed-role/flowagg-read/jane";
/// One file every five minutes: 288 on a full day.
const FILES_A_DAY: u64 = 288;
/// The default number of days of a report.
const DAYS: i64 = 7;

/// A fleet and its observed state.
pub(crate) struct SampleFleet {
    pub(crate) fleet: Fleet,
    pub(crate) observed: Observed,
    pub(crate) deliveries: Deliveries,
    pub(crate) units: BTreeMap<AccountId, String>,
    pub(crate) days: Vec<Date>,
    pub(crate) now: Timestamp,
    /// The number of VPCs in each account-region, if it is fixed.
    vpcs: Option<u64>,
}

impl SampleFleet {
    /// A fleet of `accounts` accounts on 2026-11-23 at noon. Up to three accounts have three regions, more have 17, and 5,000 or more
    /// have two VPCs in each of three regions.
    pub(crate) fn new(accounts: usize) -> Result<Self, Box<dyn Error>> {
        Self::with_days(accounts, DAYS)
    }

    /// Like [`SampleFleet::new`], with deliveries on the given number of days.
    pub(crate) fn with_days(accounts: usize, days: i64) -> Result<Self, Box<dyn Error>> {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse()?;
        let today = now.to_zoned(TimeZone::UTC).date();
        let is_huge = accounts >= 5000;
        let regions = if accounts > 3 && !is_huge { REGIONS.len() } else { 3 };
        let regions: Vec<Region> =
            REGIONS.iter().take(regions).map(|name| Region::parse(name)).collect::<Result<_, _>>()?;
        let (fleet, units) = fleet(accounts, &regions)?;
        let mut sample = Self {
            observed: Observed::new(Ok(Some(bucket(&fleet)?))),
            deliveries: Deliveries::default(),
            days: (0..days).rev().map(|ago| today.saturating_sub(ago.days())).collect(),
            fleet,
            units,
            now,
            vpcs: is_huge.then_some(2),
        };
        for (n, member) in sample.fleet.members.clone().into_values().enumerate() {
            for (r, region) in member.regions.iter().enumerate() {
                sample.place(n, r, Place::new(member.account, region))?;
            }
        }
        Ok(sample)
    }

    pub(crate) fn report(&self) -> Report {
        let Self { fleet, observed, deliveries, units, days, now, .. } = self;
        let mut input = ReportInput::new(fleet, observed, deliveries, days, *now);
        input.units = units;
        input.caller = (Some(fleet.hub.account), Some(CALLER));
        Report::new(&input)
    }

    /// Adds names of units and VPCs, excluded default VPCs, and exceptions for an account and a region.
    pub(crate) fn described(mut self) -> Result<Self, Box<dyn Error>> {
        for unit in self.units.values_mut() {
            let parts = unit.split('/').map(|part| {
                format!(
                    "{part} (ou-a1b2-{:08x})",
                    part.bytes().fold(7, |sum, byte| sum * 31 % 0xffff_ffff + u64::from(byte))
                )
            });
            *unit = parts.collect::<Vec<_>>().join("/");
        }
        let states = self.observed.regions.values_mut().flatten();
        for (n, resource) in states.flat_map(|state| &mut state.resources).enumerate() {
            if n % 3 > 0 {
                // A spreadsheet would interpret the second one as a formula.
                let team = TEAMS[n % TEAMS.len()];
                let name = if n % 2 == 0 { format!("{team}-main") } else { format!("@{team}-edge") };
                resource.tags.insert("Name".to_owned(), name);
            }
        }
        let mut filter = Filter::default();
        filter.default_vpcs = false;
        let selection = Selection::try_from(BTreeMap::from([(ResourceKind::Vpc, Choice::All(filter))]))?;
        self.fleet.members.values_mut().for_each(|member| member.resources = selection.clone());
        for (n, (place, state)) in self.observed.regions.iter_mut().enumerate() {
            let Ok(state) = state else { continue };
            let mut vpc = Resource::new(ResourceId::parse(&format!("vpc-{:017x}", 0xdef_0000_0000 + n))?);
            (vpc.owner, vpc.is_default) = (Some(place.account), true);
            state.resources.push(vpc);
        }
        let until = self.days.last().copied().unwrap_or_default().saturating_add(60.days());
        let unread =
            self.observed.regions.iter().find(|(_, state)| state.is_err()).map(|(place, _)| place.account);
        let unread =
            unread.map(|account| Exception::of_account(account, "the account is being closed", until));
        let mut of_region =
            Exception::of_account(self.fleet.hub.account, "the region is being closed", until);
        (of_region.account, of_region.region) = (None, Some(Region::parse("us-west-2")?));
        self.fleet.exceptions.extend(unread.into_iter().chain([of_region]));
        Ok(self)
    }

    fn place(&mut self, n: usize, r: usize, place: Place) -> Result<(), Box<dyn Error>> {
        // The hub is the first account and has no problems.
        let chance = if n == 0 { 50 } else { mixed(n as u64, r as u64) % 100 };
        if n > 0 && mixed(n as u64, 99).is_multiple_of(37) {
            self.observed.regions.insert(place.clone(), Err(refused(&place)));
            return Ok(());
        }
        let vpcs = if r > 2 && chance % 3 != 0 { 0 } else { 1 + mixed(n as u64, r as u64) % 3 };
        let vpcs = self.vpcs.unwrap_or(vpcs);
        let mut state = RegionState::default();
        for v in 0..vpcs {
            let number = (n as u64 * 100 + r as u64) * 10 + v;
            let id = ResourceId::parse(&format!("vpc-{number:017x}"))?;
            let mut resource = Resource::new(id.clone());
            resource.owner = Some(place.account);
            state.resources.push(resource);
            if chance != 3 {
                let log = FlowLogId::parse(&format!("fl-{number:017x}"))?;
                state.flow_logs.push(self.flow_log(&log, &id, chance, v));
                self.deliver(&place, &log, chance, v)?;
            }
        }
        if let 6..=8 = chance {
            let in_use = state.resources.iter().map(|it| it.id.clone()).filter(|_| chance < 8).collect();
            let carrier = (place.clone(), Carrier::NetworkInterface);
            self.deliveries.arrivals.in_use.insert(carrier, Ok(in_use));
        }
        self.observed.regions.insert(place, Ok(state));
        Ok(())
    }

    fn flow_log(&self, id: &FlowLogId, vpc: &ResourceId, chance: u64, v: u64) -> FlowLog {
        let age = if chance == 4 { SignedDuration::from_mins(5) } else { SignedDuration::from_hours(2000) };
        let fails = chance == 5 && v == 0;
        let mut flow_log = FlowLog::new(id.clone(), vpc.as_str(), self.fleet.destination().arn());
        flow_log.tags = self.fleet.tags();
        flow_log.created = self.now.checked_sub(age).ok();
        flow_log.deliver_status = Some(if fails { "FAILED" } else { "SUCCESS" }.to_owned());
        flow_log.deliver_error = fails.then(|| "Access error".to_owned());
        flow_log
    }

    fn deliver(&mut self, place: &Place, log: &FlowLogId, chance: u64, v: u64) -> Result<(), Box<dyn Error>> {
        let silent_for = match chance {
            4 => return Ok(()),
            6 | 8 => DAYS,
            7 if v == 0 => 2,
            _ => 0,
        };
        let size = 2_000 + mixed(chance, v) % 60_000;
        let (now, days) = (self.now, self.days.clone());
        let amounts = self.deliveries.days.entry(place.clone()).or_default();
        for (n, day) in days.iter().enumerate().take(days.len().saturating_sub(usize::try_from(silent_for)?))
        {
            let whole = n + 1 < days.len();
            let objects = if whole { FILES_A_DAY } else { FILES_A_DAY / 2 };
            // VPCs with little traffic have intervals without records, which have no file.
            let objects = objects / (1 + mixed(chance, 7) % 9);
            *amounts.entry(*day).or_default() += Amount::new(objects, objects * (size + n as u64 * 500));
        }
        let minutes = i64::try_from(3 + mixed(chance, 5) % 20)?;
        let stored = now.checked_sub(SignedDuration::from_mins(minutes + silent_for * 24 * 60))?;
        let mut name = FileName::new(
            place.clone(),
            log.clone(),
            stored.to_zoned(TimeZone::UTC).datetime().round(jiff::Unit::Minute)?,
            format!("{:08x}", mixed(chance, v) & 0xffff_ffff),
        );
        name.format = self.fleet.flow_logs.files.format;
        let key = self.fleet.layout().key(&name);
        if silent_for < DAYS {
            self.deliveries.arrivals.newest.insert(log.clone(), Object::new(key, stored));
        }
        Ok(())
    }
}

fn fleet(
    accounts: usize,
    regions: &[Region],
) -> Result<(Fleet, BTreeMap<AccountId, String>), Box<dyn Error>> {
    let mut resolution = FleetFile::parse(FLEET)?.resolve();
    let mut units = BTreeMap::new();
    for n in 0..accounts {
        let id = if n == 0 { 111_122_223_333 } else { 200_000_000_000 + (n as u64 * 7_919_317) };
        let id = AccountId::parse(&format!("{id:012}"))?;
        let unit = if n == 0 { "platform" } else { UNITS[n % UNITS.len()] };
        let stage = unit.rsplit('/').next().unwrap_or(unit);
        let number = n / (TEAMS.len() * UNITS.len());
        let more = if number == 0 { String::new() } else { format!("-{number}") };
        let name = match n {
            0 => "flow-log-hub".to_owned(),
            _ => format!("{}-{stage}{more}", TEAMS[n / UNITS.len() % TEAMS.len()]),
        };
        let closed = n > 0 && n % 50 == 0;
        let state = if closed { "SUSPENDED" } else { "ACTIVE" }.to_owned();
        let mut found = FoundAccount::new(id, state);
        found.name = Some(name);
        found.in_units = true;
        resolution.find(found);
        units.insert(id, unit.to_owned());
    }
    let mut fleet = resolution.finish();
    for (n, member) in fleet.members.values_mut().enumerate() {
        let few = 3 + usize::try_from(mixed(n as u64, 42) % 15)?;
        let these = regions.iter().take(if n == 0 { regions.len() } else { few });
        member.regions = Regions::These(these.cloned().collect());
    }
    Ok((fleet, units))
}

/// An up-to-date bucket with a foreign statement that the linter reports.
fn bucket(fleet: &Fleet) -> Result<Bucket, Box<dyn Error>> {
    let foreign = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Readers","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::{}/*"}}]}}"#,
        fleet.hub.bucket
    );
    let policy = merge(Some(&foreign), &Grant::from(fleet), Unnamed::Keep)?.text;
    let mut bucket = Bucket::default();
    bucket.encryption = Some(BucketEncryption::new("AES256"));
    bucket.lifecycle =
        LifecycleDocument::edited(None, rule_of_new_bucket(fleet).as_slice(), &BTreeSet::new())?;
    bucket.public_access_block = PublicAccessBlock::FULL;
    bucket.ownership = Some("BucketOwnerEnforced".to_owned());
    bucket.policy = Some(policy);
    Ok(bucket)
}

fn refused(place: &Place) -> Failure {
    let role = format!("arn:aws:iam::{}:role/OrganizationAccountAccessRole", place.account);
    let mut failure = Failure::new(
        place.clone(),
        "AssumeRole",
        format!("the caller cannot assume {role}"),
        "create the role, or set another one in the fleet file",
    );
    failure.code = Some("AccessDenied".to_owned());
    failure
}

/// Hashes two numbers to a pseudo-random one.
fn mixed(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 32)
}
