//! Stories of metrics, alerts, messages and reports.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use flowagg_core::fleet::FleetFile;
use serde_json::Value;

use crate::page::Section;
use crate::shell::{Stage, has};

async fn delivering() -> Stage {
    let stage = Stage::applied(["payments", "shop"]).await;
    stage.deliver().await;
    stage
}

/// The metric names in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("flowagg_")).collect()
}

pub(crate) async fn prometheus(section: &mut Section) {
    let mut stage = delivering().await;
    let [verify] = section.next("sh").of();
    stage.shell.exits(&verify, 0).await;
    let of_verify = stage.shell.read("flowagg.prom");
    assert!(
        of_verify.contains("account=\"222222222222\",region=\"eu-west-1\",state=\"delivering\"} 1\n"),
        "{of_verify}"
    );
    stage.shell.also("flowagg report --metrics flowagg.prom").await;
    let of_report = stage.shell.read("flowagg.prom");
    let rules = section.next("yaml");
    let written = names(&of_report);
    for name in names(&rules.text) {
        assert!(written.contains(name), "{}: nothing writes `{name}`", rules.place());
    }
    let rules: Value = serde_saphyr::from_str(&rules.text).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["alert"].is_string() && rule["expr"].is_string()), "{rules:#?}");
}

pub(crate) async fn cloudwatch(section: &mut Section) {
    let mut stage = delivering().await;
    let [file] = section.next("sh").of();
    stage.shell.exits(&file, 0).await;
    stage.shell.exits(&file, 0).await;
    assert_eq!(stage.shell.read("flowagg.log").lines().count(), 2);
    let [stdout] = section.next("sh").of();
    let ran = stage.shell.exits(&stdout, 0).await;
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(ran.stderr.contains("ok: every flow log delivers"), "{ran}");
    let alarms: Value = serde_saphyr::from_str(&section.next("yaml").text).unwrap();
    let metrics = alarms["Resources"]["NotDelivering"]["Properties"]["Metrics"].as_array().unwrap();
    let metrics = metrics.iter().map(|metric| &metric["MetricStat"]["Metric"]);
    let mut used = 0;
    for metric in
        metrics.filter(|metric| metric.is_object()).chain([&alarms["Resources"]["NotRunning"]["Properties"]])
    {
        let name = metric["MetricName"].as_str().unwrap();
        assert!(document[name].is_number(), "{name}: {document}");
        assert_eq!(
            metric["Dimensions"][0]["Name"],
            document["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0][0]
        );
        used += 1;
    }
    assert_eq!(used, 4);
}

pub(crate) async fn messages(section: &mut Section) {
    let mut stage = delivering().await;
    for _ in ["Slack", "SNS"] {
        let [message] = section.next("sh").of();
        stage.shell.exits(&message, 0).await;
    }
    let [accounts] = section.next("sh").of();
    let ran = stage.shell.exits(&accounts, 0).await;
    assert!(!has("jq") || ran.stdout.is_empty(), "{ran}");
}

/// The fleet file that the blocks of a page extend.
const FLEET: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n\
                     [[members]]\naccount = \"222222222222\"\nregions = [\"us-east-1\"]\n";

pub(crate) async fn cost(section: &mut Section) {
    let mut stage = delivering().await;
    let [report] = section.next("sh").of();
    stage.shell.exits(&report, 0).await;
    let costs = stage.shell.read("costs.csv");
    assert!(costs.lines().count() == 3 && costs.contains("222222222222,payments,"), "{costs}");
    let file = FleetFile::parse(&section.fleet(FLEET)).unwrap();
    assert_eq!(file.prices.compression, 8);
}

pub(crate) async fn exceptions(section: &mut Section) {
    let file = FleetFile::parse(&section.fleet(FLEET)).unwrap();
    assert_eq!(file.exceptions.len(), 1);
}

pub(crate) async fn into_a_bucket(section: &mut Section) {
    let mut stage = delivering().await;
    stage
        .world
        .s3()
        .create_bucket()
        .bucket("acme-reports")
        .create_bucket_configuration(location(&stage))
        .send()
        .await
        .unwrap();
    let [report] = section.next("sh").of();
    for _ in ["new", "replaced"] {
        stage.shell.exits(&report, 0).await;
    }
    let found = stage.world.s3().list_objects_v2().bucket("acme-reports").send().await.unwrap();
    let keys: Vec<&str> = found.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["flowagg/report.html", "flowagg/report.json"]);
}

pub(crate) async fn compared(section: &mut Section) {
    let mut stage = delivering().await;
    let [folder, json, compare] = section.next("sh").of();
    stage.shell.exits(&folder, 0).await;
    stage.shell.exits(&json, 0).await;
    let shown = stage.shell.exits(&compare, 0).await.stdout;
    assert!(shown.contains("4 of 4 (100 %) deliver, 4 of 4 (100 %) before\n  changes    none\n"), "{shown}");
}

/// The region of the hub, for a new bucket.
fn location(stage: &Stage) -> CreateBucketConfiguration {
    let region = BucketLocationConstraint::from(stage.world.hub_region().as_str());
    CreateBucketConfiguration::builder().location_constraint(region).build()
}
