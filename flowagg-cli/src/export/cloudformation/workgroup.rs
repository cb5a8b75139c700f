//! The template of a workgroup of Athena, in which every statement is a named query.

use flowagg_core::fleet::Fleet;
use serde_json::{Value, json};

use super::template::{Resource, Template, TemplateFormat, capitalized, reference};
use crate::export::{ExportError, ExportFiles, SqlStatement};

const RESULTS: &str = "ResultLocation";
const CUTOFF: &str = "BytesScannedCutoff";
const WORKGROUP: &str = "WorkGroup";

/// The fewest bytes at which Athena can be told to end a query.
///
/// Source: "WorkGroupConfiguration", BytesScannedCutoffPerQuery (Amazon Athena API Reference).
const FEWEST_BYTES: u64 = 10_000_000;
/// At how many bytes a query ends, where nobody says otherwise.
const BYTES: u64 = 1_000_000_000_000;

/// The template. Its parameters are where results go, and how many bytes a query may read; who uses the workgroup can
/// change neither.
pub(in crate::export) fn workgroup(
    fleet: &Fleet,
    database: &str,
    statements: &[SqlStatement],
    notes: Vec<String>,
    format: TemplateFormat,
) -> Result<ExportFiles, ExportError> {
    let hub = &fleet.hub;
    let mut template = Template::new(format!(
        "A workgroup of Athena with queries of the flow logs in {}, for account {}, region {}",
        hub.bucket, hub.account, hub.region
    ))
    .noted(&notes)
    .parameter(
        RESULTS,
        json!({
            "Type": "String",
            "Description": "Where results go, as in s3://my-results/athena/; no folder of the flow logs",
            "AllowedPattern": "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$",
        }),
    )
    .parameter(
        CUTOFF,
        json!({
            "Type": "Number",
            "Default": BYTES,
            "MinValue": FEWEST_BYTES,
            "Description": "A query that reads more bytes is ended",
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

/// A text in which `${name}` is Athena's: CloudFormation's functions and checks would take it for a name of the template.
fn literal(text: &str) -> Value {
    if text.contains("${") {
        json!({ "Fn::Join": ["$", text.split('$').collect::<Vec<_>>()] })
    } else {
        json!(text)
    }
}

/// A name of letters and digits: `QueryTopTalkers`.
fn logical_id(name: &str) -> String {
    name.split('-').map(capitalized).collect()
}
