//! The stack set of an organization: the member template in every account of its units, including accounts that join later.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Discovery, Fleet, Organization, Regions};
use flowagg_core::id::{AccountId, FleetName, ResourceKind};
use serde_json::{Value, json};

use super::member::{BUCKET, EXPORT, EXPORTED, TRAFFIC, VpcFrom, bucket, one_vpc, traffic, vpc_export};
use super::template::{Resource, Template, TemplateFormat, reference};
use crate::export::{ExportError, ExportFiles};

/// The parameters of the stack that contains the stack set, in addition to those of the member template.
const CALL_AS: &str = "CallAs";
const TOLERANCE: &str = "FailureTolerancePercentage";
const REGIONS: &str = "Regions";
const ROOT: &str = "RootId";

/// The stack set with service-managed permissions for the organization's units and regions, and the template for the management account, to
/// which StackSets do not deploy.
///
/// StackSets deploy by account and region and cannot see VPCs. In each account-region one VPC is logged: the one whose ID another stack
/// exports there, under the same name everywhere.
///
/// Sources: "AWS::CloudFormation::StackSet" (AWS CloudFormation Template Reference); "Associate a StackSet with your AWS
/// Organization", "Manage automatic deployments for CloudFormation StackSets" (AWS CloudFormation User Guide).
pub fn stack_set(fleet: &Fleet, format: TemplateFormat) -> Result<ExportFiles, ExportError> {
    let (organization, how) = fleet
        .organization
        .as_ref()
        .and_then(|organization| Some((organization, organization.discovery.as_ref()?)))
        .ok_or(ExportError::NoOrganization)?;
    expressible(how)?;
    let notes = notes(fleet, how);
    let in_an_account = one_vpc(fleet, VpcFrom::Import, &[]).outside(&how.except_accounts);
    let management = one_vpc(
        fleet,
        VpcFrom::Import,
        &["deploy the stack in each region of the management account, to which StackSets do not deploy"
            .to_owned()],
    );
    let passed_on = [BUCKET, EXPORT, TRAFFIC]
        .map(|name| json!({ "ParameterKey": name, "ParameterValue": reference(name) }));
    let mut stack_set = service_managed(organization, regions(&how.regions));
    stack_set["StackSetName"] = json!(of_fleet(fleet.declared_name.as_ref(), "flowagg-flow-logs"));
    stack_set["Description"] = json!("The flow log of a VPC in every account of the organization");
    // A flow log is never deleted silently: it is kept when an account leaves the units.
    stack_set["AutoDeployment"]["RetainStacksOnAccountRemoval"] = json!(true);
    stack_set["Parameters"] = json!(passed_on);
    stack_set["TemplateBody"] = json!(in_an_account.text(format)?);
    let template = parameters(fleet, organization, how)
        .noted(&notes)
        .resource("FlowLogs", Resource::new("AWS::CloudFormation::StackSet", stack_set));
    let files = vec![template.file("stack-set", format)?, management.file("management-account", format)?];
    Ok(ExportFiles::of_templates(files, notes))
}

/// A stack set with service-managed permissions in these regions of every account of the organization's units.
pub(super) fn service_managed(organization: &Organization, regions: Value) -> Value {
    json!({
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": reference(CALL_AS),
        "AutoDeployment": { "Enabled": true, "RetainStacksOnAccountRemoval": false },
        "ManagedExecution": { "Active": true },
        "OperationPreferences": {
            "RegionConcurrencyType": "PARALLEL",
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
            "MaxConcurrentPercentage": 100,
            "FailureTolerancePercentage": reference(TOLERANCE),
        },
        "StackInstancesGroup": [{
            "DeploymentTargets": { "OrganizationalUnitIds": units(organization) },
            "Regions": regions,
        }],
    })
}

/// A name with the fleet's name as a suffix, if the fleet file sets it.
pub(super) fn of_fleet(declared: Option<&FleetName>, name: &str) -> String {
    let suffix = declared.map(|fleet| format!("-{}", fleet.as_str().replace('.', "-")));
    format!("{name}{}", suffix.unwrap_or_default())
}

