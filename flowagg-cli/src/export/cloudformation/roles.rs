//! The roles that flowagg works with, where it may run: each with a trust policy and least-privilege policies.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Discovery, FleetFile, Organization};
use flowagg_core::id::{AccountId, RoleName};
use serde_json::{Value, json};

use super::stack_set::{account_rule, service_managed, service_managed_parameters};
use super::template::{Resource, Template, TemplateFormat, reference};
use crate::export::managed::{
    INLINE_POLICIES, ManagedPolicy, POLICIES_OF_ROLE, PolicyPart, characters, managed,
};
use crate::export::{ExportError, ExportFile, ExportFiles, Permissions, permissions};

/// The default name of the hub's role.
const HUB_ROLE: &str = "flowagg-hub";
const MEMBER_ROLE: &str = "The role of flowagg in the account of a member";

/// The templates of the roles: the hub's, the members', and if the fleet file asks for them the policy of the caller, the role
/// that lists the accounts and the read roles. Their policies are those of [`permissions`](crate::export::permissions()). The
/// members' role of an organization is also a stack set.
///
/// Each role trusts the hub account, or by a parameter one role or user in it.
///
/// Sources: "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::CloudFormation::StackSet" (AWS CloudFormation Template
/// Reference).
pub fn roles(file: &FleetFile, format: TemplateFormat) -> Result<ExportFiles, ExportError> {
    let hub = &file.hub;
    let found = file.discovery().map(|(_, how)| how);
    let others = file.members.values().filter(|member| member.account != hub.account);
    let names: BTreeSet<&RoleName> =
        others.map(|member| &member.role).chain(found.map(|how| &how.role)).collect();
    let mut all_names = names.iter().copied().chain(&file.read_role);
    if let Some(name) = all_names.find(|name| name.as_str() == RoleName::ORGANIZATION_ACCOUNT_ACCESS) {
        return Err(ExportError::RoleOfOrganizations(name.clone()));
    }
    let permissions = permissions(file);
    let roles = Roles { file, permissions: &permissions };
    let mut notes =
        vec!["the stacks name what they make: they take `--capabilities CAPABILITY_NAMED_IAM`".to_owned()];

    let of_hub = roles.hub();
    if let Some(count) = of_hub.iter().map(|role| role.managed.len()).find(|count| *count > POLICIES_OF_ROLE)
    {
        notes.push(too_many("hub-role", count));
    }
    let description = format!("The role of flowagg in the hub account {}", hub.account);
    let mut files = vec![template(&description, of_hub).file("hub-role", format)?];
    if let (Some(_), Some(policy)) = (&hub.role, &permissions.caller) {
        notes.push(
            "attach the policy of `caller-policy` to the role or user that runs flowagg, in its account"
                .to_owned(),
        );
        let template = Template::new("The permissions of the role or user that runs flowagg".to_owned());
        let policies = managed(PolicyPart::Caller, policy);
        if policies.len() > POLICIES_OF_ROLE {
            notes.push(too_many("caller-policy", policies.len()));
        }
        let template = policies.into_iter().zip(1..).fold(template, |template, (policy, n)| {
            let resource = if n == 1 { "CallerPolicy".to_owned() } else { format!("CallerPolicy{n}") };
            template.resource(&resource, managed_policy(policy, None))
        });
        files.push(template.file("caller-policy", format)?);
    }
    if let (Some(policy), Some(lookup)) = (&permissions.lookup, found.and_then(|how| how.lookup.as_ref())) {
        let description = |account: AccountId| {
            format!("The role with which flowagg lists the organization's accounts, in account {account}")
        };
        let role = roles.role(&LOOKUP, lookup.role.as_str(), vec![(PolicyPart::Lookup, policy)]);
        let template = template(&description(lookup.account), vec![role]);
        files.push(template.file("lookup-role", format)?);
    }
    for name in &names {
        let template = template(MEMBER_ROLE, roles.member(name));
        let file = match names.len() {
            1 => "member-role".to_owned(),
            _ => format!("member-role-{}", name.as_str().replace('/', "-")),
        };
        files.push(template.file(&file, format)?);
    }
    if let Some((organization, how)) = file.discovery() {
        match account_rule(how) {
            None => {
                files.extend(roles.of_organization(organization, how, format)?);
                notes.push(
                    "deploy the stack of `member-role-stack-set` once, in the management account or in a delegated \
                     administrator's; trusted access of StackSets has to be on"
                        .to_owned(),
                );
                notes.push(
                    "StackSets do not deploy to the management account: deploy `management-account-role` there".to_owned(),
                );
            }
            Some(key) => notes.push(format!(
                "StackSets cannot follow `organization.{key}`: deploy the member's role in each account, once"
            )),
        }
    }
    Ok(ExportFiles::of_templates(files, notes))
}

