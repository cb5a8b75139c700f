//! What a fleet file may hold, as a JSON Schema: editors complete and check it while it is written.

use serde_json::{Map, Value, json};

use super::{AclCondition, GrantForm, ObjectOwnership};
use crate::flow_log::{AggregationInterval, Field, FileFormat, TrafficType};
use crate::id::{ResourceKind, RoleName};
use crate::lifecycle::{Lifecycle, Retention, StorageClass};

/// The JSON Schema (draft 2020-12) of `flowagg.toml`.
///
/// It knows every key and the form of every value. What takes two keys to see (a region of another partition, an account
/// named twice) only [`Declared::parse`](super::Declared::parse) tells.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flowagg.toml",
        "description": "The VPC Flow Logs of many AWS accounts in one S3 bucket",
        "type": "object",
        "properties": {
            "fleet": fleet(),
            "hub": hub(),
            "flow-logs": flow_logs(),
            "policy": policy(),
            "organization": organization(),
            "members": {
                "description": "The accounts whose VPCs are logged",
                "type": "array",
                "items": member(),
            },
        },
        "required": ["hub"],
        "additionalProperties": false,
    })
}

fn fleet() -> Value {
    let name = pattern(
        "The fleet's name, which everything it manages carries; made from the bucket and the sub-folder by default",
        "^[a-z0-9]([a-z0-9.-]{0,78}[a-z0-9])?$",
    );
    table("The fleet itself", &[], [("name", name)])
}

fn hub() -> Value {
    let absent = Lifecycle::default();
    let days = |text: &str, default: Option<u32>| {
        let mut value = described(text, &json!({ "type": "integer", "minimum": 1 }));
        if let Some(days) = default {
            value["default"] = days.into();
        }
        value
    };
    let encryption = pattern(
        "`sse-s3`, or the ARN of a customer managed KMS key in the hub's region; an existing encryption is kept where it is left out, \
         and a new bucket gets `sse-s3`",
        "^(sse-s3|arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$",
    );
    table(
        "The account and the bucket that all logs go to",
        &["account", "region", "bucket"],
        [
            ("account", account("The account that owns the bucket")),
            ("region", described("The bucket's region; the partition follows from it", &region())),
            (
                "bucket",
                pattern("The bucket; made when it does not exist", "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
            ),
            (
                "prefix",
                pattern(
                    "A sub-folder under which `AWSLogs/` lies",
                    "^[a-zA-Z0-9!_.'()-]+(/[a-zA-Z0-9!_.'()-]+)*/?$",
                ),
            ),
            (
                "retention-days",
                json!({
                    "description": "Objects expire after this many days, or never; if it is not set, after 90 days in a bucket \
                     that flowagg creates, while an existing bucket keeps what it has",
                    "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": Retention::FOREVER }],
                }),
            ),
            (
                "transition",
                table(
                    "A move to a cheaper storage class before",
                    &["days", "storage-class"],
                    [
                        (
                            "days",
                            described("After this many days", &json!({ "type": "integer", "minimum": 0 })),
                        ),
                        (
                            "storage-class",
                            words("The class", StorageClass::ALL.map(StorageClass::as_str), None),
                        ),
                    ],
                ),
            ),
            (
                "noncurrent-days",
                days(
                    "In a versioned bucket: versions that are no longer current are deleted after this many days",
                    None,
                ),
            ),
            (
                "abort-uploads-days",
                days(
                    "The parts of unfinished uploads are deleted after this many days",
                    absent.abort_uploads_days,
                ),
            ),
            ("encryption", encryption),
            ("bucket-key", flag("With a KMS key: whether S3 uses a bucket key", true)),
            (
                "object-ownership",
                words(
                    "Whether an existing bucket gets `BucketOwnerEnforced`; by its ACL where it is left out",
                    ObjectOwnership::ALL.map(ObjectOwnership::as_str),
                    None,
                ),
            ),
            ("profile", text("The profile that every call starts from")),
            ("role", role("The role to take in the hub account when the caller is in another", false)),
        ],
    )
}

fn flow_logs() -> Value {
    let fields: Vec<&str> = Field::all().map(Field::as_str).collect();
    table(
        "What every flow log should be",
        &[],
        [
            (
                "traffic",
                words(
                    "Which traffic",
                    TrafficType::ALL.map(TrafficType::as_str),
                    Some(TrafficType::default().as_str()),
                ),
            ),
            (
                "aggregation-interval",
                words(
                    "How long a record gathers traffic at most",
                    AggregationInterval::ALL.map(AggregationInterval::as_str),
                    Some(AggregationInterval::default().as_str()),
                ),
            ),
            (
                "fields",
                described(
                    "The fields of a record, in order; AWS's default where it is left out",
                    &json!({ "type": "array", "items": { "enum": fields }, "minItems": 1, "uniqueItems": true }),
                ),
            ),
            (
                "file-format",
                words(
                    "How records are written",
                    FileFormat::ALL.map(FileFormat::as_str),
                    Some(FileFormat::default().as_str()),
                ),
            ),
            ("hive-compatible-partitions", flag("Folders such as `aws-region=eu-west-1/year=2026/`", false)),
            ("per-hour-partition", flag("A folder for each hour", false)),
            ("tags", tags("Tags on every flow log, besides those that mark the fleet")),
        ],
    )
}

