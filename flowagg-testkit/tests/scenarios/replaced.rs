//! Flow logs that differ from the fleet file. EC2 cannot change a flow log, so each is replaced.

use aws_sdk_ec2::types::{DestinationFileFormat, FlowLog, TrafficType};
use aws_sdk_s3::types::LifecycleRule;
use flowagg_testkit::world::World;

use crate::{applied, delivers, outcome};

/// The only flow log of `shop` in the hub's region.
async fn flow_log(world: &World) -> FlowLog {
    let logs = world.flow_logs(world.accounts()["shop"].id, world.hub_region()).await.unwrap();
    let [log] = &logs[..] else { panic!("one flow log for the VPC: {logs:?}") };
    log.clone()
}

/// Changes the fleet file. The plan shows the difference, and the next run replaces every flow log and leaves no
/// difference. Returns the new flow log.
async fn replaced(world: &mut World, table: &str, lines: &[&str]) -> FlowLog {
    delivers(world).await;
    let before = flow_log(world).await;
    lines.iter().for_each(|line| world.set(table, line));
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(3);
    world.flowagg(["apply", "--yes", "--allow-expiry"]).await.unwrap().exits(0);
    let after = flow_log(world).await;
    assert_ne!(before.flow_log_id, after.flow_log_id);
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    after
}

#[tokio::test]
async fn changed_traffic_type_replaces_flow_logs() {
    let mut world = applied(["shop"]).await;
    let lines = ["traffic = \"reject\"", "aggregation-interval = \"1m\""];
    let log = replaced(&mut world, "flow-logs", &lines).await;
    assert_eq!((log.traffic_type(), log.max_aggregation_interval()), (Some(&TrafficType::Reject), Some(60)));
    let reports = delivers(&world).await;
    assert!(outcome(&world, &reports, "shop").key().unwrap().contains(log.flow_log_id().unwrap()));
}

#[tokio::test]
async fn changed_prefix_replaces_flow_logs_and_old_objects_still_expire() {
    let mut world = applied(["shop"]).await;
    // The default name depends on the prefix.
    let name = format!("name = \"{}\"", world.bucket());
    world.set("fleet", &name);
    world.set("hub", "retention-days = 90");
    let log = replaced(&mut world, "hub", &["prefix = \"network\""]).await;
    assert!(log.log_destination().unwrap().ends_with("/network/"), "{log:?}");
    let old = world.keys().await.unwrap();
    let reports = delivers(&world).await;
    let key = outcome(&world, &reports, "shop").key().unwrap();
    assert!(key.starts_with("network/AWSLogs/"), "{key}");
    let now = world.keys().await.unwrap();
    assert!(old.len() == 2 && old.iter().all(|key| now.contains(key)), "{now:?}");
    let bucket = world.bucket().as_str();
    let rules = world.s3().get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
    let folder =
        |rule: &LifecycleRule| (rule.filter()?.prefix().map(str::to_owned), rule.expiration()?.days()).into();
    let folders: Vec<(Option<String>, Option<i32>)> = rules.rules().iter().filter_map(folder).collect();
    assert_eq!(folders, ["AWSLogs/", "network/AWSLogs/"].map(|root| (Some(root.to_owned()), Some(90))));
}

#[tokio::test]
async fn changed_file_format_and_folders_replace_flow_logs() {
    let mut world = applied(["shop"]).await;
    let lines =
        ["file-format = \"parquet\"", "hive-compatible-partitions = true", "per-hour-partition = true"];
    let log = replaced(&mut world, "flow-logs", &lines).await;
    let options = log.destination_options().unwrap();
    assert_eq!(options.file_format(), Some(&DestinationFileFormat::Parquet));
    assert_eq!(
        (options.hive_compatible_partitions(), options.per_hour_partition()),
        (Some(true), Some(true))
    );
    let reports = delivers(&world).await;
    let key = outcome(&world, &reports, "shop").key().unwrap();
    assert!(key.contains("/aws-service=vpcflowlogs/") && key.contains("/hour="), "{key}");
}
