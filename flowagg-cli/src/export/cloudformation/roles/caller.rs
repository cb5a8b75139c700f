//! The policies of the role or user that runs flowagg, if it is outside the hub account.

use flowagg_core::fleet::FleetFile;
use serde_json::{Value, json};

use super::super::template::{Resource, Template, reference};
use super::names::named;
use super::role::{managed_policy, too_many, with_suffix};
use crate::export::Permissions;
use crate::export::managed::PolicyPart;

const CALLER_IS_MEMBER: &str = "CallerIsMember";
const IS_MEMBER: &str = "IsMember";
const IN_LOOKUP_ACCOUNT: &str = "InLookupAccount";

/// The template, with notes about it. flowagg does not assume a role in the caller's account. Policies that are needed only if that account
/// is a member, or the account of `organization.lookup`, have conditions.
pub(super) fn caller_policy(file: &FleetFile, permissions: &Permissions) -> Option<(Template, Vec<String>)> {
    let caller = permissions.caller.as_ref()?;
    let read = permissions.read_only.as_ref();
    let parts: [(PolicyPart, &str, Option<&Value>, Option<&'static str>); 5] = [
        (PolicyPart::Caller, "CallerPolicy", Some(caller), None),
        (PolicyPart::ReadCaller, "ReadCallerPolicy", read.and_then(|read| read.caller.as_ref()), None),
        (PolicyPart::Member, "MemberPolicy", Some(&permissions.member), Some(IS_MEMBER)),
        (PolicyPart::ReadMember, "ReadMemberPolicy", read.map(|read| &read.member), Some(IS_MEMBER)),
        (PolicyPart::Lookup, "LookupPolicy", permissions.lookup.as_ref(), Some(IN_LOOKUP_ACCOUNT)),
    ];
    let hub = file.hub.account;
    let has_members = file.discovery().is_some() || file.members.keys().any(|member| *member != hub);
    let description = "The permissions of the role or user that runs flowagg".to_owned();
    let mut template = Template::new(description);
    if has_members {
        let is_member = json!({
            "Type": "String",
            "Default": "false",
            "AllowedValues": ["false", "true"],
            "Description": "Whether this account is a member. flowagg does not assume a role in the caller's account",
        });
        template = template
            .parameter(CALLER_IS_MEMBER, is_member)
            .condition(IS_MEMBER, json!({ "Fn::Equals": [reference(CALLER_IS_MEMBER), "true"] }));
    }
    let lookup = file.discovery().and_then(|(_, how)| how.lookup.as_ref());
    if let (Some(lookup), Some(_)) = (lookup, &permissions.lookup) {
        let is_there = json!({ "Fn::Equals": [reference("AWS::AccountId"), lookup.account] });
        template = template.condition(IN_LOOKUP_ACCOUNT, is_there);
    }
    let mut counts = Vec::new();
    for (part, name, policy, condition) in parts {
        let Some(policy) = policy.filter(|_| has_members || condition != Some(IS_MEMBER)) else { continue };
        let policies: Vec<_> = with_suffix(part, policy, &named(file, "")).collect();
        counts.push(policies.len());
        for (n, policy) in policies.into_iter().enumerate() {
            let name = if n == 0 { name.to_owned() } else { format!("{name}{}", n + 1) };
            let policy: Resource = managed_policy(policy, None);
            template = template.resource(&name, policy.with_condition(condition));
        }
    }
    let mut notes = vec![match read {
        None => "attach the policies of `caller-policy` to the role or user that runs flowagg".to_owned(),
        Some(_) => {
            "attach the policies of `caller-policy` in the caller's account: `flowagg-read-…` to the role or user that runs only `plan`, \
             `verify` and `report`, and the others to the one that runs every command"
                .to_owned()
        }
    }];
    if has_members {
        notes.push(format!(
            "if the caller's account is a member, deploy `caller-policy` with `{CALLER_IS_MEMBER}=true`: flowagg does not assume a role in \
             the caller's account"
        ));
    }
    if let (Some(lookup), Some(_), Some(_)) = (lookup, &permissions.lookup, read) {
        notes.push(format!(
            "in account {} of `organization.lookup`, attach `flowagg-lookup` to both callers",
            lookup.account
        ));
    }
    notes.extend(too_many("caller-policy", counts.into_iter()));
    Some((template, notes))
}
