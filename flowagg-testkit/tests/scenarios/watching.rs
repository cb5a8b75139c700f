//! Features for scheduled runs: exceptions, metrics, and reports in a bucket.

use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::world::World;
use snapbox::{assert_data_eq, str};

use crate::{applied, deliver, told};

/// Deletes the flow log of the member's VPC in the hub's region.
async fn unlog(world: &World, name: &str) {
    let account = world.accounts()[name].id;
    let logs = world.flow_logs(account, world.hub_region()).await.unwrap();
    let ids: Vec<String> = logs.iter().filter_map(|log| log.flow_log_id.clone()).collect();
    let ec2 = world.aws().ec2(account, world.hub_region());
    ec2.delete_flow_logs().set_flow_log_ids(Some(ids)).send().await.unwrap();
}

/// Adds an exception for a member's findings until a day.
fn accept(world: &mut World, name: &str, until: &str) {
    let account = world.accounts()[name].id;
    world.reset(
        "[exceptions]",
        &format!("account = \"{account}\"\nreason = \"is being closed\"\nuntil = {until}"),
    );
}

#[tokio::test]
async fn excepted_findings_do_not_count_and_are_shown_in_page_and_json() {
    let mut world = applied(["shop", "bank"]).await;
    deliver(&world).await;
    unlog(&world, "shop").await;
    world.flowagg(["verify"]).await.unwrap().exits(3);
    let tomorrow = jiff::Zoned::now().tomorrow().unwrap().date();
    accept(&mut world, "shop", &tomorrow.to_string());
    let verified = world.flowagg(["verify"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &verified),
        str![[r#"
  + 222222222222  shop  1 delivering, 1 with an exception, newest object 40 s old
  + 333333333333  bank  2 delivering, newest object 40 s old

note: 1 finding has an exception; run `flowagg verify --all` for details

  resources  3 of 4 (75 %) have a flow log
  flow logs  3 of 4 (75 %) deliver, 1 missing

ok: every flow log delivers, except 1 with an exception

"#]]
    );
    let all = world.flowagg(["verify", "--all"]).await.unwrap().exits(0);
    assert!(all.stdout.contains(&format!("exception until {tomorrow}: is being closed")), "{all}");

    let page = world.fleet_path().with_file_name("report.html").display().to_string();
    let json = world.fleet_path().with_file_name("report.json").display().to_string();
    let reported = world.flowagg(["report", "--html", &page, "--json", &json]).await.unwrap().exits(0);
    assert!(
        reported.stdout.ends_with("ok: every flow log delivers, except 1 with an exception, 0 findings\n"),
        "{reported}"
    );
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains(&format!("(exception until {tomorrow}: is being closed)")));
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(report["totals"]["flow-logs"]["missing"], 1, "{report:#}");
    assert_eq!(report["totals"]["accepted"]["missing"], 1);
    assert_eq!(report["findings"][0]["places"][0]["exception"]["reason"], "is being closed");
    let terminal = world.flowagg(["report"]).await.unwrap().exits(0);
    assert!(
        terminal.stdout.contains("1 finding has an exception; run `flowagg report --all` for details"),
        "{terminal}"
    );

    accept(&mut world, "shop", "2026-01-31");
    let over = world.flowagg(["report"]).await.unwrap().exits(3);
    assert!(over.stdout.contains("warning: an exception expired on 2026-01-31"), "{over}");
    accept(&mut world, "shop", "2999-01-31");
    let far = world.flowagg(["verify"]).await.unwrap().exits(2);
    assert!(far.stderr.contains("ends on 2999-01-31, more than 400 days ahead"), "{far}");
}

#[tokio::test]
async fn metrics_of_an_incomplete_run_keep_the_last_success() {
    let mut world = applied(["shop"]).await;
    deliver(&world).await;
    let path = world.fleet_path().with_file_name("flowagg.prom");
    let args = ["verify", "--metrics", path.to_str().unwrap()];
    world.flowagg(args).await.unwrap().exits(0);
    let first = fs::read_to_string(&path).unwrap();
    let success = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("flowagg_last_success_timestamp_seconds"));
        line.map(str::to_owned)
    };
    assert!(success(&first).is_some() && first.contains("state=\"delivering\"} 1\n"), "{first}");

    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let region = world.regions().iter().find(|region| *region != world.hub_region()).unwrap().clone();
    let denied =
        Answer::error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    faults.on(CallFilter::operation("DescribeVpcs").in_region(&region), denied);
    world.flowagg(args).await.unwrap().exits(1);
    let second = fs::read_to_string(&path).unwrap();
    assert_eq!(success(&second), success(&first));
    let of_region = second.lines().filter(|line| line.contains(region.as_str()));
    let of_region: Vec<&str> = of_region.map(|line| line.split('{').next().unwrap()).collect();
    assert_eq!(of_region, ["flowagg_account_region_read"], "{second}");
    let part = world.flowagg([&args[..], &["--only", region.as_str()]].concat()).await.unwrap().exits(2);
    assert!(part.stderr.contains("`--metrics` needs the whole fleet"), "{part}");
    let both = world.flowagg(["verify", "--json", "--metrics-emf", "-"]).await.unwrap().exits(2);
    assert!(both.stderr.contains("`--metrics-emf -` and `--json` both write to standard output"), "{both}");
}

#[tokio::test]
async fn reports_in_a_bucket_are_replaced_but_foreign_objects_are_not() {
    let world = applied(["shop"]).await;
    deliver(&world).await;
    let bucket = world.bucket().to_string();
    let url = |key: &str| format!("s3://{bucket}/{key}");
    let args = ["report", "--html", &url("reports/report.html"), "--json", &url("reports/report.json")];
    world.flowagg(args).await.unwrap().exits(0);
    let ran = world.flowagg(args).await.unwrap().exits(0);
    assert!(ran.stdout.contains(&format!("written: {} (", url("reports/report.json"))), "{ran}");
    let get = async |key: &str| {
        let object = world.s3().get_object().bucket(&bucket).key(key).send().await.unwrap();
        let kind = object.content_type().unwrap_or_default().to_owned();
        let body = object.body.collect().await.unwrap().into_bytes();
        (kind, String::from_utf8(body.to_vec()).unwrap())
    };
    let (kind, page) = get("reports/report.html").await;
    assert!(kind == "text/html; charset=utf-8" && page.starts_with("<!doctype html>"), "{kind} {page}");
    let (kind, json) = get("reports/report.json").await;
    assert!(kind == "application/json" && json.contains("\"flow-logs\""), "{kind} {json}");

    let body = ByteStream::from_static(b"theirs");
    world.s3().put_object().bucket(&bucket).key("reports/other.html").body(body).send().await.unwrap();
    let refused = world.flowagg(["report", "--html", &url("reports/other.html")]).await.unwrap().exits(1);
    assert!(refused.stderr.contains("is not a flowagg report; it was not replaced"), "{refused}");
    assert_eq!(get("reports/other.html").await.1, "theirs");
    let logs = world.flowagg(["report", "--html", &url("AWSLogs/report.html")]).await.unwrap().exits(2);
    assert!(logs.stderr.contains("is in a folder of flow logs"), "{logs}");
}
