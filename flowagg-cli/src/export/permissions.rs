//! The least IAM policies that flowagg's own calls need.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Encryption, FleetFile, Hub, Regions};
use flowagg_core::flow_log::{FLEET_TAG, MARK};
use flowagg_core::id::ResourceKind;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::aws::call::{
    ASSUME_ROLE, BEHIND_FLOW_LOGS, CREATE_FLOW_LOGS, CREATE_TAGS, Call, DELETE_FLOW_LOGS, DESCRIBE_FLOW_LOGS,
    DESCRIBE_REGIONS, HUB_READS, HUB_WRITES, KEY_READS, ORGANIZATION_READS, describe, describe_in_use,
};

/// IAM policies, as JSON values.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[non_exhaustive]
pub struct Permissions {
    /// For who runs flowagg: to take the roles of the other accounts, and to find them; `None` where there are none.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub caller: Option<Value>,
    /// For the role that finds the organization's accounts, where the caller does not; `None` where it does.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub lookup: Option<Value>,
    /// For the hub account: the bucket and its policy.
    #[schemars(with = "Map<String, Value>")]
    pub hub: Value,
    /// For each member's role: its VPCs, what is in use there, and flow logs.
    #[schemars(with = "Map<String, Value>")]
    pub member: Value,
    /// The trust policy of each member's role. It trusts the hub account; name the caller's role there to narrow it.
    #[schemars(with = "Map<String, Value>")]
    pub trust: Value,
}

/// The policies for a fleet. Flow logs that do not bear flowagg's mark cannot be deleted or tagged with them.
///
/// Sources: "Actions, resources, and condition keys" for Amazon S3, Amazon EC2, AWS KMS, AWS Organizations and AWS STS
/// (Service Authorization Reference); "Create a flow log that publishes to Amazon S3" (Amazon VPC User Guide).
pub fn permissions(file: &FleetFile) -> Permissions {
    let hub = &file.hub;
    let partition = hub.region.partition();
    let by_lookup = file.discovery().is_some_and(|(_, how)| how.lookup.is_some());
    let (of_lookup, of_caller): (Vec<Value>, Vec<Value>) =
        find_the_accounts(file).into_iter().partition(|_| by_lookup);
    let some = |statements: Vec<Value>| (!statements.is_empty()).then(|| policy(statements));
    Permissions {
        caller: some(take_the_roles(file).into_iter().chain(of_caller).collect()),
        lookup: some(of_lookup),
        hub: hub_policy(hub),
        member: member_policy(file),
        trust: policy(vec![json!({
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{partition}:iam::{}:root", hub.account) },
            "Action": ASSUME_ROLE.action,
        })]),
    }
}

fn take_the_roles(file: &FleetFile) -> Option<Value> {
    let partition = file.hub.region.partition();
    let mut roles: BTreeSet<String> =
        file.roles().map(|(account, role)| role.arn(partition, account)).collect();
    let found = file.discovery();
    roles.extend(found.map(|(_, how)| format!("arn:{partition}:iam::*:role/{}", how.role)));
    let mut statement =
        json!({ "Sid": "TakeTheRoles", "Effect": "Allow", "Action": ASSUME_ROLE.action, "Resource": roles });
    if let (Some((organization, _)), Some(statement)) = (found, statement.as_object_mut()) {
        // The role's name alone would do for any account in the world that has one of that name.
        let own = json!({ "StringEquals": { "aws:ResourceOrgID": organization.id } });
        statement.insert("Condition".to_owned(), own);
    }
    (!roles.is_empty()).then_some(statement)
}

fn find_the_accounts(file: &FleetFile) -> Option<Value> {
    file.discovery().map(|_| {
        json!({ "Sid": "FindTheAccounts", "Effect": "Allow", "Action": actions(&ORGANIZATION_READS), "Resource": "*" })
    })
}

fn hub_policy(hub: &Hub) -> Value {
    let bucket = format!("arn:{}:s3:::{}", hub.region.partition(), hub.bucket);
    let mut statements = vec![
        json!({ "Sid": "Read", "Effect": "Allow", "Action": actions(&HUB_READS), "Resource": bucket }),
        json!({ "Sid": "Settle", "Effect": "Allow", "Action": actions(&HUB_WRITES), "Resource": bucket }),
    ];
    if let Some(Encryption::SseKms { key, .. }) = &hub.encryption {
        statements.push(
            json!({ "Sid": "LookAtTheKey", "Effect": "Allow", "Action": actions(&KEY_READS), "Resource": key }),
        );
    }
    policy(statements)
}

/// One policy for every member, with what any of them needs.
fn member_policy(file: &FleetFile) -> Value {
    let found = file.discovery().map(|(_, how)| (&how.regions, &how.resources));
    let all: Vec<_> = file.members.values().map(|it| (&it.regions, &it.resources)).chain(found).collect();
    let kinds: BTreeSet<ResourceKind> = all.iter().flat_map(|(_, resources)| resources.kinds()).collect();
    let in_use = kinds.iter().map(|kind| describe_in_use((*kind).into()));
    let mut reads: Vec<Call> =
        kinds.iter().map(|kind| describe(*kind)).chain(in_use).chain([DESCRIBE_FLOW_LOGS]).collect();
    if all.iter().any(|(regions, _)| matches!(regions, Regions::All { .. })) {
        reads.push(DESCRIBE_REGIONS);
    }
    let partition = file.hub.region.partition();
    let ec2 = |resource: &str| format!("arn:{partition}:ec2:*:*:{resource}/*");
    let logged = kinds.iter().map(|kind| kind.arn_segment()).chain(["vpc-flow-log"]);
    let logged: Vec<String> = logged.map(ec2).collect();
    let marked = json!({ "StringEquals": {
        (format!("aws:ResourceTag/{}", MARK.0)): MARK.1,
        (format!("aws:ResourceTag/{FLEET_TAG}")): file.name(),
    } });
    let tagged_on_creation = json!({ "StringEquals": { "ec2:CreateAction": CREATE_FLOW_LOGS.name } });
    policy(vec![
        json!({ "Sid": "Read", "Effect": "Allow", "Action": actions(&reads), "Resource": "*" }),
        json!({ "Sid": "Make", "Effect": "Allow", "Action": CREATE_FLOW_LOGS.action, "Resource": logged }),
        json!({ "Sid": "TagWhatIsMade", "Effect": "Allow", "Action": CREATE_TAGS.action, "Resource": ec2("vpc-flow-log"), "Condition": tagged_on_creation }),
        json!({ "Sid": "ChangeWhatIsMarked", "Effect": "Allow", "Action": actions(&[CREATE_TAGS, DELETE_FLOW_LOGS]), "Resource": ec2("vpc-flow-log"), "Condition": marked }),
        json!({ "Sid": "BehindFlowLogs", "Effect": "Allow", "Action": BEHIND_FLOW_LOGS, "Resource": "*" }),
    ])
}

fn policy(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Two calls may need the same action.
fn actions(calls: &[Call]) -> BTreeSet<&'static str> {
    calls.iter().map(|call| call.action).collect()
}
