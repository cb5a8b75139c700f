//! Planned changes, and that the plan is empty after they are applied.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod foreign;
mod ownership;

use std::collections::BTreeMap;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::{FLEET_TAG, FileFormat, Files, ForeignFlowLogs, LogDestination};
use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId, ResourceKind};
use flowagg_core::observed::*;
use flowagg_core::plan::{
    FlowLogPart, GrantRemoval, HubChange, Step, Unnamed, Why, flow_log_changes, flow_log_removals, reduced,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use snapbox::{assert_data_eq, str};

const VPCS: [&str; 3] = ["vpc-0000000a", "vpc-0000000b", "vpc-0000000c"];

fn fleet(vpcs: &str) -> Fleet {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n[flow-logs]\ntags = {{ team = \"net\" }}\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\nvpcs = {vpcs}\n"
    );
    Fleet::parse(&text).unwrap()
}

fn account() -> AccountId {
    AccountId::parse("222222222222").unwrap()
}

fn place() -> Place {
    Place::new(account(), &Region::parse("eu-west-1").unwrap())
}

fn vpc(id: &str) -> Resource {
    let id = ResourceId::parse(id).unwrap();
    let mut resource = Resource::new(id);
    resource.owner = Some(account());
    resource
}

/// Files of this format in EC2's default folders.
fn files(format: &str) -> Files<String> {
    Files::new(format.to_owned())
}

/// A managed flow log that matches the fleet file.
fn right(fleet: &Fleet, id: u32, vpc: &str) -> FlowLog {
    let mut log =
        FlowLog::new(FlowLogId::parse(&format!("fl-{id:08x}")).unwrap(), vpc, fleet.destination().arn());
    log.traffic = Some("ALL".to_owned());
    log.format = Some(fleet.flow_logs.format.to_string());
    log.interval = Some(600);
    log.tags = fleet.tags();
    log
}

/// Flow logs with these IDs, so that they are unique.
fn with_ids(logs: BTreeMap<u32, FlowLog>) -> Vec<FlowLog> {
    let id = |id: u32| FlowLogId::parse(&format!("fl-{id:08x}")).unwrap();
    logs.into_iter()
        .map(|(number, mut log)| {
            log.id = id(number);
            log
        })
        .collect()
}

fn foreign(mut log: FlowLog) -> FlowLog {
    log.tags = BTreeMap::new();
    log
}

fn compare(fleet: &Fleet, vpcs: &[Resource], flow_logs: &[FlowLog], unnamed: Unnamed) -> FlowLogPart {
    let changes = |state| flow_log_changes(fleet, &BTreeMap::from([(place(), Ok(state))]), unnamed);
    let state = RegionState::new(vpcs.to_vec(), flow_logs.to_vec());
    let reduced = reduced(fleet, &fleet.members[&account()], &place().region, state.clone());
    let part = changes(state);
    assert_eq!(changes(reduced), part, "a region that is up to date is reduced to what the plan needs");
    part
}

/// Whether there are no changes and no concerns.
fn is_settled(part: &FlowLogPart) -> bool {
    part.changes.is_empty() && part.concerns.is_empty() && part.failures.is_empty()
}

fn all_vpcs() -> Vec<Resource> {
    VPCS.map(vpc).to_vec()
}

/// The text of each concern, one per line.
fn concerns(part: &FlowLogPart) -> String {
    part.concerns.iter().map(|concern| concern.what.as_str()).collect::<Vec<_>>().join("\n")
}

/// Each foreign flow log, one per line.
fn also_logged(part: &FlowLogPart) -> String {
    let lines = part.also_logged.iter().map(|log| format!("{} {}: {log}", log.resource, log.flow_log));
    lines.collect::<Vec<_>>().join("\n")
}

fn steps(part: &FlowLogPart) -> Vec<&Step> {
    part.changes.iter().map(|change| &change.step).collect()
}

#[test]
fn vpc_without_a_flow_log_gets_one() {
    let fleet = fleet("\"all\"");
    let mut elsewhere = right(&fleet, 1, VPCS[0]);
    elsewhere.destination = "arn:aws:s3:::somebody-elses".into();
    let part = compare(&fleet, &all_vpcs(), &[elsewhere], Unnamed::Keep);
    assert_eq!(steps(&part), [&Step::Create; 3]);
}

#[test]
fn matching_foreign_flow_log_counts() {
    let fleet = fleet("\"all\"");
    let logs = [foreign(right(&fleet, 1, VPCS[0]))];
    let part = compare(&fleet, &[vpc(VPCS[0])], &logs, Unnamed::Prune);
    assert!(is_settled(&part), "{part:?}");
    assert_eq!(part.left[0].why, Why::ForeignAsWanted { manager: Manager::Foreign });
}

#[test]
fn differing_foreign_flow_log_is_reported_and_unchanged() {
    let mut fleet = fleet("\"all\"");
    fleet.flow_logs.foreign = ForeignFlowLogs::Differs;
    let mut log = right(&fleet, 1, VPCS[0]);
    log.traffic = Some("REJECT".into());
    let logs = [foreign(log)];
    let part = compare(&fleet, &[vpc(VPCS[0])], &logs, Unnamed::Prune);
    assert!(part.changes.is_empty());
    assert_data_eq!(
        concerns(&part),
        str!["its flow log fl-00000001 is foreign and is left unchanged: traffic is REJECT instead of ALL"]
    );
}

#[test]
fn foreign_flow_log_to_another_prefix_does_not_conflict() {
    let fleet = fleet("\"all\"");
    let mut other = right(&fleet, 1, VPCS[0]);
    other.destination = "arn:aws:s3:::acme-logs/audit/".into();
    let part = compare(&fleet, &[vpc(VPCS[0])], &[foreign(other)], Unnamed::Keep);
    assert_eq!(steps(&part), [&Step::Create]);
    assert_data_eq!(
        also_logged(&part),
        str!["vpc-0000000a fl-00000001: also logged to arn:aws:s3:::acme-logs/audit/"]
    );
}

#[test]
fn foreign_flow_logs_to_any_destination_are_listed() {
    let fleet = fleet("\"all\"\nsubnets = \"all\"");
    let to = |id: u32, resource: &str, destination: LogDestination, tags: &[(&str, &str)]| {
        let mut log = foreign(right(&fleet, id, resource));
        log.destination = destination;
        log.tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        log
    };
    let group = || LogDestination::CloudWatchLogs { log_group: "/vpc/flow".to_owned() };
    let stream = "arn:aws:firehose:eu-west-1:444455556666:deliverystream/siem".to_owned();
    let logs = [
        right(&fleet, 1, VPCS[0]),
        to(9, VPCS[0], group(), &[("aws:cloudformation:stack-name", "baseline"), ("Name", "x")]),
        to(3, VPCS[0], LogDestination::Firehose { arn: stream }, &[("Owner", "secops")]),
        to(4, VPCS[1], "arn:aws:s3:::audit-logs/".into(), &[]),
        to(5, "subnet-0000000a", LogDestination::Other { kind: Some("kafka".to_owned()), name: None }, &[]),
        to(6, VPCS[2], group(), &[]),
        to(7, "vpc-ffffffff", group(), &[]),
        to(8, "tgw-attach-0000000a", group(), &[]),
    ];
    let mut shared = vpc(VPCS[2]);
    shared.owner = Some(AccountId::parse("333333333333").unwrap());
    let resources = [vpc(VPCS[0]), vpc(VPCS[1]), shared, part("subnet-0000000a", &[VPCS[0]])];
    let part = compare(&fleet, &resources, &logs, Unnamed::Prune);
    assert_eq!(steps(&part), [&Step::Create], "{part:?}");
    assert!(part.concerns.is_empty() && part.notes.is_empty(), "{part:?}");
    assert_data_eq!(
        also_logged(&part),
        str![[r#"
vpc-0000000a fl-00000003: also logged to Firehose stream `siem` of 444455556666; possible owner: tag `Owner = secops`
vpc-0000000a fl-00000009: also logged to log group `/vpc/flow`; possible owner: stack `baseline`
vpc-0000000b fl-00000004: also logged to arn:aws:s3:::audit-logs/
subnet-0000000a fl-00000005: also logged to kafka
"#]]
    );
}

#[test]
fn flow_log_to_another_service_is_never_managed() {
    let fleet = fleet("\"all\"");
    let mut log = right(&fleet, 1, VPCS[0]);
    log.destination = LogDestination::CloudWatchLogs { log_group: fleet.destination().arn() };
    let part = compare(&fleet, &[vpc(VPCS[0])], std::slice::from_ref(&log), Unnamed::Prune);
    assert_eq!(steps(&part), [&Step::Create], "whatever its tags are");
    assert_data_eq!(
        also_logged(&part),
        str![[
            r#"vpc-0000000a fl-00000001: also logged to log group `arn:aws:s3:::acme-logs`; possible owner: flowagg fleet acme-logs"#
        ]]
    );
    let state = RegionState::new(all_vpcs(), vec![log]);
    let removal = flow_log_removals(&fleet, &BTreeMap::from([(place(), Ok(state))]));
    assert_eq!(removal, FlowLogPart::default());
}

#[test]
fn differing_managed_flow_log_is_replaced_with_all_differences_as_reason() {
    let fleet = fleet("\"all\"");
    let mut wrong = right(&fleet, 1, VPCS[0]);
    wrong.traffic = Some("REJECT".into());
    wrong.interval = Some(60);
    let part = compare(&fleet, &[vpc(VPCS[0])], std::slice::from_ref(&wrong), Unnamed::Keep);
    assert_eq!(steps(&part), [&Step::Replace { old: wrong.id, may_conflict: true }]);
    assert_eq!(part.changes[0].reason, "traffic REJECT -> ALL, aggregation interval 60 s -> 600 s");
}

#[test]
fn interrupted_replacement_is_finished() {
    let fleet = fleet("\"all\"");
    let mut wrong = right(&fleet, 1, VPCS[0]);
    wrong.traffic = Some("REJECT".into());
    let part = compare(&fleet, &[vpc(VPCS[0])], &[wrong.clone(), right(&fleet, 2, VPCS[0])], Unnamed::Keep);
    assert_eq!(steps(&part), [&Step::Delete { flow_log: wrong.id, after: None }]);
}

#[test]
fn flow_log_with_other_fields_is_replaced() {
    let fleet = fleet("\"all\"");
    let mut other = right(&fleet, 1, VPCS[0]);
    other.format = Some("${version} ${vpc-id}".into());
    let part = compare(&fleet, &[vpc(VPCS[0])], &[other], Unnamed::Keep);
    assert_data_eq!(
        &part.changes[0].reason,
        str![[
            r#"format ${version} ${vpc-id} -> ${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"#
        ]]
    );
}

#[test]
fn missing_tag_is_set_without_replacement() {
    let fleet = fleet("\"all\"");
    let mut log = right(&fleet, 1, VPCS[0]);
    log.tags.remove("team");
    let part = compare(&fleet, &[vpc(VPCS[0])], std::slice::from_ref(&log), Unnamed::Keep);
    let tags = BTreeMap::from([("team".to_owned(), "net".to_owned())]);
    assert_eq!(steps(&part), [&Step::Tag { flow_log: log.id, tags }]);
}

#[test]
fn missing_values_are_not_differences() {
    let fleet = fleet("\"all\"");
    let mut silent = right(&fleet, 1, VPCS[0]);
    silent.format = None;
    silent.interval = None;
    silent.files = None;
    assert!(is_settled(&compare(&fleet, &[vpc(VPCS[0])], &[silent], Unnamed::Keep)));
    let mut other = right(&fleet, 1, VPCS[0]);
    other.files = Some(files("parquet"));
    assert_eq!(compare(&fleet, &[vpc(VPCS[0])], &[other], Unnamed::Keep).changes.len(), 1);
}

#[test]
fn shared_vpc_is_left_to_its_owner() {
    let all = fleet("\"all\"");
    let mut shared = vpc(VPCS[0]);
    shared.owner = Some(AccountId::parse("333333333333").unwrap());
    let by_default = compare(&all, std::slice::from_ref(&shared), &[], Unnamed::Keep);
    let owner = AccountId::parse("333333333333").unwrap();
    assert!(is_settled(&by_default));
    assert_eq!(by_default.left[0].why, Why::Shared { owner });
    let listed = fleet(&format!("[\"{}\"]", VPCS[0]));
    assert_eq!(compare(&listed, &[shared], &[], Unnamed::Keep).concerns.len(), 1);
}

#[test]
fn vpcs_are_selected_by_tag_exception_and_default() {
    let mut tagged = vpc(VPCS[0]);
    tagged.tags = BTreeMap::from([("logged".to_owned(), "yes".to_owned())]);
    let mut default = vpc(VPCS[1]);
    default.is_default = true;
    let vpcs = [tagged, default, vpc(VPCS[2])];
    for (chosen, expected) in [
        ("\"all\"", vec![VPCS[0], VPCS[1], VPCS[2]]),
        ("{ tags = { logged = \"yes\" } }", vec![VPCS[0]]),
        ("{ tags = { logged = \"no\" } }", vec![]),
        ("{ except = [\"vpc-0000000c\"] }", vec![VPCS[0], VPCS[1]]),
        ("{ default-vpcs = false }", vec![VPCS[0], VPCS[2]]),
        ("{ default-vpcs = false, except = [\"vpc-0000000a\"] }", vec![VPCS[2]]),
    ] {
        let part = compare(&fleet(chosen), &vpcs, &[], Unnamed::Keep);
        let logged: Vec<&str> = part.changes.iter().map(|change| change.resource.as_str()).collect();
        assert_eq!(logged, expected, "{chosen}");
    }
}

fn part(id: &str, of: &[&str]) -> Resource {
    let part_of = of.iter().map(|id| ResourceId::parse(id).unwrap()).collect();
    let mut resource = vpc(id);
    resource.part_of = part_of;
    resource
}

#[test]
fn parts_of_a_logged_resource_are_not_logged_twice() {
    let member = |vpcs: &str| fleet(&format!("{vpcs}\nsubnets = \"all\"\nnetwork-interfaces = \"all\""));
    let resources = [
        part("eni-0000000a", &["subnet-0000000a", VPCS[0]]),
        part("subnet-0000000a", &[VPCS[0]]),
        part("eni-0000000b", &["subnet-0000000b", VPCS[1]]),
        part("subnet-0000000b", &[VPCS[1]]),
        vpc(VPCS[0]),
    ];
    let all = compare(&member("\"all\""), &resources, &[], Unnamed::Keep);
    let logged = |part: &FlowLogPart| {
        part.changes.iter().map(|change| change.resource.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(logged(&all), [VPCS[0], "subnet-0000000b"]);
    assert!(all.left.iter().all(|left| matches!(left.why, Why::Covered { .. })), "{:?}", all.left);

    let fleet = member("\"none\"");
    assert_eq!(
        logged(&compare(&fleet, &resources, &[], Unnamed::Keep)),
        ["subnet-0000000a", "subnet-0000000b"]
    );
    let narrower = right(&fleet, 1, "eni-0000000a");
    let wider = compare(&fleet, &resources, std::slice::from_ref(&narrower), Unnamed::Keep);
    let superseded =
        Step::Delete { flow_log: narrower.id, after: Some(ResourceId::parse("subnet-0000000a").unwrap()) };
    assert_eq!(steps(&wider), [&Step::Create, &Step::Create, &superseded]);
}

#[test]
fn transit_gateway_settings_are_not_compared_with_vpc_settings() {
    let fleet = fleet("\"none\"\ntransit-gateways = \"all\"");
    let mut right = right(&fleet, 1, "tgw-0000000a");
    right.traffic = None;
    right.format = Some("${version} ${tgw-id}".into());
    right.interval = Some(60);
    assert!(is_settled(&compare(&fleet, &[vpc("tgw-0000000a")], &[right], Unnamed::Keep)));
}

#[test]
fn file_settings_are_compared() {
    let mut fleet = fleet("\"all\"");
    let mut written = Files::new(FileFormat::Parquet);
    written.hive_compatible_partitions = true;
    written.per_hour_partition = true;
    fleet.flow_logs.files = written;
    let mut plain = right(&fleet, 1, VPCS[0]);
    plain.files = Some(files("plain-text"));
    let part = compare(&fleet, &[vpc(VPCS[0])], &[plain], Unnamed::Keep);
    assert_eq!(
        part.changes[0].reason,
        "file format plain-text -> parquet, Hive-compatible prefixes off -> on, per-hour partitions off -> on"
    );
}

#[test]
fn resource_with_the_maximum_number_of_flow_logs_is_reported() {
    let fleet = fleet("\"all\"");
    let elsewhere = |n| {
        let mut log = foreign(right(&fleet, n, VPCS[0]));
        log.destination = "arn:aws:s3:::other".into();
        log
    };
    let full: Vec<FlowLog> = (0..250).map(elsewhere).collect();
    let part = compare(&fleet, &[vpc(VPCS[0])], &full, Unnamed::Keep);
    assert!(part.changes.is_empty(), "{part:?}");
    assert_data_eq!(
        concerns(&part),
        str!["already has 250 flow logs, the maximum, and flowagg manages none of them"]
    );
    assert_eq!(compare(&fleet, &[vpc(VPCS[0])], &full[1..], Unnamed::Keep).changes.len(), 1);
}

#[test]
fn managed_flow_logs_of_unselected_kinds_are_deleted_only_by_pruning() {
    let fleet = fleet("\"all\"");
    let log = right(&fleet, 1, "subnet-0000000a");
    let kept = compare(&fleet, &[], std::slice::from_ref(&log), Unnamed::Keep);
    assert!(kept.changes.is_empty());
    assert_eq!(kept.left[0].why, Why::NotChosen { kind: ResourceKind::Subnet });
    assert_eq!(
        steps(&compare(&fleet, &[], std::slice::from_ref(&log), Unnamed::Prune)),
        [&Step::Delete { flow_log: log.id, after: None }]
    );
}

#[test]
fn listed_vpc_that_does_not_exist_is_reported() {
    let fleet = fleet("[\"vpc-0000000a\", \"vpc-ffffffff\"]");
    let part = compare(&fleet, &all_vpcs(), &[], Unnamed::Keep);
    assert_eq!(part.concerns[0].resource, "vpc-ffffffff");
    assert_eq!(part.changes.len(), 1);
}

#[test]
fn managed_flow_log_of_an_unselected_vpc_is_deleted_only_by_pruning() {
    let fleet = fleet("[\"vpc-0000000a\"]");
    let logs = [right(&fleet, 1, VPCS[0]), right(&fleet, 2, VPCS[1]), foreign(right(&fleet, 3, VPCS[2]))];
    assert!(is_settled(&compare(&fleet, &all_vpcs(), &logs, Unnamed::Keep)));
    let pruned = compare(&fleet, &all_vpcs(), &logs, Unnamed::Prune);
    assert_eq!(steps(&pruned), [&Step::Delete { flow_log: logs[1].id.clone(), after: None }]);
}

#[test]
fn unreadable_account_does_not_hide_others() {
    let fleet = Fleet::parse(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n\
         [[members]]\naccount = \"333333333333\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n",
    )
    .unwrap();
    let mut regions = BTreeMap::from([(place(), Ok(RegionState::new(all_vpcs(), vec![])))]);
    for region in ["eu-west-1", "us-east-1"].map(|region| Region::parse(region).unwrap()) {
        let place = Place::new(AccountId::parse("333333333333").unwrap(), &region);
        let mut failure = Failure::new(place.clone(), "AssumeRole", "no", "ask");
        failure.code = Some("AccessDenied".into());
        regions.insert(place, Err(failure));
    }
    let part = flow_log_changes(&fleet, &regions, Unnamed::Keep);
    assert_eq!(part.changes.len(), 3);
    let unread: Vec<String> = part.failures.iter().map(|failure| failure.place.to_string()).collect();
    assert_eq!(unread, ["333333333333 eu-west-1", "333333333333 us-east-1"], "no failure is dropped");
}

#[test]
fn destroy_deletes_only_managed_flow_logs() {
    let fleet = fleet("[\"vpc-0000000a\"]");
    let mut elsewhere = right(&fleet, 4, VPCS[0]);
    elsewhere.destination = "arn:aws:s3:::audit-logs/".into();
    let logs = vec![
        right(&fleet, 1, VPCS[0]),
        right(&fleet, 2, VPCS[1]),
        foreign(right(&fleet, 3, VPCS[2])),
        elsewhere,
    ];
    let state = RegionState::new(all_vpcs(), logs.clone());
    let part = flow_log_removals(&fleet, &BTreeMap::from([(place(), Ok(state))]));
    let ours: Vec<Step> =
        logs[..2].iter().map(|log| Step::Delete { flow_log: log.id.clone(), after: None }).collect();
    assert_eq!(steps(&part), ours.iter().collect::<Vec<_>>());
    assert_eq!(part.left.len(), 1, "the foreign one is listed");
}

/// A model of EC2 that applies the changes.
fn applied(fleet: &Fleet, part: &FlowLogPart, mut logs: Vec<FlowLog>) -> Vec<FlowLog> {
    let number =
        |log: &FlowLog| u32::from_str_radix(log.id.to_string().trim_start_matches("fl-"), 16).unwrap();
    let first = logs.iter().map(number).max().unwrap_or_default() + 1;
    for (n, change) in (first..).zip(&part.changes) {
        match &change.step {
            Step::Create => logs.push(right(fleet, n, change.resource.as_str())),
            Step::Replace { old, .. } => {
                logs.retain(|log| log.id != *old);
                logs.push(right(fleet, n, change.resource.as_str()));
            }
            Step::Delete { flow_log, .. } => logs.retain(|log| log.id != *flow_log),
            Step::Tag { flow_log, tags } => {
                for log in logs.iter_mut().filter(|log| log.id == *flow_log) {
                    log.tags.extend(tags.clone());
                }
            }
        }
    }
    logs
}

fn any_flow_log() -> impl Strategy<Value = FlowLog> {
    let traffic = prop::sample::select(vec!["ALL", "ACCEPT", "REJECT"]);
    let destination = prop::sample::select(vec![
        "arn:aws:s3:::acme-logs",
        "arn:aws:s3:::acme-logs/",
        "arn:aws:s3:::acme-logs/network/",
        "arn:aws:s3:::another",
    ]);
    let tags = prop::sample::subsequence(vec![("managed-by", "flowagg"), ("team", "net"), ("x", "y")], 0..=3);
    let fleets =
        prop::sample::select(vec![None, Some("acme-logs"), Some("acme-logs"), Some("other"), Some("")]);
    let fleets = fleets.prop_map(|name| name.map(|name| (FLEET_TAG, name)));
    let tags = (tags, fleets).prop_map(|(tags, fleet)| tags.into_iter().chain(fleet).collect::<Vec<_>>());
    let interval = prop::sample::select(vec![None, Some(60), Some(600)]);
    (0u32..1000, prop::sample::select(VPCS.to_vec()), traffic, destination, tags, interval).prop_map(
        |(id, vpc, traffic, destination, tags, interval)| {
            let mut log = right(&fleet("\"all\""), id, vpc);
            log.traffic = Some(traffic.to_owned());
            log.destination = destination.into();
            log.tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            log.interval = interval;
            log
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn applied_plan_leaves_no_changes_and_keeps_foreign_flow_logs(
        logs in prop::collection::btree_map(0u32..1000, any_flow_log(), 0..12),
        chosen in prop::sample::select(vec!["\"all\"", "[\"vpc-0000000a\"]", "{ tags = { logged = \"yes\" } }"]),
        prune in any::<bool>(),
    ) {
        let fleet = fleet(chosen);
        let unnamed = if prune { Unnamed::Prune } else { Unnamed::Keep };
        let logs = with_ids(logs);
        let first = compare(&fleet, &all_vpcs(), &logs, unnamed);
        let after = applied(&fleet, &first, logs.clone());
        let second = compare(&fleet, &all_vpcs(), &after, unnamed);
        prop_assert!(second.changes.is_empty(), "{:?}", second.changes);
        prop_assert_eq!(second.concerns, first.concerns);
        for log in logs.iter().filter(|log| !ownership::carries(log, &fleet.name())) {
            prop_assert!(after.contains(log), "a foreign flow log was touched: {:?}", log);
        }
    }
}

#[test]
fn grant_removal_lists_accounts_only_if_there_are_any() {
    let removal = |revoked: &[&str], leaves: Option<&str>| {
        let revoked = revoked.iter().map(|account| AccountId::parse(account).unwrap()).collect();
        let leaves = leaves.map(str::to_owned);
        let mut removal = GrantRemoval::new("{}");
        removal.leaves = leaves;
        removal.revoked = revoked;
        HubChange::RemoveGrant(removal).to_string()
    };
    assert_eq!(
        removal(&["222222222222"], Some("{}")),
        "remove flowagg's statements from the bucket policy and keep all others: revokes delivery from 222222222222"
    );
    assert_eq!(removal(&[], None), "delete the bucket policy, which contains only flowagg's statements");
}

#[test]
fn up_to_date_region_is_reduced_to_ids_and_names() {
    let fleet = fleet("\"all\"");
    let mut named = vpc(VPCS[0]);
    named.tags.insert("Name".to_owned(), "main".to_owned());
    let vpcs = [named, vpc(VPCS[1])];
    let logs = [right(&fleet, 1, VPCS[0]), right(&fleet, 2, VPCS[1])];
    let reduce = |logs: &[FlowLog]| {
        let state = RegionState::new(vpcs.to_vec(), logs.to_vec());
        reduced(&fleet, &fleet.members[&account()], &place().region, state)
    };
    let state = reduce(&logs);
    assert_eq!((state.resources.as_slice(), state.flow_logs.as_slice()), (&[][..], &[][..]));
    let names: Vec<_> = state.names().map(|(id, name)| (id.as_str(), name)).collect();
    assert_eq!(names, [(VPCS[0], Some("main")), (VPCS[1], None)]);
    let removals = |state: RegionState| flow_log_removals(&fleet, &BTreeMap::from([(place(), Ok(state))]));
    assert_eq!(removals(state), removals(RegionState::new(vpcs.to_vec(), logs.to_vec())));

    // A resource without a flow log, or a second, foreign flow log, prevents the reduction.
    assert_eq!(reduce(&logs[..1]).resources, vpcs);
    let mut second = foreign(right(&fleet, 3, VPCS[0]));
    second.destination = "arn:aws:s3:::others".into();
    assert_eq!(reduce(&[logs.to_vec(), vec![second]].concat()).flow_logs.len(), 3);
}
