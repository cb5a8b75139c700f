//! Output of text from other sources: nothing panics, and no line is wider than the terminal.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::arrival::Amount;
use flowagg_core::estimate::NewFlowLogCost;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Fleet, Regions};
use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId};
use flowagg_core::observed::{Bucket, Contents, FlowLog, Observed, RegionState, Resource};
use flowagg_core::plan::{FlowLogChange, Step, Unnamed};
use flowagg_policy::Plan;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use textwrap::core::display_width;

use super::failures::failures;
use super::foreign::foreign;
use super::sheet::controls;
use super::style::GREEN;
use super::table::{Row, table};
use super::{Extent, Failures, Sheet, View, markdown, plan};

const FLEET: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\n\
                     [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
const WIDTH: usize = 80;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Any text without characters that control a terminal.
fn line() -> impl Strategy<Value = String> {
    foreign().prop_map(|text| text.replace(controls, ""))
}

fn place() -> Place {
    Place::new(AccountId::parse("222222222222").unwrap(), &Region::parse("eu-west-1").unwrap())
}

fn fleet(name: String) -> Fleet {
    let mut fleet = Fleet::parse(FLEET).unwrap();
    fleet.members.values_mut().for_each(|member| member.name = Some(name.clone()));
    fleet
}

fn failure<S: Strategy<Value = String>>(text: fn() -> S) -> impl Strategy<Value = Failure> {
    (option::of(text()), option::of(text()), text(), text()).prop_map(|(resource, code, message, help)| {
        let (place, call) = (place(), "DescribeFlowLogs".to_owned());
        let mut failure = Failure::new(place, call, message, help);
        failure.resource = resource;
        failure.code = code;
        failure
    })
}

/// A plan for a bucket and a VPC with this text in their values.
fn planned(fleet: &Fleet, words: &[String; 4], failures: Vec<Failure>) -> Plan {
    let [ownership, other, destination, format] = words.clone();
    let id = ResourceId::parse("vpc-0000000a").unwrap();
    let log = |destination: String| {
        let mut flow_log = FlowLog::new(FlowLogId::parse("fl-0000000a").unwrap(), id.as_str(), destination);
        flow_log.traffic = Some(ownership.clone());
        flow_log.format = Some(format.clone());
        flow_log
    };
    let own = fleet.destination().arn();
    let flow_logs = vec![log(format!("{own}/{destination}")), log(own)];
    let vpc = Resource::new(id.clone());
    let mut bucket = Bucket::default();
    bucket.ownership = Some(ownership.clone());
    bucket.contents = Contents::Listed(BTreeSet::from([other]));
    let state = RegionState::new(vec![vpc], flow_logs);
    let mut regions = BTreeMap::from([(place(), Ok(state))]);
    for (n, mut failure) in failures.into_iter().enumerate() {
        let region = Region::parse(&format!("eu-west-{}", n + 2)).unwrap();
        let place = Place { region, ..place() };
        failure.place = place.clone();
        regions.insert(place, Err(failure));
    }
    let mut fleet = fleet.clone();
    for member in fleet.members.values_mut() {
        member.regions = Regions::These(regions.keys().map(|place| place.region.clone()).collect());
    }
    let mut observed = Observed::new(Ok(Some(bucket)));
    observed.regions = regions;
    flowagg_policy::plan::plan(&fleet, &observed, Unnamed::Keep)
}

/// An estimate with a known cost in the hub account and an unknown cost in the member's account, or with this failure.
fn cost(fleet: &Fleet, failure: Option<&Failure>) -> Option<NewFlowLogCost> {
    let hub = Place { account: fleet.hub.account, ..place() };
    let create = |place: &Place| {
        let vpc = ResourceId::parse("vpc-0000000a").unwrap();
        FlowLogChange::new(place.clone(), vpc, Step::Create, "")
    };
    let changes = [create(&hub), create(&place())];
    if let Some(failure) = failure {
        return NewFlowLogCost::unread(fleet, &changes, failure.clone());
    }
    let log = FlowLogId::parse("fl-0000000a").unwrap();
    let comparable = BTreeMap::from([(hub, BTreeSet::from([log.clone()]))]);
    let delivered = BTreeMap::from([(log, Amount::new(1, 1 << 30))]);
    NewFlowLogCost::estimate(fleet, &changes, &comparable, &delivered, &[])
}

/// The output at this width, without styles.
fn shown(width: Option<usize>, write: impl FnOnce(&mut Sheet<'_>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut Sheet::new(&mut out, width)).unwrap();
    anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
}

fn widest(text: &str) -> usize {
    text.lines().map(display_width).max().unwrap_or_default()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_wrapped_within_the_width_and_keeps_all_words(text in line(), width in 40..100_usize, indent in 0..60_usize) {
        let written = shown(Some(width), |out| out.line(indent, &text));
        prop_assert!(widest(&written) <= width, "{}", written);
        let words = |text: &str| text.replace(['\u{a0}', ' ', '\n'], "");
        prop_assert_eq!(words(&written), words(&text));
    }

    #[test]
    fn table_with_any_cells_is_within_the_width(cells in vec(vec(line(), 1..5), 1..4), below in option::of(line())) {
        let row = |cells: &Vec<String>| Row { style: GREEN, sign: "+", cells: cells.clone(), below: below.clone() };
        let rows: Vec<Row> = cells.iter().map(row).collect();
        for width in [40, 60, WIDTH] {
            let text = shown(Some(width), |out| table(&rows, out));
            prop_assert!(widest(&text) <= width, "{}", text);
        }
    }

    #[test]
    fn plan_with_any_text_is_within_the_width(
        name in line(),
        words in [line(), line(), line(), line()],
        failed in vec(failure(line), 0..6),
    ) {
        let fleet = fleet(name);
        let cost = cost(&fleet, failed.first());
        let planned = planned(&fleet, &words, failed);
        let text = shown(Some(WIDTH), |out| plan(&fleet, &planned, cost.as_ref(), Extent::All, Failures::Now, out));
        prop_assert!(widest(&text) <= WIDTH, "{}", text);
    }

    #[test]
    fn any_control_characters_are_escaped(
        name in foreign(),
        words in [foreign(), foreign(), foreign(), foreign()],
        failed in vec(failure(foreign), 0..6),
        cells in vec(vec(foreign(), 0..5), 0..4),
    ) {
        let fleet = fleet(name);
        let cost = cost(&fleet, failed.first());
        let planned = planned(&fleet, &words, failed);
        let rows: Vec<Row> =
            cells.into_iter().map(|cells| Row { style: GREEN, sign: "", cells, below: None }).collect();
        for width in [None, Some(0), Some(WIDTH)] {
            for text in [
                shown(width, |out| plan(&fleet, &planned, cost.as_ref(), Extent::All, Failures::Now, out)),
                shown(width, |out| failures(planned.failures(), View::of(planned.names(), Extent::Brief), out)),
            ] {
                prop_assert!(!text.contains(|c| c != '\n' && controls(c)), "{:?}", text);
            }
            let text = shown(width, |out| table(&rows, out));
            prop_assert!(!text.contains(|c| c != '\n' && controls(c)), "{:?}", text);
        }
        shown(None, |out| markdown(&fleet, &planned, cost.as_ref(), out));
    }
}
