//! The delivery state of flow logs, and the coverage of a fleet.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::arrival::{
    Arrivals, Carrier, Object, Patience, Share, State, StateCounts, Verified, judge, judged,
};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, FleetFile, Regions};
use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId};
use flowagg_core::observed::{FlowLog, RegionState, Resource};
use jiff::{SignedDuration, Timestamp};

const VPC: &str = "vpc-0a1b2c3d";
const GATEWAY: &str = "tgw-0a1b2c3d";

fn fleet_text() -> &'static str {
    "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n\
     subnets = \"all\"\nnetwork-interfaces = \"all\"\ntransit-gateways = \"all\"\n"
}

fn fleet() -> Fleet {
    Fleet::parse(fleet_text()).unwrap()
}

fn place() -> Place {
    Place::new(AccountId::parse("222222222222").unwrap(), &Region::parse("eu-west-1").unwrap())
}

fn resource(id: &str) -> ResourceId {
    ResourceId::parse(id).unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn minutes_ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn object(minutes: i64) -> Object {
    Object::new("AWSLogs/x", minutes_ago(minutes))
}

/// A flow log of a resource that was created the given number of minutes ago.
fn log(number: u32, resource: &str, minutes: i64) -> FlowLog {
    let id = FlowLogId::parse(&format!("fl-{number:08x}")).unwrap();
    let mut log = FlowLog::new(id, resource, fleet().destination().arn());
    log.tags = fleet().tags();
    log.created = Some(minutes_ago(minutes));
    log
}

fn denied(call: &str) -> Failure {
    let mut failure = Failure::new(place(), call, "not authorized", "allow it");
    failure.code = Some("UnauthorizedOperation".to_owned());
    failure
}

/// A member with these resources and flow logs, without any objects.
fn silent(resources: &[&str], logs: Vec<FlowLog>) -> BTreeMap<Place, Result<RegionState, Failure>> {
    let resources = resources.iter().map(|id| Resource::new(resource(id))).collect();
    BTreeMap::from([(place(), Ok(RegionState::new(resources, logs)))])
}

fn verified(states: &BTreeMap<Place, Result<RegionState, Failure>>, arrivals: &Arrivals) -> Verified {
    judged(&fleet(), states, arrivals, Patience::default(), now())
}

fn states_of(verified: &Verified) -> Vec<State> {
    verified.flow_logs.iter().map(|delivery| delivery.state).collect()
}

#[test]
fn state_depends_on_age_newest_object_status_and_use() {
    let failure = denied("DescribeNetworkInterfaces");
    let unread = || Some(Err(&failure));
    // Minutes since the flow log was created and since its newest object was stored, whether AWS reports an error, and whether the
    // resource is in use.
    for (created, newest, fails, in_use, state) in [
        (2000, Some(5), false, None, State::Delivering),
        (2000, Some(60), false, None, State::Delivering),
        (1, Some(0), false, None, State::Delivering),
        (29, None, false, None, State::Waiting),
        (29, None, false, Some(Ok(false)), State::Waiting),
        (30, None, false, None, State::Silent),
        (30, None, false, Some(Ok(true)), State::Silent),
        (30, None, false, Some(Ok(false)), State::Idle),
        (30, None, false, unread(), State::Unknown),
        (2000, Some(61), false, None, State::Silent),
        (2000, Some(61), false, Some(Ok(true)), State::Silent),
        (2000, Some(61), false, Some(Ok(false)), State::Idle),
        (2000, Some(61), false, unread(), State::Unknown),
        (29, Some(61), false, Some(Ok(true)), State::Silent),
        (1, None, true, None, State::Failing),
        (2000, Some(5), true, None, State::Failing),
        (2000, None, true, Some(Ok(false)), State::Failing),
        (2000, None, true, unread(), State::Failing),
    ] {
        let mut log = log(1, VPC, created);
        log.deliver_status = Some(if fails { "FAILED" } else { "SUCCESS" }.to_owned());
        let newest = newest.map(object);
        let found = judge(Some(&log), newest.as_ref(), in_use, now(), Patience::default());
        assert_eq!(found, state, "created {created} min ago, newest {newest:?}, {fails}, {in_use:?}");
    }
    for in_use in [None, Some(Ok(false)), unread()] {
        assert_eq!(judge(None, None, in_use, now(), Patience::default()), State::Missing);
    }
    let mut undated = log(1, VPC, 0);
    undated.created = None;
    assert_eq!(judge(Some(&undated), None, None, now(), Patience::default()), State::Silent);
}

#[test]
fn each_resource_kind_is_idle_without_its_carrier_in_use() {
    let resources = [VPC, "subnet-0a1b2c3d", "eni-0a1b2c3d", GATEWAY];
    let logs = (1..).zip(resources).map(|(n, resource)| log(n, resource, 2000)).collect();
    let states = silent(&resources, logs);
    let mut arrivals = Arrivals::default();
    let before = verified(&states, &arrivals);
    assert_eq!(states_of(&before), [State::Silent; 4]);
    let asked = [Carrier::NetworkInterface, Carrier::Attachment].map(|carrier| (place(), carrier));
    assert_eq!(before.silent(), BTreeSet::from(asked.clone()));

    for (in_use, expected) in [
        (&[][..], [State::Idle; 4]),
        (&[VPC], [State::Silent, State::Idle, State::Idle, State::Idle]),
        (&["subnet-0a1b2c3d", VPC], [State::Silent, State::Silent, State::Idle, State::Idle]),
        (&["eni-0a1b2c3d"], [State::Idle, State::Idle, State::Silent, State::Idle]),
    ] {
        arrivals.in_use.insert(asked[0].clone(), Ok(in_use.iter().map(|id| resource(id)).collect()));
        arrivals.in_use.insert(asked[1].clone(), Ok(BTreeSet::new()));
        assert_eq!(states_of(&verified(&states, &arrivals)), expected, "{in_use:?}");
    }
    arrivals.in_use.insert(asked[1].clone(), Ok(BTreeSet::from([resource(GATEWAY)])));
    assert_eq!(states_of(&verified(&states, &arrivals)).last(), Some(&State::Silent));
}

#[test]
fn failed_idle_check_makes_the_state_unknown() {
    let states = silent(&[VPC, GATEWAY], vec![log(1, VPC, 2000), log(2, GATEWAY, 2000)]);
    let mut arrivals = Arrivals::default();
    let failure = denied("DescribeNetworkInterfaces");
    arrivals.in_use.insert((place(), Carrier::NetworkInterface), Err(failure.clone()));
    arrivals.in_use.insert((place(), Carrier::Attachment), Ok(BTreeSet::new()));
    let verified = verified(&states, &arrivals);
    assert_eq!(states_of(&verified), [State::Unknown, State::Idle]);
    assert_eq!(
        verified.flow_logs[0].message.as_deref(),
        Some("DescribeNetworkInterfaces: UnauthorizedOperation: not authorized")
    );
    assert_eq!(verified.failures, [failure]);
    assert!(!verified.is_complete() && !verified.may_change());
}

#[test]
fn irrelevant_failures_are_not_reported() {
    let states = silent(&[VPC], vec![log(1, VPC, 2000)]);
    let mut arrivals = Arrivals::default();
    arrivals.in_use.insert((place(), Carrier::NetworkInterface), Err(denied("DescribeNetworkInterfaces")));
    arrivals.newest.insert(log(1, VPC, 0).id, object(5));
    let verified = verified(&states, &arrivals);
    assert_eq!((states_of(&verified), verified.failures.len()), (vec![State::Delivering], 0));
    assert!(verified.is_complete());
}

#[test]
fn only_delivering_and_idle_flow_logs_make_a_fleet_complete() {
    let states = silent(&[VPC, GATEWAY], vec![log(1, VPC, 2000), log(2, GATEWAY, 2000)]);
    let mut arrivals = Arrivals::default();
    arrivals.in_use.insert((place(), Carrier::NetworkInterface), Ok(BTreeSet::new()));
    arrivals.in_use.insert((place(), Carrier::Attachment), Ok(BTreeSet::from([resource(GATEWAY)])));
    let one_silent = verified(&states, &arrivals);
    assert!(!one_silent.is_complete() && one_silent.may_change());
    assert_eq!(one_silent.undelivered(), BTreeSet::from([place()]));

    arrivals.newest.insert(log(2, GATEWAY, 0).id, object(5));
    let rest_idle = verified(&states, &arrivals);
    assert!(rest_idle.is_complete() && !rest_idle.may_change());
    assert_eq!(rest_idle.undelivered(), BTreeSet::new());
}

#[test]
fn percentages_round_down_and_idle_flow_logs_should_not_deliver() {
    let vpcs: Vec<String> = (0..201).map(|n| format!("vpc-{n:08x}")).collect();
    let vpcs: Vec<&str> = vpcs.iter().map(String::as_str).collect();
    // The first is idle, the last has no flow log. One resource has two flow logs and must not be counted twice.
    let mut logs: Vec<FlowLog> = (0..200).zip(&vpcs).map(|(n, vpc)| log(n, vpc, 2000)).collect();
    logs.push(log(500, vpcs[7], 2000));
    let mut arrivals = Arrivals::default();
    arrivals.newest = logs.iter().skip(1).map(|log| (log.id.clone(), object(5))).collect();
    arrivals.in_use.insert((place(), Carrier::NetworkInterface), Ok(BTreeSet::new()));
    let coverage = verified(&silent(&vpcs, logs.clone()), &arrivals).coverage;
    let share = |share: Share| (share.count, share.of, share.percent);
    assert_eq!(share(coverage.resources), (200, 201, Some(99)));
    assert_eq!(share(coverage.flow_logs), (200, 201, Some(99)), "the missing one should deliver");
    assert_eq!((coverage.idle, coverage.unread), (1, 0));

    let mut states = silent(&vpcs[..200], logs);
    let whole = verified(&states, &arrivals).coverage;
    assert_eq!(
        (share(whole.resources), share(whole.flow_logs)),
        ((200, 200, Some(100)), (200, 200, Some(100)))
    );

    let elsewhere = Place { region: Region::parse("us-east-1").unwrap(), ..place() };
    states.insert(elsewhere, Err(denied("DescribeVpcs")));
    let part = verified(&states, &arrivals).coverage;
    assert_eq!((share(part.resources), share(part.flow_logs)), ((200, 200, None), (200, 200, None)));
    assert_eq!(part.unread, 1);

    let nothing = verified(&BTreeMap::new(), &Arrivals::default()).coverage;
    assert_eq!((share(nothing.resources), share(nothing.flow_logs)), ((0, 0, None), (0, 0, None)));
}

#[test]
fn worst_state_is_selected() {
    for (states, worst) in [
        (&[][..], None),
        (&[State::Idle], Some(State::Idle)),
        (&[State::Idle, State::Delivering], Some(State::Delivering)),
        (&[State::Delivering, State::Waiting], Some(State::Waiting)),
        (&[State::Silent, State::Waiting, State::Delivering], Some(State::Silent)),
        (&[State::Silent, State::Missing], Some(State::Missing)),
        (&[State::Failing, State::Missing], Some(State::Failing)),
        (&State::ALL, Some(State::Unknown)),
    ] {
        let counts: StateCounts = states.iter().copied().collect();
        assert_eq!(counts.worst(), worst);
    }
}

/// The fleet with an exception until this day.
fn excepted(scope: &str, until: &str) -> Fleet {
    let file = FleetFile::parse(&format!(
        "{}\n[[exceptions]]\n{scope}\nreason = \"being closed\"\nuntil = {until}\n",
        fleet_text()
    ));
    file.unwrap().named().unwrap()
}

#[test]
fn findings_are_accepted_until_the_end_of_the_last_day() {
    let states = silent(&[VPC, GATEWAY], vec![log(1, VPC, 2000), log(2, GATEWAY, 2000)]);
    let judged = |fleet: &Fleet| judged(fleet, &states, &Arrivals::default(), Patience::default(), now());
    let of_account = "account = \"222222222222\"";
    let accepted = judged(&excepted(of_account, "2026-11-23"));
    assert!(accepted.is_complete() && !accepted.may_change() && accepted.undelivered().is_empty());
    assert_eq!(
        (accepted.counts(), accepted.accepted().total()),
        (StateCounts::from_iter([State::Silent; 2]), 2)
    );
    assert_eq!((accepted.exceptions[0].accepts, accepted.exceptions[0].is_expired), (2, false));
    assert_eq!(accepted.coverage, verified(&states, &Arrivals::default()).coverage);

    let expired = judged(&excepted(of_account, "2026-11-22"));
    assert!(!expired.is_complete() && expired.exceptions[0].is_expired, "{expired:?}");

    // The gateway is not part of the VPC.
    let of_vpc = judged(&excepted("vpc = \"vpc-0a1b2c3d\"", "2026-11-23"));
    let open: Vec<&str> =
        of_vpc.flow_logs.iter().filter(|it| it.is_open()).map(|it| it.resource.as_str()).collect();
    assert_eq!((open, of_vpc.exceptions[0].accepts), (vec![GATEWAY], 1));
}

#[test]
fn failures_are_accepted_by_exceptions_for_the_account_region() {
    let states = BTreeMap::from([(place(), Err(denied("AssumeRole")))]);
    for (scope, is_accepted) in [
        ("account = \"222222222222\"", true),
        ("region = \"eu-west-1\"", true),
        ("account = \"222222222222\"\nregion = \"us-east-1\"", false),
        ("account = \"222222222222\"\nvpc = \"vpc-0a1b2c3d\"", false),
    ] {
        let fleet = excepted(scope, "2026-11-23");
        let found = judged(&fleet, &states, &Arrivals::default(), Patience::default(), now());
        assert_eq!(
            (found.failures.is_empty(), found.accepted_failures.len() == 1),
            (is_accepted, is_accepted),
            "{scope}"
        );
        assert_eq!((found.is_complete(), found.coverage.unread), (is_accepted, 1), "{scope}");
    }
}

#[test]
fn all_matching_exceptions_are_used_and_the_first_is_reported() {
    let states = silent(&[VPC], vec![log(1, VPC, 2000)]);
    let mut fleet = excepted("account = \"222222222222\"", "2026-11-23");
    let mut longer = fleet.exceptions[0].clone();
    (longer.vpc, longer.until) = (Some(resource(VPC)), "2027-06-30".parse().unwrap());
    fleet.exceptions.push(longer);
    let found = judged(&fleet, &states, &Arrivals::default(), Patience::default(), now());
    assert_eq!(found.exceptions.iter().map(|it| it.accepts).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(found.flow_logs[0].exception.as_ref().unwrap().until.to_string(), "2026-11-23");
}

#[test]
fn failed_idle_check_of_accepted_flow_logs_is_accepted() {
    let states = silent(&[VPC, "subnet-0a1b2c3d"], vec![log(1, VPC, 2000), log(2, "subnet-0a1b2c3d", 2000)]);
    let mut arrivals = Arrivals::default();
    let unread = Err(denied("DescribeNetworkInterfaces"));
    arrivals.in_use.insert((place(), Carrier::NetworkInterface), unread);
    let judged = |vpcs: &[&str]| {
        let mut fleet = excepted("account = \"222222222222\"", "2026-11-23");
        let first = fleet.exceptions.remove(0);
        fleet.exceptions.extend(vpcs.iter().map(|vpc| {
            let mut exception = first.clone();
            exception.vpc = Some(resource(vpc));
            exception
        }));
        judged(&fleet, &states, &arrivals, Patience::default(), now())
    };
    let both = judged(&[VPC, "subnet-0a1b2c3d"]);
    assert_eq!((both.is_complete(), both.accepted_failures.len()), (true, 1));
    let one = judged(&[VPC]);
    assert_eq!((one.failures.len(), one.accepted_failures.len()), (1, 0));
}

#[test]
fn failure_of_a_whole_account_is_not_accepted_by_an_exception_for_a_region() {
    let states = BTreeMap::from([(place(), Err(denied("AssumeRole")))]);
    for (scope, is_accepted) in [("region = \"eu-west-1\"", false), ("account = \"222222222222\"", true)] {
        let mut fleet = excepted(scope, "2026-11-23");
        fleet.members.values_mut().for_each(|member| member.regions = Regions::ALL);
        let found = judged(&fleet, &states, &Arrivals::default(), Patience::default(), now());
        assert_eq!(found.is_complete(), is_accepted, "{scope}");
    }
}
