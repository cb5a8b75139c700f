//! Benchmarks of decisions, parsing and merging, compared with iam-rs and `serde_json::Value`.
//!
//! `cargo bench -p flowagg-policy`

#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "criterion generates public functions; a benchmark may panic if it cannot start"
)]

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use flowagg_core::fleet::GrantForm;
use flowagg_core::id::{AccountId, BucketName, FleetName, Partition};
use flowagg_policy::{Grant, Policy, Request, Unnamed, merge};

const CLASSIC: &str = include_str!("../tests/data/policy-classic.json");
const BOUND: &str = include_str!("../tests/data/policy-bound.json");
const BUCKET: &str = "flow-logs-bucket-001";
const REQUESTS: usize = 10_000;

/// The account IDs in a policy, in order of appearance.
fn accounts_of(policy: &str) -> Vec<String> {
    let is_account = |word: &&str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit());
    let mut seen = BTreeSet::new();
    policy.split(['"', '/']).filter(is_account).filter(|id| seen.insert(*id)).map(str::to_owned).collect()
}

/// A write by an account to its own folder.
struct Put {
    account: String,
    resource: String,
}

/// Writes that alternate between accounts of the policy and strangers.
fn puts(accounts: &[String]) -> Vec<Put> {
    (0..REQUESTS)
        .map(|n| {
            let account = if n % 2 == 0 {
                accounts[n * 7919 % accounts.len()].clone()
            } else {
                format!("{:012}", 999_999_000_000_u64 + n as u64)
            };
            let key = format!(
                "AWSLogs/{account}/vpcflowlogs/us-east-1/2026/01/02/\
                 {account}_vpcflowlogs_us-east-1_fl-0a1b2c3d_20260102T0000Z_{n:08x}.log.gz"
            );
            Put { resource: format!("arn:aws:s3:::{BUCKET}/{key}"), account }
        })
        .collect()
}

fn context(account: &str) -> Vec<(&'static str, String)> {
    vec![
        ("aws:SourceAccount", account.to_owned()),
        ("aws:SourceArn", format!("arn:aws:logs:us-east-1:{account}:delivery-source:x")),
        ("aws:SecureTransport", "true".to_owned()),
        ("s3:x-amz-acl", "bucket-owner-full-control".to_owned()),
    ]
}

fn ours(put: &Put) -> Request {
    let request = Request::new("delivery.logs.amazonaws.com", "s3:PutObject", &put.resource);
    context(&put.account).into_iter().fold(request, |request, (key, value)| request.with(key, &value))
}

fn theirs(put: &Put) -> iam_rs::IAMRequest {
    let service = iam_rs::PrincipalId::String("delivery.logs.amazonaws.com".into());
    let context = context(&put.account)
        .into_iter()
        .fold(iam_rs::Context::new(), |context, (key, value)| context.with_string(key, value));
    let resource = iam_rs::Arn::parse(&put.resource).expect("an ARN");
    iam_rs::IAMRequest::new_with_context(
        iam_rs::Principal::Service(service),
        "s3:PutObject",
        resource,
        context,
    )
}

/// Cycles through the items.
fn in_turn<'a, T>(all: &'a [T]) -> impl FnMut() -> &'a T {
    let mut turn = all.iter().cycle();
    move || turn.next().expect("the list of requests is not empty")
}

fn deciding(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    for (name, text) in [("classic", CLASSIC), ("bound", BOUND)] {
        let puts = puts(&accounts_of(text));
        let policy = Policy::compile(text).expect("a policy");
        let requests: Vec<_> = puts.iter().map(ours).collect();
        let allowed = requests.iter().filter(|request| policy.decide(request).is_allowed()).count();
        assert_eq!(allowed, REQUESTS / 2);
        let mut next = in_turn(&requests);
        group.bench_function(BenchmarkId::new("flowagg", name), |b| {
            b.iter(|| policy.decide(black_box(next())))
        });

        let evaluator =
            iam_rs::PolicyEvaluator::with_policies(vec![serde_json::from_str(text).expect("a policy")]);
        let requests: Vec<_> = puts.iter().map(theirs).collect();
        let is_allowed = |request: &&iam_rs::IAMRequest| {
            evaluator.evaluate(request).is_ok_and(|result| result.decision == iam_rs::Decision::Allow)
        };
        assert_eq!(requests.iter().take(100).filter(is_allowed).count(), 50);
        let mut next = in_turn(&requests);
        group.bench_function(BenchmarkId::new("iam-rs", name), |b| {
            b.iter(|| evaluator.evaluate(black_box(next())))
        });
    }
    group.finish();
}

