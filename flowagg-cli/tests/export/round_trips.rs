//! Reading a template back yields the fleet's settings.

use std::collections::BTreeMap;

use flowagg::export::cloudformation::{TemplateFormat, VpcFrom, hub, member};
use flowagg_core::flow_log::{
    AggregationInterval, Field, FileFormat, Files, FlowLogSpec, RecordFormat, TrafficType,
};
use flowagg_policy::{Grant, Unnamed, merge};
use proptest::prelude::*;
use serde_json::Value;

use crate::fleet;
use crate::specs::specs;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}"))
}

/// Reads a template of one VPC back. Missing values are AWS's defaults.
fn read(template: &Value) -> FlowLogSpec {
    let log = &template["Resources"]["FlowLog"]["Properties"];
    assert_eq!(log["TrafficType"]["Ref"], "TrafficType");
    let traffic = &template["Parameters"]["TrafficType"]["Default"];
    let options = &log["DestinationOptions"];
    let files = if options.is_null() {
        Files::default()
    } else {
        let mut written =
            Files::new(*FileFormat::ALL.iter().find(|it| it.as_str() == options["FileFormat"]).unwrap());
        written.hive_compatible_partitions = options["HiveCompatiblePartitions"].as_bool().unwrap();
        written.per_hour_partition = options["PerHourPartition"].as_bool().unwrap();
        written
    };
    let field = |word: &str| Field::parse(word.strip_prefix("${").unwrap().strip_suffix('}').unwrap());
    let format = match &log["LogFormat"] {
        Value::Null => RecordFormat::default(),
        words => RecordFormat::try_from(
            text(words).split(' ').map(|word| field(word).unwrap()).collect::<Vec<_>>(),
        )
        .unwrap(),
    };
    let seconds = log["MaxAggregationInterval"].as_i64().unwrap();
    let tags = log["Tags"].as_array().unwrap().iter();
    let mut spec = FlowLogSpec::default();
    spec.traffic = *TrafficType::ALL.iter().find(|it| it.as_api() == traffic).unwrap();
    spec.aggregation_interval =
        *AggregationInterval::ALL.iter().find(|it| i64::from(it.seconds()) == seconds).unwrap();
    spec.format = format;
    spec.files = files;
    spec.tags = tags
        .map(|tag| (text(&tag["Key"]).to_owned(), text(&tag["Value"]).to_owned()))
        .collect::<BTreeMap<_, _>>();
    spec
}

proptest! {
    #[test]
    fn member_template_round_trips_in_yaml_and_json(spec in specs()) {
        let mut fleet = fleet("plain");
        fleet.flow_logs = spec;
        let [yaml, json] =
            TemplateFormat::ALL.map(|format| member(&fleet, VpcFrom::Parameter, format).unwrap().files.remove(0).text);
        let json: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&serde_saphyr::from_str::<Value>(&yaml).unwrap(), &json);
        let mut spec = fleet.flow_logs.clone();
        spec.tags = fleet.tags();
        prop_assert_eq!(read(&json), spec);
    }
}

/// Resolves the functions in a template, which only refer to the bucket's ARN.
fn resolved(value: &Value, arn: &str) -> Value {
    match value {
        Value::Array(all) => all.iter().map(|one| resolved(one, arn)).collect(),
        Value::Object(entries) => {
            if let Some(attribute) = entries.get("Fn::GetAtt") {
                assert_eq!(attribute, &serde_json::json!(["FlowLogBucket", "Arn"]));
                return arn.into();
            }
            if let Some(template) = entries.get("Fn::Sub") {
                return text(template).replace("${FlowLogBucket.Arn}", arn).into();
            }
            if let Some(join) = entries.get("Fn::Join") {
                let parts = resolved(&join[1], arn);
                return parts
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(text)
                    .collect::<Vec<_>>()
                    .join(text(&join[0]))
                    .into();
            }
            entries.iter().map(|(key, value)| (key.clone(), resolved(value, arn))).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn hub_template_has_the_policy_that_apply_writes() {
    for name in ["plain", "kms", "named", "china", "gov", "many"] {
        let fleet = fleet(name);
        let grant = Grant::from(&fleet);
        let template: Value =
            serde_json::from_str(&hub(&fleet, TemplateFormat::Json).unwrap().files[0].text).unwrap();
        let policy = &template["Resources"]["FlowLogBucketPolicy"]["Properties"]["PolicyDocument"];
        let written = merge(None, &grant, Unnamed::Keep).unwrap().text;
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(resolved(policy, &grant.bucket_arn()), written, "{name}");
    }
}
