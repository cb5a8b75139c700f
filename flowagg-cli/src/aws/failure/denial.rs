//! Finds which policy denied a call from AWS's message, and the advice for it.
//!
//! Source: "Access denied error message examples" (IAM User Guide). AWS writes `with an explicit deny in a TYPE policy` if a
//! statement denies, and `because no TYPE policy allows the ACTION action` if none allows. S3 names the type only to callers
//! of the same account or organization ("Troubleshoot access denied errors", Amazon S3 User Guide).

use super::table::OF_QUERY;
use crate::aws::call::{ASSUME_ROLE, Call, GET_CALLER_IDENTITY, is_of_query};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyType {
    ServiceControl,
    ResourceControl,
    Bucket,
    Key,
    Trust,
    /// The policy of a resource other than a bucket, key or role.
    Resource,
    Identity,
    Boundary,
    Session,
    Endpoint,
    /// S3 Block Public Access. Not a policy, but AWS reports it in the same place.
    PublicAccessBlock,
    /// AWS named no type, or one that flowagg does not know.
    Unnamed,
}

/// How a policy denies a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A Deny statement matches; no Allow statement can override it.
    Denies,
    /// No Allow statement matches.
    AllowsNot,
}

use Effect::{AllowsNot, Denies};

impl PolicyType {
    pub(super) const ALL: [Self; 12] = [
        Self::ServiceControl,
        Self::ResourceControl,
        Self::Bucket,
        Self::Key,
        Self::Trust,
        Self::Resource,
        Self::Identity,
        Self::Boundary,
        Self::Session,
        Self::Endpoint,
        Self::PublicAccessBlock,
        Self::Unnamed,
    ];

    /// The name that AWS uses in messages. Bucket, key and resource policies have the same name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::Bucket | Self::Key | Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Endpoint => "VPC endpoint policy",
            Self::PublicAccessBlock => "BlockPublicPolicy",
            Self::Unnamed => "policy",
        }
    }

    /// The type at the start of this text, from the response to this call.
    fn named(call: Call, text: &str) -> Self {
        let named = Self::ALL.into_iter().find(|policy| text.starts_with(policy.name()));
        match named.unwrap_or(Self::Unnamed) {
            Self::Bucket if call.action.starts_with("kms:") => Self::Key,
            Self::Bucket if call == ASSUME_ROLE => Self::Trust,
            Self::Bucket if !call.action.starts_with("s3:") => Self::Resource,
            named => named,
        }
    }

    /// The advice. `{account}`, `{action}`, `{who}` and `{find}` are replaced with the values of the call.
    pub(super) const fn help(self, effect: Effect) -> &'static str {
        match (self, effect) {
            (Self::ServiceControl, Denies) => {
                "a service control policy (SCP) denies {action}, and no IAM policy can override it: ask the owners of the management account for an exception; in that account, {find}"
            }
            (Self::ServiceControl, AllowsNot) => {
                "no service control policy (SCP) allows {action}, so no IAM policy can: ask the owners of the management account to allow it; in that account, {find}"
            }
            (Self::ResourceControl, Denies) => {
                "a resource control policy (RCP) denies {action}, and no other policy can override it: ask the owners of the management account for an exception; in that account, {find}"
            }
            (Self::ResourceControl, AllowsNot) => {
                "no resource control policy (RCP) allows {action}, so no other policy can: ask the owners of the management account to allow it; in that account, {find}"
            }
            (Self::Bucket, Denies) => {
                "a Deny statement in the bucket policy denies {action}: edit it as a principal that it does not deny, such as the root user of {account}; `aws s3api get-bucket-policy --bucket BUCKET` prints the policy"
            }
            (Self::Bucket, AllowsNot) => {
                "the bucket policy does not allow {action} for callers from other accounts: set `hub.role` to a role in {account}, or allow the caller in the bucket policy"
            }
            (Self::Key, Denies) => {
                "a Deny statement in the key policy denies {action}: edit it in the account that owns the key; `aws kms get-key-policy --key-id KEY` prints the policy"
            }
            (Self::Key, AllowsNot) => {
                "the key policy does not allow {action}: allow it in the account that owns the key; `aws kms get-key-policy --key-id KEY` prints the policy"
            }
            (Self::Trust, Denies) => {
                "a Deny statement in the role's trust policy denies the caller: edit it in {account}, where `aws iam get-role --role-name ROLE` prints it, or set `role` to another role"
            }
            (Self::Trust, AllowsNot) => {
                "the role's trust policy does not allow the caller: add the caller to it in {account}, or set `role` to another role; `flowagg permissions` prints the trust policy"
            }
            (Self::Resource, Denies) => {
                "a Deny statement in the resource's policy denies {action}: ask the owner of the resource to change it"
            }
            (Self::Resource, AllowsNot) => {
                "the resource's policy does not allow {action}: ask the owner of the resource to allow it"
            }
            (Self::Identity, Denies) => {
                "a Deny statement in an IAM policy of {who} denies {action}: ask an IAM administrator to change it; `aws iam list-attached-role-policies --role-name ROLE` and `aws iam list-role-policies --role-name ROLE` list the policies"
            }
            (Self::Identity, AllowsNot) => {
                "allow {action} for {who}; `flowagg permissions` prints the IAM policies"
            }
            (Self::Boundary, Denies) => {
                "the permissions boundary of {who} denies {action}, and no IAM policy can override it: ask an IAM administrator to change the boundary; `aws iam get-role --role-name ROLE` shows which policy it is"
            }
            (Self::Boundary, AllowsNot) => {
                "the permissions boundary of {who} does not allow {action}, so no IAM policy can: ask an IAM administrator to change the boundary; `aws iam get-role --role-name ROLE` shows which policy it is"
            }
            (Self::Session, Denies) => {
                "the session policy of the credentials denies {action}: use credentials issued without it, or change it in the tool that requests them"
            }
            (Self::Session, AllowsNot) => {
                "the session policy of the credentials does not allow {action}: use credentials issued without it, or change it in the tool that requests them"
            }
            (Self::Endpoint, Denies) => {
                "the VPC endpoint policy denies {action}: ask the owner of the endpoint to change it, or run flowagg outside this VPC; `aws ec2 describe-vpc-endpoints` shows the policy"
            }
            (Self::Endpoint, AllowsNot) => {
                "the VPC endpoint policy does not allow {action}: ask the owner of the endpoint to allow it, or run flowagg outside this VPC; `aws ec2 describe-vpc-endpoints` shows the policy"
            }
            (Self::PublicAccessBlock, _) => {
                "S3 Block Public Access rejected the bucket policy because a statement grants public access: restrict that statement; `flowagg policy check` reports it as `public-principal`"
            }
            (Self::Unnamed, _) => {
                "a Deny statement denies {action}, and no Allow statement can override it: look for it in the service control policies, the IAM policies of {who}, and the resource's policy"
            }
        }
    }
}

