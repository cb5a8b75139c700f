//! States of account-regions, and findings.

use std::collections::{BTreeMap, BTreeSet};

use flowagg::report::{About, ExcludedVpc, Report, ReportFinding};
use flowagg_core::arrival::{Carrier, State};
use flowagg_core::failure::{Advice, Failure};
use flowagg_core::fleet::{Choice, Filter, Regions, Selection};
use flowagg_core::id::{AccountId, Place, Region, ResourceId, ResourceKind};
use flowagg_core::observed::{RegionState, Resource};
use flowagg_policy::Severity;
use snapbox::{assert_data_eq, str};

use crate::sample_fleet::SampleFleet;

fn fleet() -> SampleFleet {
    SampleFleet::new(3).unwrap()
}

/// The last account's first region.
fn place(fleet: &SampleFleet) -> Place {
    let account = *fleet.fleet.members.keys().last().unwrap();
    fleet.observed.regions.keys().find(|place| place.account == account).unwrap().clone()
}

fn failure(place: &Place) -> Failure {
    let mut failure = Failure::new(
        place.clone(),
        "DescribeFlowLogs",
        "not allowed",
        Advice::for_place(|account, _| format!("allow it in {account}")),
    );
    failure.code = Some("UnauthorizedOperation".to_owned());
    failure
}

fn state<'a>(fleet: &'a mut SampleFleet, place: &Place) -> &'a mut RegionState {
    fleet.observed.regions.get_mut(place).unwrap().as_mut().unwrap()
}

/// Removes all deliveries of an account-region.
fn silence(fleet: &mut SampleFleet, place: &Place) {
    let logs = state(fleet, place).flow_logs.clone();
    for log in &logs {
        fleet.deliveries.arrivals.newest.remove(&log.id);
    }
    fleet.deliveries.days.remove(place);
}

#[track_caller]
fn is(
    fleet: &SampleFleet,
    place: &Place,
    state: impl Into<Option<State>>,
    of_account: impl Into<Option<State>>,
) -> Report {
    let report = fleet.report();
    let account = report.accounts.iter().find(|account| account.account == place.account).unwrap();
    let region = account.regions.iter().find(|region| region.region == place.region).unwrap();
    assert_eq!((region.state, account.state), (state.into(), of_account.into()));
    let places = report.totals.account_regions.total() + report.totals.nothing_to_log;
    assert_eq!(places, report.accounts.len() * report.regions.len(), "every account-region has one state");
    report
}

#[track_caller]
fn finds<'a>(report: &'a Report, what: &str) -> &'a ReportFinding {
    let mut found = report.findings.iter().filter(|finding| finding.what.contains(what));
    let one = found.next().unwrap_or_else(|| panic!("nothing of `{what}` in {:#?}", report.findings));
    assert_eq!(found.next(), None);
    one
}

#[test]
fn region_with_only_delivering_flow_logs_is_delivering() {
    let fleet = fleet();
    let report = is(&fleet, &place(&fleet), State::Delivering, State::Delivering);
    assert!(report.is_complete() && report.is_read());
    assert!(report.findings.iter().all(|finding| finding.about == About::Policy), "{:#?}", report.findings);
    assert_eq!(report.expiry.as_deref(), Some("flow logs expire after 90 days"));
    assert_eq!(report.encryption.as_ref().map(|it| it.algorithm.as_str()), Some("AES256"));
    assert!(report.is_whole && report.made_by.arn.is_some());
    let of_accounts: usize = report.accounts.iter().map(|account| account.flow_logs.len()).sum();
    assert_eq!(of_accounts, report.totals.flow_logs.total());
}

