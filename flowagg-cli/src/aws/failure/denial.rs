//! Which policy denies a call, as AWS's message names it, and who can change it.
//!
//! Source: "Access denied error message examples" (IAM User Guide). AWS writes `with an explicit deny in a TYPE policy` if a
//! statement denies, and `because no TYPE policy allows the ACTION action` if none allows. S3 names the type only to callers
//! of the same account or organization ("Troubleshoot access denied errors", Amazon S3 User Guide).

use super::table::OF_QUERY;
use crate::aws::call::{ASSUME_ROLE, Call, GET_CALLER_IDENTITY, is_of_query};

/// A type of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyType {
    ServiceControl,
    ResourceControl,
    Bucket,
    Key,
    Trust,
    /// The policy of another resource.
    Resource,
    Identity,
    Boundary,
    Session,
    Endpoint,
    /// S3 Block Public Access: no policy, but AWS names it in the same place.
    PublicAccessBlock,
    /// A type that AWS does not name, or that is unknown here.
    Unnamed,
}

/// How a policy denies a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A statement denies it; no other statement can allow it.
    Denies,
    /// No statement allows it.
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

    /// AWS's name of it. A resource-based policy has a type for each kind of resource.
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

    /// The type that AWS names at the start of this text, in its answer to this call.
    fn named(call: Call, text: &str) -> Self {
        let named = Self::ALL.into_iter().find(|policy| text.starts_with(policy.name()));
        match named.unwrap_or(Self::Unnamed) {
            Self::Bucket if call.action.starts_with("kms:") => Self::Key,
            Self::Bucket if call == ASSUME_ROLE => Self::Trust,
            Self::Bucket if !call.action.starts_with("s3:") => Self::Resource,
            named => named,
        }
    }

    /// What to do. `{account}`, `{action}`, `{who}` and `{find}` stand for those of the call.
    pub(super) const fn help(self, effect: Effect) -> &'static str {
        match (self, effect) {
            (Self::ServiceControl, Denies) => {
                "a service control policy (SCP) of the organization denies {action}, and no IAM policy overrides it: ask the owners of the management account for an exception; there, {find}"
            }
            (Self::ServiceControl, AllowsNot) => {
                "no service control policy (SCP) of the organization allows {action}, so no IAM policy can: ask the owners of the management account to allow it; there, {find}"
            }
            (Self::ResourceControl, Denies) => {
                "a resource control policy (RCP) of the organization denies {action}, and no other policy overrides it: ask the owners of the management account for an exception; there, {find}"
            }
            (Self::ResourceControl, AllowsNot) => {
                "no resource control policy (RCP) of the organization allows {action}, so no other policy can: ask the owners of the management account to allow it; there, {find}"
            }
            (Self::Bucket, Denies) => {
                "a Deny statement of the bucket policy denies {action}: change the statement as a caller that it does not deny, such as the root user of {account}; `aws s3api get-bucket-policy --bucket BUCKET` prints the policy"
            }
            (Self::Bucket, AllowsNot) => {
                "the bucket policy does not allow {action} to a caller from another account: set `hub.role` to a role in {account}, or allow the caller in the bucket policy"
            }
            (Self::Key, Denies) => {
                "a Deny statement of the key policy denies {action}: change it in the account of the key; `aws kms get-key-policy --key-id KEY` prints the policy"
            }
            (Self::Key, AllowsNot) => {
                "the key policy does not allow {action}: allow it there, in the account of the key; `aws kms get-key-policy --key-id KEY` prints the policy"
            }
            (Self::Trust, Denies) => {
                "a Deny statement of the role's trust policy denies the caller: change it in {account}, where `aws iam get-role --role-name ROLE` prints it, or name another role with `role`"
            }
            (Self::Trust, AllowsNot) => {
                "the role's trust policy does not allow the caller: add the caller to it in {account}, as in the trust policy that `flowagg permissions` prints, or name another role with `role`"
            }
            (Self::Resource, Denies) => {
                "a Deny statement in the policy of the resource denies {action}: the owner of the resource must change it"
            }
            (Self::Resource, AllowsNot) => {
                "the policy of the resource does not allow {action}: the owner of the resource must allow it there"
            }
            (Self::Identity, Denies) => {
                "a Deny statement in an IAM policy of {who} denies {action}: an IAM administrator must change it; `aws iam list-attached-role-policies --role-name ROLE` and `aws iam list-role-policies --role-name ROLE` list the policies"
            }
            (Self::Identity, AllowsNot) => {
                "allow {action} to {who}; `flowagg permissions` prints the IAM policies"
            }
            (Self::Boundary, Denies) => {
                "the permissions boundary of {who} denies {action}, and no IAM policy overrides it: an IAM administrator must change the boundary; `aws iam get-role --role-name ROLE` names it"
            }
            (Self::Boundary, AllowsNot) => {
                "the permissions boundary of {who} does not allow {action}, so no IAM policy can: an IAM administrator must change the boundary; `aws iam get-role --role-name ROLE` names it"
            }
            (Self::Session, Denies) => {
                "the session policy of the credentials denies {action}: use credentials that were issued without it, or change it in the tool that requests them"
            }
            (Self::Session, AllowsNot) => {
                "the session policy of the credentials does not allow {action}: use credentials that were issued without it, or change it in the tool that requests them"
            }
            (Self::Endpoint, Denies) => {
                "the policy of the VPC endpoint that the call uses denies {action}: the owner of the endpoint must change it, or run flowagg outside this VPC; `aws ec2 describe-vpc-endpoints` shows the policy"
            }
            (Self::Endpoint, AllowsNot) => {
                "the policy of the VPC endpoint that the call uses does not allow {action}: the owner of the endpoint must allow it, or run flowagg outside this VPC; `aws ec2 describe-vpc-endpoints` shows the policy"
            }
            (Self::PublicAccessBlock, _) => {
                "S3 Block Public Access refuses the bucket policy, because a statement of it grants public access: `flowagg policy check` reports that statement as `public-principal`; restrict it"
            }
            (Self::Unnamed, _) => {
                "a Deny statement denies {action}, and no Allow statement overrides it: look for it in the service control policies, in the IAM policies of {who}, and in the policy of the resource"
            }
        }
    }
}

