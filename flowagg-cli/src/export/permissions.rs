//! The least-privilege IAM policies for flowagg's AWS calls.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Encryption, FleetFile, Hub, Regions, Selection};
use flowagg_core::flow_log::{FLEET_TAG, MARK};
use flowagg_core::id::ResourceKind;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::managed::{ManagedPolicy, PolicyPart, managed};
use crate::aws::call::{
    ASSUME_ROLE, BEHIND_FLOW_LOGS, CREATE_FLOW_LOGS, CREATE_TAGS, Call, DELETE_FLOW_LOGS, DESCRIBE_FLOW_LOGS,
    DESCRIBE_REGIONS, DESCRIBE_UNIT, GET_OBJECT, HUB_READS, HUB_WRITES, KEY_READS, LIST_ACCOUNTS_FOR_PARENT,
    LIST_UNITS_FOR_PARENT, LOOKUPS, SECURITY_GROUP_READS, behind_field, describe, describe_in_use,
    organization_reads,
};

/// IAM policies, as JSON values.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Permissions {
    /// For the role or user that runs flowagg: allows it to assume the roles in the other accounts, including the read roles if
    /// `fleet.read-role` is set, and to list the accounts; `None` if there are no other accounts.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub caller: Option<Value>,
    /// For the role that lists the organization's accounts; `None` if the caller or the hub's role lists them.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub lookup: Option<Value>,
    /// For the hub account: the bucket and its policy, and the organization's accounts if `organization.lookup` is in it.
    #[schemars(with = "Map<String, Value>")]
    pub hub: Value,
    /// For each member's role: its VPCs, network interfaces and flow logs.
    #[schemars(with = "Map<String, Value>")]
    pub member: Value,
    /// For `plan`, `verify` and `report`; `None` if the fleet file does not set `fleet.read-role`.
    pub read_only: Option<ReadPermissions>,
    /// The same policies as managed IAM policies. A policy that exceeds IAM's limit of 6,144 characters is split into several.
    pub policies: Vec<ManagedPolicy>,
    /// The trust policy of each role. It trusts the hub account; replace the principal with the caller's role to narrow it. With
    /// `hub.role`, the caller is in another account: replace `CALLER` with that account.
    #[schemars(with = "Map<String, Value>")]
    pub trust: Value,
}

/// The policies for `plan`, `verify` and `report`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct ReadPermissions {
    /// For the role or user that runs these commands: allows it to assume the read roles and to list the accounts.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub caller: Option<Value>,
    /// For the read role in the hub account.
    #[schemars(with = "Map<String, Value>")]
    pub hub: Value,
    /// For the read role in each member's account.
    #[schemars(with = "Map<String, Value>")]
    pub member: Value,
}

/// The policies for a fleet. They do not allow flowagg to delete or tag flow logs of other fleets or without a fleet.
///
/// Sources: "Actions, resources, and condition keys" for Amazon S3, Amazon EC2, AWS KMS, AWS Organizations and AWS STS
/// (Service Authorization Reference); "Create a flow log that publishes to Amazon S3" and "Flow log records" (Amazon VPC User
/// Guide).
pub fn permissions(file: &FleetFile) -> Permissions {
    permissions_for(file, false)
}

/// Like [`permissions`], plus the permissions for `flowagg query`: reading objects, and looking up names and NAT gateways. They are added to
/// the read roles, or to the other roles if there are no read roles.
///
/// No other command reads objects, instances or NAT gateways, so [`permissions`] does not include them.
pub fn permissions_with_query(file: &FleetFile) -> Permissions {
    permissions_for(file, true)
}

