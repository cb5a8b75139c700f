//! The effect of `flow-logs.foreign` on foreign flow logs.

use flowagg_core::arrival::expected;
use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::ForeignFlowLogs;
use flowagg_core::id::ResourceId;
use flowagg_core::observed::{FlowLog, RegionState, Resource};
use flowagg_core::plan::{FlowLogPart, Step, Unnamed};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use snapbox::{assert_data_eq, str};
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    VPCS, any_flow_log, applied, compare, files, fleet, foreign, place, right, steps, vpc, with_ids,
};

fn with(foreign: ForeignFlowLogs) -> Fleet {
    let mut fleet = fleet("\"all\"");
    fleet.flow_logs.foreign = foreign;
    fleet
}

/// A short form of a plan.
fn outline(part: &FlowLogPart) -> String {
    let changes = part.changes.iter().map(|change| format!("  {}: {}", change.step, change.reason));
    let left = part.left.iter().map(|left| format!("  leave: {}", left.why));
    let concerns = part.concerns.iter().map(|it| format!("  not as declared: {}\n    {}", it.what, it.help));
    let also = part.also_logged.iter().map(|log| format!("  {}: {log}", log.flow_log));
    changes.chain(left).chain(concerns).chain(also).map(|line| line + "\n").collect()
}

/// The plans for these flow logs of one VPC with each setting.
fn each_setting(logs: impl Fn(&Fleet) -> Vec<FlowLog>) -> String {
    let one = |setting: ForeignFlowLogs| {
        let fleet = with(setting);
        let logs = logs(&fleet);
        let part = compare(&fleet, &[vpc(VPCS[0])], &logs, Unnamed::Keep);
        format!("{}\n{}", setting.as_str(), outline(&part))
    };
    ForeignFlowLogs::ALL.map(one).concat()
}

