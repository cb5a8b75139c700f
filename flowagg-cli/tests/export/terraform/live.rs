//! Existing resources are imported, and foreign ones are kept.

use std::collections::{BTreeMap, BTreeSet};

use flowagg::export::terraform::{LiveState, TerraformFormat, configuration};
use flowagg_core::acl::{Acl, AclGrant, Grantee};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId};
use flowagg_core::lifecycle::{FleetRule, LifecycleDocument};
use flowagg_core::observed::{
    Bucket, BucketEncryption, FlowLog, Observed, PublicAccessBlock, RegionState, Resource,
};
use flowagg_core::plan::{Unnamed, rule_of_new_bucket};
use flowagg_policy::Plan;
use flowagg_policy::plan::plan;
use flowagg_policy::{Grant, merge};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use super::arguments::{are_documented, blocks};
use super::{json as in_json, plain, text};

const MEMBER: &str = "222222222222";
const VPCS: [&str; 3] = ["vpc-11111111", "vpc-22222222", "vpc-33333333"];

/// A fleet with one member in one region, and its live state.
struct World {
    fleet: Fleet,
    bucket: Option<Bucket>,
    regions: BTreeMap<Place, Result<RegionState, Failure>>,
}

fn fleet(hub: &str, member: &str) -> Fleet {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n{hub}\n\n\
         [[members]]\naccount = \"{MEMBER}\"\nregions = [\"eu-west-1\"]\nrole = \"flowagg\"\n{member}\n"
    );
    Fleet::parse(&text).unwrap()
}

fn resource(id: &str) -> Resource {
    let mut resource = Resource::new(ResourceId::parse(id).unwrap());
    resource.owner = Some(AccountId::parse(MEMBER).unwrap());
    resource
}

impl World {
    /// An up-to-date bucket, and these resources without flow logs.
    fn new(fleet: Fleet, resources: Vec<Resource>) -> Self {
        let place = Place::new(AccountId::parse(MEMBER).unwrap(), &Region::parse("eu-west-1").unwrap());
        let mut bucket = Bucket::default();
        bucket.encryption = Some(BucketEncryption::new("AES256"));
        bucket.lifecycle =
            LifecycleDocument::edited(None, rule_of_new_bucket(&fleet).as_slice(), &BTreeSet::new()).unwrap();
        bucket.public_access_block = PublicAccessBlock::FULL;
        bucket.ownership = Some("BucketOwnerEnforced".into());
        bucket.policy = Some(merge(None, &Grant::from(&fleet), Unnamed::Keep).unwrap().text);
        let state = RegionState::new(resources, Vec::new());
        Self { fleet, bucket: Some(bucket), regions: BTreeMap::from([(place, Ok(state))]) }
    }

    /// A flow log that matches the fleet.
    fn right(&self, n: usize, resource: &str) -> FlowLog {
        let spec = &self.fleet.flow_logs;
        let mut log = FlowLog::new(
            FlowLogId::parse(&format!("fl-{n:08}")).unwrap(),
            resource,
            self.fleet.destination().arn(),
        );
        log.traffic = Some(spec.traffic.as_api().to_owned());
        log.format = Some(spec.format.to_string());
        log.interval = Some(600);
        log.files = Some(Files::new("plain-text".to_owned()));
        log.tags = self.fleet.tags();
        log
    }

    fn with(mut self, flow_logs: Vec<FlowLog>) -> Self {
        for state in self.regions.values_mut().flatten() {
            state.flow_logs = flow_logs.clone();
        }
        self
    }

    fn observed(&self) -> Observed {
        let (bucket, regions) = (Ok(self.bucket.clone()), self.regions.clone());
        let mut all = Observed::new(bucket);
        all.regions = regions;
        all
    }

    fn plan(&self) -> Plan {
        plan(&self.fleet, &self.observed(), Unnamed::Keep)
    }

