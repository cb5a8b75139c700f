//! A fleet manages only flow logs with its tags.

use flowagg_core::flow_log::FLEET_TAG;
use flowagg_core::id::FleetName;
use flowagg_core::observed::{FlowLog, RegionState};
use flowagg_core::plan::{FlowLogChange, Note, Step, Unnamed, Why, flow_log_removals};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use snapbox::{assert_data_eq, str};
use std::collections::BTreeMap;

use crate::{
    VPCS, all_vpcs, any_flow_log, applied, compare, fleet, foreign, place, right, steps, vpc, with_ids,
};

/// A flow log that another fleet manages.
fn of_other(mut log: FlowLog) -> FlowLog {
    let mut tags = log.tags.clone();
    tags.insert(FLEET_TAG.to_owned(), "other".to_owned());
    log.tags = tags;
    log
}

/// Whether a flow log has both tags of this fleet.
pub(crate) fn carries(log: &FlowLog, fleet: &FleetName) -> bool {
    let tag = |key: &str| log.tags.get(key).map(String::as_str);
    tag("managed-by") == Some("flowagg") && tag("flowagg:fleet") == Some(fleet.as_str())
}

#[test]
fn flow_log_of_another_fleet_is_unchanged() {
    let chosen = fleet("\"all\"");
    let not_chosen = fleet("[\"vpc-0000000b\"]");
    let mut unnamed = right(&chosen, 2, VPCS[0]);
    unnamed.tags.remove(FLEET_TAG);
    let mut wrong = right(&chosen, 1, VPCS[0]);
    wrong.traffic = Some("REJECT".into());
    for log in [of_other(right(&chosen, 1, VPCS[0])), of_other(wrong), unnamed] {
        for fleet in [&chosen, &not_chosen] {
            let part = compare(fleet, &[vpc(VPCS[0])], std::slice::from_ref(&log), Unnamed::Prune);
            let touches = |change: &&FlowLogChange| change.step != Step::Create;
            assert_eq!(part.changes.iter().find(touches), None);
            let state = RegionState::new(all_vpcs(), vec![log.clone()]);
            let removal = flow_log_removals(fleet, &BTreeMap::from([(place(), Ok(state))]));
            assert!(removal.changes.is_empty(), "{:?}", removal.changes);
            assert_eq!(removal.left[0].why, Why::ForeignWithoutGrant { manager: log.manager() });
        }
    }
}

#[test]
fn managed_flow_log_of_an_unsupported_resource_is_reported_and_unchanged() {
    let fleet = fleet("\"all\"");
    let log = right(&fleet, 1, "tgw-attach-0000000a");
    let part = compare(&fleet, &[], std::slice::from_ref(&log), Unnamed::Prune);
    assert!(part.changes.is_empty(), "{:?}", part.changes);
    let state = RegionState::new(Vec::new(), vec![log.clone()]);
    let removal = flow_log_removals(&fleet, &BTreeMap::from([(place(), Ok(state))]));
    assert!(removal.changes.is_empty(), "{:?}", removal.changes);
    assert_eq!(
        (removal.left[0].resource.as_str(), &removal.left[0].flow_log),
        ("tgw-attach-0000000a", &Some(log.id.clone()))
    );
    let why = Why::UnknownResource { manager: log.manager() };
    assert_eq!((&part.left[0].why, &removal.left[0].why), (&why, &why));
    for part in [&part, &removal] {
        let notes = part.notes.iter().filter(|note| matches!(note, Note::UnknownResource { .. }));
        assert_data_eq!(
            notes.map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            str![
                "222222222222 eu-west-1: flow log fl-00000001 to the bucket is managed by flowagg fleet acme-logs and logs `tgw-attach-0000000a`, which flowagg does not support; it is left unchanged"
            ]
        );
    }
    let mut elsewhere = log;
    elsewhere.destination = "arn:aws:s3:::another".into();
    let part = compare(&fleet, &[], &[elsewhere], Unnamed::Keep);
    assert!(part.left.is_empty() && part.also_logged.is_empty(), "{part:?}");
}