#[test]
fn matching_foreign_flow_log_counts_unless_ignored() {
    assert_data_eq!(
        each_setting(|fleet| vec![foreign(right(fleet, 1, VPCS[0]))]),
        str![[r#"
covers
  leave: matches the fleet file (foreign)
differs
  leave: matches the fleet file (foreign)
ignore
  not as declared: its flow log fl-00000001 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
    set `flow-logs.foreign = "covers"` so that it counts, delete fl-00000001, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it

"#]]
    );
}

#[test]
fn foreign_flow_log_with_another_format_covers_by_default() {
    let logs = |fleet: &Fleet| {
        let mut log = foreign(right(fleet, 1, VPCS[0]));
        log.interval = Some(60);
        log.files = Some(files("parquet"));
        vec![log]
    };
    assert_data_eq!(
        each_setting(logs),
        str![[r#"
covers
  leave: covers the resource (foreign): aggregation interval is 60 s instead of 600 s, file format is parquet instead of plain-text
differs
  not as declared: its flow log fl-00000001 is foreign and is left unchanged: aggregation interval is 60 s instead of 600 s, file format is parquet instead of plain-text
    delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg replaces it
ignore
  not as declared: its flow log fl-00000001 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
    set `flow-logs.foreign = "covers"` so that it counts, delete fl-00000001, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it

"#]]
    );
}

#[test]
fn foreign_flow_log_of_all_traffic_covers_partial_traffic() {
    let logs = |fleet: &Fleet| vec![foreign(right(fleet, 1, VPCS[0]))];
    let of_part = |setting| {
        let mut fleet = with(setting);
        fleet.flow_logs.traffic = flowagg_core::flow_log::TrafficType::Reject;
        outline(&compare(&fleet, &[vpc(VPCS[0])], &logs(&fleet), Unnamed::Keep))
    };
    assert_data_eq!(
        ForeignFlowLogs::ALL.map(of_part).concat(),
        str![[r#"
  leave: covers the resource (foreign): traffic is ALL instead of REJECT
  not as declared: its flow log fl-00000001 is foreign and is left unchanged: traffic is ALL instead of REJECT
    delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg replaces it
  create a flow log: no flow log to this bucket
  fl-00000001: also logged to arn:aws:s3:::acme-logs

"#]]
    );
}

#[test]
fn foreign_flow_log_of_less_traffic_does_not_cover() {
    let logs = |fleet: &Fleet| {
        let mut log = foreign(right(fleet, 1, VPCS[0]));
        log.traffic = Some("REJECT".into());
        vec![log]
    };
    assert_data_eq!(
        each_setting(logs),
        str![[r#"
covers
  create a flow log: no flow log to this bucket
  fl-00000001: also logged to arn:aws:s3:::acme-logs
differs
  not as declared: its flow log fl-00000001 is foreign and is left unchanged: traffic is REJECT instead of ALL
    delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg replaces it
ignore
  create a flow log: no flow log to this bucket
  fl-00000001: also logged to arn:aws:s3:::acme-logs

"#]]
    );
}

#[test]
fn foreign_flow_log_with_another_layout_is_a_reported_conflict() {
    let logs = |fleet: &Fleet| {
        let mut log = foreign(right(fleet, 1, VPCS[0]));
        let mut hive = files("plain-text");
        hive.hive_compatible_partitions = true;
        log.files = Some(hive);
        vec![log]
    };
    assert_data_eq!(
        each_setting(logs),
        str![[r#"
covers
  not as declared: its flow log fl-00000001 is foreign and does not count (Hive-compatible prefixes is on instead of off), and AWS rejects another one with the same destination and traffic type
    delete fl-00000001, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it
differs
  not as declared: its flow log fl-00000001 is foreign and is left unchanged: Hive-compatible prefixes is on instead of off
    delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg replaces it
ignore
  not as declared: its flow log fl-00000001 is foreign and does not count (Hive-compatible prefixes is on instead of off), and AWS rejects another one with the same destination and traffic type
    delete fl-00000001, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it

"#]]
    );
}

#[test]
fn foreign_flow_log_blocks_the_replacement_of_a_managed_one() {
    let logs = |fleet: &Fleet| {
        let mut own = right(fleet, 1, VPCS[0]);
        own.traffic = Some("REJECT".into());
        let mut other = foreign(right(fleet, 2, VPCS[0]));
        other.interval = Some(60);
        vec![own, other]
    };
    assert_data_eq!(
        each_setting(logs),
        str![[r#"
covers
  not as declared: its flow log fl-00000001 differs (traffic is REJECT instead of ALL), and AWS rejects a replacement because fl-00000002, which is foreign, has the same destination and traffic type
    delete fl-00000001 so that fl-00000002 counts, delete fl-00000002, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it
differs
  not as declared: its flow log fl-00000001 differs (traffic is REJECT instead of ALL), and AWS rejects a replacement because fl-00000002, which is foreign, has the same destination and traffic type
    delete fl-00000002, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it
  not as declared: its flow log fl-00000002 is foreign and is left unchanged: aggregation interval is 60 s instead of 600 s
    delete it, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg replaces it
ignore
  not as declared: its flow log fl-00000001 differs (traffic is REJECT instead of ALL), and AWS rejects a replacement because fl-00000002, which is foreign, has the same destination and traffic type
    delete fl-00000002, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it

"#]]
    );
}

#[test]
fn foreign_flow_logs_next_to_managed_ones_are_listed_or_findings() {
    let logs = |fleet: &Fleet| {
        let mut elsewhere = foreign(right(fleet, 2, VPCS[0]));
        elsewhere.destination = "arn:aws:s3:::acme-logs/audit/".into();
        let mut another = foreign(right(fleet, 3, VPCS[0]));
        another.destination = "arn:aws:s3:::audit-logs".into();
        let twin = foreign(right(fleet, 4, VPCS[0]));
        vec![right(fleet, 1, VPCS[0]), elsewhere, another, twin]
    };
    assert_data_eq!(
        each_setting(logs),
        str![[r#"
covers
  leave: up to date
  fl-00000002: also logged to arn:aws:s3:::acme-logs/audit/
  fl-00000003: also logged to arn:aws:s3:::audit-logs
  fl-00000004: also logged to arn:aws:s3:::acme-logs
differs
  leave: up to date
  fl-00000002: also logged to arn:aws:s3:::acme-logs/audit/
  fl-00000003: also logged to arn:aws:s3:::audit-logs
  fl-00000004: also logged to arn:aws:s3:::acme-logs
ignore
  leave: up to date
  fl-00000002: also logged to arn:aws:s3:::acme-logs/audit/
  fl-00000003: also logged to arn:aws:s3:::audit-logs
  fl-00000004: also logged to arn:aws:s3:::acme-logs

"#]]
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn verify_and_plan_count_the_same_flow_logs(
        logs in prop::collection::btree_map(0u32..1000, any_flow_log(), 0..12),
        setting in prop::sample::select(ForeignFlowLogs::ALL.to_vec()),
    ) {
        let fleet = with(setting);
        let vpcs = crate::all_vpcs();
        let logs = with_ids(logs);
        let part = compare(&fleet, &vpcs, &logs, Unnamed::Keep);
        let after = applied(&fleet, &part, logs);
        let again = compare(&fleet, &vpcs, &after, Unnamed::Keep);
        prop_assert!(again.changes.is_empty(), "{:?}", again.changes);
        prop_assert_eq!(&again.concerns, &part.concerns);
        let states = BTreeMap::from([(place(), Ok(RegionState::new(vpcs, after)))]);
        for (_, vpc, log) in expected(&fleet, &states) {
            let concerns = again.concerns.iter().any(|concern| concern.resource == vpc.id.as_str());
            prop_assert!(log.is_some() || concerns, "{} is not logged, and the plan is silent", vpc.id);
            let Some(log) = log else { continue };
            let counted = again.left.iter().any(|left| left.flow_log.as_ref() == Some(&log.id));
            let twin = setting == ForeignFlowLogs::Differs && again.also_logged.iter().any(|it| it.flow_log == log.id);
            prop_assert!(counted || twin || concerns, "{} is logged by {:?}", vpc.id, log);
        }
    }
}

/// A VPC with a subnet.
fn whole_and_part() -> [Resource; 2] {
    let mut subnet = vpc("subnet-0000000a");
    subnet.part_of = BTreeSet::from([ResourceId::parse(VPCS[0]).unwrap()]);
    [vpc(VPCS[0]), subnet]
}

fn logging_subnets(setting: ForeignFlowLogs) -> Fleet {
    let mut fleet = fleet("\"all\"\nsubnets = \"all\"");
    fleet.flow_logs.foreign = setting;
    fleet
}

#[test]
fn managed_flow_log_of_a_part_stays_if_the_whole_cannot_get_one() {
    let fleet = logging_subnets(ForeignFlowLogs::Ignore);
    let logs = [foreign(right(&fleet, 1, VPCS[0])), right(&fleet, 2, "subnet-0000000a")];
    let part = compare(&fleet, &whole_and_part(), &logs, Unnamed::Prune);
    assert_data_eq!(
        outline(&part),
        str![[r#"
  leave: part of vpc-0000000a, which cannot get a flow log
  not as declared: its flow log fl-00000001 is foreign and does not count (`flow-logs.foreign`), and AWS rejects another one with the same destination and traffic type
    set `flow-logs.foreign = "covers"` so that it counts, delete fl-00000001, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-logs` so that flowagg manages it

"#]]
    );
}

#[test]
fn managed_flow_logs_of_a_part_are_deleted_once_the_whole_has_one() {
    let fleet = logging_subnets(ForeignFlowLogs::Covers);
    let mut former = right(&fleet, 3, "subnet-0000000a");
    former.destination = "arn:aws:s3:::acme-logs/former/".into();
    let of_part = [right(&fleet, 2, "subnet-0000000a"), former];
    let deleted = |after: Option<&str>| {
        let after = after.map(|id| ResourceId::parse(id).unwrap());
        of_part.clone().map(|log| Step::Delete { flow_log: log.id, after: after.clone() })
    };
    let whole = right(&fleet, 1, VPCS[0]);
    let present = compare(&fleet, &whole_and_part(), &[&[whole], &of_part[..]].concat(), Unnamed::Keep);
    assert_eq!(steps(&present), deleted(None).iter().collect::<Vec<_>>());
    let planned = compare(&fleet, &whole_and_part(), &of_part, Unnamed::Keep);
    let [first, second] = deleted(Some(VPCS[0]));
    assert_eq!(steps(&planned), [&Step::Create, &first, &second]);
}

#[test]
fn managed_flow_log_of_an_unselected_resource_is_listed_and_pruned() {
    let mut fleet = fleet("\"all\"");
    fleet.hub.prefix = Some("new".parse().unwrap());
    fleet.declared_name = Some("acme-logs".parse().unwrap());
    let mut former = right(&fleet, 1, "subnet-0000000a");
    former.destination = "arn:aws:s3:::acme-logs".into();
    let kept = compare(&fleet, &[], std::slice::from_ref(&former), Unnamed::Keep);
    assert_eq!(kept.left.len(), 1, "{kept:?}");
    let pruned = compare(&fleet, &[], std::slice::from_ref(&former), Unnamed::Prune);
    assert_eq!(steps(&pruned), [&Step::Delete { flow_log: former.id, after: None }]);
}

#[test]
fn differing_managed_flow_log_is_replaced_despite_a_covering_foreign_one() {
    let mut fleet = with(ForeignFlowLogs::Covers);
    let mut own = right(&fleet, 1, VPCS[0]);
    own.traffic = Some("ALL".into());
    fleet.flow_logs.traffic = flowagg_core::flow_log::TrafficType::Reject;
    let logs = [own.clone(), foreign(right(&fleet, 2, VPCS[0]))];
    let part = compare(&fleet, &[vpc(VPCS[0])], &logs, Unnamed::Keep);
    assert_eq!(steps(&part), [&Step::Replace { old: own.id, may_conflict: false }]);
}

#[test]
fn advice_never_tags_a_flow_log_of_another_fleet() {
    let mut fleet = with(ForeignFlowLogs::Differs);
    fleet.declared_name = Some(fleet.name());
    let mut log = right(&fleet, 1, VPCS[0]);
    log.interval = Some(60);
    log.tags.insert(flowagg_core::flow_log::FLEET_TAG.to_owned(), "other".to_owned());
    assert_data_eq!(
        outline(&compare(&fleet, &[vpc(VPCS[0])], &[log], Unnamed::Keep)),
        str![[r#"
  not as declared: its flow log fl-00000001 is managed by flowagg fleet other and is left unchanged: aggregation interval is 60 s instead of 600 s
    change it in fleet other, or delete it

"#]]
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn managed_flow_logs_are_deleted_only_if_the_traffic_stays_logged(
        logs in prop::collection::btree_map(1..50_u32, any_flow_log(), 0..6),
        setting in prop::sample::select(ForeignFlowLogs::ALL.to_vec()),
    ) {
        let fleet = with(setting);
        let logs = with_ids(logs);
        let resources = VPCS.map(vpc);
        let part = compare(&fleet, &resources, &logs, Unnamed::Keep);
        for change in &part.changes {
            let Step::Delete { flow_log, after } = &change.step else { continue };
            let counts = logs.iter().any(|log| {
                log.id != *flow_log && log.is_of(&change.resource) && log.is_managed_by(&fleet.name()) && fleet.counts(log)
            });
            let is_planned = after.as_ref() == Some(&change.resource)
                && part.changes.iter().any(|other| {
                    other.resource == change.resource && matches!(other.step, Step::Create | Step::Replace { .. })
                });
            prop_assert!(counts || is_planned, "{change}: {logs:?}");
        }
    }
}
