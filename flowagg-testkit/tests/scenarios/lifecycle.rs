//! Expiration of flow logs in a shared bucket: which changes require a permission, and which rules are kept.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};
use flowagg_testkit::faults::{Answer, CallFilter};
use flowagg_testkit::world::{Ran, World};
use snapbox::{assert_data_eq, str};
use tokio::sync::watch;

use crate::concurrent::keep_adding;
use crate::faults::faulty;
use crate::{FOREVER, messages, world};

/// A foreign rule for another folder.
fn foreign(id: &str) -> LifecycleRule {
    LifecycleRule::builder()
        .id(id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("reports/").build())
        .expiration(LifecycleExpiration::builder().days(7).build())
        .build()
        .unwrap()
}

async fn put_rules(world: &World, rules: Vec<LifecycleRule>) {
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    let put = world.s3().put_bucket_lifecycle_configuration().bucket(world.bucket().as_str());
    put.lifecycle_configuration(rules).send().await.unwrap();
}

/// The rules of the bucket, in order.
async fn rules(world: &World) -> Vec<LifecycleRule> {
    let get = world.s3().get_bucket_lifecycle_configuration().bucket(world.bucket().as_str()).send().await;
    get.map(|answer| answer.rules.unwrap_or_default()).unwrap_or_default()
}

/// The prefix and the days of every rule that expires objects.
async fn expiries(world: &World) -> Vec<(String, i32)> {
    let rules = rules(world).await;
    let expiry =
        |rule: &LifecycleRule| Some((rule.filter()?.prefix()?.to_owned(), rule.expiration()?.days()?));
    rules.iter().filter_map(expiry).collect()
}

async fn put_object(world: &World, key: &str) {
    world.s3().put_object().bucket(world.bucket().as_str()).key(key).send().await.unwrap();
}

async fn flowagg<const N: usize>(world: &World, arguments: [&str; N]) -> Ran {
    world.flowagg(arguments).await.unwrap()
}

/// A world whose bucket exists and contains flow logs of `shop` since 3 January 2024.
async fn with_old_logs(hub: &str) -> World {
    let mut world = world(["shop"]).await;
    world.create_bucket(world.hub()).await.unwrap();
    world.set("hub", hub);
    let shop = world.accounts()["shop"].id;
    for day in ["2024/01/03", "2025/11/30"] {
        put_object(&world, &format!("AWSLogs/{shop}/vpcflowlogs/eu-west-1/{day}/file.log.gz")).await;
    }
    world
}

