//! Moving from another tool to flowagg, and from flowagg to Terraform.

use std::fs;

use flowagg_core::fleet::FleetFile;
use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::page::Section;
use crate::shell::{Stage, has};

/// The bucket policy in AWS's documentation of 2023, for one account, and a statement that allows everyone.
const BY_HAND: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-flow-logs/AWSLogs/222222222222/*","Condition":{"StringEquals":{"aws:SourceAccount":"222222222222","s3:x-amz-acl":"bucket-owner-full-control"}}},{"Sid":"AWSLogDeliveryAclCheck","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["s3:GetBucketAcl","s3:ListBucket"],"Resource":"arn:aws:s3:::acme-flow-logs","Condition":{"StringEquals":{"aws:SourceAccount":"222222222222"}}},{"Sid":"Anybody","Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-flow-logs/inbox/*"}]}"#;

pub(crate) async fn take_over(section: &mut Section) {
    let mut stage = Stage::with(["payments"]).await;
    let policy = stage.shell.paper.in_world(BY_HAND);
    stage.world.bucket_of_others(&policy).await.unwrap();
    stage.world.log_by_hand("payments").await.unwrap();
    let payments = stage.world.accounts()["payments"].id;
    let logs = stage.world.flow_logs(payments, stage.world.hub_region()).await.unwrap();
    stage.shell.paper.name("fl-0123456789abcdef0", logs[0].flow_log_id().unwrap());

    // The live state becomes the fleet file.
    fs::remove_file(stage.world.fleet_path()).unwrap();
    let [import, plan] = section.next("sh").of();
    stage.shell.exits(&import, 0).await;
    let fleet = stage.shell.read("flowagg.toml");
    assert!(fleet.contains("\"222222222222\"") && fleet.contains("role = \"flowagg\""), "{fleet}");
    let plan = stage.shell.exits(&plan, 0).await.stdout;
    assert_eq!(plan.matches("matches the fleet file (foreign)").count(), 2, "{plan}");

    // The same from templates, offline.
    let vpc = &stage.world.accounts()["payments"].vpcs[stage.world.hub_region()][0];
    let (hub, _) = fleet.split_once("[[members]]").unwrap();
    let one = format!("account = \"222222222222\"\nregions = [\"eu-west-1\"]\nvpcs = [\"{vpc}\"]\n");
    stage.shell.write("one.toml", &format!("{hub}[[members]]\n{one}"));
    for template in ["--hub", "--member --account 222222222222 --region eu-west-1"] {
        stage.shell.also(&format!("flowagg -c one.toml export cloudformation {template} --out .")).await;
    }
    let [import] = section.next("sh").of();
    let from_templates = stage.shell.exits(&import, 0).await.stdout;
    let declared = FleetFile::parse(&from_templates).unwrap();
    assert_eq!(declared.members.len(), 1, "{from_templates}");

    // Two tags make a flow log managed; nothing is recreated.
    let [tag, plan] = section.next("sh").of();
    stage.shell.become_account(payments);
    stage.shell.exits(&tag, 0).await;
    stage.shell.become_account(stage.world.hub());
    let plan = stage.shell.exits(&plan, 0).await.stdout;
    assert_eq!(plan.matches("matches the fleet file (foreign)").count(), 1, "{plan}");
    assert_data_eq!(
        plan,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  + lifecycle of AWSLogs/: no expiration, abort incomplete uploads after 7 days
  ~ update the bucket policy: also grants delivery to 222222222222, which other statements already allow (716 -> 1308 bytes)

flow logs
  = 222222222222  eu-west-1  vpc-0123456789abcdef0  keep fl-0123456789abcdef0  up to date
  = 222222222222  us-east-1  vpc-0123456789abcdef1  keep fl-0123456789abcdef1  matches the fleet file (foreign)

note: flow logs do not expire
note: statement `AWSLogDeliveryWrite` also allows delivery from 222222222222

plan: 2 changes to the hub
next: run `flowagg apply` to make these changes

"#]]
    );
    stage.shell.also("flowagg apply").await;
    assert_eq!(stage.flow_logs("payments").await, 2, "no flow log is made beside those that are right");
    stage.shell.also("flowagg plan --exit-code").await;
    stage.deliver().await;
    stage.shell.also("flowagg verify --wait 30m").await;

    // The statement that allows strangers is reported.
    let [check] = section.next("sh").of();
    let found = stage.shell.exits(&check, 3).await.stdout;
    assert_data_eq!(
        found,
        str![[r#"
1:638: error public-principal: statement `Anybody`: anyone can do this, with or without an AWS account
    list the allowed services or accounts, or add a condition that only they meet

1 finding in standard input

"#]]
    );
}

/// Without Terraform, only the blocks are read.
pub(crate) async fn leave(section: &mut Section) {
    let mut stage = Stage::with(["payments"]).await;
    let forget: [_; 2] = section.next("sh").of();
    let names = [("aws_flow_log", "vpc"), ("aws_s3_bucket_policy", "flow_logs")];
    let names = names
        .into_iter()
        .chain([("aws_s3_bucket_lifecycle_configuration", "flow_logs"), ("aws_vpc", "stays")]);
    let resource = |(kind, name)| {
        let provider = "provider[\"registry.terraform.io/hashicorp/aws\"]";
        let instances = [json!({"schema_version": 0, "attributes": {"id": "x"}})];
        json!({"mode": "managed", "type": kind, "name": name, "provider": provider, "instances": instances})
    };
    let resources: Vec<_> = names.map(resource).collect();
    let state = json!({"version": 4, "terraform_version": "1.5.0", "serial": 1, "lineage": "x", "resources": resources});
    stage.shell.write("terraform.tfstate", &state.to_string());
    if has("terraform") {
        for command in &forget {
            stage.shell.exits(command, 0).await;
        }
        assert_eq!(stage.shell.also("terraform state list").await.stdout.trim(), "aws_vpc.stays");
    }
}

pub(crate) async fn handing_over(section: &mut Section) {
    let mut stage = Stage::applied(["payments"]).await;
    let [export] = section.next("sh").of();
    stage.shell.exits(&export, 0).await;
    let files = fs::read_dir(stage.shell.folder.join("terraform")).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect::<String>();
    let texts = stage.shell.paper.on_paper(&texts);
    for flow_log in
        stage.world.flow_logs(stage.world.accounts()["payments"].id, stage.world.hub_region()).await.unwrap()
    {
        let id = stage.shell.paper.on_paper(flow_log.flow_log_id().unwrap());
        assert!(texts.contains(&id), "it is to be imported: {id}\n{texts}");
    }
    assert!(texts.contains("import {"), "{texts}");
    stage.shell.also("flowagg plan --exit-code").await;
}