#[test]
fn region_with_one_missing_flow_log_is_missing() {
    let mut fleet = fleet();
    let place = fleet
        .observed
        .regions
        .iter()
        .find(|(_, it)| it.as_ref().unwrap().flow_logs.len() > 1)
        .unwrap()
        .0
        .clone();
    state(&mut fleet, &place).flow_logs.pop();
    let report = is(&fleet, &place, State::Missing, State::Missing);
    let share = report.totals.coverage.resources;
    assert_eq!((share.of - share.count, report.totals.coverage.flow_logs.of), (1, share.of));
    let finding = finds(&report, "has no flow log to the bucket");
    assert_eq!((finding.severity, finding.places.len()), (Severity::Error, 1));
    assert_data_eq!(finding.help.as_ref().unwrap(), str!["run `flowagg apply` to create it"]);
    assert!(!report.is_complete());
}

#[test]
fn region_without_deliveries_is_silent_and_without_flow_logs_missing() {
    let mut fleet = fleet();
    let place = place(&fleet);
    silence(&mut fleet, &place);
    let report = is(&fleet, &place, State::Silent, State::Silent);
    assert_eq!(finds(&report, "no objects on any day of this report").about, About::Delivery);
    state(&mut fleet, &place).flow_logs.clear();
    is(&fleet, &place, State::Missing, State::Missing);
}

#[test]
fn region_without_resources_in_use_is_idle_and_has_no_finding() {
    let mut fleet = fleet();
    let place = place(&fleet);
    let before = fleet.report();
    silence(&mut fleet, &place);
    let idle = state(&mut fleet, &place).flow_logs.len();
    let carrier = (place.clone(), Carrier::NetworkInterface);
    fleet.deliveries.arrivals.in_use.insert(carrier, Ok(BTreeSet::new()));
    let report = is(&fleet, &place, State::Idle, State::Delivering);
    assert!(report.is_complete());
    assert_eq!(report.findings, before.findings);
    let (old, new) = (before.totals.coverage, report.totals.coverage);
    assert_eq!((new.idle, new.resources), (idle, old.resources));
    assert_eq!((new.flow_logs.of, new.flow_logs.percent), (old.flow_logs.of - idle, Some(100)));
}

#[test]
fn region_with_unreadable_usage_is_unknown_and_the_permission_is_advised() {
    let mut fleet = fleet();
    let place = place(&fleet);
    silence(&mut fleet, &place);
    let carrier = (place.clone(), Carrier::NetworkInterface);
    fleet.deliveries.arrivals.in_use.insert(carrier, Err(failure(&place)));
    let report = is(&fleet, &place, State::Unknown, State::Unknown);
    let finding = finds(&report, "UnauthorizedOperation");
    assert_eq!((finding.about, finding.severity), (About::Reading, Severity::Error));
    assert_eq!(finding.help, Some(format!("allow it in {}", place.account)));
    assert!(!report.is_read() && !report.is_complete());
}

#[test]
fn region_with_new_flow_logs_is_waiting() {
    let mut fleet = fleet();
    let place = place(&fleet);
    silence(&mut fleet, &place);
    let now = fleet.now;
    state(&mut fleet, &place).flow_logs.iter_mut().for_each(|log| log.created = Some(now));
    let report = is(&fleet, &place, State::Waiting, State::Waiting);
    assert_eq!(finds(&report, "a new flow log").severity, Severity::Note);
    assert!(!report.is_complete() && report.is_read());
}

#[test]
fn region_with_a_failing_delivery_is_failing_and_so_is_its_account() {
    let mut fleet = fleet();
    let place = place(&fleet);
    let log = &mut state(&mut fleet, &place).flow_logs[0];
    log.deliver_status = Some("FAILED".to_owned());
    log.deliver_error = Some("Access error".to_owned());
    let report = is(&fleet, &place, State::Failing, State::Failing);
    assert_data_eq!(
        finds(&report, "Access error").help.as_ref().unwrap(),
        str!["run `flowagg plan` to check the bucket policy and the KMS key policy"]
    );
}

#[test]
fn region_without_resources_to_log_has_no_state() {
    let mut fleet = fleet();
    let place = place(&fleet);
    *state(&mut fleet, &place) = RegionState::default();
    let report = is(&fleet, &place, None, State::Delivering);
    assert!(report.is_complete());
}

