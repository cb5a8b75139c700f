//! Other processes that write the bucket policy during `apply`, and delayed propagation of writes in S3.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_s3::Client;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::interval;

use crate::faults::{faulty, is_settled};
use crate::{READERS, apply, messages};

const WRITES: &str = "PutBucketPolicy";

/// Another process overwrites the policy right before flowagg's `number`-th read, in a run on an empty bucket.
async fn overwritten_before_read(number: usize) -> Faults {
    let (mut world, faults) = faulty(["shop", "bank"]).await;
    world.set("hub", crate::FOREVER);
    world.create_bucket(world.hub()).await.unwrap();
    let (s3, bucket) = (world.s3(), world.bucket().to_string());
    let foreign = READERS.replace("BUCKET", &bucket);
    let policy = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{foreign}]}}");
    let overwrite = Answer::meanwhile(move || {
        let put = s3.put_bucket_policy().bucket(&bucket).policy(&policy).send();
        async move { drop(put.await.unwrap()) }
    });
    faults.on(CallFilter::operation("GetBucketPolicy").after(number - 1).first(1), overwrite);
    let ran = world.flowagg(["apply", "--yes"]).await.unwrap().exits(0);
    snapbox::assert_data_eq!(
        messages(&world, &ran),
        snapbox::str![[r#"
note: flow logs do not expire
warning: 111122223333 eu-west-1: the bucket policy of acme-flow-logs: another process changed it during this run; if that process also changed it in the [..] ms between the start of flowagg's last read and the end of its write, that change was overwritten
         check that the statements of other processes are complete (CloudTrail: PutBucketPolicy in eu-west-1)
"#]]
    );
    assert!(world.policy().await.unwrap().unwrap().contains(&foreign));
    is_settled(&world).await;
    faults
}

#[tokio::test]
async fn policy_changed_after_the_plan_is_merged() {
    let faults = overwritten_before_read(2).await;
    assert_eq!(faults.count(&CallFilter::operation(WRITES)), 1);
}

#[tokio::test]
async fn policy_overwritten_after_the_write_is_merged_again() {
    let faults = overwritten_before_read(3).await;
    assert_eq!(faults.count(&CallFilter::operation(WRITES)), 2);
}

#[tokio::test]
async fn stale_reads_after_a_write_cause_no_second_write() {
    let (mut world, faults) = faulty(["shop"]).await;
    faults.on(CallFilter::operation("GetBucketPolicy"), Answer::Stale(Duration::from_secs(3)));
    apply(&world).await;
    assert_eq!(faults.count(&CallFilter::operation(WRITES)), 1, "there was no policy");
    world.member("bank", 1).await.unwrap();
    apply(&world).await;
    assert_eq!(faults.count(&CallFilter::operation(WRITES)), 2, "there was a policy");
    world.flowagg(["destroy", "--yes"]).await.unwrap().exits(0);
    assert_eq!(faults.count(&CallFilter::operation("DeleteBucketPolicy")), 1);
    assert_eq!(world.policy().await.unwrap(), None);
}

/// Adds something every 50 milliseconds until it is stopped. `add` receives the number of earlier additions and returns
/// the new name. Returns all names.
pub(crate) async fn keep_adding(
    mut stop: watch::Receiver<bool>,
    add: impl AsyncFn(usize) -> String,
) -> BTreeSet<String> {
    let mut added = BTreeSet::new();
    let mut ticks = interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return added,
        }
        added.insert(add(added.len()).await);
    }
}

/// Adds a statement to the policy, without removing any.
async fn add_statement(s3: &Client, bucket: &str, number: usize) -> String {
    let sid = format!("Foreign{number}");
    let mut policy = live(s3, bucket).await;
    policy["Statement"].as_array_mut().unwrap().push(json!({
        "Sid": sid, "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::999988887777:root" },
        "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*"),
    }));
    put(s3, bucket, &policy).await;
    sid
}

async fn live(s3: &Client, bucket: &str) -> Value {
    let policy = s3.get_bucket_policy().bucket(bucket).send().await.unwrap().policy.unwrap();
    serde_json::from_str(&policy).unwrap()
}

async fn put(s3: &Client, bucket: &str, policy: &Value) {
    s3.put_bucket_policy().bucket(bucket).policy(policy.to_string()).send().await.unwrap();
}

fn is_foreign(statement: &Value) -> bool {
    statement["Sid"].as_str().is_some_and(|sid| sid.starts_with("Foreign"))
}

/// Removes the foreign statements from the policy. Returns their Sids.
async fn take_foreign(world: &World) -> BTreeSet<String> {
    let (s3, bucket) = (world.s3(), world.bucket().as_str());
    let mut policy = live(&s3, bucket).await;
    let statements = policy["Statement"].as_array_mut().unwrap();
    let foreign = statements.extract_if(.., |statement| is_foreign(statement));
    let sids = foreign.map(|statement| statement["Sid"].as_str().unwrap().to_owned()).collect();
    put(&s3, bucket, &policy).await;
    sids
}

#[tokio::test]
async fn concurrently_added_statements_survive_or_their_loss_is_reported() {
    let (mut world, faults) = faulty(["shop"]).await;
    apply(&world).await;
    // The other process writes again before flowagg's last read of the bucket.
    faults.on(CallFilter::operation("HeadBucket"), Answer::Late(Duration::from_millis(150)));
    for run in 0..20 {
        // The form of the grant alternates, so that every run writes the policy.
        world.reset("policy", &format!("form = \"{}\"", if run % 2 == 0 { "accounts" } else { "prefixes" }));
        let (stop, stopped) = watch::channel(false);
        let (s3, bucket) = (world.s3(), world.bucket().as_str());
        let adding = keep_adding(stopped, async |number| add_statement(&s3, bucket, number).await);
        let applying = async {
            let ran = world.flowagg(["apply", "--yes"]).await.unwrap();
            stop.send_replace(true);
            ran
        };
        let (added, ran) = tokio::join!(adding, applying);
        assert!(added.len() > 1, "the other process wrote during run {run}");
        let missing: Vec<String> = added.difference(&take_foreign(&world).await).cloned().collect();
        let is_reported = ran.stdout.contains(&format!("warning: {}", world.hub()));
        assert!(missing.is_empty() || is_reported, "run {run} lost {missing:?}: {ran}");
        assert!(missing.len() < added.len(), "run {run} lost all: {ran}");
    }
    apply(&world).await;
    is_settled(&world).await;
}
