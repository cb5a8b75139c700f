//! `flowagg import`: writing a fleet file from the live state of existing flow logs.

use flowagg_core::fleet::{Fleet, FleetFile};
use flowagg_testkit::faults::Faults;
use flowagg_testkit::world::{Ran, World};
use snapbox::{assert_data_eq, str};

use crate::{applied, apply, deliver, on_paper, told, world};

/// Imports the world's bucket from the world's regions.
async fn import(world: &World, options: &[&str]) -> Ran {
    let regions: Vec<&str> = world.regions().iter().map(|region| region.as_str()).collect();
    let bucket = ["import", "--bucket", world.bucket().as_str(), "--regions", &regions.join(",")];
    world.flowagg([&bucket, options].concat()).await.unwrap()
}

/// The comments in an imported file, with the names of the documentation.
fn remarks(world: &World, text: &str) -> String {
    let remarks = text.lines().filter(|line| line.starts_with('#'));
    on_paper(world, &remarks.collect::<Vec<_>>().join("\n"))
}

/// The fleet of a file without account names, which AWS does not know.
#[track_caller]
fn nameless(text: &str) -> Fleet {
    let mut fleet = FleetFile::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}")).without_lookup();
    fleet.members.values_mut().for_each(|member| member.name = None);
    fleet
}

/// With the imported file, no change remains.
async fn is_settled_by(world: &World, text: &str) {
    world.flowagg_on(text, ["plan", "--exit-code"]).await.unwrap().exits(0);
}

#[tokio::test]
async fn import_restores_the_applied_fleet_file() {
    let plain = applied(["shop", "bank"]).await;
    let mut settled = world(["shop", "bank"]).await;
    settled.hub_as_member("hub", 2).await.unwrap();
    for (table, line) in [
        ("hub", "prefix = \"network/flows\""),
        ("hub", "retention-days = 400"),
        ("hub", "transition = { days = 60, storage-class = \"STANDARD_IA\" }"),
        ("hub", "abort-uploads-days = 3"),
        ("flow-logs", "traffic = \"reject\""),
        ("flow-logs", "aggregation-interval = \"1m\""),
        ("flow-logs", "fields = [\"version\", \"vpc-id\", \"srcaddr\"]"),
        ("flow-logs", "hive-compatible-partitions = true"),
        ("flow-logs", "per-hour-partition = true"),
        ("flow-logs", "tags = { team = \"network\" }"),
        ("policy", "form = \"bound-accounts\""),
        ("policy", "source-arn = true"),
        ("policy", "list-bucket = true"),
        ("policy", "deny-insecure-transport = true"),
    ] {
        settled.set(table, line);
    }
    apply(&settled).await;
    for world in [plain, settled] {
        let imported = import(&world, &[]).await.exits(0);
        assert_eq!(imported.stderr, "", "there are no notes");
        assert_eq!(nameless(&imported.stdout), nameless(&world.fleet_file()), "{imported}");
        is_settled_by(&world, &imported.stdout).await;
    }
}

#[tokio::test]
async fn imported_policy_forms_are_kept() {
    for line in [
        "form = \"accounts\"",
        "form = \"bound-deny\"",
        "source-conditions = false",
        "acl-condition = \"if-exists\"",
        "form = \"organization\"",
        "form = \"bound-organization\"",
    ] {
        let mut world = world(["shop"]).await;
        world.set("policy", line);
        let by_organization = line.contains("organization");
        if by_organization {
            world.set("organization", &format!("id = \"{}\"", world.organization()));
        }
        apply(&world).await;
        let shop = world.accounts()["shop"].id.to_string();
        let options: &[&str] = if by_organization { &["--account", &shop] } else { &[] };
        let imported = import(&world, options).await.exits(0);
        assert_eq!(nameless(&imported.stdout), nameless(&world.fleet_file()), "{imported}");
        is_settled_by(&world, &imported.stdout).await;
    }
}

#[tokio::test]
async fn flow_logs_in_all_regions_are_imported_as_all() {
    let mut world = world(["shop"]).await;
    world.ask_for_all_regions();
    // LocalStack treats all regions of other partitions as the same one, and rejects a duplicate flow log.
    world.flowagg(["apply", "--yes"]).await.unwrap();
    let imported = world.flowagg(["import", "--bucket", world.bucket().as_str()]).await.unwrap().exits(0);
    assert!(imported.stdout.contains("regions = [\"all\"]"), "{imported}");
    assert_eq!(nameless(&imported.stdout), nameless(&world.fleet_file()));
    is_settled_by(&world, &imported.stdout).await;
}