/// The names of a role in a template.
struct Names {
    /// The resource.
    resource: &'static str,
    /// The parameter that names the principal that may assume the role.
    trusted: &'static str,
    /// The commands that use the role.
    commands: &'static str,
}

const WRITE: Names = Names { resource: "Role", trusted: "TrustedArn", commands: "all commands" };
const LOOKUP: Names = Names { commands: "the lookup", ..WRITE };
const READ: Names =
    Names { resource: "ReadRole", trusted: "TrustedReaderArn", commands: "`plan`, `verify` and `report`" };

/// A role, with the parameter that names who may assume it.
#[derive(Clone)]
struct Role {
    names: &'static Names,
    parameter: Value,
    role: Value,
    /// Policies that are too large to be part of the role.
    managed: Vec<ManagedPolicy>,
}

/// A managed policy, attached to a role of the template.
fn managed_policy(ManagedPolicy { name, document, .. }: ManagedPolicy, role: Option<&str>) -> Resource {
    let mut policy = json!({ "ManagedPolicyName": name, "PolicyDocument": document });
    if let Some(role) = role {
        policy["Roles"] = json!([reference(role)]);
    }
    Resource::new("AWS::IAM::ManagedPolicy", policy)
}

/// The name of a policy that is part of a role.
fn inline_name(part: PolicyPart) -> &'static str {
    match part {
        PolicyPart::Caller | PolicyPart::ReadCaller => "caller",
        PolicyPart::Lookup => "lookup",
        PolicyPart::Hub | PolicyPart::ReadHub => "hub",
        PolicyPart::Member | PolicyPart::ReadMember => "member",
    }
}

/// The policies that are part of a role, and managed ones in place of the caller's if IAM does not take that much in a role. Only
/// the caller's grows with the fleet.
fn within_the_limit(policies: Vec<(PolicyPart, &Value)>) -> (Vec<(PolicyPart, &Value)>, Vec<ManagedPolicy>) {
    let total: usize = policies.iter().map(|(_, policy)| characters(policy)).sum();
    if total <= INLINE_POLICIES {
        return (policies, Vec::new());
    }
    let is_callers = |part: PolicyPart| matches!(part, PolicyPart::Caller | PolicyPart::ReadCaller);
    let (large, inline): (Vec<_>, Vec<_>) = policies.into_iter().partition(|(part, _)| is_callers(*part));
    (inline, large.into_iter().flat_map(|(part, policy)| managed(part, policy)).collect())
}

fn too_many(file: &str, count: usize) -> String {
    format!(
        "`{file}` has {count} managed policies: IAM attaches {POLICIES_OF_ROLE} to a role unless the quota is raised; if the accounts of the organization are looked up (`organization.regions`), one is enough"
    )
}

/// The template of these roles.
fn template(description: &str, roles: Vec<Role>) -> Template {
    roles.into_iter().fold(
        Template::new(description.to_owned()),
        |template, Role { names, parameter, role, managed }| {
            let template = template
                .parameter(names.trusted, parameter)
                .resource(names.resource, Resource::new("AWS::IAM::Role", role));
            managed.into_iter().zip(1..).fold(template, |template, (policy, n)| {
                let resource = format!("{}Policy{n}", names.resource);
                template.resource(&resource, managed_policy(policy, Some(names.resource)))
            })
        },
    )
}

struct Roles<'a> {
    file: &'a FleetFile,
    permissions: &'a Permissions,
}