fn permissions_for(file: &FleetFile, with_query: bool) -> Permissions {
    let hub = &file.hub;
    let queries = |by_reader: bool| with_query && by_reader == file.read_role.is_some();
    let in_hub = |by_reader| queries(by_reader).then(|| object_reads(hub)).into_iter().flatten();
    let in_member = |by_reader| queries(by_reader).then(lookups).into_iter().flatten();
    let lists = |lister: Lister| list_accounts(file).filter(|_| Lister::of(file) == lister);
    let some = |statements: Vec<Value>| (!statements.is_empty()).then(|| policy(statements));
    let caller = |files: &[&FleetFile]| some(assume_roles(files).chain(lists(Lister::Caller)).collect());
    let of_hub = |mut statements: Vec<Value>| {
        statements.extend(lists(Lister::Hub));
        policy(statements)
    };
    let reading = file.read_role.as_ref().map(|_| {
        let mut reading = file.clone().for_reading();
        // A caller in the hub account does not assume a role there.
        reading.hub.role = reading.hub.role.filter(|_| hub.role.is_some());
        reading
    });
    let read_only = reading.as_ref().map(|reading| ReadPermissions {
        caller: caller(&[reading]),
        hub: of_hub(hub_reads(hub).into_iter().chain(in_hub(true)).collect()),
        member: policy(std::iter::once(member_reads(file)).chain(in_member(true)).collect()),
    });
    // The caller of `apply` also runs `plan` and `verify`, with the read roles.
    let files: Vec<&FleetFile> = std::iter::once(file).chain(&reading).collect();
    let (caller, lookup) = (caller(&files), some(lists(Lister::Lookup).into_iter().collect()));
    let hub = of_hub(hub_statements(hub).into_iter().chain(in_hub(false)).collect());
    let member = policy(member_statements(file).into_iter().chain(in_member(false)).collect());
    let read = read_only.as_ref();
    let parts = [
        (PolicyPart::Caller, caller.as_ref()),
        (PolicyPart::Lookup, lookup.as_ref()),
        (PolicyPart::Hub, Some(&hub)),
        (PolicyPart::Member, Some(&member)),
        (PolicyPart::ReadCaller, read.and_then(|read| read.caller.as_ref())),
        (PolicyPart::ReadHub, read.map(|read| &read.hub)),
        (PolicyPart::ReadMember, read.map(|read| &read.member)),
    ];
    let parts = parts.into_iter().filter_map(|(part, policy)| Some((part, policy?)));
    let policies = parts.flat_map(|(part, policy)| managed(part, policy)).collect();
    Permissions { caller, lookup, hub, member, read_only, policies, trust: trust(file) }
}

/// The principal that lists the accounts of the organization.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lister {
    Caller,
    Hub,
    Lookup,
}

impl Lister {
    fn of(file: &FleetFile) -> Self {
        match file.discovery().and_then(|(_, how)| how.lookup.as_ref()) {
            None => Self::Caller,
            Some(lookup) if lookup.account == file.hub.account => Self::Hub,
            Some(_) => Self::Lookup,
        }
    }
}

fn trust(file: &FleetFile) -> Value {
    let (hub, partition) = (&file.hub, file.hub.region.partition());
    let trusted = if hub.role.is_some() { "CALLER".to_owned() } else { hub.account.to_string() };
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:{partition}:iam::{trusted}:root") },
        "Action": ASSUME_ROLE.action,
    });
    if let Some(external_id) = &file.external_id {
        statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": external_id } });
    }
    policy(vec![statement])
}

/// Statements that allow the caller to assume every role in these files, which differ only in their roles.
fn assume_roles(files: &[&FleetFile]) -> impl Iterator<Item = Value> {
    let named: BTreeSet<String> = files
        .iter()
        .flat_map(|file| file.roles().map(|(account, role)| role.arn(file.hub.region.partition(), account)))
        .collect();
    let found: BTreeSet<String> = files
        .iter()
        .filter_map(|file| Some((file.hub.region.partition(), &file.discovery()?.1.role)))
        .map(|(partition, role)| format!("arn:{partition}:iam::*:role/{role}"))
        .collect();
    let organization = files.iter().find_map(|file| Some(&file.discovery()?.0.id));
    let assume = |sid: &str, roles: BTreeSet<String>| {
        let is_some = !roles.is_empty();
        is_some.then(
            || json!({ "Sid": sid, "Effect": "Allow", "Action": ASSUME_ROLE.action, "Resource": roles }),
        )
    };
    let found = assume("AssumeOrganizationRoles", found).map(|mut statement| {
        // Without this condition, the statement would allow the role name in any AWS account.
        statement["Condition"] = json!({ "StringEquals": { "aws:ResourceOrgID": organization } });
        statement
    });
    assume("AssumeMemberRoles", named).into_iter().chain(found)
}

fn list_accounts(file: &FleetFile) -> Option<Value> {
    file.discovery().map(|(organization, how)| {
        let mut reads = organization_reads(organization, how);
        if !file.units_of_exceptions().is_empty() {
            let below = [LIST_ACCOUNTS_FOR_PARENT, LIST_UNITS_FOR_PARENT];
            reads.extend(below.into_iter().filter(|call| !reads.contains(call)).collect::<Vec<_>>());
        }
        // For the names of units in the report.
        reads.push(DESCRIBE_UNIT);
        let reads = actions(&reads);
        json!({ "Sid": "ListOrganizationAccounts", "Effect": "Allow", "Action": reads, "Resource": "*" })
    })
}

fn hub_statements(hub: &Hub) -> Vec<Value> {
    let configure = json!({
        "Sid": "ConfigureBucket", "Effect": "Allow", "Action": actions(&HUB_WRITES), "Resource": bucket_arn(hub),
    });
    let mut statements = hub_reads(hub);
    statements.insert(1, configure);
    statements
}

fn bucket_arn(hub: &Hub) -> String {
    format!("arn:{}:s3:::{}", hub.region.partition(), hub.bucket)
}

