//! The objects that the delivery service writes.

use std::io::Read;

use flate2::read::GzDecoder;
use flowagg_core::flow_log::FileFormat;
use flowagg_core::layout::FileName;
use flowagg_testkit::delivery::recording::Traffic;
use flowagg_testkit::delivery::{DeliveryService, Outcome, WrittenFile};
use flowagg_testkit::world::World;
use jiff::Timestamp;
use jiff::civil::date;

use crate::{applied, apply, deliver, delivers, outcome, world};

#[tokio::test]
async fn file_is_gzip_text_with_a_header_and_the_reported_records() {
    let world = applied(["shop"]).await;
    let at: Timestamp = "2026-03-01T00:02:03Z".parse().unwrap();
    let reports = world.deliver(at).await.unwrap();
    let Outcome::Delivered(files) = outcome(&world, &reports, "shop") else { unreachable!("{reports:?}") };
    let [WrittenFile { key, records, .. }] = files.as_slice() else { unreachable!("{files:?}") };
    assert!(key.contains("/2026/02/28/"), "the last five minutes of the day before: {key}");
    let name = FileName::parse(key.rsplit('/').next().unwrap()).unwrap();
    assert_eq!(name.time, date(2026, 2, 28).at(23, 55, 0, 0));
    let text = text(&world, key).await;
    assert!(text.starts_with("version account-id interface-id srcaddr"), "{text}");
    assert_eq!(text.lines().count() as u64, records + 1);
    let account = world.accounts()["shop"].id.to_string();
    assert!(text.lines().skip(1).all(|line| line.split(' ').nth(1) == Some(&account)));
}

#[tokio::test]
async fn same_time_and_seed_produce_the_same_file() {
    let world = applied(["shop"]).await;
    let place = (world.accounts()["shop"].id, world.hub_region().clone());
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut texts = Vec::new();
    for seed in [1, 1, 2] {
        let delivery = DeliveryService::new(world.aws().clone(), world.hub(), at).seed(seed);
        let reports = delivery.run([place.clone()]).await.unwrap();
        texts.push(text(&world, outcome(&world, &reports, "shop").key().unwrap()).await);
    }
    assert_eq!(texts[0], texts[1]);
    assert_ne!(texts[0], texts[2]);
    assert_eq!(world.keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn flow_log_of_rejected_traffic_records_only_rejects() {
    let mut world = world(["shop"]).await;
    world.set("flow-logs", "traffic = \"reject\"");
    world.flowagg(["apply", "--yes"]).await.unwrap().exits(0);
    let reports = world.deliver(Timestamp::now()).await.unwrap();
    let text = text(&world, outcome(&world, &reports, "shop").key().unwrap()).await;
    assert!(text.contains("REJECT") && !text.contains("ACCEPT"), "{text}");
}

async fn text(world: &World, key: &str) -> String {
    let object = world.s3().get_object().bucket(world.bucket().as_str()).key(key).send().await.unwrap();
    let bytes = object.body.collect().await.unwrap().into_bytes();
    let mut text = String::new();
    GzDecoder::new(bytes.as_ref()).read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn custom_fields_are_delivered_in_order() {
    let mut world = world(["shop"]).await;
    world.set("flow-logs", "fields = [\"vpc-id\", \"srcaddr\", \"action\"]");
    apply(&world).await;
    world.flowagg(["plan", "--exit-code"]).await.unwrap().exits(0);
    let reports = deliver(&world).await;
    let text = text(&world, outcome(&world, &reports, "shop").key().unwrap()).await;
    assert!(text.starts_with("vpc-id srcaddr action\n"), "{text}");
}

fn partition(world: &mut World, hive: bool, per_hour: bool) {
    world.set("flow-logs", &format!("hive-compatible-partitions = {hive}"));
    world.set("flow-logs", &format!("per-hour-partition = {per_hour}"));
}

#[tokio::test]
async fn hive_compatible_and_hourly_folders_are_written_granted_and_verified() {
    for (hive, per_hour) in [(true, true), (false, true), (true, false)] {
        let mut world = crate::world(["shop"]).await;
        partition(&mut world, hive, per_hour);
        apply(&world).await;
        let reports = delivers(&world).await;
        let key = outcome(&world, &reports, "shop").key().unwrap();
        let account = world.accounts()["shop"].id;
        let folder =
            if hive { format!("AWSLogs/aws-account-id={account}/") } else { format!("AWSLogs/{account}/") };
        assert!(key.starts_with(&folder), "{key}");
        assert_eq!(key.contains("/hour="), hive && per_hour);
    }
}

#[tokio::test]
async fn switching_to_hive_folders_updates_the_grant() {
    let mut world = applied(["shop"]).await;
    let old = deliver(&world).await;
    assert!(outcome(&world, &old, "shop").key().is_some());
    partition(&mut world, true, false);
    apply(&world).await;
    let new = delivers(&world).await;
    let key = outcome(&world, &new, "shop").key().unwrap();
    assert!(key.contains("aws-account-id="), "{key}");
}

#[tokio::test]
async fn large_traffic_is_split_into_files_of_the_format() {
    for format in FileFormat::ALL {
        let mut world = world(["shop"]).await;
        world.set("flow-logs", &format!("file-format = \"{}\"", format.as_str()));
        apply(&world).await;
        let place = (world.accounts()["shop"].id, world.hub_region().clone());
        let mut traffic = Traffic::default();
        traffic.flows = 500;
        let delivery = DeliveryService::new(world.aws().clone(), world.hub(), Timestamp::now())
            .traffic(traffic)
            .largest_file(20_000);
        let reports = delivery.run([place]).await.unwrap();
        let outcome = outcome(&world, &reports, "shop");
        let keys = world.keys().await.unwrap();
        assert!(outcome.files().len() > 1 && outcome.records() >= 500, "{outcome}");
        for WrittenFile { key, bytes, .. } in outcome.files() {
            assert!(keys.contains(key) && key.ends_with(format.suffix()), "{key}");
            let object =
                world.s3().head_object().bucket(world.bucket().as_str()).key(key).send().await.unwrap();
            assert_eq!(object.content_length(), Some(*bytes as i64));
        }
    }
}
