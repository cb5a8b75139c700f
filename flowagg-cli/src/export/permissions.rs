//! The least IAM policies that flowagg's own calls need.

use std::collections::BTreeSet;

use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::MARK;
use serde::Serialize;
use serde_json::{Value, json};

use crate::aws::call::ASSUME_ROLE;
use crate::aws::call::{
    BEHIND_FLOW_LOGS, CREATE_FLOW_LOGS, CREATE_TAGS, Call, DELETE_FLOW_LOGS, HUB_READS, HUB_WRITES,
    MEMBER_READS,
};

/// IAM policies, as JSON values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permissions {
    /// For who runs flowagg: to take the roles of the other accounts; `None` where there is none to take.
    pub caller: Option<Value>,
    /// For the hub account: the bucket and its policy.
    pub hub: Value,
    /// For each member's role: its VPCs and flow logs.
    pub member: Value,
    /// The trust policy of each member's role. It trusts the hub account; name the caller's role there to narrow it.
    pub trust: Value,
}

/// The policies for a fleet. Flow logs that do not bear flowagg's mark cannot be deleted or tagged with them.
///
/// Sources: "Actions, resources, and condition keys" for Amazon S3, Amazon EC2 and AWS STS (Service Authorization
/// Reference); "Create a flow log that publishes to Amazon S3" (Amazon VPC User Guide).
pub fn permissions(fleet: &Fleet) -> Permissions {
    let partition = fleet.partition();
    let bucket = format!("arn:{partition}:s3:::{}", fleet.hub.bucket);
    let ec2 = |resource: &str| format!("arn:{partition}:ec2:*:*:{resource}");
    let others = fleet.members.values().filter(|member| member.account != fleet.hub.account);
    let roles: Vec<String> = others
        .map(|member| (member.account, &member.role))
        .chain(fleet.hub.role.as_ref().map(|role| (fleet.hub.account, role)))
        .map(|(account, role)| role.arn(partition, account))
        .collect();
    let marked = json!({ "StringEquals": { (format!("aws:ResourceTag/{}", MARK.0)): MARK.1 } });
    let tagged_on_creation = json!({ "StringEquals": { "ec2:CreateAction": CREATE_FLOW_LOGS.name } });
    Permissions {
        caller: (!roles.is_empty()).then(|| {
            policy(vec![json!({ "Sid": "TakeTheRoles", "Effect": "Allow", "Action": ASSUME_ROLE.action, "Resource": roles })])
        }),
        hub: policy(vec![
            json!({ "Sid": "Read", "Effect": "Allow", "Action": actions(&HUB_READS), "Resource": bucket }),
            json!({ "Sid": "Settle", "Effect": "Allow", "Action": actions(&HUB_WRITES), "Resource": bucket }),
        ]),
        member: policy(vec![
            json!({ "Sid": "Read", "Effect": "Allow", "Action": actions(&MEMBER_READS), "Resource": "*" }),
            json!({ "Sid": "Make", "Effect": "Allow", "Action": CREATE_FLOW_LOGS.action, "Resource": [ec2("vpc/*"), ec2("vpc-flow-log/*")] }),
            json!({ "Sid": "TagWhatIsMade", "Effect": "Allow", "Action": CREATE_TAGS.action, "Resource": ec2("vpc-flow-log/*"), "Condition": tagged_on_creation }),
            json!({ "Sid": "ChangeWhatIsMarked", "Effect": "Allow", "Action": actions(&[CREATE_TAGS, DELETE_FLOW_LOGS]), "Resource": ec2("vpc-flow-log/*"), "Condition": marked }),
            json!({ "Sid": "BehindFlowLogs", "Effect": "Allow", "Action": BEHIND_FLOW_LOGS, "Resource": "*" }),
        ]),
        trust: policy(vec![json!({
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{partition}:iam::{}:root", fleet.hub.account) },
            "Action": ASSUME_ROLE.action,
        })]),
    }
}

fn policy(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Two calls may need the same action.
fn actions(calls: &[Call]) -> BTreeSet<&'static str> {
    calls.iter().map(|call| call.action).collect()
}