fn hub_reads(hub: &Hub) -> Vec<Value> {
    let mut statements = vec![
        json!({ "Sid": "ReadBucket", "Effect": "Allow", "Action": actions(&HUB_READS), "Resource": bucket_arn(hub) }),
    ];
    if let Some(Encryption::SseKms { key, .. }) = &hub.encryption {
        statements.push(
            json!({ "Sid": "ReadKeyPolicy", "Effect": "Allow", "Action": actions(&KEY_READS), "Resource": key }),
        );
    }
    statements
}

/// The regions and resources of each member.
fn selections(file: &FleetFile) -> impl Iterator<Item = (&Regions, &Selection)> {
    let found = file.discovery().map(|(_, how)| (&how.regions, &how.resources));
    file.members.values().map(|member| (&member.regions, &member.resources)).chain(found)
}

fn kinds(file: &FleetFile) -> BTreeSet<ResourceKind> {
    selections(file).flat_map(|(_, resources)| resources.kinds()).collect()
}

fn member_reads(file: &FleetFile) -> Value {
    let kinds = kinds(file);
    let in_use = kinds.iter().map(|kind| describe_in_use((*kind).into()));
    let mut reads: Vec<Call> =
        kinds.iter().map(|kind| describe(*kind)).chain(in_use).chain([DESCRIBE_FLOW_LOGS]).collect();
    let asks = |regions: &Regions| {
        matches!(regions, Regions::All { .. }) || regions.iter().any(|region| !region.is_known())
    };
    if selections(file).any(|(regions, _)| asks(regions)) {
        reads.push(DESCRIBE_REGIONS);
    }
    json!({ "Sid": "DescribeResources", "Effect": "Allow", "Action": actions(&reads), "Resource": "*" })
}

/// Statements that allow reading objects.
fn object_reads(hub: &Hub) -> Vec<Value> {
    let objects = format!("{}/*", bucket_arn(hub));
    let mut statements = vec![
        json!({ "Sid": "ReadObjects", "Effect": "Allow", "Action": GET_OBJECT.action, "Resource": objects }),
    ];
    if let Some(Encryption::SseKms { key, .. }) = &hub.encryption {
        // S3 decrypts an object with the permissions of its reader.
        statements.push(
            json!({ "Sid": "DecryptObjects", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key }),
        );
    }
    statements
}

/// Statements that allow looking up names, NAT gateways and security group rules.
fn lookups() -> [Value; 2] {
    let statement = |sid: &str, calls: &[Call]| json!({ "Sid": sid, "Effect": "Allow", "Action": actions(calls), "Resource": "*" });
    [statement("LookUpNames", &LOOKUPS), statement("DescribeSecurityGroups", &SECURITY_GROUP_READS)]
}

/// The statements for every member: the permissions that any of them needs.
fn member_statements(file: &FleetFile) -> Vec<Value> {
    let partition = file.hub.region.partition();
    let ec2 = |resource: &str| format!("arn:{partition}:ec2:*:*:{resource}/*");
    let kinds = kinds(file);
    let logged = kinds.iter().map(|kind| kind.arn_segment()).chain(["vpc-flow-log"]);
    let logged: Vec<String> = logged.map(ec2).collect();
    let marked = json!({ "StringEquals": {
        (format!("aws:ResourceTag/{}", MARK.0)): MARK.1,
        (format!("aws:ResourceTag/{FLEET_TAG}")): file.name(),
    } });
    let tagged_on_creation = json!({ "StringEquals": { "ec2:CreateAction": CREATE_FLOW_LOGS.name } });
    let mut statements = vec![
        member_reads(file),
        json!({ "Sid": "CreateFlowLogs", "Effect": "Allow", "Action": CREATE_FLOW_LOGS.action, "Resource": logged }),
        json!({ "Sid": "TagNewFlowLogs", "Effect": "Allow", "Action": CREATE_TAGS.action, "Resource": ec2("vpc-flow-log"), "Condition": tagged_on_creation }),
        json!({ "Sid": "ManageFlowLogs", "Effect": "Allow", "Action": actions(&[CREATE_TAGS, DELETE_FLOW_LOGS]), "Resource": ec2("vpc-flow-log"), "Condition": marked }),
        json!({ "Sid": "ManageLogDelivery", "Effect": "Allow", "Action": BEHIND_FLOW_LOGS, "Resource": "*" }),
    ];
    let fields = file.flow_logs.format.fields().iter();
    let behind_fields: BTreeSet<&str> = fields.flat_map(|field| behind_field(*field)).copied().collect();
    if !behind_fields.is_empty() {
        statements.push(
            json!({ "Sid": "ListEcsResources", "Effect": "Allow", "Action": behind_fields, "Resource": "*" }),
        );
    }
    statements
}

fn policy(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The distinct actions of these calls.
fn actions(calls: &[Call]) -> BTreeSet<&'static str> {
    calls.iter().map(|call| call.action).collect()
}
