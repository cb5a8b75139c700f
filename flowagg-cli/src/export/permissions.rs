//! The least-privilege IAM policies for flowagg's own calls.

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
    DESCRIBE_REGIONS, HUB_READS, HUB_WRITES, KEY_READS, ORGANIZATION_READS, behind_field, describe,
    describe_in_use,
};

/// IAM policies, as JSON values.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Permissions {
    /// For the role or user that runs flowagg: to assume the roles of the other accounts, and to list them; `None` if there are
    /// no other accounts.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub caller: Option<Value>,
    /// For the role that lists the organization's accounts; `None` if the caller lists them.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub lookup: Option<Value>,
    /// For the hub account: the bucket and its policy.
    #[schemars(with = "Map<String, Value>")]
    pub hub: Value,
    /// For each member's role: its VPCs, network interfaces and flow logs.
    #[schemars(with = "Map<String, Value>")]
    pub member: Value,
    /// For commands that only read; `None` if the fleet file does not set `fleet.read-role`.
    pub read_only: Option<ReadPermissions>,
    /// The same policies as managed policies of IAM. One of more than the 6,144 characters that IAM takes is several.
    pub policies: Vec<ManagedPolicy>,
    /// The trust policy of each role. It trusts the hub account; replace the principal by the caller's role to narrow it.
    #[schemars(with = "Map<String, Value>")]
    pub trust: Value,
}

/// The parts of the policies that `plan`, `verify` and `report` need.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct ReadPermissions {
    /// For the role or user that runs these commands: to assume the read roles, and to list the accounts.
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
    let hub = &file.hub;
    let by_lookup = file.discovery().is_some_and(|(_, how)| how.lookup.is_some());
    let (of_lookup, of_caller): (Vec<Value>, Vec<Value>) =
        list_accounts(file).into_iter().partition(|_| by_lookup);
    let some = |statements: Vec<Value>| (!statements.is_empty()).then(|| policy(statements));
    let caller =
        |file: &FleetFile| some(assume_roles(file).into_iter().chain(of_caller.iter().cloned()).collect());
    let read_only = file.read_role.as_ref().map(|_| ReadPermissions {
        caller: caller(&file.clone().for_reading()),
        hub: policy(hub_reads(hub)),
        member: policy(vec![member_reads(file)]),
    });
    let (caller, lookup, hub, member) = (caller(file), some(of_lookup), hub_policy(hub), member_policy(file));
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

fn trust(file: &FleetFile) -> Value {
    let (hub, partition) = (&file.hub, file.hub.region.partition());
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:{partition}:iam::{}:root", hub.account) },
        "Action": ASSUME_ROLE.action,
    });
    if let Some(external_id) = &file.external_id {
        statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": external_id } });
    }
    policy(vec![statement])
}

fn assume_roles(file: &FleetFile) -> Option<Value> {
    let partition = file.hub.region.partition();
    let mut roles: BTreeSet<String> =
        file.roles().map(|(account, role)| role.arn(partition, account)).collect();
    let found = file.discovery();
    roles.extend(found.map(|(_, how)| format!("arn:{partition}:iam::*:role/{}", how.role)));
    let mut statement = json!({ "Sid": "AssumeMemberRoles", "Effect": "Allow", "Action": ASSUME_ROLE.action, "Resource": roles });
    if let (Some((organization, _)), Some(statement)) = (found, statement.as_object_mut()) {
        // The role's name alone would do for any account in the world that has one of that name.
        let own = json!({ "StringEquals": { "aws:ResourceOrgID": organization.id } });
        statement.insert("Condition".to_owned(), own);
    }
    (!roles.is_empty()).then_some(statement)
}

fn list_accounts(file: &FleetFile) -> Option<Value> {
    file.discovery().map(|_| {
        json!({ "Sid": "ListOrganizationAccounts", "Effect": "Allow", "Action": actions(&ORGANIZATION_READS), "Resource": "*" })
    })
}

fn hub_policy(hub: &Hub) -> Value {
    let configure = json!({
        "Sid": "ConfigureBucket", "Effect": "Allow", "Action": actions(&HUB_WRITES), "Resource": bucket_arn(hub),
    });
    let mut statements = hub_reads(hub);
    statements.insert(1, configure);
    policy(statements)
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

/// How members are logged: the regions and resources of each.
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

/// One policy for every member: the permissions that any of them needs.
fn member_policy(file: &FleetFile) -> Value {
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
    policy(statements)
}

fn policy(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Two calls may need the same action.
fn actions(calls: &[Call]) -> BTreeSet<&'static str> {
    calls.iter().map(|call| call.action).collect()
}