/// The reason for a denied call, from AWS's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Denial<'m> {
    pub(super) policy: PolicyType,
    pub(super) effect: Effect,
    /// The ID of the SCP or RCP, if the message contains it.
    id: Option<&'m str>,
}

impl<'m> Denial<'m> {
    /// Whether an IAM policy that allows the action would be enough.
    pub(super) fn is_plain(self) -> bool {
        (self.policy, self.effect) == (PolicyType::Identity, AllowsNot)
    }

    /// Parses a message; `None` if it contains no reason.
    pub(super) fn parse(call: Call, message: &'m str) -> Option<Self> {
        let stated = |policy, effect, id| Some(Self { policy, effect, id });
        if message.contains("not authorized") && message.contains(PolicyType::PublicAccessBlock.name()) {
            return stated(PolicyType::PublicAccessBlock, Denies, None);
        }
        if let Some((_, reason)) = message.split_once("with an explicit deny") {
            let name = ["in a ", "in an ", "in the "]
                .into_iter()
                .find_map(|article| reason.trim_start().strip_prefix(article));
            let policy = name.map_or(PolicyType::Unnamed, |name| PolicyType::named(call, name));
            let id = reason.split_whitespace().find_map(|word| word.rsplit_once('/'));
            let id = id.map(|(_, id)| id.trim_end_matches('.')).filter(|id| is_policy_id(id));
            return stated(policy, Denies, id);
        }
        let (_, reason) = message.split_once("because no ")?;
        match PolicyType::named(call, reason) {
            PolicyType::Unnamed => None,
            policy => stated(policy, AllowsNot, None),
        }
    }

    fn help(self, call: Call) -> &'static str {
        #[cfg(feature = "query")]
        if self.is_plain() && call == crate::aws::call::GET_OBJECT {
            // `flowagg permissions` prints this action only with `--query`, and the bucket may have no fleet file.
            return "allow {action} for {who}; see `docs/query.md` for the IAM policy";
        }
        if self.is_plain() && is_of_query(call) {
            return OF_QUERY;
        }
        self.policy.help(self.effect)
    }

    /// The advice. `{account}` is replaced later.
    pub(super) fn advice(self, call: Call, message: &str) -> String {
        let find = match (self.id, self.policy) {
            (Some(id), _) => {
                format!("`aws organizations describe-policy --policy-id {id}` prints the policy")
            }
            (None, PolicyType::ResourceControl) => list("RESOURCE_CONTROL_POLICY"),
            (None, _) => list("SERVICE_CONTROL_POLICY"),
        };
        let help = self.help(call).replace("{find}", &find);
        fill(&help, call, message)
    }
}

fn list(filter: &str) -> String {
    format!("`aws organizations list-policies --filter {filter}` lists the policies")
}

fn is_policy_id(id: &str) -> bool {
    id.starts_with("p-") && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Replaces `{action}` and `{who}` in a template.
pub(super) fn fill(help: &str, call: Call, message: &str) -> String {
    let who = match call {
        ASSUME_ROLE | GET_CALLER_IDENTITY => "the caller",
        _ => "the role or user used in {account}",
    };
    help.replace("{who}", who).replace("{action}", action(message).unwrap_or(call.action))
}

/// The denied action in a message. It can differ from the call's action, e.g. `logs:CreateLogDelivery` for `CreateFlowLogs`.
fn action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?;
    let (service, name) = action.split_once(':')?;
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (is_word(service) && is_word(name)).then_some(action)
}