fn numbered(count: usize) -> BTreeSet<AccountId> {
    (0..count)
        .map(|n| AccountId::parse(&format!("{:012}", 100_000_000_000 + n * 7919)).expect("an id"))
        .collect()
}

fn growing(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide by number of accounts");
    for count in [10, 100, 1_300] {
        let accounts: Vec<String> = numbered(count).iter().map(ToString::to_string).collect();
        let requests: Vec<_> = puts(&accounts).iter().map(ours).collect();
        let resources: Vec<_> =
            accounts.iter().map(|id| format!("\"arn:aws:s3:::{BUCKET}/AWSLogs/{id}/*\"")).collect();
        let ids: Vec<_> = accounts.iter().map(|id| format!("\"{id}\"")).collect();
        for (form, resource, condition) in [
            ("prefixes", resources.join(","), "\"111122223333\"".to_owned()),
            ("accounts", format!("\"arn:aws:s3:::{BUCKET}/AWSLogs/*\""), ids.join(",")),
        ] {
            let operator = if form == "prefixes" { "StringNotEquals" } else { "StringEquals" };
            let text = format!(
                "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\
                 \"delivery.logs.amazonaws.com\"}},\"Action\":\"s3:PutObject\",\"Resource\":[{resource}],\
                 \"Condition\":{{\"{operator}\":{{\"aws:SourceAccount\":[{condition}]}}}}}}}}"
            );
            let policy = Policy::compile(&text).expect("a policy");
            let allowed = requests.iter().filter(|request| policy.decide(request).is_allowed()).count();
            assert_eq!(allowed, REQUESTS / 2);
            let mut next = in_turn(&requests);
            group.bench_function(BenchmarkId::new(form, count), |b| {
                b.iter(|| policy.decide(black_box(next())))
            });
        }
    }
    group.finish();
}

fn reading(c: &mut Criterion) {
    let mut group = c.benchmark_group("read");
    for (name, text) in [("classic", CLASSIC), ("bound", BOUND)] {
        group.bench_function(BenchmarkId::new("flowagg, parse and compile", name), |b| {
            b.iter(|| Policy::compile(black_box(text)).expect("a policy"));
        });
        group.bench_function(BenchmarkId::new("serde_json::Value", name), |b| {
            b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(text)).expect("JSON"));
        });
        group.bench_function(BenchmarkId::new("iam-rs, parse", name), |b| {
            b.iter(|| serde_json::from_str::<iam_rs::IAMPolicy>(black_box(text)).expect("a policy"));
        });
    }
    group.finish();
}

fn merging(c: &mut Criterion) {
    let fleet = FleetName::parse(BUCKET).expect("a fleet name");
    let bucket = BucketName::parse(BUCKET).expect("a bucket");
    let grant = |count: usize| {
        let mut grant = Grant::new(fleet.clone(), Partition::Aws, bucket.clone());
        grant.accounts = numbered(count);
        grant.settings.form = GrantForm::BoundDeny;
        grant
    };
    let live = merge(None, &grant(1_300), Unnamed::Keep).expect("it fits").text;
    let one_more = grant(1_301);
    c.bench_function("merge one account into 1,300", |b| {
        b.iter(|| merge(Some(black_box(&live)), black_box(&one_more), Unnamed::Keep).expect("it fits"));
    });
}

criterion_group!(benches, deciding, growing, reading, merging);
criterion_main!(benches);
