//! The IAM roles that flowagg assumes, with trust policies and least-privilege policies.

mod caller;
mod names;
mod role;

use std::collections::BTreeSet;

use flowagg_core::fleet::{Discovery, FleetFile, Organization};
use flowagg_core::id::{AccountId, RoleName};
use serde_json::{Value, json};

use self::caller::caller_policy;
use self::names::{check, file_names, member_roles, named};
use self::role::{Principal, Role, too_many, within_the_limit};
use super::stack_set::{account_rule, service_managed, service_managed_parameters};
use super::template::{INLINE_BYTES, Resource, Template, TemplateFormat};
use crate::export::managed::PolicyPart;
use crate::export::{ExportError, ExportFile, ExportFiles, Permissions, permissions};

/// The templates of the roles of the hub and the members, with the policies of [`permissions`](crate::export::permissions()). Depending on
/// the fleet file, they include the policies of the caller, the role that lists the accounts, and the read roles. For an organization,
/// the members' role is a stack set.
///
/// Each role trusts the hub account, or one role or user in it, which is a parameter. With `hub.role`, the caller is in an account that
/// the fleet file does not contain, and the parameter is required.
///
/// Sources: "AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::CloudFormation::StackSet" (AWS CloudFormation Template
/// Reference).
pub fn roles(file: &FleetFile, format: TemplateFormat) -> Result<ExportFiles, ExportError> {
    roles_with(file, &permissions(file), format)
}

/// Like [`roles`], with these policies.
pub fn roles_with(
    file: &FleetFile,
    permissions: &Permissions,
    format: TemplateFormat,
) -> Result<ExportFiles, ExportError> {
    check(file)?;
    let hub = &file.hub;
    let roles = Roles { file, permissions };
    let mut notes = vec![
        "deploy the stacks with `--capabilities CAPABILITY_NAMED_IAM`: they create named IAM resources"
            .to_owned(),
    ];
    if hub.role.is_some() {
        let parameters = match file.read_role {
            None => "`TrustedArn` has",
            Some(_) => "`TrustedArn` and `TrustedReaderArn` have",
        };
        notes.push(format!(
            "with `hub.role`, the fleet file does not contain the caller's account: {parameters} no default; set it to the ARN of the role or user that runs flowagg"
        ));
    }

    let of_hub = roles.hub();
    notes.extend(too_many("hub-role", of_hub.iter().map(|role| role.managed.len())));
    let description = format!("The role for flowagg in the hub account {}", hub.account);
    let mut files = vec![role::template(&description, of_hub).file("hub-role", format)?];
    if hub.role.is_some()
        && let Some((template, of_caller)) = caller_policy(file, permissions)
    {
        files.push(template.file("caller-policy", format)?);
        notes.extend(of_caller);
    }
    if let Some(role) = roles.lookup() {
        files.push(role.file("lookup-role", format)?);
    }
    let members = member_roles(file);
    for (name, file) in members.iter().zip(file_names(&members)) {
        files.push(role::template(&describe(name), roles.member(name)).file(&file, format)?);
    }
    if let Some((organization, how)) = file.discovery() {
        match account_rule(how) {
            None => {
                let (stack_set, of_stack_set) = roles.of_organization(organization, how, format)?;
                files.extend(stack_set);
                notes.extend(of_stack_set);
            }
            Some(key) => notes.push(format!(
                "StackSets do not support `organization.{key}`: deploy the member role once in each account"
            )),
        }
    }
    Ok(ExportFiles::of_templates(files, notes))
}

fn describe(role: &RoleName) -> String {
    format!("The role {role} for flowagg in a member account")
}

struct Roles<'a> {
    file: &'a FleetFile,
    permissions: &'a Permissions,
}

