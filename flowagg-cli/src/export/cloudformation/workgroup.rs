//! The template of an Athena workgroup with a named query for every statement.

use flowagg_core::fleet::Fleet;
use serde_json::{Value, json};

use super::template::{Resource, Template, TemplateFormat, capitalized, reference};
use crate::export::{ExportError, ExportFiles, SqlStatement};

const RESULTS: &str = "ResultLocation";
const CUTOFF: &str = "BytesScannedCutoff";
const WORKGROUP: &str = "WorkGroup";

/// The minimum scan limit of a workgroup, in bytes.
///
/// Source: "WorkGroupConfiguration", BytesScannedCutoffPerQuery (Amazon Athena API Reference).
const FEWEST_BYTES: u64 = 10_000_000;
/// The default scan limit of the workgroup, in bytes.
const BYTES: u64 = 1_000_000_000_000;

/// The template. Its parameters are the location of results and the scan limit per query. Users of the workgroup cannot override them.
pub(in crate::export) fn workgroup(
    fleet: &Fleet,
    database: &str,
    statements: &[SqlStatement],
    notes: Vec<String>,
    format: TemplateFormat,
) -> Result<ExportFiles, ExportError> {
    let hub = &fleet.hub;
    let mut template = Template::new(format!(
        "An Athena workgroup with queries of the flow logs in {}, for account {}, region {}",
        hub.bucket, hub.account, hub.region
    ))
    .noted(&notes)
    .parameter(
        RESULTS,
        json!({
            "Type": "String",
            "Description": "The location of results, such as s3://my-results/athena/; must not be a folder of flow logs",
            "AllowedPattern": "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$",
        }),
    )
    .parameter(
        CUTOFF,
        json!({
            "Type": "Number",
            "Default": BYTES,
            "MinValue": FEWEST_BYTES,
            "Description": "The scan limit per query, in bytes",
        }),
    )
    .resource(
        WORKGROUP,
        Resource::new(
            "AWS::Athena::WorkGroup",
            json!({
                "Name": database,
                "Description": "Queries of VPC Flow Logs",
                "WorkGroupConfiguration": {
                    "EnforceWorkGroupConfiguration": true,
                    "PublishCloudWatchMetricsEnabled": true,
                    "BytesScannedCutoffPerQuery": reference(CUTOFF),
                    "ResultConfiguration": { "OutputLocation": reference(RESULTS) },
                },
            }),
        ),
    );
    for SqlStatement { name, about, sql } in statements {
        let properties = json!({
            "Name": name,
            "Description": about,
            "Database": database,
            "QueryString": literal(sql),
            "WorkGroup": reference(WORKGROUP),
        });
        template = template.resource(&logical_id(name), Resource::new("AWS::Athena::NamedQuery", properties));
    }
    Ok(ExportFiles::of_templates(vec![template.file("athena", format)?], notes))
}

/// A string in which `${name}` belongs to Athena. CloudFormation functions and linters would treat it as a substitution.
fn literal(text: &str) -> Value {
    if text.contains("${") {
        json!({ "Fn::Join": ["$", text.split('$').collect::<Vec<_>>()] })
    } else {
        json!(text)
    }
}

/// A logical ID of letters and digits, such as `QueryTopTalkers`.
fn logical_id(name: &str) -> String {
    name.split('-').map(capitalized).collect()
}
