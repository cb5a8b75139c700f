//! A role in a template, with its parameters and policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::template::{Resource, Template, reference};
use crate::export::managed::{
    INLINE_POLICIES, ManagedPolicy, POLICIES_OF_ROLE, PolicyPart, characters, managed,
};

/// A principal that is allowed to assume a role. Each is a parameter of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    /// Runs every command.
    Writer,
    /// Runs only the commands that read.
    Reader,
}

impl Principal {
    /// The name of the parameter.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Writer => "TrustedArn",
            Self::Reader => "TrustedReaderArn",
        }
    }

    pub(super) fn reference(self) -> Value {
        reference(self.name())
    }

    pub(super) fn parameter(self, default: Option<&Value>) -> Value {
        let commands = match self {
            Self::Writer => "all commands",
            Self::Reader => "only `plan`, `verify` and `report`",
        };
        let mut parameter = json!({
            "Type": "String",
            "Description": format!("The role or user that runs {commands}, or an account that contains it"),
        });
        match default {
            Some(default) => parameter["Default"] = default.clone(),
            None => parameter["AllowedPattern"] = json!("^arn:[a-z-]+:iam::[0-9]{12}:(root|(role|user)/.+)$"),
        }
        parameter
    }
}

/// The logical IDs of the role with write access, or the only role, and of the read role.
pub(super) const WRITE: &str = "Role";
pub(super) const READ: &str = "ReadRole";

/// A role, with the parameters for its principals.
#[derive(Clone)]
pub(super) struct Role {
    /// The logical ID.
    pub(super) resource: &'static str,
    pub(super) parameters: BTreeMap<&'static str, Value>,
    pub(super) role: Value,
    /// Managed policies, for policies that are too large to be inline.
    pub(super) managed: Vec<ManagedPolicy>,
}

/// The template of these roles.
pub(super) fn template(description: &str, roles: Vec<Role>) -> Template {
    let mut template = Template::new(description.to_owned());
    for Role { resource, parameters, role, managed } in roles {
        for (name, parameter) in parameters {
            template = template.parameter(name, parameter);
        }
        template = template.resource(resource, Resource::new("AWS::IAM::Role", role));
        for (n, policy) in managed.into_iter().enumerate() {
            let name = format!("{resource}Policy{}", n + 1);
            template = template.resource(&name, managed_policy(policy, Some(resource)));
        }
    }
    template
}

/// A managed policy that is attached to a role of the template.
pub(super) fn managed_policy(
    ManagedPolicy { name, document, .. }: ManagedPolicy,
    role: Option<&str>,
) -> Resource {
    let mut policy = json!({ "ManagedPolicyName": name, "PolicyDocument": document });
    if let Some(role) = role {
        policy["Roles"] = json!([reference(role)]);
    }
    Resource::new("AWS::IAM::ManagedPolicy", policy)
}

pub(super) fn inline_name(part: PolicyPart) -> &'static str {
    match part {
        PolicyPart::Caller | PolicyPart::ReadCaller => "caller",
        PolicyPart::Lookup => "lookup",
        PolicyPart::Hub | PolicyPart::ReadHub => "hub",
        PolicyPart::Member | PolicyPart::ReadMember => "member",
    }
}

/// Splits policies into inline and managed policies. If they exceed IAM's limit for inline policies, the caller's policies become managed
/// policies, because only those grow with the fleet. `suffix` is appended to the names of managed policies.
pub(super) fn within_the_limit<'p>(
    policies: Vec<(PolicyPart, &'p Value)>,
    suffix: &str,
) -> (Vec<(PolicyPart, &'p Value)>, Vec<ManagedPolicy>) {
    let total: usize = policies.iter().map(|(_, policy)| characters(policy)).sum();
    if total <= INLINE_POLICIES {
        return (policies, Vec::new());
    }
    let is_callers = |part: PolicyPart| matches!(part, PolicyPart::Caller | PolicyPart::ReadCaller);
    let (large, inline): (Vec<_>, Vec<_>) = policies.into_iter().partition(|(part, _)| is_callers(*part));
    (inline, large.into_iter().flat_map(|(part, policy)| with_suffix(part, policy, suffix)).collect())
}

/// The managed policies of a part, with a suffix in their names.
pub(super) fn with_suffix(
    part: PolicyPart,
    policy: &Value,
    suffix: &str,
) -> impl Iterator<Item = ManagedPolicy> {
    managed(part, policy).into_iter().map(move |mut policy| {
        policy.name += suffix;
        policy
    })
}

/// A note if a role or user has more managed policies than IAM's default quota.
pub(super) fn too_many(file: &str, counts: impl Iterator<Item = usize>) -> Option<String> {
    let count = counts.max().filter(|count| *count > POLICIES_OF_ROLE)?;
    Some(format!(
        "`{file}` has {count} managed policies, which exceed the IAM quota of {POLICIES_OF_ROLE} per role; raise the quota, or set `organization.regions` to look up the accounts, which needs only one policy"
    ))
}
