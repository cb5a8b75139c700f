//! The roles that flowagg works with, where it may run: each with a trust policy and the least policy.

use std::collections::BTreeSet;

use flowagg_core::fleet::FleetFile;
use flowagg_core::id::{AccountId, RoleName};
use serde_json::{Value, json};

use super::template::{Resource, Template, TemplateFormat, reference};
use crate::export::{ExportError, ExportFiles, permissions};

/// What the hub's role is called where the fleet file does not say.
const HUB_ROLE: &str = "flowagg-hub";
/// The parameter that names who may take a role.
const TRUSTED: &str = "TrustedArn";

/// The templates of the roles: the hub's, the members', and where the fleet file asks for them the policy of who calls
/// and the role that finds the accounts. What they may do is what [`permissions`](crate::export::permissions()) says.
///
/// The members' roles trust the hub account, or by a parameter one role or user in it.
///
/// Sources: "AWS::IAM::Role", "AWS::IAM::ManagedPolicy" (AWS CloudFormation Template Reference).
pub fn roles(file: &FleetFile, format: TemplateFormat) -> Result<ExportFiles, ExportError> {
    let hub = &file.hub;
    let found = file.discovery().map(|(_, how)| how);
    let others = file.members.values().filter(|member| member.account != hub.account);
    let names: BTreeSet<&RoleName> =
        others.map(|member| &member.role).chain(found.map(|how| &how.role)).collect();
    if let Some(name) = names.iter().find(|name| name.as_str() == RoleName::ORGANIZATION_ACCOUNT_ACCESS) {
        return Err(ExportError::RoleOfOrganizations((*name).clone()));
    }
    let permissions = permissions(file);
    let mut notes =
        vec!["the stacks name what they make: they take `--capabilities CAPABILITY_NAMED_IAM`".to_owned()];
    let mut files = Vec::new();

    // Whoever is in the hub account works there, as a member's role does elsewhere.
    let is_member = found.is_some() || file.members.values().any(|member| member.account == hub.account);
    let mut of_hub = vec![("hub", permissions.hub)];
    of_hub.extend(is_member.then(|| ("member", permissions.member.clone())));
    let caller = permissions.caller.map(|policy| ("caller", policy));
    match (&hub.role, caller) {
        (None, caller) => of_hub.extend(caller),
        (Some(_), None) => {}
        (Some(_), Some((_, policy))) => {
            notes.push("attach the policy of `caller-policy` to who runs flowagg, in its account".to_owned());
            let policy = json!({ "ManagedPolicyName": "flowagg-caller", "PolicyDocument": policy });
            let template = Template::new("What who runs flowagg may do".to_owned())
                .resource("CallerPolicy", Resource::new("AWS::IAM::ManagedPolicy", policy));
            files.push(template.file("caller-policy", format)?);
        }
    }
    let role = |description: String, name: &str, policies: Vec<(&str, Value)>| {
        role(description, name, policies, &permissions.trust)
    };
    let name = hub.role.as_ref().map_or(HUB_ROLE, RoleName::as_str);
    let template = role(format!("The role of flowagg in the hub account {}", hub.account), name, of_hub);
    files.insert(0, template.file("hub-role", format)?);

    if let (Some(policy), Some(lookup)) = (permissions.lookup, found.and_then(|how| how.lookup.as_ref())) {
        let description = |account: AccountId| {
            format!("The role with which flowagg finds the organization's accounts, in account {account}")
        };
        let template = role(description(lookup.account), lookup.role.as_str(), vec![("lookup", policy)]);
        files.push(template.file("lookup-role", format)?);
    }
    for name in &names {
        let template = role(
            "The role of flowagg in the account of a member".to_owned(),
            name.as_str(),
            vec![("member", permissions.member.clone())],
        );
        let file = match names.len() {
            1 => "member-role".to_owned(),
            _ => format!("member-role-{}", name.as_str().replace('/', "-")),
        };
        files.push(template.file(&file, format)?);
    }
    Ok(ExportFiles::of_templates(files, notes))
}

/// A role of this name, which a parameter's principal may take.
fn role(description: String, name: &str, policies: Vec<(&str, Value)>, trust: &Value) -> Template {
    let mut trust = trust.clone();
    let trusted = std::mem::replace(&mut trust["Statement"][0]["Principal"]["AWS"], reference(TRUSTED));
    let policies: Vec<Value> = policies
        .into_iter()
        .map(|(name, policy)| json!({ "PolicyName": name, "PolicyDocument": policy }))
        .collect();
    let (path, name) = name.rsplit_once('/').map_or((None, name), |(path, name)| (Some(path), name));
    let mut role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust, "Policies": policies });
    if let Some(path) = path {
        role["Path"] = json!(format!("/{path}/"));
    }
    let parameter = json!({
        "Type": "String",
        "Default": trusted,
        "Description": "Who may take the role: an account, or to narrow it a role or user of it",
    });
    Template::new(description)
        .parameter(TRUSTED, parameter)
        .resource("Role", Resource::new("AWS::IAM::Role", role))
}
