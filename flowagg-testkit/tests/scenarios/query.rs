//! `flowagg query` over delivered objects.

use flowagg_testkit::delivery::{Outcome, Publication};
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::{Ran, World};
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, deliver, messages, world};

const COUNT: &str =
    "SELECT count(*) AS records, sum(bytes) AS bytes FROM vpc_flow_logs WHERE log_status <> 'x'";

/// The number of delivered records.
fn records(publications: &[Publication]) -> u64 {
    publications.iter().map(|publication| publication.outcome.records()).sum()
}

/// The number in the first column of the only row.
fn counted(ran: &Ran) -> u64 {
    let row = ran.stdout.lines().nth(1).unwrap_or_else(|| panic!("no row: {ran}"));
    row.split(',').next().unwrap().parse().unwrap()
}

async fn query(world: &World, args: &[&str]) -> Ran {
    world.flowagg(["query", "--format", "csv"].iter().chain(args)).await.unwrap()
}

#[tokio::test]
async fn delivered_records_are_counted_in_every_file_format_and_layout() {
    let settings = [
        &[][..],
        &["file-format = \"parquet\""],
        &["hive-compatible-partitions = true", "per-hour-partition = true"],
        &["file-format = \"parquet\"", "hive-compatible-partitions = true"],
    ];
    for settings in settings {
        let mut world = world(["shop", "bank"]).await;
        settings.iter().for_each(|line| world.set("flow-logs", line));
        world.set("hub", "prefix = \"network\"");
        apply(&world).await;
        let delivered = deliver(&world).await;
        assert!(records(&delivered) > 0, "{delivered:?}");
        let ran = query(&world, &["SELECT count(*) AS records FROM vpc_flow_logs"]).await.exits(0);
        assert_eq!(counted(&ran), records(&delivered), "{settings:?}: {ran}");

        let shop = world.accounts()["shop"].id;
        let of_shop: u64 =
            delivered.iter().filter(|it| it.place.account == shop).map(|it| it.outcome.records()).sum();
        for only in ["shop".to_owned(), shop.to_string()] {
            let sql = "SELECT count(*) AS records FROM vpc_flow_logs";
            let ran = query(&world, &[sql, "--only", &only]).await.exits(0);
            assert_eq!(counted(&ran), of_shop, "{settings:?}: {ran}");
        }
        let bucket = world.bucket().to_string();
        let args = [COUNT, "--bucket", &bucket, "--prefix", "network", "--only", &shop.to_string()];
        assert_eq!(counted(&query(&world, &args).await.exits(0)), of_shop);
    }
}

#[tokio::test]
async fn records_that_ended_before_the_window_are_excluded() {
    let world = applied(["shop"]).await;
    world.deliver("2026-03-01T12:00:00Z".parse().unwrap()).await.unwrap();
    let ran = query(&world, &[COUNT]).await.exits(0);
    assert_eq!(counted(&ran), 0, "{ran}");
    let march = ["--from", "2026-03-01", "--to", "2026-03-01"];
    let ran = query(&world, &[&[COUNT][..], &march[..]].concat()).await.exits(0);
    assert!(counted(&ran) > 0, "{ran}");
}

#[tokio::test]
async fn broken_object_is_skipped_with_a_warning_or_fails_a_strict_query() {
    let world = applied(["shop"]).await;
    let delivered = deliver(&world).await;
    let whole = delivered[0].outcome.key().unwrap();
    let broken = whole.replace(".log.gz", "x.log.gz");
    let put = world.s3().put_object().bucket(world.bucket().as_str()).key(&broken);
    put.body(b"not gzip".to_vec().into()).send().await.unwrap();

    let ran = query(&world, &[COUNT]).await.exits(3);
    assert_eq!(counted(&ran), records(&delivered), "{ran}");
    assert!(ran.stderr.contains(&format!("warning: `{broken}` was skipped: ")), "{ran}");
    let last = ran.stderr.lines().next_back().unwrap();
    assert!(last.starts_with("query: not every object was read: 1 was skipped; "), "{last}");

    let ran = query(&world, &[COUNT, "--strict"]).await.exits(1);
    assert!(ran.stderr.contains(&format!("error: `{broken}` cannot be read as a flow log: ")), "{ran}");
}

#[tokio::test]
async fn large_query_requires_confirmation() {
    let world = applied(["shop"]).await;
    let delivered = deliver(&world).await;
    let sql = "SELECT count(*) AS records FROM vpc_flow_logs";
    let ran = query(&world, &[sql, "--ask-above", "0"]).await.exits(2);
    assert_eq!(ran.stdout, "", "{ran}");
    let ran = query(&world, &[sql, "--ask-above", "0", "--yes"]).await.exits(0);
    assert_eq!(counted(&ran), records(&delivered));
}