/// The key of a rule for accounts that a template cannot express. For accounts that join later, StackSets consider only the units.
pub(super) fn account_rule(how: &Discovery) -> Option<&'static str> {
    let rules = [(!how.accounts.is_empty(), "accounts"), (!how.except_units.is_empty(), "except-units")];
    rules.into_iter().find(|(is_set, _)| *is_set).map(|(_, key)| key)
}

fn expressible(how: &Discovery) -> Result<(), ExportError> {
    if let Some(key) = account_rule(how) {
        return Err(ExportError::AccountRule(key));
    }
    match how.resources.kinds().find(|kind| *kind != ResourceKind::Vpc) {
        Some(kind) => Err(ExportError::NotOnlyVpcs(kind.key())),
        None => Ok(()),
    }
}

fn notes(fleet: &Fleet, how: &Discovery) -> Vec<String> {
    let mut notes = vec![
        "deploy the stack set once, after the hub, in the management account or a delegated administrator account, with trusted access for \
         StackSets enabled"
            .to_owned(),
        "StackSets do not deploy to the management account: deploy its template there, in each region".to_owned(),
        format!(
            "one VPC is logged in each account-region: the one whose ID another stack exports as `{EXPORTED}`. Without that export, the stack \
             fails"
        ),
        "StackSets deploy to new accounts but cannot see VPCs: other existing or future VPCs of an account are not logged; `flowagg plan` \
         lists them"
            .to_owned(),
    ];
    if matches!(how.regions, Regions::All { .. }) {
        notes.push(
            "the fleet file logs every enabled region of an account, but StackSets need a list: set `Regions` to regions that are enabled in \
             every account"
                .to_owned(),
        );
    }
    if !how.except_accounts.is_empty() {
        notes.push(
            "the stack set creates nothing in the accounts of `organization.except-accounts`".to_owned(),
        );
    }
    let named: BTreeSet<AccountId> = fleet
        .members
        .values()
        .filter(|member| !member.in_organization)
        .map(|member| member.account)
        .collect();
    if !named.is_empty() {
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "members that are listed in the fleet file are ignored; only accounts in the units are included: {}",
            named.join(", ")
        ));
    }
    notes
}

fn parameters(fleet: &Fleet, organization: &Organization, how: &Discovery) -> Template {
    let template =
        Template::new(format!("The flow logs of every account of organization {}", organization.id))
            .parameter(BUCKET, bucket(fleet))
            .parameter(TRAFFIC, traffic(fleet))
            .parameter(EXPORT, vpc_export());
    let template = service_managed_parameters(template, organization);
    if !matches!(how.regions, Regions::All { .. }) {
        return template;
    }
    let regions = json!({
        "Type": "CommaDelimitedList",
        "Description": "Regions to log, which must be enabled in every account",
    });
    template.parameter(REGIONS, regions)
}

/// The template with the parameters that [`service_managed`] refers to.
pub(super) fn service_managed_parameters(template: Template, organization: &Organization) -> Template {
    let template = template.parameter(
        CALL_AS,
        json!({
            "Type": "String",
            "Default": "DELEGATED_ADMIN",
            "AllowedValues": ["DELEGATED_ADMIN", "SELF"],
            "Description": "SELF in the management account, DELEGATED_ADMIN in a delegated administrator account",
        }),
    )
    .parameter(
        TOLERANCE,
        json!({
            "Type": "Number",
            "Default": 10,
            "MinValue": 0,
            "MaxValue": 100,
            "Description": "Percentage of accounts per region in which the deployment may fail",
        }),
    );
    if !organization.units.is_empty() {
        return template;
    }
    let root = json!({
        "Type": "String",
        "AllowedPattern": "^r-[a-z0-9]{4,32}$",
        "Description": "The root ID of the organization (`aws organizations list-roots`)",
    });
    template.parameter(ROOT, root)
}

fn units(organization: &Organization) -> Value {
    if organization.units.is_empty() { json!([reference(ROOT)]) } else { json!(organization.units) }
}

fn regions(regions: &Regions) -> Value {
    match regions {
        Regions::These(regions) => json!(regions),
        Regions::All { .. } => reference(REGIONS),
    }
}