#[tokio::test]
async fn import_covers_other_resource_kinds_and_partial_selections() {
    let mut world = world(["shop", "bank"]).await;
    let region = world.hub_region().clone();
    let (shop, bank) = (world.accounts()["shop"].clone(), world.accounts()["bank"].clone());
    let ec2 = world.aws().ec2(shop.id, &region);
    let subnet = ec2.create_subnet().vpc_id(shop.vpcs[&region][0].as_str()).cidr_block("10.0.1.0/24");
    subnet.send().await.unwrap();
    let vpc = world.aws().ec2(bank.id, &region).create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
    world.set_of("shop", "vpcs = \"none\"");
    world.set_of("shop", "subnets = \"all\"");
    world.set_of("bank", &format!("vpcs = [\"{}\"]", vpc.vpc.unwrap().vpc_id.unwrap()));
    apply(&world).await;
    let imported = import(&world, &[]).await.exits(0);
    let table = |id| format!("account = \"{id}\"\nregions = [\"{region}\"]\n");
    assert!(
        imported.stdout.contains(&format!("{}vpcs = \"none\"\nsubnets = \"all\"\n", table(shop.id))),
        "{imported}"
    );
    assert!(imported.stdout.contains(&format!("{}vpcs = [\"vpc-", table(bank.id))), "{imported}");
    is_settled_by(&world, &imported.stdout).await;
}

/// AWS's documented statements, as people paste them.
const CLASSIC: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
  "Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/AWSLogs/SHOP/*",
  "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}},
 {"Sid":"AWSLogDeliveryAclCheck","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
  "Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::BUCKET"},
 {"Sid":"Others","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
  "Action":"s3:PutObjectAcl","Resource":"arn:aws:s3:::BUCKET/*"}]}"#;

