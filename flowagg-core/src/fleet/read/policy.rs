use crate::fleet::table::Table;
use crate::fleet::{AclCondition, GrantForm, Organization, PolicySettings};

pub(super) fn read(table: Table<'_, '_>, organization: Option<&Organization>) -> PolicySettings {
    let form = table.get("form");
    let chosen = form.as_ref().and_then(|v| v.one_of(&GrantForm::ALL, GrantForm::as_str));
    let flag = |key| table.get(key).and_then(|v| v.boolean());
    let settings = PolicySettings {
        form: chosen.unwrap_or_default(),
        source_conditions: flag("source-conditions").unwrap_or(true),
        source_arn: flag("source-arn").unwrap_or(false),
        acl_condition: table
            .get("acl-condition")
            .and_then(|v| v.one_of(&AclCondition::ALL, AclCondition::as_str))
            .unwrap_or_default(),
        list_bucket: flag("list-bucket").unwrap_or(false),
        deny_insecure_transport: flag("deny-insecure-transport").unwrap_or(false),
    };
    if let Some(form) = form {
        use GrantForm::{Auto, BoundOrganization, Organization, Prefixes};
        let word = settings.form.as_str();
        if matches!(settings.form, Organization | BoundOrganization) && organization.is_none() {
            form.fault(
                format!("`policy.form` is `{word}`, but the file has no organization"),
                "add `[organization]` with `id = \"o-...\"`",
            );
        }
        if !matches!(settings.form, Auto | Prefixes) && !settings.source_conditions {
            form.fault(
                format!("`policy.form` `{word}` without source conditions would let any AWS account write"),
                "remove `source-conditions = false`, or use `form = \"prefixes\"`",
            );
        }
    }
    table.refuse_unknown();
    settings
}