impl<'a> Roles<'a> {
    /// A role with this name that these principals are allowed to assume.
    fn role(
        &self,
        resource: &'static str,
        name: &str,
        trusted: &'static [Principal],
        policies: Vec<(PolicyPart, &Value)>,
    ) -> Role {
        let mut trust = self.permissions.trust.clone();
        let statement = trust["Statement"][0].take();
        let of = |principal: &Principal| {
            let mut statement = statement.clone();
            statement["Principal"]["AWS"] = principal.reference();
            statement
        };
        trust["Statement"] = trusted.iter().map(of).collect();
        let default = self.file.hub.role.is_none().then(|| statement["Principal"]["AWS"].clone());
        let (policies, managed) = within_the_limit(policies, &named(self.file, ""));
        let policies: Vec<Value> = policies
            .into_iter()
            .map(|(part, policy)| json!({ "PolicyName": role::inline_name(part), "PolicyDocument": policy }))
            .collect();
        let (path, name) = name.rsplit_once('/').map_or((None, name), |(path, name)| (Some(path), name));
        let mut role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust, "Policies": policies });
        if let Some(path) = path {
            role["Path"] = json!(format!("/{path}/"));
        }
        let parameters =
            trusted.iter().map(|principal| (principal.name(), principal.parameter(default.as_ref())));
        Role { resource, parameters: parameters.collect(), role, managed }
    }

    /// The principals that are allowed to assume a read role. A writer also runs `plan` and `verify`.
    fn readers(&self) -> &'static [Principal] {
        if self.file.read_role.is_some() {
            &[Principal::Writer, Principal::Reader]
        } else {
            &[Principal::Writer]
        }
    }

    /// The hub's role and its read role. flowagg does not assume a member role in the hub account, so if the hub is a member, these roles
    /// include the permissions of a member role.
    fn hub(&self) -> Vec<Role> {
        let (hub, permissions) = (&self.file.hub, self.permissions);
        let is_member = self.file.members.contains_key(&hub.account)
            || self.file.organization.as_ref().is_some_and(|it| it.may_choose(hub.account));
        let policies = |of_hub, of_member, (part, of_caller): (PolicyPart, &'a Option<Value>)| {
            let mut policies = vec![of_hub];
            policies.extend(is_member.then_some(of_member));
            // With `hub.role`, the caller is in another account.
            let of_caller = of_caller.as_ref().filter(|_| hub.role.is_none());
            policies.extend(of_caller.map(|policy| (part, policy)));
            policies
        };
        let name = names::hub_role(self.file);
        let of_hub = policies(
            (PolicyPart::Hub, &permissions.hub),
            (PolicyPart::Member, &permissions.member),
            (PolicyPart::Caller, &permissions.caller),
        );
        let mut roles = vec![self.role(role::WRITE, &name, &[Principal::Writer], of_hub)];
        if let (Some(name), Some(read)) = (&self.file.read_role, &permissions.read_only) {
            let policies = policies(
                (PolicyPart::ReadHub, &read.hub),
                (PolicyPart::ReadMember, &read.member),
                (PolicyPart::ReadCaller, &read.caller),
            );
            // In the hub account, a writer does not assume the read role.
            let trusted = if hub.role.is_some() { self.readers() } else { &[Principal::Reader] };
            roles.push(self.role(role::READ, name.as_str(), trusted, policies));
        }
        if hub.role.is_none() {
            // flowagg does not assume these roles, so it does not send an external ID.
            for role in &mut roles {
                let statements = role.role["AssumeRolePolicyDocument"]["Statement"].as_array_mut();
                for statement in statements.into_iter().flatten().filter_map(Value::as_object_mut) {
                    statement.remove("Condition");
                }
            }
        }
        roles
    }

    /// The role that lists the organization's accounts, if it is outside the hub account.
    fn lookup(&self) -> Option<Template> {
        let policy = self.permissions.lookup.as_ref()?;
        let lookup = self.file.discovery()?.1.lookup.as_ref()?;
        let name = lookup.role.as_str();
        let role = self.role(role::WRITE, name, self.readers(), vec![(PolicyPart::Lookup, policy)]);
        let account = lookup.account;
        let description =
            format!("The role that flowagg uses to list the organization's accounts, in account {account}");
        Some(role::template(&description, vec![role]))
    }

    /// A member's role and read role.
    fn member(&self, name: &RoleName) -> Vec<Role> {
        let policies = vec![(PolicyPart::Member, &self.permissions.member)];
        let role = self.role(role::WRITE, name.as_str(), &[Principal::Writer], policies);
        let read = self.file.read_role.as_ref().zip(self.permissions.read_only.as_ref());
        let read = read.map(|(name, read)| {
            let policies = vec![(PolicyPart::ReadMember, &read.member)];
            self.role(role::READ, name.as_str(), self.readers(), policies)
        });
        std::iter::once(role).chain(read).collect()
    }

    /// The accounts in which the stack set creates nothing: accounts with their own template, and accounts that are not members.
    fn other_accounts(&self, how: &Discovery) -> BTreeSet<AccountId> {
        let listed = self.file.members.keys().chain([&self.file.hub.account]);
        listed.chain(&how.except_accounts).copied().collect()
    }

    /// The stack set of the member role, the template for the management account, to which StackSets do not deploy, and notes.
    fn of_organization(
        &self,
        organization: &Organization,
        how: &Discovery,
        format: TemplateFormat,
    ) -> Result<([ExportFile; 2], Vec<String>), ExportError> {
        let roles = self.member(&how.role);
        let others = self.other_accounts(how);
        let body = role::template(&describe(&how.role), roles.clone()).outside(&others).text(format)?;
        let mut notes = vec![
            "deploy the stack of `member-role-stack-set` once, in the management account or a delegated administrator account, with trusted \
             access for StackSets enabled"
                .to_owned(),
            "StackSets do not deploy to the management account: deploy `management-account-role` there if the account is a member"
                .to_owned(),
            "the stack set creates nothing in the hub account and in the accounts of `members` and `organization.except-accounts`"
                .to_owned(),
        ];
        if body.len() > INLINE_BYTES {
            notes.push(format!(
                "the template in `member-role-stack-set` has {} bytes, more than the limit of {INLINE_BYTES} bytes for a stack set: list fewer accounts in `members` and `organization.except-accounts`",
                body.len()
            ));
        }
        // Roles are global, so one region per account is enough.
        let mut stack_set = service_managed(organization, json!([self.file.hub.region]));
        stack_set["StackSetName"] = json!(named(self.file, "flowagg-member-role"));
        stack_set["Description"] = json!("The role for flowagg in every account of the organization");
        // Without the role, `flowagg destroy` has no access to an account that leaves the units.
        stack_set["AutoDeployment"]["RetainStacksOnAccountRemoval"] = json!(true);
        stack_set["Capabilities"] = json!(["CAPABILITY_NAMED_IAM"]);
        stack_set["TemplateBody"] = json!(body);
        let parameters: BTreeSet<&str> =
            roles.iter().flat_map(|role| role.parameters.keys().copied()).collect();
        let parameters: Vec<Value> = parameters
            .into_iter()
            .map(|name| json!({ "ParameterKey": name, "ParameterValue": { "Ref": name } }))
            .collect();
        stack_set["Parameters"] = json!(parameters);
        let description =
            format!("The role for flowagg in every account of organization {}", organization.id);
        let mut outer = service_managed_parameters(Template::new(description), organization);
        for (name, parameter) in roles.iter().flat_map(|role| &role.parameters) {
            outer = outer.parameter(name, parameter.clone());
        }
        let outer = outer.resource("MemberRole", Resource::new("AWS::CloudFormation::StackSet", stack_set));
        let description = "The role for flowagg in the management account, to which StackSets do not deploy";
        let management = role::template(description, roles).outside(&others);
        let files = [
            outer.file("member-role-stack-set", format)?,
            management.file("management-account-role", format)?,
        ];
        Ok((files, notes))
    }
}