    fn look<T>(&self, at: impl FnOnce(&Fleet, &LiveState<'_>) -> T) -> T {
        let (observed, plan) = (self.observed(), self.plan());
        at(&self.fleet, &LiveState::new(&observed, &plan))
    }

    fn file(&self, name: &str) -> Value {
        self.look(|fleet, live| in_json(fleet, Some(live), name))
    }

    fn notes(&self) -> String {
        self.look(|fleet, live| {
            configuration(fleet, Some(live), TerraformFormat::Json).unwrap().notes.join("\n")
        })
    }

    /// Imported IDs by resource address.
    fn imports(&self) -> BTreeMap<String, String> {
        let file = self.file("imports");
        let imports = blocks(&file).into_iter().map(|(page, body)| {
            are_documented(&page, body);
            (body["to"].as_str().unwrap().to_owned(), body["id"].as_str().unwrap().to_owned())
        });
        imports.collect()
    }
}

fn vpcs() -> Vec<Resource> {
    VPCS.map(resource).to_vec()
}

#[test]
fn bucket_settings_and_managed_flow_logs_are_imported() {
    let world = World::new(fleet("", ""), vpcs());
    let logs = vec![world.right(1, VPCS[0]), world.right(2, VPCS[1])];
    let world = world.with(logs);
    let of_bucket = [
        "",
        "_lifecycle_configuration",
        "_ownership_controls",
        "_policy",
        "_public_access_block",
        "_server_side_encryption_configuration",
    ]
    .map(|what| (format!("aws_s3_bucket{what}.flow_logs"), "acme-flow-logs".to_owned()));
    let of_logs = [(VPCS[0], "fl-00000001"), (VPCS[1], "fl-00000002")]
        .map(|(vpc, log)| (format!("aws_flow_log.vpcs_222222222222_eu_west_1[\"{vpc}\"]"), log.to_owned()));
    assert_eq!(world.imports(), of_bucket.into_iter().chain(of_logs).collect());
    let hcl = world.look(|fleet, live| text(fleet, Some(live), TerraformFormat::Hcl, "imports.tf"));
    let last = "import {\n  to = aws_flow_log.vpcs_222222222222_eu_west_1[\"vpc-22222222\"]\n  id = \"fl-00000002\"\n}\n";
    assert!(hcl.ends_with(last), "{hcl}");
}

#[test]
fn missing_bucket_is_not_imported() {
    let world = World { bucket: None, ..World::new(fleet("", ""), vpcs()) };
    let names: Vec<String> = world.look(|fleet, live| {
        let files = configuration(fleet, Some(live), TerraformFormat::Json).unwrap().files;
        files.into_iter().map(|file| file.name).collect()
    });
    assert_eq!(
        names,
        ["versions.tf.json", "providers.tf.json", "hub.tf.json", "policy.tf.json", "flow-logs.tf.json"]
    );
}

#[test]
fn unset_bucket_settings_are_not_imported() {
    let mut world = World::new(fleet("", ""), vpcs());
    world.bucket = Some(Bucket::default());
    assert_eq!(world.imports().into_keys().collect::<Vec<_>>(), ["aws_s3_bucket.flow_logs"]);
}

#[test]
fn foreign_statements_stay_in_the_policy() {
    let mut world = World::new(fleet("", ""), vpcs());
    let theirs = json!({
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::444444444444:role/reader" },
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::acme-flow-logs/home/${aws:username}/*",
    });
    let live = json!({ "Version": "2012-10-17", "Id": "theirs", "Statement": [theirs] });
    world.bucket.as_mut().unwrap().policy = Some(live.to_string());
    let file = world.file("policy");
    let policy = &file["locals"]["bucket_policy"];
    assert_eq!(policy["Id"], "theirs");
    let resource = policy["Statement"][0]["Resource"].as_str().unwrap();
    assert_eq!(resource, "arn:aws:s3:::acme-flow-logs/home/$${aws:username}/*");
    let read: Value = serde_json::from_str(&plain(&policy["Statement"][0].to_string())).unwrap();
    assert_eq!(read, theirs);
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 3, "one foreign and two managed");
    assert_eq!(world.imports()["aws_s3_bucket_policy.flow_logs"], "acme-flow-logs");
}

#[test]
fn outdated_managed_flow_log_is_imported_and_replaced() {
    let world = World::new(fleet("", ""), vpcs());
    let mut wrong = world.right(1, VPCS[0]);
    wrong.traffic = Some("REJECT".into());
    let world = world.with(vec![wrong]);
    assert_eq!(world.imports()["aws_flow_log.vpcs_222222222222_eu_west_1[\"vpc-11111111\"]"], "fl-00000001");
    assert_data_eq!(
        world.notes(),
        str![[r#"
managed flow logs that differ from the fleet file: 1. They are imported, and Terraform replaces them. It deletes the old one first, so traffic is not recorded until the new one works
flow logs expire after 90 days
at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs for new resources, and deletes those of resources that no longer match
"#]]
    );
}

#[test]
fn one_of_two_matching_flow_logs_is_imported_and_the_other_reported() {
    let world = World::new(fleet("", ""), vpcs());
    let logs = vec![world.right(1, VPCS[0]), world.right(2, VPCS[0])];
    let world = world.with(logs);
    let imports: Vec<String> = world.imports().into_values().filter(|id| id.starts_with("fl-")).collect();
    assert_eq!(imports, ["fl-00000001"]);
    assert_data_eq!(
        world.notes(),
        str![[r#"
managed flow logs that are not in the fleet file: 1. They are not exported; `flowagg apply` deletes them
flow logs expire after 90 days
at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs for new resources, and deletes those of resources that no longer match
"#]]
    );
}

#[test]
fn vpc_with_a_matching_or_conflicting_foreign_flow_log_is_left_out() {
    let world = World::new(fleet("", "vpcs = { except = [\"vpc-44444444\"] }"), vpcs());
    let mut serves = world.right(1, VPCS[0]);
    serves.tags = BTreeMap::new();
    let mut blocks = world.right(2, VPCS[1]);
    blocks.tags = BTreeMap::new();
    let mut files = Files::new("plain-text".to_owned());
    files.hive_compatible_partitions = true;
    blocks.files = Some(files);
    let world = world.with(vec![serves, blocks]);
    let logs = world.file("flow-logs");
    assert_eq!(
        logs["resource"]["aws_flow_log"]["vpcs_222222222222_eu_west_1"]["for_each"],
        "${setsubtract(data.aws_vpcs.vpcs_222222222222_eu_west_1.ids, [\"vpc-11111111\", \"vpc-22222222\", \"vpc-44444444\"])}"
    );
    assert!(!world.imports().values().any(|id| id.starts_with("fl-")));
    assert_data_eq!(
        world.notes(),
        str![[r#"
vpc-22222222: its flow log fl-00000002 is foreign and does not count (Hive-compatible prefixes is on instead of off), and AWS rejects another one with the same destination and traffic type; delete fl-00000002, or tag it `managed-by = flowagg` and `flowagg:fleet = acme-flow-logs` so that flowagg manages it
flow logs expire after 90 days
at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs for new resources, and deletes those of resources that no longer match
222222222222 eu-west-1: not exported because a foreign flow log already delivers: vpc-11111111, vpc-22222222
"#]]
    );
}

#[test]
fn subnet_of_a_logged_vpc_has_no_flow_log() {
    let fleet = fleet("", "vpcs = [\"vpc-11111111\"]\nsubnets = \"all\"");
    let within = |id: &str, vpc: &str| {
        let mut it = resource(id);
        it.part_of = BTreeSet::from([ResourceId::parse(vpc).unwrap()]);
        it
    };
    let there =
        vec![resource(VPCS[0]), within("subnet-11111111", VPCS[0]), within("subnet-22222222", VPCS[1])];
    let world = World::new(fleet, there);
    let logs = &world.file("flow-logs")["resource"]["aws_flow_log"];
    assert_eq!(logs["vpcs_222222222222_eu_west_1"]["for_each"], "${toset([\"vpc-11111111\"])}");
    assert_eq!(logs["subnets_222222222222_eu_west_1"]["for_each"], "${toset([\"subnet-22222222\"])}");
    assert_data_eq!(
        world.notes(),
        str![[r#"
flow logs expire after 90 days
at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs for new resources, and deletes those of resources that no longer match
222222222222 eu-west-1: the configuration lists the current subnets; export again when they change
"#]]
    );
}

#[test]
fn trailing_slash_of_a_destination_is_kept() {
    let world = World::new(fleet("prefix = \"network\"", ""), vpcs());
    let mut ours = world.right(1, VPCS[0]);
    ours.destination = "arn:aws:s3:::acme-flow-logs/network".into();
    let destination = |world: &World| {
        world.file("flow-logs")["resource"]["aws_flow_log"]["vpcs_222222222222_eu_west_1"]["log_destination"]
            .clone()
    };
    assert_eq!(destination(&world), "${aws_s3_bucket.flow_logs.arn}/network/");
    assert_eq!(destination(&world.with(vec![ours])), "${aws_s3_bucket.flow_logs.arn}/network");
}

#[test]
fn foreign_lifecycle_rules_are_never_exported() {
    let mut world = World::new(fleet("retention-days = 90\n", ""), vpcs());
    let mut theirs = FleetRule::new("theirs", "else/");
    theirs.expire_days = Some(7);
    let with = |rule: Option<&LifecycleDocument>| {
        LifecycleDocument::edited(rule, std::slice::from_ref(&theirs), &BTreeSet::new()).unwrap()
    };
    let bucket = world.bucket.as_mut().unwrap();
    bucket.lifecycle = with(bucket.lifecycle.as_ref());
    let hub = world.file("hub");
    assert_eq!(hub["resource"].get("aws_s3_bucket_lifecycle_configuration"), None);
    assert!(!world.imports().contains_key("aws_s3_bucket_lifecycle_configuration.flow_logs"));
    assert_data_eq!(
        world.notes(),
        str![[r#"
the lifecycle rules of acme-flow-logs are not exported: Terraform manages all rules of a bucket or none, and flowagg does not manage all of them (theirs); `flowagg plan` shows whether the fleet's rules are up to date
flow logs expire after 90 days
at every plan, Terraform looks up the resources that the fleet file selects by a rule: the next `terraform apply` adds flow logs for new resources, and deletes those of resources that no longer match
"#]]
    );

    // A longer expiration is applied without `--allow-expiry`.
    world.bucket.as_mut().unwrap().lifecycle = with(with_days(&world.fleet, 30).as_ref());
    let error =
        world.look(|fleet, live| configuration(fleet, Some(live), TerraformFormat::Json).unwrap_err());
    assert_eq!(
        error.to_string(),
        "the bucket has foreign lifecycle rules, which Terraform would replace: theirs"
    );
}

/// The fleet's rule with another expiration.
fn with_days(fleet: &Fleet, days: u32) -> Option<LifecycleDocument> {
    let rule = rule_of_new_bucket(fleet).map(|mut rule| {
        rule.expire_days = Some(days);
        rule
    });
    LifecycleDocument::edited(None, rule.as_slice(), &BTreeSet::new()).unwrap()
}

#[test]
fn stronger_encryption_is_kept() {
    let mut world = World::new(fleet("", ""), vpcs());
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let mut encryption = BucketEncryption::new("aws:kms");
    encryption.key = Some(key.into());
    encryption.bucket_key = true;
    world.bucket.as_mut().unwrap().encryption = Some(encryption);
    let hub = world.file("hub");
    let rule = &hub["resource"]["aws_s3_bucket_server_side_encryption_configuration"]["flow_logs"]["rule"];
    let default = json!({ "sse_algorithm": "aws:kms", "kms_master_key_id": key });
    assert_eq!(
        rule,
        &json!({ "bucket_key_enabled": true, "apply_server_side_encryption_by_default": default })
    );
}

#[test]
fn settings_that_the_plan_keeps_are_exported_unchanged() {
    let mut world = World::new(fleet("", ""), vpcs());
    let grant = AclGrant::new(Grantee::CloudFrontLogs, "FULL_CONTROL");
    let bucket = world.bucket.as_mut().unwrap();
    bucket.usage.public_policy = Ok(true);
    bucket.usage.acl = Ok(Acl::from_iter([grant]));
    (bucket.public_access_block, bucket.ownership) = (PublicAccessBlock::default(), None);
    let hub = world.file("hub");
    assert_eq!(hub["resource"].get("aws_s3_bucket_ownership_controls"), None);
    let block = &hub["resource"]["aws_s3_bucket_public_access_block"]["flow_logs"];
    let switches =
        ["block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets"];
    assert_eq!(switches.map(|switch| block[switch].as_bool().unwrap()), [true, true, false, false]);

    world.bucket.as_mut().unwrap().ownership = Some("BucketOwnerPreferred".into());
    let controls = &world.file("hub")["resource"]["aws_s3_bucket_ownership_controls"]["flow_logs"];
    assert_eq!(controls["rule"]["object_ownership"], "BucketOwnerPreferred");
}

#[test]
fn unread_account_region_is_an_error() {
    let world = World { regions: BTreeMap::new(), ..World::new(fleet("", ""), vpcs()) };
    let error =
        world.look(|fleet, live| configuration(fleet, Some(live), TerraformFormat::Json).unwrap_err());
    assert_eq!(error.to_string(), "222222222222 eu-west-1 has not been read");
}