#[test]
fn region_outside_the_fleet_file_has_no_state() {
    let mut fleet = fleet();
    let place = place(&fleet);
    fleet.observed.regions.remove(&place);
    is(&fleet, &place, None, State::Delivering);
}

#[test]
fn unreadable_region_is_unknown_and_so_is_its_account() {
    let mut fleet = fleet();
    let place = place(&fleet);
    fleet.observed.regions.insert(place.clone(), Err(failure(&place)));
    let report = is(&fleet, &place, State::Unknown, State::Unknown);
    let finding = finds(&report, "UnauthorizedOperation");
    assert_eq!((finding.about, finding.severity), (About::Reading, Severity::Error));
    assert!(!report.is_read() && !report.is_complete());
}

#[test]
fn account_with_unlisted_regions_is_unknown() {
    let mut fleet = fleet();
    let place = place(&fleet);
    fleet.observed.regions.retain(|it, _| it.account != place.account);
    fleet.observed.regions.insert(place.clone(), Err(failure(&place)));
    fleet.fleet.members.get_mut(&place.account).unwrap().regions = Regions::ALL;
    let report = is(&fleet, &place, State::Unknown, State::Unknown);
    assert_eq!(report.totals.account_regions.of(State::Unknown), report.regions.len());
    assert_eq!(finds(&report, "UnauthorizedOperation").places.len(), 1);
}

#[test]
fn account_that_is_left_out_has_a_reason_and_no_state() {
    let mut fleet = fleet();
    let account = AccountId::parse("999988887777").unwrap();
    fleet.fleet.left_out.insert(account, "SUSPENDED".to_owned());
    let place = Place { account, region: Region::parse("eu-west-1").unwrap() };
    let report = is(&fleet, &place, None, None);
    assert!(report.accounts.iter().any(|it| it.account == account && it.why.as_deref() == Some("SUSPENDED")));
    assert_data_eq!(
        &finds(&report, "SUSPENDED").what,
        str!["skipped 999988887777 of the organization: SUSPENDED"]
    );
}

