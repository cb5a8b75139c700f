//! Every AWS call that flowagg makes: operation name and IAM action.

use flowagg_core::arrival::Carrier;
use flowagg_core::fleet::{Discovery, Organization};
use flowagg_core::flow_log::Field;
use flowagg_core::id::ResourceKind;

/// An operation of an AWS API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The operation's name.
    pub(crate) name: &'static str,
    /// The IAM action that allows it. In S3 it often differs from the operation name.
    ///
    /// Source: "Actions, resources, and condition keys" of each service (Service Authorization Reference).
    pub(crate) action: &'static str,
}

macro_rules! calls {
    ($($(#[$attribute:meta])* $constant:ident = $name:literal, $action:literal;)*) => {
        $($(#[$attribute])* pub(crate) const $constant: Call = Call { name: $name, action: $action };)*
    };
}

calls! {
    GET_CALLER_IDENTITY = "GetCallerIdentity", "sts:GetCallerIdentity";
    ASSUME_ROLE = "AssumeRole", "sts:AssumeRole";
    HEAD_BUCKET = "HeadBucket", "s3:ListBucket";
    CREATE_BUCKET = "CreateBucket", "s3:CreateBucket";
    GET_ENCRYPTION = "GetBucketEncryption", "s3:GetEncryptionConfiguration";
    PUT_ENCRYPTION = "PutBucketEncryption", "s3:PutEncryptionConfiguration";
    GET_LIFECYCLE = "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration";
    PUT_LIFECYCLE = "PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration";
    DELETE_LIFECYCLE = "DeleteBucketLifecycle", "s3:PutLifecycleConfiguration";
    GET_PUBLIC_ACCESS_BLOCK = "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock";
    PUT_PUBLIC_ACCESS_BLOCK = "PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock";
    GET_OWNERSHIP = "GetBucketOwnershipControls", "s3:GetBucketOwnershipControls";
    PUT_OWNERSHIP = "PutBucketOwnershipControls", "s3:PutBucketOwnershipControls";
    GET_POLICY = "GetBucketPolicy", "s3:GetBucketPolicy";
    PUT_POLICY = "PutBucketPolicy", "s3:PutBucketPolicy";
    DELETE_POLICY = "DeleteBucketPolicy", "s3:DeleteBucketPolicy";
    GET_POLICY_STATUS = "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus";
    GET_ACL = "GetBucketAcl", "s3:GetBucketAcl";
    GET_VERSIONING = "GetBucketVersioning", "s3:GetBucketVersioning";
    GET_OBJECT_LOCK = "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration";
    GET_REPLICATION = "GetBucketReplication", "s3:GetReplicationConfiguration";
    GET_REQUEST_PAYMENT = "GetBucketRequestPayment", "s3:GetBucketRequestPayment";
    GET_NOTIFICATION = "GetBucketNotificationConfiguration", "s3:GetBucketNotification";
    LIST_OBJECTS = "ListObjectsV2", "s3:ListBucket";
    GET_OBJECT = "GetObject", "s3:GetObject";
    HEAD_OBJECT = "HeadObject", "s3:GetObject";
    PUT_OBJECT = "PutObject", "s3:PutObject";
    #[cfg(feature = "athena")]
    START_QUERY = "StartQueryExecution", "athena:StartQueryExecution";
    #[cfg(feature = "athena")]
    STOP_QUERY = "StopQueryExecution", "athena:StopQueryExecution";
    #[cfg(feature = "athena")]
    GET_QUERY_EXECUTION = "GetQueryExecution", "athena:GetQueryExecution";
    #[cfg(feature = "athena")]
    GET_QUERY_RESULTS = "GetQueryResults", "athena:GetQueryResults";
    DESCRIBE_KEY = "DescribeKey", "kms:DescribeKey";
    GET_KEY_POLICY = "GetKeyPolicy", "kms:GetKeyPolicy";
    LIST_BUCKETS = "ListBuckets", "s3:ListAllMyBuckets";
    DESCRIBE_ORGANIZATION = "DescribeOrganization", "organizations:DescribeOrganization";
    LIST_ACCOUNTS = "ListAccounts", "organizations:ListAccounts";
    LIST_ACCOUNTS_FOR_PARENT = "ListAccountsForParent", "organizations:ListAccountsForParent";
    LIST_UNITS_FOR_PARENT = "ListOrganizationalUnitsForParent", "organizations:ListOrganizationalUnitsForParent";
    DESCRIBE_UNIT = "DescribeOrganizationalUnit", "organizations:DescribeOrganizationalUnit";
    DESCRIBE_ACCOUNT = "DescribeAccount", "organizations:DescribeAccount";
    DESCRIBE_REGIONS = "DescribeRegions", "ec2:DescribeRegions";
    DESCRIBE_VPCS = "DescribeVpcs", "ec2:DescribeVpcs";
    DESCRIBE_SUBNETS = "DescribeSubnets", "ec2:DescribeSubnets";
    DESCRIBE_INTERFACES = "DescribeNetworkInterfaces", "ec2:DescribeNetworkInterfaces";
    DESCRIBE_INSTANCES = "DescribeInstances", "ec2:DescribeInstances";
    DESCRIBE_NAT_GATEWAYS = "DescribeNatGateways", "ec2:DescribeNatGateways";
    DESCRIBE_TRANSIT_GATEWAYS = "DescribeTransitGateways", "ec2:DescribeTransitGateways";
    DESCRIBE_ATTACHMENTS = "DescribeTransitGatewayAttachments", "ec2:DescribeTransitGatewayAttachments";
    DESCRIBE_SECURITY_GROUPS = "DescribeSecurityGroups", "ec2:DescribeSecurityGroups";
    DESCRIBE_SECURITY_GROUP_RULES = "DescribeSecurityGroupRules", "ec2:DescribeSecurityGroupRules";
    GET_PREFIX_LIST_ENTRIES = "GetManagedPrefixListEntries", "ec2:GetManagedPrefixListEntries";
    DESCRIBE_FLOW_LOGS = "DescribeFlowLogs", "ec2:DescribeFlowLogs";
    CREATE_FLOW_LOGS = "CreateFlowLogs", "ec2:CreateFlowLogs";
    DELETE_FLOW_LOGS = "DeleteFlowLogs", "ec2:DeleteFlowLogs";
    CREATE_TAGS = "CreateTags", "ec2:CreateTags";
}

pub(crate) const HUB_READS: [Call; 14] = [
    HEAD_BUCKET,
    GET_ENCRYPTION,
    GET_LIFECYCLE,
    GET_PUBLIC_ACCESS_BLOCK,
    GET_OWNERSHIP,
    GET_POLICY,
    GET_POLICY_STATUS,
    GET_ACL,
    GET_VERSIONING,
    GET_OBJECT_LOCK,
    GET_REPLICATION,
    GET_REQUEST_PAYMENT,
    GET_NOTIFICATION,
    LIST_OBJECTS,
];
/// Calls that configure the hub.
pub(crate) const HUB_WRITES: [Call; 7] = [
    CREATE_BUCKET,
    PUT_ENCRYPTION,
    PUT_LIFECYCLE,
    PUT_PUBLIC_ACCESS_BLOCK,
    PUT_OWNERSHIP,
    PUT_POLICY,
    DELETE_POLICY,
];
/// Calls that read the hub's KMS key.
pub(crate) const KEY_READS: [Call; 2] = [DESCRIBE_KEY, GET_KEY_POLICY];
/// Calls that read security group rules, and the resources that determine whether a rule was used.
pub(crate) const SECURITY_GROUP_READS: [Call; 5] = [
    DESCRIBE_SECURITY_GROUPS,
    DESCRIBE_SECURITY_GROUP_RULES,
    DESCRIBE_INTERFACES,
    DESCRIBE_VPCS,
    GET_PREFIX_LIST_ENTRIES,
];
/// Calls that list the accounts of an organization.
pub(crate) fn organization_reads(organization: &Organization, how: &Discovery) -> Vec<Call> {
    let below = [LIST_ACCOUNTS_FOR_PARENT, LIST_UNITS_FOR_PARENT];
    let by_id = (!how.accounts.is_empty()).then_some(DESCRIBE_ACCOUNT);
    match (organization.units.is_empty(), by_id) {
        (false, by_id) => below.into_iter().chain(by_id).collect(),
        (true, Some(by_id)) => vec![by_id],
        (true, None) if how.except_units.is_empty() => vec![LIST_ACCOUNTS],
        (true, None) => below.into_iter().chain([LIST_ACCOUNTS]).collect(),
    }
}

/// Calls that `flowagg query` makes in member accounts to look up names and NAT gateways.
pub(crate) const LOOKUPS: [Call; 5] =
    [DESCRIBE_INTERFACES, DESCRIBE_INSTANCES, DESCRIBE_VPCS, DESCRIBE_SUBNETS, DESCRIBE_NAT_GATEWAYS];

/// Whether only `flowagg query` makes this call in members, so that only `flowagg permissions --query` prints it.
pub(crate) fn is_of_query(call: Call) -> bool {
    [
        DESCRIBE_INSTANCES,
        DESCRIBE_NAT_GATEWAYS,
        DESCRIBE_SECURITY_GROUPS,
        DESCRIBE_SECURITY_GROUP_RULES,
        GET_PREFIX_LIST_ENTRIES,
    ]
    .contains(&call)
}

/// The call that lists resources of this kind.
pub(crate) fn describe(kind: ResourceKind) -> Call {
    match kind {
        ResourceKind::Vpc => DESCRIBE_VPCS,
        ResourceKind::Subnet => DESCRIBE_SUBNETS,
        ResourceKind::NetworkInterface => DESCRIBE_INTERFACES,
        ResourceKind::TransitGateway => DESCRIBE_TRANSIT_GATEWAYS,
    }
}

/// The call that lists carriers of traffic.
pub(crate) fn describe_in_use(carrier: Carrier) -> Call {
    match carrier {
        Carrier::NetworkInterface => DESCRIBE_INTERFACES,
        Carrier::Attachment => DESCRIBE_ATTACHMENTS,
    }
}

/// Actions that EC2 performs on behalf of the caller when a flow log to S3 is created or deleted.
///
/// Source: "Create a flow log that publishes to Amazon S3" (Amazon VPC User Guide).
pub(crate) const BEHIND_FLOW_LOGS: [&str; 2] = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery"];

/// Additional actions that are required to create a flow log with this field.
///
/// Source: "Flow log records", available fields (Amazon VPC User Guide).
pub(crate) fn behind_field(field: Field) -> &'static [&'static str] {
    match field.as_str() {
        "ecs-cluster-arn" | "ecs-cluster-name" | "ecs-container-id" | "ecs-second-container-id" => {
            &["ecs:ListClusters"]
        }
        "ecs-container-instance-arn" | "ecs-container-instance-id" => {
            &["ecs:ListClusters", "ecs:ListContainerInstances"]
        }
        "ecs-service-name" => &["ecs:ListClusters", "ecs:ListServices"],
        "ecs-task-definition-arn" => &["ecs:ListClusters", "ecs:ListTaskDefinitions"],
        "ecs-task-arn" | "ecs-task-id" => &["ecs:ListClusters", "ecs:ListTasks"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ecs_fields_require_ecs_actions() {
        for field in Field::all() {
            let actions = behind_field(field);
            assert_eq!(field.as_str().starts_with("ecs-"), actions.contains(&"ecs:ListClusters"), "{field}");
            assert_eq!(field.as_str().starts_with("ecs-"), !actions.is_empty(), "{field}");
        }
    }
}
