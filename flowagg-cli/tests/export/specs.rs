//! A strategy for flow log specifications.

use flowagg_core::flow_log::{
    AggregationInterval, Field, FileFormat, Files, FlowLogSpec, RecordFormat, TrafficType,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::foreign::foreign;

/// Strings that YAML or Terraform would interpret as something else.
const TRAPS: [&str; 15] = [
    "yes",
    "012",
    "1e3",
    "~",
    "null",
    "2026-01-01",
    "0x1f",
    "1:20:30",
    "${AWS::Region}",
    "- a: {b} #c",
    "for",
    "%{if x}",
    "$${x}",
    "a \"b\" \\u0041",
    "*?\\",
];

const FIELDS: [&str; 8] =
    ["version", "account-id", "region", "vpc-id", "pkt-srcaddr", "bytes", "ecs-task-id", "traffic-path"];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![select(&TRAPS[..]).prop_map(str::to_owned), "\\PC{1,12}", foreign()]
}

pub(crate) fn specs() -> impl Strategy<Value = FlowLogSpec> {
    let formats = subsequence(FIELDS.to_vec(), 1..=FIELDS.len()).prop_shuffle().prop_map(|names| {
        RecordFormat::try_from(names.into_iter().map(|name| Field::parse(name).unwrap()).collect::<Vec<_>>())
            .unwrap()
    });
    let files = (select(&FileFormat::ALL[..]), any::<bool>(), any::<bool>()).prop_map(
        |(format, hive_compatible_partitions, per_hour_partition)| {
            let mut written = Files::new(format);
            written.hive_compatible_partitions = hive_compatible_partitions;
            written.per_hour_partition = per_hour_partition;
            written
        },
    );
    let formats = prop_oneof![Just(RecordFormat::default()), formats];
    let tags = proptest::collection::btree_map(texts(), texts(), 0..4);
    (select(&TrafficType::ALL[..]), select(&AggregationInterval::ALL[..]), formats, files, tags).prop_map(
        |(traffic, aggregation_interval, format, files, tags)| {
            let mut spec = FlowLogSpec::default();
            spec.traffic = traffic;
            spec.aggregation_interval = aggregation_interval;
            spec.format = format;
            spec.files = files;
            spec.tags = tags;
            spec
        },
    )
}