#[tokio::test]
async fn explain_lists_objects_without_downloading_them() {
    let mut world = applied(["shop"]).await;
    let delivered = deliver(&world).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let ran = world.flowagg(["query", COUNT, "--explain"]).await.unwrap().exits(0);
    let files = || {
        delivered.iter().flat_map(|publication| match &publication.outcome {
            Outcome::Delivered(files) => files.as_slice(),
            Outcome::AccessError { .. } => &[],
        })
    };
    let bytes: u64 = files().map(|file| file.bytes).sum();
    let expected = format!("the query will read up to {} objects with ", files().count());
    assert!(bytes > 0 && ran.stdout.starts_with(&expected), "{ran}");
    assert!(ran.stdout.contains("requests will cost up to USD 0.0000: "), "{ran}");
    assert_eq!(faults.count(&CallFilter::operation("GetObject")), 0);
    assert!(faults.count(&CallFilter::operation("ListObjectsV2")) > 0);
}

#[tokio::test]
async fn denied_and_archived_objects_fail_the_query_with_advice() {
    let mut world = applied(["shop"]).await;
    deliver(&world).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let mut told = String::new();
    for (status, code, message) in [
        (403, "AccessDenied", "Access Denied"),
        (
            403,
            "AccessDenied",
            "User: arn:aws:sts::111122223333:assumed-role/reader/s is not authorized to perform: kms:Decrypt on resource: \
             arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy allows the kms:Decrypt action",
        ),
        (403, "InvalidObjectState", "The operation is not valid for the object's storage class"),
    ] {
        faults.on(CallFilter::operation("GetObject"), Answer::error(status, code, message));
        let ran = query(&world, &[COUNT]).await.exits(1);
        // Any of the objects may be the first.
        let lines = messages(&world, &ran);
        told +=
            &lines.lines().filter(|line| !line.starts_with("note: ")).map(without_key).collect::<String>();
        faults.lift();
    }
    query(&world, &[COUNT]).await.exits(0);
    assert_data_eq!(
        told,
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs/KEY: GetObject: AccessDenied: Access Denied
       allow s3:GetObject on the objects for the role or user used in 111122223333, and kms:Decrypt on the key if a KMS key encrypts them: `flowagg permissions --query` prints the IAM policies; for a bucket without a fleet file, see `docs/query.md`
error: 111122223333 eu-west-1: acme-flow-logs/KEY: GetObject: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/reader/s is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy allows the kms:Decrypt action
       allow kms:Decrypt for the role or user used in 111122223333; see `docs/query.md` for the IAM policy
error: 111122223333 eu-west-1: acme-flow-logs/KEY: GetObject: InvalidObjectState: The operation is not valid for the object's storage class
       the object is in an archive storage class: restore it (`aws s3api restore-object`), or exclude it with `--from` and `--to`

"#]]
    );
}

/// A line of an error with a constant object key.
fn without_key(line: &str) -> String {
    match line.split_once("AWSLogs/").map(|(before, rest)| (before, rest.split_once(": GetObject"))) {
        Some((before, Some((_, after)))) => format!("{before}KEY: GetObject{after}\n"),
        _ => format!("{line}\n"),
    }
}

#[tokio::test]
async fn denied_listing_and_missing_bucket_are_failures() {
    let mut world = applied(["shop"]).await;
    deliver(&world).await;
    let missing = query(&world, &[COUNT, "--bucket", "no-such-bucket-anywhere-0"]).await.exits(1);
    assert!(missing.stderr.contains("HeadBucket"), "{missing}");
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    faults.on(CallFilter::operation("ListObjectsV2"), Answer::error(403, "AccessDenied", "Access Denied"));
    let ran = query(&world, &[COUNT]).await.exits(1);
    let told = messages(&world, &ran);
    assert_data_eq!(
        told.lines().filter(|line| !line.starts_with("note: ")).collect::<Vec<_>>().join("\n"),
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: ListObjectsV2: AccessDenied: Access Denied
       if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:ListBucket for the role or user used in 111122223333
"#]]
    );
    faults.lift();
    query(&world, &[COUNT]).await.exits(0);
}

#[tokio::test]
async fn query_reads_objects_and_makes_no_writes() {
    let mut world = applied(["shop"]).await;
    deliver(&world).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    query(&world, &[COUNT]).await.exits(0);
    assert_eq!(faults.writes(), Vec::<String>::new());
    let calls = faults.calls();
    let of_objects = calls.iter().filter(|call| call.starts_with("GET ")).count();
    assert!(of_objects > 0 && calls.len() == of_objects + 1, "{calls:?}");
    assert!(calls.contains(&"GetCallerIdentity".to_owned()), "{calls:?}");
}