#[tokio::test]
async fn manually_created_setup_is_imported_and_kept() {
    let mut world = world(["shop", "bank"]).await;
    let (shop, bank) = (world.accounts()["shop"].id, world.accounts()["bank"].id);
    world.leave("bank");
    world.bucket_of_others(&CLASSIC.replace("SHOP", &shop.to_string())).await.unwrap();
    world.log_by_hand("shop").await.unwrap();
    deliver(&world).await;
    let imported = import(&world, &["--account", &bank.to_string()]).await.exits(0);
    assert_data_eq!(
        on_paper(&world, &imported.stdout),
        str![[r##"
# account 333333333333 has no flow log to the bucket and is not in its policy for `AWSLogs/`: it is not imported

[hub]
# flow logs do not expire; to expire them, set `retention-days` to a number of days
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"
retention-days = "forever"

[policy]
# `apply` changes the bucket policy: adds 222222222222 to the grant
# statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
# statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
# statement `Others` is about log delivery but is foreign: it is kept unchanged
source-conditions = false

[[members]]
account = "222222222222"
regions = ["eu-west-1", "us-east-1"]

"##]]
    );
    let remarks = imported.stdout.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(
        imported.stderr.lines().filter(|line| line.starts_with("note: ")).count(),
        remarks,
        "{imported}"
    );
    let plan = world.flowagg_on(&imported.stdout, ["plan", "--json"]).await.unwrap().exits(0).json();
    assert_eq!(plan["flow-logs"].as_array().unwrap().len(), 0, "{plan}");
    assert_eq!(plan["concerns"].as_array().unwrap().len(), 0, "{plan}");
    let changes = plan["hub"].as_array().unwrap().iter().map(|change| change["change"].as_str().unwrap());
    assert!(changes.clone().any(|change| change == "put-policy"), "{plan}");
    let also = plan["notes"].as_array().unwrap().iter().any(|note| {
        note.as_str().unwrap() == format!("statement `AWSLogDeliveryWrite` also allows delivery from {shop}")
    });
    assert!(also, "{plan}");
}

#[tokio::test]
async fn managed_flow_log_that_differs_from_the_others_is_reported_and_kept() {
    let mut world = applied(["shop", "bank"]).await;
    let bank = world.accounts()["bank"].clone();
    world.leave("shop");
    world.set("flow-logs", "traffic = \"reject\"");
    let region = world.regions()[1].to_string();
    world
        .flowagg(["apply", "--yes", "--only", &region, "--only", &bank.id.to_string()])
        .await
        .unwrap()
        .exits(0);
    let imported = import(&world, &[]).await.exits(0);
    assert_data_eq!(
        told(&world, &imported),
        str![[r#"
[hub]
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"

[[members]]
account = "222222222222"
regions = ["eu-west-1", "us-east-1"]

[[members]]
# us-east-1: fl-0123456789abcdef0 of vpc-0123456789abcdef0 differs from the common settings: `traffic` is `reject`: it is managed and would be replaced, so its resource is not imported
account = "333333333333"
regions = ["eu-west-1"]
note: 333333333333: us-east-1: fl-0123456789abcdef0 of vpc-0123456789abcdef0 differs from the common settings: `traffic` is `reject`: it is managed and would be replaced, so its resource is not imported

"#]]
    );
    let plan = world.flowagg_on(&imported.stdout, ["plan", "--json"]).await.unwrap().json();
    assert_eq!(plan["flow-logs"].as_array().unwrap().len(), 0, "{plan}\n{imported}");
}

#[tokio::test]
async fn unreadable_account_is_imported_from_the_bucket_contents() {
    let mut world = applied(["shop", "bank"]).await;
    deliver(&world).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    let bank = world.accounts()["bank"].id;
    faults.refuse_roles_of(bank);
    world.send_program_to(faults.url());
    let file = world.fleet_path().with_file_name("imported.toml");
    let out = ["--out", file.to_str().unwrap()];
    let ran = import(&world, &out).await.exits(1);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_data_eq!(
        told(&world, &ran),
        str![[r#"
written: /srv/fleet/imported.toml
error: 2 times: arn:aws:iam::333333333333:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: User is not authorized to perform: sts:AssumeRole on a role of 333333333333
       create the role in 333333333333 with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in 333333333333 shows the role
       in 333333333333: eu-west-1, us-east-1
note: 333333333333: the account could not be read: AssumeRole: User is not authorized to perform: sts:AssumeRole on a role of 333333333333; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`
import: incomplete: not everything could be read, or the fleet file has errors; see above

"#]]
    );
    assert_data_eq!(
        remarks(&world, &text),
        str![[
            r#"# the account could not be read: AssumeRole: User is not authorized to perform: sts:AssumeRole on a role of 333333333333; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`"#
        ]]
    );
    assert_eq!(nameless(&text), nameless(&world.fleet_file()), "{text}");

    faults.lift();
    let kept = import(&world, &out).await.exits(1);
    assert_data_eq!(
        told(&world, &kept),
        str![[r#"
error: `/srv/fleet/imported.toml` already exists with different contents; nothing was written
       compare the file, then use `--force` to overwrite it

"#]]
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    import(&world, &[&out[..], &["--force"]].concat()).await.exits(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains('#'), "{text}");
    is_settled_by(&world, &text).await;
}

#[tokio::test]
async fn bucket_without_deliveries_cannot_be_imported() {
    let world = world(["shop"]).await;
    let absent = import(&world, &[]).await.exits(1);
    assert_data_eq!(
        told(&world, &absent),
        str![[r#"
error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: NotFound: AWS returned no message
       the bucket does not exist: correct `hub.bucket` or `--bucket`

"#]]
    );
    world.create_bucket(world.hub()).await.unwrap();
    let empty = import(&world, &[]).await.exits(1);
    assert_data_eq!(
        on_paper(&world, &empty.stderr),
        str![[r#"
error: no account delivers flow logs to `acme-flow-logs` or is allowed to: the bucket has no policy; there are no flow log files in any folder of the bucket; no accounts were searched for flow logs
       pass `--account ID` or `--organization ID`, or create a fleet file with `flowagg init`

"#]]
    );
    assert_eq!(empty.stdout, "");
}

/// A grant for load balancer logs in a folder, and one for the whole bucket.
const BALANCED: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Sid":"Nlb","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
  "Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/nlb/AWSLogs/BANK/*",
  "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":"BANK"}}},
 {"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
  "Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*",
  "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceAccount":"SHOP"}}},
 {"Sid":"AWSLogDeliveryAclCheck","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},
  "Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::BUCKET"}]}"#;

/// A world whose bucket has this policy, and an object with load balancer logs of `bank`.
async fn balanced() -> World {
    let world = world(["shop", "bank"]).await;
    let [shop, bank] = ["shop", "bank"].map(|name| world.accounts()[name].id.to_string());
    world.bucket_of_others(&BALANCED.replace("SHOP", &shop).replace("BANK", &bank)).await.unwrap();
    let key = format!("nlb/AWSLogs/{bank}/elasticloadbalancing/eu-west-1/2026/01/02/net.log.gz");
    world.s3().put_object().bucket(world.bucket().as_str()).key(key).send().await.unwrap();
    world
}

#[tokio::test]
async fn folder_of_load_balancer_logs_is_not_the_prefix_of_flow_logs() {
    let world = balanced().await;
    let shop = world.accounts()["shop"].id;
    world.log_by_hand("shop").await.unwrap();
    for is_delivered in [false, true] {
        if is_delivered {
            deliver(&world).await;
        }
        let imported = import(&world, &[]).await.exits(0);
        let fleet = nameless(&imported.stdout);
        assert_eq!(fleet.hub.prefix, None, "{imported}");
        assert!(fleet.members.keys().eq([&shop]), "{imported}");
        assert_data_eq!(
            remarks(&world, &imported.stdout),
            str![[r#"
# account 333333333333 has no flow log to the bucket and is not in its policy for `AWSLogs/`: it is not imported
# `nlb/AWSLogs/*/elasticloadbalancing/` are not imported: they do not contain flow logs of a fleet
# flow logs do not expire; to expire them, set `retention-days` to a number of days
# `apply` changes the bucket policy: adds 222222222222 to the grant
# statement `Nlb` is about log delivery but is foreign: it is kept unchanged
# statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
# statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
"#]]
        );
    }
}

#[tokio::test]
async fn existing_files_determine_the_prefix_without_flow_logs() {
    let world = balanced().await;
    let shop = world.accounts()["shop"].id;
    let key =
        format!("old/AWSLogs/{shop}/vpcflowlogs/eu-west-1/2026/01/02/{shop}_vpcflowlogs_eu-west-1.log.gz");
    world.s3().put_object().bucket(world.bucket().as_str()).key(key).send().await.unwrap();
    let imported = import(&world, &[]).await.exits(0);
    let fleet = nameless(&imported.stdout);
    assert_eq!(fleet.hub.prefix.as_ref().unwrap().to_string(), "old", "{imported}");
    assert!(fleet.members.keys().eq([&shop]), "{imported}");
    assert_data_eq!(
        remarks(&world, &imported.stdout),
        str![[r#"
# account 333333333333 has no flow log to the bucket and is not in its policy for `old/AWSLogs/`: it is not imported
# `nlb/AWSLogs/*/elasticloadbalancing/` are not imported: they do not contain flow logs of a fleet
# flow logs do not expire; to expire them, set `retention-days` to a number of days
# `apply` changes the bucket policy: adds 222222222222 to the grant
# statement `Nlb` is about log delivery but is foreign: it is kept unchanged
# statement `AWSLogDeliveryWrite` is about log delivery but is foreign: it is kept unchanged
# statement `AWSLogDeliveryAclCheck` is about log delivery but is foreign: it is kept unchanged
# the account is granted delivery but has no flow log to the bucket; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`
"#]]
    );
}

#[tokio::test]
async fn granted_account_without_a_flow_log_is_imported_as_a_member() {
    let mut world = world(["shop"]).await;
    world.member("bank", 0).await.unwrap();
    apply(&world).await;
    let imported = import(&world, &[]).await.exits(0);
    assert_eq!(nameless(&imported.stdout), nameless(&world.fleet_file()), "{imported}");
    assert_data_eq!(
        on_paper(&world, &imported.stderr),
        str![[r#"
note: 333333333333: the account is granted delivery but has no flow log to the bucket; the regions that were read are used, and all VPCs are assumed: check `regions` and `vpcs`

"#]]
    );
    is_settled_by(&world, &imported.stdout).await;
}
