//! Stories of `docs/query.md`.

use std::collections::BTreeSet;

use flowagg_policy::Policy;
use serde_json::Value;

use crate::page::Section;
use crate::shell::Stage;

pub(crate) async fn questions(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    stage.deliver().await;
    let [list, who, top, rejected] = section.next("sh").of();
    let listed = stage.shell.exits(&list, 0).await.stdout;
    assert!(listed.contains("nat-to-aws"), "{listed}");
    let who = stage.shell.exits(&who, 0).await.stdout;
    assert!(who.contains("last_seen"), "{who}");
    // The default format does not have the field, and a note names it.
    let top = stage.shell.exits(&top, 0).await;
    assert!(top.stderr.contains("`instance-id`"), "{}", top.stderr);
    let rejected = stage.shell.exits(&rejected, 0).await.stdout;
    assert!(rejected.starts_with("account,interface_id,direction,source,"), "{rejected}");
}

pub(crate) async fn gateways(section: &mut Section) {
    let [nat, top] = section.next("sh").of();
    let mut stage = Stage::applied(["payments"]).await;
    let refused = stage.shell.exits(&nat, 2).await.stderr;
    assert!(refused.contains("`pkt-srcaddr`, `pkt-dstaddr`"), "{refused}");
    let top = stage.shell.exits(&top, 0).await.stderr;
    assert!(top.contains("no NAT gateway was found in 2 account-regions"), "{top}");
}

pub(crate) async fn names(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    stage.deliver().await;
    let [top, interfaces] = section.next("sh").of();
    let top = stage.shell.exits(&top, 0).await.stdout;
    assert!(top.contains("address_name"), "{top}");
    let interfaces = stage.shell.exits(&interfaces, 0).await.stdout;
    assert!(interfaces.contains("payments") && interfaces.contains("interface_id_name"), "{interfaces}");
}

pub(crate) async fn rules(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    stage.deliver().await;
    let [unused] = section.next("sh").of();
    let ran = stage.shell.exits(&unused, 0).await;
    assert!(ran.stderr.contains("no accepted request in the records from "), "{}", ran.stderr);
    let written = std::fs::read_to_string(stage.shell.folder.join("unused.csv")).unwrap();
    // Each VPC has a security group without network interfaces.
    assert!(
        written.contains(",egress,all,all,0.0.0.0/0,") && written.contains(",no network interface,0,"),
        "{written}"
    );
}

pub(crate) async fn queries(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    stage.deliver().await;
    let [accounts, rejected, bucket, columns] = section.next("sh").of();
    let accounts = stage.shell.exits(&accounts, 0).await.stdout;
    for account in ["222222222222", "333333333333"] {
        assert!(accounts.contains(account), "{accounts}");
    }
    let rejected = stage.shell.exits(&rejected, 0).await.stdout;
    assert!(rejected.contains("dstport"), "{rejected}");
    let counted = stage.shell.exits(&bucket, 0).await.stdout;
    assert!(counted.contains("records"), "{counted}");
    let columns = stage.shell.exits(&columns, 0).await.stdout;
    assert!(columns.contains("log_account"), "{columns}");
}

pub(crate) async fn large(section: &mut Section) {
    let mut stage = Stage::applied(["payments"]).await;
    stage.deliver().await;
    let [explain, parquet] = section.next("sh").of();
    let explained = stage.shell.exits(&explain, 0).await.stdout;
    assert!(explained.starts_with("the query will read up to 2 objects with "), "{explained}");
    stage.shell.exits(&parquet, 0).await;
    let written = std::fs::read(stage.shell.folder.join("rejected.parquet")).unwrap();
    assert!(written.starts_with(b"PAR1"));
}

pub(crate) async fn permissions(section: &mut Section) {
    let block = section.next("json");
    let mut policy: Value = serde_json::from_str(&block.text).unwrap();
    let mut actions = BTreeSet::new();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        actions.extend(listed(&statement["Action"]));
        // An identity-based policy has no principal.
        statement["Principal"] = "*".into();
    }
    assert_eq!(actions, BTreeSet::from(["kms:Decrypt", "s3:GetObject", "s3:ListBucket"].map(str::to_owned)));
    let compiled = Policy::compile(&policy.to_string());
    compiled.unwrap_or_else(|error| panic!("{}: {error}", block.place()));
}

/// A string, or a list of strings.
fn listed(value: &Value) -> Vec<String> {
    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
