//! The state of a fleet in `flowagg report`.

use flowagg_testkit::delivery::Publication;
use flowagg_testkit::faults::Faults;
use flowagg_testkit::world::World;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::{applied, deliver, told};

async fn report(world: &World, code: i32) -> Value {
    world.flowagg(["report", "--json"]).await.unwrap().exits(code).json()
}

/// Numbers of objects and bytes that the delivery service reports as written.
fn written<'a>(reports: impl IntoIterator<Item = &'a Publication>) -> (usize, u64) {
    let files: Vec<_> = reports.into_iter().flat_map(|report| report.outcome.files()).collect();
    (files.len(), files.iter().map(|file| file.bytes).sum())
}

#[tokio::test]
async fn report_counts_the_delivered_objects_of_each_account() {
    let world = applied(["shop", "bank"]).await;
    let reports = deliver(&world).await;
    let told = report(&world, 0).await;
    let (objects, bytes) = written(&reports);
    assert_eq!((&told["totals"]["objects"], &told["totals"]["bytes"]), (&json!(objects), &json!(bytes)));
    let whole = json!({ "count": reports.len(), "of": reports.len(), "percent": 100 });
    assert_eq!(told["totals"]["coverage"]["flow-logs"], whole, "{told:#}");
    let places = world.regions().len() * 2;
    assert_eq!(told["totals"]["account-regions"]["delivering"], json!(places), "{told:#}");
    for name in ["shop", "bank"] {
        let id = world.accounts()[name].id;
        let (objects, bytes) = written(reports.iter().filter(|report| report.place.account == id));
        let account = told["accounts"].as_array().unwrap().iter().find(|it| it["account"] == id.to_string());
        let account = account.unwrap();
        assert_eq!((&account["objects"], &account["bytes"]), (&json!(objects), &json!(bytes)), "{account:#}");
        assert_eq!(account["state"], "delivering");
        let of_days = account["days"].as_array().unwrap().iter().map(|day| day["objects"].as_u64().unwrap());
        assert_eq!(of_days.sum::<u64>(), objects as u64);
        let newest = account["newest"]["key"].as_str().unwrap();
        assert!(
            reports.iter().any(|it| it.outcome.files().iter().any(|file| file.key == newest)),
            "{newest}"
        );
    }
    let policy = world.policy().await.unwrap().unwrap();
    assert_eq!(told["policy"]["bytes"], json!(flowagg_policy::size::compact_len(&policy)));
}

#[tokio::test]
async fn html_page_and_terminal_match_the_json() {
    let world = applied(["shop"]).await;
    deliver(&world).await;
    let json = report(&world, 0).await;
    assert_eq!(json["totals"]["flow-logs"]["delivering"], 2, "{json:#}");
    let shop = world.accounts()["shop"].id.to_string();
    let folder = world.fleet_path().with_file_name("report.html");
    let ran = world.flowagg(["report", "--html", folder.to_str().unwrap()]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
written: /srv/fleet/report.html (13.4 KiB)
ok: every flow log delivers, 0 findings

"#]]
    );
    let page = std::fs::read_to_string(folder).unwrap();
    assert!(page.contains(&shop) && page.contains(world.bucket().as_str()));
    let flow_logs = json["accounts"][0]["flow-logs"].as_array().unwrap();
    assert_eq!(flow_logs.len(), 2, "{json:#}");
    for id in flow_logs.iter().flat_map(|it| [&it["resource"], &it["flow-log"]]) {
        assert!(page.contains(id.as_str().unwrap()), "{id}");
    }
    let caller = json["made-by"]["arn"].as_str().unwrap();
    assert!(caller.starts_with("arn:aws:") && page.contains(caller), "{caller}");
    assert_eq!((&json["encryption"]["algorithm"], &json["is-whole"]), (&json!("AES256"), &json!(true)));
    let terminal = world.flowagg(["report"]).await.unwrap().exits(0);
    assert_data_eq!(
        told(&world, &terminal),
        str![[r#"
report 111122223333 eu-west-1 acme-flow-logs  2026-11-23T09:20:00Z

  fleet      1 account in 2 regions
  regions    2 delivering
  resources  2 of 2 (100 %) have a flow log
  flow logs  2 of 2 (100 %) deliver
  delivered  2 objects, 1.3 KiB in 7 days; newest object: 40 s old
  cost       unknown until the first full day of deliveries
  policy     612 of 20,480 bytes (2 %); form `prefixes` fits 240 accounts
  expiry     flow logs expire after 90 days

accounts
  a eu-west-1      b us-east-1
  D delivering, W waiting, I idle, S silent, F failing, M missing, U unknown, - none
  days 2026-11-17 to 2026-11-23 (UTC), objects: .:-+*# (none to most)

  account      name state       ab days     newest objects      bytes
  222222222222 shop delivering  DD ......#    40 s       2    1.3 KiB

ok: every flow log delivers, 0 findings

"#]]
    );
}

#[tokio::test]
async fn missing_flow_log_is_a_finding_with_advice_and_exit_code_3() {
    let world = applied(["shop"]).await;
    let shop = world.accounts()["shop"].id;
    let logs = world.flow_logs(shop, world.hub_region()).await.unwrap();
    let ids = logs.iter().filter_map(|log| log.flow_log_id.clone()).collect();
    world
        .aws()
        .ec2(shop, world.hub_region())
        .delete_flow_logs()
        .set_flow_log_ids(Some(ids))
        .send()
        .await
        .unwrap();
    deliver(&world).await;
    let told = report(&world, 3).await;
    assert_eq!(told["totals"]["account-regions"]["missing"], 1, "{told:#}");
    assert_eq!(told["totals"]["coverage"]["resources"], json!({ "count": 1, "of": 2, "percent": 50 }));
    let findings = told["findings"].as_array().unwrap();
    let missing = findings
        .iter()
        .find(|finding| finding["what"] == "the resource has no flow log to the bucket")
        .unwrap();
    assert_eq!(missing["help"], "run `flowagg apply` to create it");
    assert_eq!(missing["places"][0]["account"], shop.to_string());
}

#[tokio::test]
async fn unreadable_account_is_unknown_and_its_objects_are_counted() {
    let mut world = applied(["shop", "bank"]).await;
    let bank = world.accounts()["bank"].id;
    let reports = deliver(&world).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    faults.refuse_roles_of(bank);
    world.send_program_to(faults.url());
    let told = report(&world, 1).await;
    let accounts = told["accounts"].as_array().unwrap();
    let account = accounts.iter().find(|it| it["account"] == bank.to_string()).unwrap();
    assert_eq!(account["state"], "unknown");
    let (objects, _) = written(reports.iter().filter(|report| report.place.account == bank));
    assert_eq!(account["objects"], json!(objects));
    assert_eq!(told["findings"][0]["about"], "reading", "{told:#}");
}

#[tokio::test]
async fn report_before_the_first_apply_lists_all_changes() {
    let world = crate::world(["shop"]).await;
    let told = report(&world, 3).await;
    assert_eq!(told["policy"], Value::Null);
    assert_eq!(told["totals"]["account-regions"]["missing"], json!(world.regions().len()));
    let findings = told["findings"].as_array().unwrap();
    let to_do = findings.iter().filter(|finding| finding["help"] == "run `flowagg apply`");
    assert!(to_do.count() > 0, "{told:#}");
}