#[tokio::test]
async fn expiry_of_an_existing_bucket_requires_permission() {
    let world = with_old_logs("retention-days = 30").await;
    put_rules(&world, vec![foreign("theirs")]).await;
    let ran = flowagg(&world, ["apply", "--yes"]).await.exits(1);
    let not_applied: Vec<&str> = ran
        .stdout
        .lines()
        .skip_while(|line| *line != "not applied")
        .take_while(|line| !line.is_empty())
        .collect();
    assert_data_eq!(
        not_applied.join("\n"),
        str![[r#"
not applied
  ! lifecycle of AWSLogs/: expire after 30 days, abort incomplete uploads after 7 days (now never; oldest flow logs: 2024-01-03)
    existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply this change
"#]]
    );
    assert_eq!(rules(&world).await, [foreign("theirs")]);
    assert!(world.policy().await.unwrap().is_some(), "everything else is applied");

    let plan = flowagg(&world, ["plan", "--json"]).await.exits(0).json();
    assert_eq!(
        (plan["hub"].as_array().unwrap().len(), plan["not-applied"].as_array().unwrap().len()),
        (0, 1)
    );
    flowagg(&world, ["plan", "--exit-code"]).await.exits(3);
    flowagg(&world, ["apply", "--yes", "--allow-expiry"]).await.exits(0);
    assert_eq!(expiries(&world).await, [("reports/".to_owned(), 7), ("AWSLogs/".to_owned(), 30)]);
    assert_eq!(rules(&world).await[0], foreign("theirs"));
    let ran = flowagg(&world, ["plan", "--exit-code"]).await.exits(0);
    assert_data_eq!(messages(&world, &ran), str!["note: flow logs expire after 30 days"]);

    flowagg(&world, ["destroy", "--yes"]).await.exits(0);
    assert_eq!(rules(&world).await, [foreign("theirs")], "the original configuration is restored");
}

#[tokio::test]
async fn existing_bucket_without_a_declared_retention_gets_no_rule() {
    let world = world(["shop"]).await;
    world.create_bucket(world.hub()).await.unwrap();
    let ran = flowagg(&world, ["apply", "--yes", "--allow-expiry"]).await.exits(3);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
needs attention: 111122223333 eu-west-1 acme-flow-logs: flow logs do not expire, and `hub.retention-days` is not set
       set `hub.retention-days` to a number of days, or to "forever"
note: flow logs do not expire
needs attention: 111122223333 eu-west-1 acme-flow-logs: flow logs do not expire, and `hub.retention-days` is not set
       set `hub.retention-days` to a number of days, or to "forever"
"#]]
    );
    assert_eq!(rules(&world).await, []);
}

#[tokio::test]
async fn logs_of_other_services_do_not_expire() {
    let world = with_old_logs("retention-days = 30").await;
    let shop = world.accounts()["shop"].id;
    put_object(&world, &format!("AWSLogs/{shop}/elasticloadbalancing/eu-west-1/2024/01/03/file.log.gz"))
        .await;
    flowagg(&world, ["apply", "--yes", "--allow-expiry"]).await.exits(0);
    assert_eq!(expiries(&world).await, [(format!("AWSLogs/{shop}/vpcflowlogs/"), 30)]);
    flowagg(&world, ["plan", "--exit-code"]).await.exits(0);
}

#[tokio::test]
async fn rule_for_the_whole_folder_is_narrowed_when_other_logs_appear() {
    let world = crate::applied(["shop"]).await;
    assert_eq!(expiries(&world).await, [("AWSLogs/".to_owned(), 90)]);
    let shop = world.accounts()["shop"].id;
    put_object(&world, &format!("AWSLogs/{shop}/CloudTrail/eu-west-1/2024/01/03/file.json.gz")).await;
    flowagg(&world, ["apply", "--yes"]).await.exits(0);
    assert_eq!(expiries(&world).await, [(format!("AWSLogs/{shop}/vpcflowlogs/"), 90)]);
}

#[tokio::test]
async fn unlistable_folder_keeps_the_rules() {
    let (mut world, faults) = faulty(["shop"]).await;
    crate::apply(&world).await;
    let before = rules(&world).await;
    faults.on(CallFilter::operation("ListObjectsV2"), Answer::error(403, "AccessDenied", "no"));
    world.set("hub", "retention-days = 3");
    let ran = flowagg(&world, ["apply", "--yes", "--allow-expiry"]).await.exits(3);
    assert_data_eq!(
        messages(&world, &ran),
        str![[r#"
needs attention: 111122223333 eu-west-1 acme-flow-logs: the lifecycle rules are not changed: `AWSLogs/` could not be listed (ListObjectsV2: AccessDenied: no)
       if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:ListBucket for the role or user used in 111122223333
needs attention: 111122223333 eu-west-1 acme-flow-logs: it is unknown whether lifecycle rule `flowagg-expiry/acme-flow-logs/AWSLogs` also expires other logs under `AWSLogs/` (ListObjectsV2: AccessDenied: no)
       use a separate folder for the flow logs with `hub.prefix`, or a separate bucket
note: flow logs expire after 90 days
"#]]
    );
    assert_eq!(rules(&world).await, before);
}

#[tokio::test]
async fn stale_reads_of_lifecycle_rules_cause_no_second_write() {
    let (mut world, faults) = faulty(["shop"]).await;
    faults
        .on(CallFilter::operation("GetBucketLifecycleConfiguration"), Answer::Stale(Duration::from_secs(3)));
    crate::apply(&world).await;
    assert_eq!(faults.count(&CallFilter::operation("PutBucketLifecycleConfiguration")), 1);
    world.set("hub", "retention-days = 400");
    crate::apply(&world).await;
    assert_eq!(faults.count(&CallFilter::operation("PutBucketLifecycleConfiguration")), 2);
    assert_eq!(expiries(&world).await, [("AWSLogs/".to_owned(), 400)]);
}

#[tokio::test]
async fn rule_added_by_another_process_during_apply_survives() {
    for read in [1, 2] {
        let (mut world, faults) = faulty(["shop"]).await;
        crate::apply(&world).await;
        let (s3, bucket) = (world.s3(), world.bucket().to_string());
        let added: Vec<LifecycleRule> = rules(&world).await.into_iter().chain([foreign("theirs")]).collect();
        let add = Answer::meanwhile(move || {
            let all = BucketLifecycleConfiguration::builder().set_rules(Some(added.clone())).build().unwrap();
            let put =
                s3.put_bucket_lifecycle_configuration().bucket(&bucket).lifecycle_configuration(all).send();
            async move { drop(put.await.unwrap()) }
        });
        let before = faults.count(&CallFilter::operation("GetBucketLifecycleConfiguration"));
        faults.on(CallFilter::operation("GetBucketLifecycleConfiguration").after(read).first(1), add);
        world.set("hub", FOREVER);
        let ran = flowagg(&world, ["apply", "--yes"]).await.exits(0);
        assert!(
            faults.count(&CallFilter::operation("GetBucketLifecycleConfiguration")) > before + read,
            "{ran}"
        );
        assert_data_eq!(
            messages(&world, &ran),
            str![[r#"
note: flow logs expire after 90 days
warning: 111122223333 eu-west-1: the lifecycle configuration of acme-flow-logs: another process changed it during this run; if that process also changed it in the [..] ms between the start of flowagg's last read and the end of its write, that change was overwritten
         check that the rules of other processes are complete (CloudTrail: PutBucketLifecycleConfiguration in eu-west-1)
"#]]
        );
        let ids: Vec<String> = rules(&world).await.iter().filter_map(|rule| rule.id.clone()).collect();
        assert!(ids.contains(&"theirs".to_owned()) && ids.len() == 2, "{read}: {ids:?}");
        assert_eq!(expiries(&world).await, [("reports/".to_owned(), 7)], "{read}");
    }
}

#[tokio::test]
async fn two_fleets_on_one_bucket_keep_each_others_rules() {
    let mut world = with_old_logs("retention-days = 30").await;
    world.set("fleet", "name = \"one\"");
    flowagg(&world, ["apply", "--yes", "--allow-expiry"]).await.exits(0);
    let of_one = rules(&world).await;
    world.reset("fleet", "name = \"two\"");
    world.reset("hub", "retention-days = 200");
    world.set("hub", "prefix = \"two\"");
    flowagg(&world, ["apply", "--yes", "--allow-expiry"]).await;
    assert_eq!(expiries(&world).await, [("AWSLogs/".to_owned(), 30), ("two/AWSLogs/".to_owned(), 200)]);
    assert_eq!(rules(&world).await[..1], of_one);
    flowagg(&world, ["destroy", "--yes"]).await;
    assert_eq!(rules(&world).await, of_one);
}

/// Adds a rule, without removing any.
async fn add_rule(world: &World, number: usize) -> String {
    let id = format!("foreign-{number}");
    let all = rules(world).await.into_iter().chain([foreign(&id)]).collect();
    put_rules(world, all).await;
    id
}

#[tokio::test]
async fn concurrently_added_rules_survive_or_their_loss_is_reported() {
    let (mut world, faults) = faulty(["shop"]).await;
    crate::apply(&world).await;
    world.set("hub", "retention-days = 99");
    // The other process writes again before flowagg's last read of the bucket.
    faults.on(CallFilter::operation("HeadBucket"), Answer::Late(Duration::from_millis(150)));
    for run in 0..20 {
        world.reset("hub", &format!("retention-days = {}", 100 + run));
        let (stop, stopped) = watch::channel(false);
        let adding = keep_adding(stopped, async |number| add_rule(&world, number).await);
        let applying = async {
            let ran = flowagg(&world, ["apply", "--yes"]).await;
            stop.send_replace(true);
            ran
        };
        let (added, ran) = tokio::join!(adding, applying);
        assert!(added.len() > 1, "the other process wrote during run {run}");
        let (theirs, own): (Vec<LifecycleRule>, Vec<LifecycleRule>) =
            rules(&world).await.into_iter().partition(|rule| rule.id().is_some_and(|id| added.contains(id)));
        let left: BTreeSet<String> = theirs.iter().filter_map(|rule| rule.id.clone()).collect();
        let missing: Vec<&String> = added.difference(&left).collect();
        let is_reported = ran.stdout.contains(&format!("warning: {}", world.hub()));
        assert!(missing.is_empty() || is_reported, "run {run} lost {missing:?}: {ran}");
        assert!(missing.len() < added.len(), "run {run} lost all: {ran}");
        put_rules(&world, own).await;
    }
    crate::apply(&world).await;
    flowagg(&world, ["plan", "--exit-code"]).await.exits(0);
}