impl<'a> Roles<'a> {
    /// A role of this name, which a parameter's principal may assume.
    fn role(&self, names: &'static Names, name: &str, policies: Vec<(PolicyPart, &Value)>) -> Role {
        let mut trust = self.permissions.trust.clone();
        let principal = &mut trust["Statement"][0]["Principal"]["AWS"];
        let trusted = std::mem::replace(principal, reference(names.trusted));
        let (policies, managed) = within_the_limit(policies);
        let policies: Vec<Value> = policies
            .into_iter()
            .map(|(part, policy)| json!({ "PolicyName": inline_name(part), "PolicyDocument": policy }))
            .collect();
        let (path, name) = name.rsplit_once('/').map_or((None, name), |(path, name)| (Some(path), name));
        let mut role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust, "Policies": policies });
        if let Some(path) = path {
            role["Path"] = json!(format!("/{path}/"));
        }
        let parameter = json!({
            "Type": "String",
            "Default": trusted,
            "Description": format!(
                "The account whose principals may assume the role for {}, or one role or user of it",
                names.commands,
            ),
        });
        Role { names, parameter, role, managed }
    }

    /// The hub's role, and its read role. In the hub account flowagg assumes no member's role: if the hub is a member, these roles
    /// have the permissions of a member's.
    fn hub(&self) -> Vec<Role> {
        let (hub, permissions) = (&self.file.hub, self.permissions);
        let is_member = self.file.discovery().is_some() || self.file.members.contains_key(&hub.account);
        let policies = |of_hub, of_member, (part, of_caller): (PolicyPart, &'a Option<Value>)| {
            let mut policies = vec![of_hub];
            policies.extend(is_member.then_some(of_member));
            // With `hub.role`, the caller is in another account.
            let of_caller = of_caller.as_ref().filter(|_| hub.role.is_none());
            policies.extend(of_caller.map(|policy| (part, policy)));
            policies
        };
        let name = hub.role.as_ref().map_or(HUB_ROLE, RoleName::as_str);
        let of_hub = policies(
            (PolicyPart::Hub, &permissions.hub),
            (PolicyPart::Member, &permissions.member),
            (PolicyPart::Caller, &permissions.caller),
        );
        let mut roles = vec![self.role(&WRITE, name, of_hub)];
        if let (Some(name), Some(read)) = (&self.file.read_role, &permissions.read_only) {
            let policies = policies(
                (PolicyPart::ReadHub, &read.hub),
                (PolicyPart::ReadMember, &read.member),
                (PolicyPart::ReadCaller, &read.caller),
            );
            roles.push(self.role(&READ, name.as_str(), policies));
        }
        if hub.role.is_none() {
            // flowagg does not assume these roles and sends no external id.
            for statement in
                roles.iter_mut().map(|role| &mut role.role["AssumeRolePolicyDocument"]["Statement"][0])
            {
                statement.as_object_mut().and_then(|statement| statement.remove("Condition"));
            }
        }
        roles
    }

    /// A member's role, and its read role.
    fn member(&self, name: &RoleName) -> Vec<Role> {
        let role = self.role(&WRITE, name.as_str(), vec![(PolicyPart::Member, &self.permissions.member)]);
        let read = self.file.read_role.as_ref().zip(self.permissions.read_only.as_ref());
        let read = read.map(|(name, read)| {
            self.role(&READ, name.as_str(), vec![(PolicyPart::ReadMember, &read.member)])
        });
        std::iter::once(role).chain(read).collect()
    }

    /// The stack set of the member's role, and the stack of the management account, to which StackSets do not deploy.
    fn of_organization(
        &self,
        organization: &Organization,
        how: &Discovery,
        format: TemplateFormat,
    ) -> Result<[ExportFile; 2], ExportError> {
        let roles = self.member(&how.role);
        // A role exists in every region: one deployment for each account creates it.
        let mut stack_set = service_managed(organization, json!([self.file.hub.region]));
        stack_set["StackSetName"] = json!("flowagg-member-role");
        stack_set["Description"] = json!("The role of flowagg in every account of the organization");
        stack_set["Capabilities"] = json!(["CAPABILITY_NAMED_IAM"]);
        stack_set["TemplateBody"] = json!(template(MEMBER_ROLE, roles.clone()).text(format)?);
        let parameters = roles.iter().map(|role| role.names.trusted);
        let parameters: Vec<Value> = parameters
            .map(|name| json!({ "ParameterKey": name, "ParameterValue": reference(name) }))
            .collect();
        stack_set["Parameters"] = json!(parameters);
        let description = format!("The role of flowagg in every account of organization {}", organization.id);
        let mut outer = service_managed_parameters(Template::new(description), organization);
        for Role { names, parameter, .. } in &roles {
            outer = outer.parameter(names.trusted, parameter.clone());
        }
        let outer = outer.resource("MemberRole", Resource::new("AWS::CloudFormation::StackSet", stack_set));
        let management = template(
            "The role of flowagg in the management account, to which StackSets do not deploy",
            roles,
        );
        Ok([
            outer.file("member-role-stack-set", format)?,
            management.file("management-account-role", format)?,
        ])
    }
}