#[test]
fn vpcs_that_the_fleet_file_does_not_select_are_listed_with_the_reason() {
    let mut fleet = fleet();
    let place = place(&fleet);
    let owner = AccountId::parse("999988887777").unwrap();
    let vpc = |number: u32, change: &dyn Fn(&mut Resource)| {
        let mut vpc = Resource::new(ResourceId::parse(&format!("vpc-{number:017x}")).unwrap());
        vpc.owner = Some(place.account);
        vpc.tags.insert("logged".to_owned(), "yes".to_owned());
        change(&mut vpc);
        vpc
    };
    let except = ResourceId::parse(&format!("vpc-{:017x}", 1)).unwrap();
    let state = state(&mut fleet, &place);
    state.flow_logs.clear();
    state.resources = vec![
        vpc(5, &|_| ()),
        vpc(4, &|vpc| vpc.tags.clear()),
        vpc(3, &|vpc| vpc.owner = Some(owner)),
        vpc(2, &|vpc| vpc.is_default = true),
        vpc(1, &|vpc| drop(vpc.tags.insert("Name".to_owned(), "scratch".to_owned()))),
    ];
    let mut filter = Filter::default();
    filter.tags.insert("logged".to_owned(), "yes".to_owned());
    filter.except.insert(except);
    filter.default_vpcs = false;
    let select = |choice| Selection::try_from(BTreeMap::from([(ResourceKind::Vpc, choice)])).unwrap();
    let excluded = |fleet: &SampleFleet| {
        let report = fleet.report();
        let account = report.accounts.into_iter().find(|it| it.account == place.account).unwrap();
        let vpcs = account.excluded_vpcs.into_iter().filter(|it| it.region == place.region);
        let text = |ExcludedVpc { vpc, name, why, .. }| {
            format!("{vpc}{}: {why}\n", name.map(|name| format!(" ({name})")).unwrap_or_default())
        };
        vpcs.map(text).collect::<String>()
    };
    let select_in = |fleet: &mut SampleFleet, choice| {
        fleet.fleet.members.get_mut(&place.account).unwrap().resources = select(choice);
    };
    select_in(&mut fleet, Choice::All(filter));
    assert_data_eq!(
        excluded(&fleet),
        str![[r#"
vpc-00000000000000001 (scratch): listed in `vpcs.except`
vpc-00000000000000002: default VPC, excluded by `vpcs.default-vpcs`
vpc-00000000000000003: shared by 999988887777, which owns it
vpc-00000000000000004: without the tags in `vpcs.tags`

"#]]
    );
    let five = ResourceId::parse(&format!("vpc-{:017x}", 5)).unwrap();
    select_in(&mut fleet, Choice::Ids(BTreeSet::from([five])));
    assert_data_eq!(
        excluded(&fleet),
        str![[r#"
vpc-00000000000000001 (scratch): not listed in `vpcs`
vpc-00000000000000002: not listed in `vpcs`
vpc-00000000000000003: shared by 999988887777, which owns it
vpc-00000000000000004: not listed in `vpcs`

"#]]
    );
}

#[test]
fn same_finding_of_several_regions_is_merged() {
    let mut fleet = fleet();
    let places: Vec<Place> = fleet.observed.regions.keys().cloned().collect();
    for place in &places {
        fleet.observed.regions.insert(place.clone(), Err(failure(place)));
    }
    assert_eq!(finds(&fleet.report(), "UnauthorizedOperation").places.len(), places.len());
}

#[test]
fn objects_bytes_and_lag_match_the_listing() {
    let fleet = fleet();
    let report = fleet.report();
    let listed = || fleet.deliveries.days.values().flat_map(|days| days.values());
    assert_eq!(report.totals.objects, listed().map(|day| day.objects).sum::<u64>());
    assert_eq!(report.totals.bytes, listed().map(|day| day.bytes).sum::<u64>());
    for account in &report.accounts {
        assert_eq!(account.objects, account.days.iter().map(|day| day.objects).sum::<u64>());
        assert_eq!(account.bytes, account.regions.iter().map(|region| region.bytes).sum::<u64>());
        let least = account.regions.iter().filter_map(|region| region.newest_age_seconds).min();
        assert_eq!(account.newest.as_ref().map(|newest| newest.age_seconds), least);
    }
}

#[test]
fn missing_bucket_has_no_policy_and_pending_changes() {
    let mut fleet = fleet();
    fleet.observed.bucket = Ok(None);
    let report = fleet.report();
    assert_eq!(report.policy, None);
    assert_data_eq!(finds(&report, "create the bucket").help.as_ref().unwrap(), str!["run `flowagg apply`"]);
}

#[test]
fn full_policy_is_reported_alongside_deliveries() {
    let mut fleet = fleet();
    let bucket = fleet.observed.bucket.as_mut().unwrap().as_mut().unwrap();
    let policy = bucket.policy.as_mut().unwrap();
    *policy = policy.replace("Readers", &"R".repeat(20_000));
    let report = fleet.report();
    let finding = finds(&report, "the bucket policy would have");
    assert_eq!((finding.about, finding.severity), (About::Plan, Severity::Error));
    assert_eq!(report.policy.as_ref().unwrap().form, None);
    assert!(report.is_complete());
}

#[test]
fn policy_headroom_is_computed_from_the_live_policy() {
    let mut fleet = fleet();
    fleet.fleet.policy.form = flowagg_core::fleet::GrantForm::BoundAccounts;
    let policy = fleet.observed.bucket.as_ref().unwrap().as_ref().unwrap().policy.clone().unwrap();
    let room = fleet.report().policy.unwrap();
    assert_eq!(room.bytes, flowagg_policy::size::compact_len(&policy));
    assert_eq!((room.limit, room.form), (20_480, Some("bound-accounts")));
    assert!(room.accounts_fit.unwrap() > 100);
}