/// What AWS states about a denied call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Denial<'m> {
    pub(super) policy: PolicyType,
    pub(super) effect: Effect,
    /// The id of the organization's policy, if AWS names it.
    id: Option<&'m str>,
}

impl<'m> Denial<'m> {
    /// Whether an IAM policy that allows the action is all that is missing.
    pub(super) fn is_plain(self) -> bool {
        (self.policy, self.effect) == (PolicyType::Identity, AllowsNot)
    }

    /// What a message states; `None` if it names no reason.
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
            // `flowagg permissions` prints it with `--query` only, and a bucket may have no fleet file.
            return "allow {action} to {who}; `docs/query.md` has the IAM policy";
        }
        if self.is_plain() && is_of_query(call) {
            return OF_QUERY;
        }
        self.policy.help(self.effect)
    }

    /// What to do. `{account}` stands for that of the call.
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

/// Puts the denied action, and who was denied it, into a sentence.
pub(super) fn fill(help: &str, call: Call, message: &str) -> String {
    let who = match call {
        ASSUME_ROLE | GET_CALLER_IDENTITY => "the caller",
        _ => "the role or user that is used in {account}",
    };
    help.replace("{who}", who).replace("{action}", action(message).unwrap_or(call.action))
}

/// The action that a message states is denied. It may be another than the call's, such as `logs:CreateLogDelivery`.
fn action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?;
    let (service, name) = action.split_once(':')?;
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (is_word(service) && is_word(name)).then_some(action)
}