fn policy() -> Value {
    table(
        "How the bucket policy grants delivery",
        &[],
        [
            (
                "form",
                words(
                    "How the policy names the accounts",
                    GrantForm::ALL.map(GrantForm::as_str),
                    Some(GrantForm::default().as_str()),
                ),
            ),
            ("source-conditions", flag("Test `aws:SourceAccount` on both statements", true)),
            ("source-arn", flag("Also test `aws:SourceArn`, which binds each account to its regions", false)),
            (
                "acl-condition",
                words(
                    "Whether the write must come with `bucket-owner-full-control`",
                    AclCondition::ALL.map(AclCondition::as_str),
                    Some(AclCondition::default().as_str()),
                ),
            ),
            ("list-bucket", flag("Also allow `s3:ListBucket`", false)),
            ("deny-insecure-transport", flag("Add a statement that denies access without TLS", false)),
        ],
    )
}

fn organization() -> Value {
    let lookup = table(
        "Who lists the accounts, where the caller cannot",
        &["account", "role"],
        [
            ("account", account("The management account or a delegated administrator")),
            ("role", role("The role to take there", false)),
        ],
    );
    let own = [
        ("id", pattern("The organization's id", "^o-[a-z0-9]{10,32}$")),
        ("regions", regions("The regions of each account that is found, or `[\"all\"]`")),
        ("units", list("Only accounts under these organizational units", &unit())),
        ("except-units", list("But not under these", &unit())),
        ("accounts", list("These accounts, whatever their unit", &account_id())),
        ("except-accounts", list("But not these", &account_id())),
        ("role", role("The role to take in each", true)),
        ("lookup", lookup),
    ];
    table("The organization, whose accounts can be looked up", &["id"], own.into_iter().chain(selection()))
}

fn member() -> Value {
    let own = [
        ("account", account("An account that is logged; the hub may be one")),
        ("name", text("What people call it")),
        ("regions", regions("The regions that are logged, or `[\"all\"]`")),
        ("role", role("The role to take in the account", true)),
    ];
    table("An account that is logged", &["account", "regions"], own.into_iter().chain(selection()))
}

/// What is logged in an account, by kind.
fn selection() -> impl Iterator<Item = (&'static str, Value)> {
    ResourceKind::ALL.into_iter().map(|kind| {
        let is_vpc = kind == ResourceKind::Vpc;
        let ids = json!({
            "type": "array",
            "items": { "type": "string", "pattern": format!("^{}([0-9a-f]{{8}}|[0-9a-f]{{17}})$", kind.prefix()) },
            "minItems": 1,
            "uniqueItems": true,
        });
        let mut rule = vec![
            ("tags", tags("Only those with all of these tags")),
            ("except", described("But not these", &ids)),
        ];
        if is_vpc {
            rule.push(("default-vpcs", flag("Whether default VPCs count", true)));
        }
        let choice = json!({
            "description": format!("Which {}s are logged", kind.noun()),
            "default": if is_vpc { "all" } else { "none" },
            "anyOf": [{ "enum": ["all", "none"] }, ids, table("A rule", &[], rule)],
        });
        (kind.key(), choice)
    })
}

fn table<'k>(
    description: &str,
    required: &[&str],
    keys: impl IntoIterator<Item = (&'k str, Value)>,
) -> Value {
    let properties: Map<String, Value> =
        keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut table = json!({
        "description": description,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = required.into();
    }
    table
}

fn described(description: &str, value: &Value) -> Value {
    let mut value = value.clone();
    value["description"] = description.into();
    value
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string", "minLength": 1 })
}

fn pattern(description: &str, pattern: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": pattern })
}

fn words<const N: usize>(description: &str, words: [&str; N], default: Option<&str>) -> Value {
    let mut value = json!({ "description": description, "enum": words.as_slice() });
    if let Some(word) = default {
        value["default"] = word.into();
    }
    value
}

fn flag(description: &str, default: bool) -> Value {
    json!({ "description": description, "type": "boolean", "default": default })
}

fn tags(description: &str) -> Value {
    json!({ "description": description, "type": "object", "additionalProperties": { "type": "string" } })
}

fn list(description: &str, of: &Value) -> Value {
    json!({ "description": description, "type": "array", "items": of, "minItems": 1, "uniqueItems": true })
}

fn account_id() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{12}$" })
}

fn account(description: &str) -> Value {
    described(description, &account_id())
}

fn unit() -> Value {
    json!({ "type": "string", "pattern": "^ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$" })
}

fn region() -> Value {
    json!({ "type": "string", "pattern": "^[a-z]+(-[a-z]+)+-[0-9]{1,2}$" })
}

fn regions(description: &str) -> Value {
    let one = json!({ "anyOf": [{ "const": "all" }, region()] });
    list(description, &one)
}

fn role(description: &str, has_default: bool) -> Value {
    let mut value = pattern(description, "^([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$");
    if has_default {
        value["default"] = RoleName::ORGANIZATION_ACCOUNT_ACCESS.into();
    }
    value
}
