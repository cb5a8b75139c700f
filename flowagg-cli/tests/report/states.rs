//! Which state each account and region is in, and what is found.

use std::collections::BTreeSet;

use flowagg::report::{About, Report, ReportFinding};
use flowagg_core::arrival::{Carrier, State};
use flowagg_core::failure::{Advice, Failure};
use flowagg_core::fleet::Regions;
use flowagg_core::id::{AccountId, Place, Region};
use flowagg_core::observed::RegionState;
use flowagg_policy::Severity;
use snapbox::{assert_data_eq, str};

use crate::made_up::MadeUp;

fn fleet() -> MadeUp {
    MadeUp::new(3).unwrap()
}

/// The last account's first region.
fn place(fleet: &MadeUp) -> Place {
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

fn state<'a>(fleet: &'a mut MadeUp, place: &Place) -> &'a mut RegionState {
    fleet.observed.regions.get_mut(place).unwrap().as_mut().unwrap()
}

/// Nothing has come from the flow logs there.
fn silence(fleet: &mut MadeUp, place: &Place) {
    let logs = state(fleet, place).flow_logs.clone();
    for log in &logs {
        fleet.deliveries.arrivals.newest.remove(&log.id);
    }
    fleet.deliveries.days.remove(place);
}

#[track_caller]
fn is(
    fleet: &MadeUp,
    place: &Place,
    state: impl Into<Option<State>>,
    of_account: impl Into<Option<State>>,
) -> Report {
    let report = fleet.report();
    let account = report.accounts.iter().find(|account| account.account == place.account).unwrap();
    let region = account.regions.iter().find(|region| region.region == place.region).unwrap();
    assert_eq!((region.state, account.state), (state.into(), of_account.into()));
    let places = report.totals.account_regions.total() + report.totals.nothing_to_log;
    assert_eq!(places, report.accounts.len() * report.regions.len(), "every place is in one state");
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
fn where_every_flow_log_delivers_a_place_is_delivering_and_the_report_complete() {
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
fn where_one_of_several_flow_logs_is_missing_a_place_is_missing_one() {
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
    let finding = finds(&report, "there is no flow log");
    assert_eq!((finding.severity, finding.places.len()), (Severity::Error, 1));
    assert_data_eq!(finding.help.as_ref().unwrap(), str!["`flowagg apply` makes it"]);
    assert!(!report.is_complete());
}

#[test]
fn where_flow_logs_deliver_nothing_a_place_is_silent_and_where_they_are_not_there_missing() {
    let mut fleet = fleet();
    let place = place(&fleet);
    silence(&mut fleet, &place);
    let report = is(&fleet, &place, State::Silent, State::Silent);
    assert_eq!(finds(&report, "nothing in all these days").about, About::Delivery);
    state(&mut fleet, &place).flow_logs.clear();
    is(&fleet, &place, State::Missing, State::Missing);
}

#[test]
fn where_nothing_is_in_use_a_place_is_idle_and_the_report_complete_without_a_finding() {
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
fn where_it_cannot_be_read_what_is_in_use_a_place_is_unknown_with_the_permission_that_is_missing() {
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
fn where_flow_logs_are_new_a_place_is_waiting_until_one_is_old_enough() {
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
fn where_aws_says_that_one_delivery_fails_a_place_is_failing_and_so_is_its_account() {
    let mut fleet = fleet();
    let place = place(&fleet);
    let log = &mut state(&mut fleet, &place).flow_logs[0];
    log.deliver_status = Some("FAILED".to_owned());
    log.deliver_error = Some("Access error".to_owned());
    let report = is(&fleet, &place, State::Failing, State::Failing);
    assert_data_eq!(
        finds(&report, "Access error").help.as_ref().unwrap(),
        str!["look at the bucket policy and the KMS key policy; `flowagg plan` shows what differs there"]
    );
}

#[test]
fn where_nothing_is_to_be_logged_a_place_has_no_state() {
    let mut fleet = fleet();
    let place = place(&fleet);
    *state(&mut fleet, &place) = RegionState::default();
    let report = is(&fleet, &place, None, State::Delivering);
    assert!(report.is_complete());
}

#[test]
fn a_region_that_the_fleet_file_does_not_name_for_an_account_has_no_state() {
    let mut fleet = fleet();
    let place = place(&fleet);
    fleet.observed.regions.remove(&place);
    is(&fleet, &place, None, State::Delivering);
}

#[test]
fn what_cannot_be_read_is_unknown_and_so_is_its_account() {
    let mut fleet = fleet();
    let place = place(&fleet);
    fleet.observed.regions.insert(place.clone(), Err(failure(&place)));
    let report = is(&fleet, &place, State::Unknown, State::Unknown);
    let finding = finds(&report, "UnauthorizedOperation");
    assert_eq!((finding.about, finding.severity), (About::Reading, Severity::Error));
    assert!(!report.is_read() && !report.is_complete());
}

#[test]
fn an_account_whose_regions_nobody_could_list_is_unknown_in_all_of_them() {
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
fn an_account_that_is_left_out_has_no_state_but_its_reason() {
    let mut fleet = fleet();
    let account = AccountId::parse("999988887777").unwrap();
    fleet.fleet.left_out.insert(account, "SUSPENDED".to_owned());
    let place = Place { account, region: Region::parse("eu-west-1").unwrap() };
    let report = is(&fleet, &place, None, None);
    assert!(report.accounts.iter().any(|it| it.account == account && it.why.as_deref() == Some("SUSPENDED")));
    assert_data_eq!(
        &finds(&report, "left out").what,
        str!["999988887777 of the organization is left out: SUSPENDED"]
    );
}

#[test]
fn what_alike_places_have_is_one_finding_with_every_place_even_where_its_words_name_the_account() {
    let mut fleet = fleet();
    let places: Vec<Place> = fleet.observed.regions.keys().cloned().collect();
    for place in &places {
        fleet.observed.regions.insert(place.clone(), Err(failure(place)));
    }
    assert_eq!(finds(&fleet.report(), "UnauthorizedOperation").places.len(), places.len());
}

#[test]
fn objects_bytes_and_lag_are_those_that_were_listed() {
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
fn a_bucket_that_is_not_there_leaves_no_policy_and_much_to_do() {
    let mut fleet = fleet();
    fleet.observed.bucket = Ok(None);
    let report = fleet.report();
    assert_eq!(report.policy, None);
    assert_data_eq!(
        finds(&report, "create the bucket").help.as_ref().unwrap(),
        str!["`flowagg apply` does it"]
    );
}

#[test]
fn a_policy_that_has_no_room_for_the_fleet_is_told_and_what_delivers_is_told_all_the_same() {
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
fn the_room_in_the_policy_is_that_of_the_policy_that_is_there() {
    let mut fleet = fleet();
    fleet.fleet.policy.form = flowagg_core::fleet::GrantForm::BoundAccounts;
    let policy = fleet.observed.bucket.as_ref().unwrap().as_ref().unwrap().policy.clone().unwrap();
    let room = fleet.report().policy.unwrap();
    assert_eq!(room.bytes, flowagg_policy::size::compact_len(&policy));
    assert_eq!((room.limit, room.form), (20_480, Some("bound-accounts")));
    assert!(room.accounts_fit.unwrap() > 100);
}
