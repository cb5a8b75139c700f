//! The real program with Athena on moto, which accepts every query and returns the rows that it was given before.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_core::id::AccountId;
use flowagg_testkit::emulator::Moto;
use flowagg_testkit::organization::MotoOrganization;
use jiff::Timestamp;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use super::{bucket, fleet, region};

/// Makes moto answer the next queries of this account with these rows: objects in the program's JSON format.
fn will_answer(account: AccountId, rows: &[&Value]) {
    let fields = rows[0][0].as_object().unwrap();
    let kind = |name: &str| {
        let mut values = rows.iter().flat_map(|rows| rows.as_array().unwrap()).map(|row| &row[name]);
        match values.find(|value| !value.is_null()) {
            Some(Value::Bool(_)) => "boolean",
            Some(Value::Number(_)) => "bigint",
            _ => "varchar",
        }
    };
    let columns: Vec<Value> = fields.keys().map(|name| json!({"Name": name, "Type": kind(name)})).collect();
    let datum = |value: &Value| match value {
        Value::Null => json!({}),
        Value::String(text) => json!({"VarCharValue": text}),
        other => json!({"VarCharValue": other.to_string()}),
    };
    let data = |row: &Value| {
        let values: Vec<Value> = row.as_object().unwrap().values().map(datum).collect();
        json!({"Data": values})
    };
    let results: Vec<Value> = rows
        .iter()
        .map(|rows| {
            let rows: Vec<Value> = rows.as_array().unwrap().iter().map(data).collect();
            json!({"rows": rows, "column_info": columns})
        })
        .collect();
    let job =
        json!({"account_id": account.to_string(), "region": "eu-west-1", "results": results}).to_string();
    let host = Moto::shared().unwrap().url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    let length = job.len();
    write!(
        stream,
        "POST /moto-api/static/athena/query-results HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{job}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[tokio::test]
async fn query_is_estimated_and_run_and_its_rows_are_printed() {
    let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
    organization.account("shop", None).await.unwrap();
    let fleet = fleet(&organization, "regions = [\"eu-west-1\"]");
    let run = async |args: &[&str]| organization.flowagg(&fleet, args).await.unwrap().exits(0);
    run(&["apply", "--yes"]).await;

    let ask = ["query", "by-day", "--engine", "athena", "--from", "2026-11-01", "--output", "s3://results/"];
    let explained = run(&[&ask[..], &["--explain"]].concat()).await;
    assert_data_eq!(
        explained.stdout,
        str![[r#"
Athena will scan up to 0 objects with 0 bytes: USD 0.0001 at USD 5 per TB (10 MB minimum)

"#]]
    );
    let ran = run(&[&ask[..], &["--yes", "--format", "json"]].concat()).await;
    assert_eq!(ran.json(), serde_json::json!([]), "{ran}");
    assert_data_eq!(
        ran.stderr,
        str![[r#"
note: no flow log objects were found: check `--from`, `--to` and `--only`
Athena will scan up to 0 objects with 0 bytes: USD 0.0001 at USD 5 per TB (10 MB minimum)
note: `by-day` is more precise with fields that the flow logs do not record: `flow-direction`
ok: 0 rows from Athena, 0 bytes scanned in 0.0 s: USD 0.0001 at USD 5 per TB (10 MB minimum)

"#]]
    );

    let sql = ["query", "SELECT 1", "--engine", "athena", "--yes", "--output", "s3://results/"];
    let ran = run(&sql).await;
    assert_data_eq!(
        ran.stderr,
        str![[r#"
the amount that Athena scans is unknown, up to all objects of the tables. A workgroup can limit it
ok: 0 rows from Athena, 0 bytes scanned in 0.0 s: USD 0.0001 at USD 5 per TB (10 MB minimum)

"#]]
    );
}

#[tokio::test]
async fn rules_and_names_are_the_same_on_both_engines() {
    let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
    let shop = organization.account("shop", None).await.unwrap();
    let fleet = fleet(&organization, "regions = [\"eu-west-1\"]");
    let run = async |args: &[&str]| organization.flowagg(&fleet, args).await.unwrap().exits(0);
    run(&["apply", "--yes"]).await;
    let here = region("eu-west-1");
    let ec2 = organization.ec2(shop, &here).await.unwrap();
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let subnet = subnets.subnets()[0].subnet_id().unwrap();
    let made = ec2.create_network_interface().subnet_id(subnet).description("web").send().await.unwrap();
    let interface = made.network_interface.unwrap();
    let (id, own) = (interface.network_interface_id.unwrap(), interface.private_ip_address.unwrap());
    let group = interface.groups.unwrap()[0].group_id.clone().unwrap();
    for port in [22, 443] {
        let allow = ec2.authorize_security_group_ingress().group_id(&group).ip_protocol("tcp");
        allow.from_port(port).to_port(port).cidr_ip("0.0.0.0/0").send().await.unwrap();
    }
    let now = Timestamp::now();
    let (start, end) = (now.as_second() - 60, now.as_second() - 1);
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    let records = format!(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
         2 {shop} {id} 203.0.113.9 {own} 40000 443 6 1 40 {start} {end} ACCEPT OK\n"
    );
    zip.write_all(records.as_bytes()).unwrap();
    let key = format!(
        "AWSLogs/{shop}/vpcflowlogs/eu-west-1/{}/{shop}_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_{}_0a1b2c3d.log.gz",
        now.strftime("%Y/%m/%d"),
        now.strftime("%Y%m%dT%H%MZ"),
    );
    let s3 = organization.s3(organization.management(), &here).await.unwrap();
    s3.put_object()
        .bucket(bucket(&organization))
        .key(key)
        .body(zip.finish().unwrap().into())
        .send()
        .await
        .unwrap();

    let of_athena = ["--engine", "athena", "--yes", "--output", "s3://results/"];
    // Athena's statement returns the same rows as the local one, which the tests of flowagg-query check.
    let sql = run(&["query", "unused-rules", "--print"]).await.stdout;
    let traffic = run(&["query", sql.trim_end(), "--format", "json"]).await.json();
    will_answer(organization.management(), &[&traffic]);
    let ask = ["query", "unused-rules", "--format", "json"];
    let local = run(&ask).await;
    let ran = run(&[&ask[..], &of_athena].concat()).await;
    assert_eq!(ran.json(), local.json(), "{ran}");
    let rules = local.json();
    let of_group = rules.as_array().unwrap().iter().filter(|rule| rule["group_id"] == *group);
    let ports: Vec<&Value> = of_group.map(|rule| &rule["ports"]).collect();
    assert_eq!(ports, ["22", "all"], "{local}");
    assert!(ran.stderr.contains("rules with `no traffic` allowed no accepted request"), "{ran}");

    // moto does not support the filters for finding interfaces.
    let sql = "SELECT log_account AS account, count(*) AS records FROM vpc_flow_logs GROUP BY 1";
    let ask = ["query", sql, "--format", "json"];
    let rows = run(&ask).await.json();
    will_answer(organization.management(), &[&rows]);
    let names = [&ask[..], &["--names"]].concat();
    let local = run(&names).await;
    let ran = run(&[&names[..], &of_athena].concat()).await;
    assert_eq!(ran.json(), local.json(), "{ran}");
    assert_eq!(local.json()[0]["account_name"], "shop", "{local}");
}