#[test]
fn destroy_deletes_flow_logs_to_a_former_prefix() {
    let mut fleet = fleet("\"all\"");
    fleet.declared_name = Some(fleet.name());
    let to = |id: u32, destination: &str| {
        let mut log = right(&fleet, id, VPCS[0]);
        log.destination = destination.into();
        log
    };
    let former = to(1, "arn:aws:s3:::acme-logs/old/");
    let elsewhere = to(2, "arn:aws:s3:::acme-logs-2/old/");
    let flow_logs = vec![former.clone(), elsewhere, of_other(former.clone()), foreign(former.clone())];
    let state = RegionState::new(all_vpcs(), flow_logs);
    let removal = flow_log_removals(&fleet, &BTreeMap::from([(place(), Ok(state))]));
    assert_eq!(steps(&removal), [&Step::Delete { flow_log: former.id, after: None }]);
    assert_eq!(
        removal.changes[0].reason,
        "the fleet is being destroyed; it delivers to arn:aws:s3:::acme-logs/old/"
    );
    assert!(removal.left.is_empty(), "{:?}", removal.left);
}

#[test]
fn manager_is_read_from_tags() {
    let fleet = fleet("\"all\"");
    let log = right(&fleet, 1, VPCS[0]);
    assert!(log.is_managed_by(&fleet.name()));
    assert_eq!(of_other(log.clone()).manager().to_string(), "managed by flowagg fleet other");
    assert_eq!(foreign(log).manager().to_string(), "foreign");
}

#[test]
fn flow_log_of_another_fleet_is_a_concern_until_the_fleet_is_named() {
    let unnamed = fleet("\"all\"");
    let mut elsewhere = right(&unnamed, 1, VPCS[0]);
    elsewhere.destination = "arn:aws:s3:::acme-logs/old/".into();
    let log = of_other(elsewhere);
    let part = compare(&unnamed, &[vpc(VPCS[0])], std::slice::from_ref(&log), Unnamed::Keep);
    assert_eq!(part.concerns.len(), 1, "{part:?}");
    assert_data_eq!(
        &part.concerns[0].help,
        str![[
            r#"set `fleet.name = "other"` if it is the same fleet (a changed `hub.prefix` changes the default name); set `fleet.name = "acme-logs"` if it is another fleet"#
        ]]
    );
    let mut named = unnamed.clone();
    named.declared_name = Some(unnamed.name());
    assert!(compare(&named, &[vpc(VPCS[0])], std::slice::from_ref(&log), Unnamed::Keep).concerns.is_empty());
    let mut same = unnamed;
    same.declared_name = Some(FleetName::parse("other").unwrap());
    let part = compare(&same, &[vpc(VPCS[0])], std::slice::from_ref(&log), Unnamed::Keep);
    assert_eq!(steps(&part), [&Step::Replace { old: log.id, may_conflict: false }]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_fleets_never_touch_each_others_flow_logs(
        logs in prop::collection::btree_map(0u32..1000, any_flow_log(), 0..12),
        turns in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 1..6),
    ) {
        let named = |name: &str| {
            let mut fleet = fleet("\"all\"");
            fleet.declared_name = Some(FleetName::parse(name).unwrap());
            fleet
        };
        let fleets = [named("acme-logs"), named("other")];
        let mut logs = with_ids(logs);
        for (second, removes, prunes) in turns {
            let fleet = &fleets[usize::from(second)];
            let part = if removes {
                let state = RegionState::new(all_vpcs(), logs.clone());
                flow_log_removals(fleet, &BTreeMap::from([(place(), Ok(state))]))
            } else {
                compare(fleet, &all_vpcs(), &logs, if prunes { Unnamed::Prune } else { Unnamed::Keep })
            };
            let after = applied(fleet, &part, logs.clone());
            for log in logs.iter().filter(|log| !carries(log, &fleet.name())) {
                prop_assert!(after.contains(log), "{} touched {:?}", fleet.name(), log);
            }
            logs = after;
        }
    }
}
