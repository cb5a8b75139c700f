//! The JSON Schema of a fleet file, which editors use for completion and validation. The table of keys in `docs/reference.md`
//! is generated from it.

mod form;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use self::form::{
    Keys, account, account_id, days, described, flag, list, pattern, region, regions, role, table, tags,
    text, unit, words,
};
use super::{AclCondition, GrantForm, ObjectOwnership};
use crate::cost::{Prices, Usd};
use crate::flow_log::{AggregationInterval, Field, FieldSet, FileFormat, ForeignFlowLogs, TrafficType};
use crate::id::ResourceKind;
use crate::lifecycle::{Lifecycle, Retention, StorageClass};

/// The JSON Schema (draft 2020-12) of `flowagg.toml`.
///
/// It covers every key and the form of every value. Errors that involve two keys, such as a region of another partition or a
/// duplicate account, are only reported by [`FleetFile::parse`](super::FleetFile::parse).
pub fn schema() -> Value {
    let tables = tables().into_iter().map(|(table, keys)| {
        let list = |description: &str, keys: Keys| {
            json!({ "description": description, "type": "array", "items": keys.schema() })
        };
        let schema = match table {
            MEMBERS => list("The accounts whose VPCs are logged", keys),
            EXCEPTIONS => list("Findings that are accepted until a given day", keys),
            _ => keys.schema(),
        };
        (table.to_owned(), schema)
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flowagg.toml",
        "description": "Delivers the VPC Flow Logs of many AWS accounts to one S3 bucket",
        "type": "object",
        "properties": tables.collect::<Map<_, _>>(),
        "required": ["hub"],
        "additionalProperties": false,
    })
}

/// The tables that a file can contain several times.
const MEMBERS: &str = "members";
const EXCEPTIONS: &str = "exceptions";

/// Every table of a fleet file.
fn tables() -> [(&'static str, Keys); 8] {
    [
        ("fleet", fleet()),
        ("hub", hub()),
        ("flow-logs", flow_logs()),
        ("policy", policy()),
        ("prices", prices()),
        ("organization", organization()),
        (MEMBERS, member()),
        (EXCEPTIONS, exception()),
    ]
}

fn fleet() -> Keys {
    let name = pattern(
        "The fleet's name: up to 80 lowercase letters, digits, `.` and `-`. Flow logs, policy statements and \
         lifecycle rules of the fleet carry this name, which proves that flowagg manages them. The default is the name of the bucket, followed by a hash of `hub.prefix` if \
         that is set",
        "^[a-z0-9]([a-z0-9.-]{0,78}[a-z0-9])?$",
    );
    let read_role = role(
        "The role that `plan`, `verify`, `report` and `query` assume in every account instead of its `role`. `flowagg export iam` writes a \
         template for it with read-only permissions",
        false,
    );
    let external_id = pattern(
        "The external ID that is sent whenever a role is assumed. The roles of `flowagg export iam` require it",
        "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
    );
    let keys = vec![("name", name), ("read-role", read_role), ("external-id", external_id)];
    Keys { description: "Settings of the fleet as a whole", required: &[], keys }
}

fn hub() -> Keys {
    let retention = json!({
        "description": "The number of days after which objects expire, or `\"forever\"`. By default, objects expire after 90 days \
         in a bucket that flowagg creates, and an existing bucket keeps its lifecycle rules. Shortening the expiration of an \
         existing bucket requires `--allow-expiry`",
        "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": Retention::FOREVER }],
    });
    let transition = table(
        "A transition to a cheaper storage class before the expiration, e.g. `{ days = 30, storage-class = \"STANDARD_IA\" }`",
        &["days", "storage-class"],
        [
            ("days", days("The number of days after which objects move", 0, None)),
            ("storage-class", words("The storage class", StorageClass::ALL.map(StorageClass::as_str), None)),
        ],
    );
    let encryption = pattern(
        "`\"sse-s3\"`, or the ARN of a customer managed KMS key in the hub's region. By default, an existing bucket keeps its \
         default encryption, and a new bucket gets `\"sse-s3\"`",
        "^(sse-s3|arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$",
    );
    let ownership = words(
        "Whether an existing bucket gets `BucketOwnerEnforced`, which disables ACLs. By default it does, unless the bucket ACL \
         grants access to anyone but the owner or cannot be read",
        ObjectOwnership::ALL.map(ObjectOwnership::as_str),
        None,
    );
    let keys = vec![
        ("account", account("The account that owns the bucket")),
        (
            "region",
            described(
                "The region of the bucket, which also determines the partition (`aws`, `aws-cn`, `aws-us-gov`)",
                &region(),
            ),
        ),
        (
            "bucket",
            pattern(
                "The name of the bucket, which is created if it does not exist",
                "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            ),
        ),
        (
            "prefix",
            pattern(
                "The folder that contains `AWSLogs/`; the name `AWSLogs` itself is reserved",
                "^[a-zA-Z0-9!_.'()-]+(/[a-zA-Z0-9!_.'()-]+)*/?$",
            ),
        ),
        ("retention-days", retention),
        ("transition", transition),
        (
            "noncurrent-days",
            days(
                "In a versioned bucket, the number of days after which noncurrent versions are deleted",
                1,
                None,
            ),
        ),
        (
            "abort-uploads-days",
            days(
                "The number of days after which incomplete multipart uploads are aborted",
                1,
                Lifecycle::default().abort_uploads_days,
            ),
        ),
        ("encryption", encryption),
        (
            "bucket-key",
            flag(
                "With a KMS key, whether S3 uses a bucket key, which avoids a KMS call for each object",
                true,
            ),
        ),
        ("object-ownership", ownership),
        ("profile", text("The AWS profile for all calls")),
        ("role", role("The role to assume in the hub account if the caller is in another account", false)),
    ];
    Keys {
        description: "The account and the bucket that all logs go to",
        required: &["account", "region", "bucket"],
        keys,
    }
}

fn flow_logs() -> Keys {
    let fields: Vec<&str> = Field::all().map(Field::as_str).collect();
    let fields = described(
        "The fields of a record: `\"default\"` (AWS's default format), `\"cost\"` or `\"security\"` (the fields that these questions \
         of `flowagg query` need), `\"all\"`, or an ordered list, e.g. `[\"version\", \"vpc-id\", \"srcaddr\"]`. All fields of \
         versions 2 to 11 are supported, except those of tags",
        &json!({
            "anyOf": [
                { "enum": FieldSet::ALL.map(FieldSet::as_str) },
                { "type": "array", "items": { "enum": fields }, "minItems": 1, "uniqueItems": true }
            ],
            "default": FieldSet::Default.as_str()
        }),
    );
    let keys = vec![
        (
            "traffic",
            words(
                "The traffic to log",
                TrafficType::ALL.map(TrafficType::as_str),
                Some(TrafficType::default().as_str()),
            ),
        ),
        (
            "aggregation-interval",
            words(
                "The maximum aggregation interval, which is the longest time that one record covers",
                AggregationInterval::ALL.map(AggregationInterval::as_str),
                Some(AggregationInterval::default().as_str()),
            ),
        ),
        ("fields", fields),
        (
            "file-format",
            words(
                "The format of the log files",
                FileFormat::ALL.map(FileFormat::as_str),
                Some(FileFormat::default().as_str()),
            ),
        ),
        (
            "hive-compatible-partitions",
            flag("Use Hive-compatible folder names such as `aws-region=eu-west-1/year=2026/`", false),
        ),
        ("per-hour-partition", flag("Use one folder per hour instead of one per day", false)),
        (
            "tags",
            tags(
                "Tags for every flow log, in addition to `managed-by = flowagg` and `flowagg:fleet`, which contains the fleet's name",
            ),
        ),
        (
            "foreign",
            words(
                "How foreign flow logs to this bucket and prefix are treated. `covers`: one that delivers at least the declared \
                 traffic counts as the flow log of its resource, and flowagg does not create another. `differs`: every one counts, \
                 and one that differs from the fleet file is a finding. `ignore`: none counts",
                ForeignFlowLogs::ALL.map(ForeignFlowLogs::as_str),
                Some(ForeignFlowLogs::default().as_str()),
            ),
        ),
    ];
    Keys { description: "The settings of every flow log", required: &[], keys }
}

fn policy() -> Keys {
    let keys = vec![
        (
            "form",
            words(
                "How the policy names the accounts",
                GrantForm::ALL.map(GrantForm::as_str),
                Some(GrantForm::default().as_str()),
            ),
        ),
        (
            "source-conditions",
            flag(
                "Check `aws:SourceAccount` in both statements; `false` writes the two statements of AWS's older documentation",
                true,
            ),
        ),
        (
            "source-arn",
            flag("Also test `aws:SourceArn`, which limits each account to its declared regions", false),
        ),
        (
            "acl-condition",
            words(
                "Whether a write must set the ACL `bucket-owner-full-control`",
                AclCondition::ALL.map(AclCondition::as_str),
                Some(AclCondition::default().as_str()),
            ),
        ),
        (
            "list-bucket",
            flag("Also allow `s3:ListBucket`, which avoids some `AccessDenied` entries in CloudTrail", false),
        ),
        ("deny-insecure-transport", flag("Add a statement that denies access without TLS", false)),
    ];
    Keys { description: "How the bucket policy grants delivery", required: &[], keys }
}

fn prices() -> Keys {
    let price = |description: &str, listed: Usd| {
        let listed: f64 = listed.exact().parse().unwrap_or_default();
        json!({ "description": description, "type": "number", "minimum": 0, "default": listed })
    };
    let listed = Prices::default();
    let keys = vec![
        (
            "delivery-per-gb",
            price("USD per GB of delivered records, before compression", listed.delivery_per_gb),
        ),
        ("storage-per-gb-month", price("USD per GB and month of storage", listed.storage_per_gb_month)),
        ("compression", days("The compression ratio of stored records", 1, Some(listed.compression))),
    ];
    Keys {
        description: "The prices for the cost estimates of `report`. The defaults are list prices of us-east-1 in 2025",
        required: &[],
        keys,
    }
}

fn organization() -> Keys {
    let lookup = table(
        "The role that lists the accounts of the organization, if the caller is not allowed to list them, e.g. `{ account = \"…\", role = \"…\" }`",
        &["account", "role"],
        [
            ("account", account("The management account or a delegated administrator")),
            ("role", role("The role to assume in that account", false)),
        ],
    );
    let mut keys = vec![
        (
            "id",
            pattern(
                "The ID of the organization, which the `organization` forms of the policy test",
                "^o-[a-z0-9]{10,32}$",
            ),
        ),
        (
            "regions",
            regions(
                "The regions to log in each account, or `[\"all\"]`. With this key, the accounts of the organization are looked up and become members",
            ),
        ),
        ("units", list("Include only accounts under these organizational units, at any depth", &unit())),
        ("except-units", list("Exclude the accounts under these organizational units", &unit())),
        ("accounts", list("Include these accounts of any unit; without `units`, only these", &account_id())),
        ("except-accounts", list("Exclude these accounts", &account_id())),
        ("role", role("The name of the role to assume in each account", true)),
        ("lookup", lookup),
    ];
    keys.extend(selection());
    Keys { description: "The organization of the accounts", required: &["id"], keys }
}

fn member() -> Keys {
    let mut keys = vec![
        (
            "account",
            account(
                "The account to log, which may be the hub account. These settings replace those of `organization` for this account",
            ),
        ),
        ("name", text("The display name of the account")),
        (
            "regions",
            regions("The regions to log, or `[\"all\"]` for all regions that are enabled in the account"),
        ),
        ("role", role("The name of the role to assume in the account", true)),
    ];
    keys.extend(selection());
    Keys { description: "An account whose VPCs are logged", required: &["account", "regions"], keys }
}

fn exception() -> Keys {
    let day = json!({
        "description": "The last day (UTC) on which the findings are accepted, at most 400 days ahead",
        "type": "string",
        "format": "date",
    });
    let vpc =
        pattern("Only this VPC, with its subnets and network interfaces", "^vpc-([0-9a-f]{8}|[0-9a-f]{17})$");
    let keys = vec![
        ("account", account("Only in this account")),
        ("unit", described("Only in accounts under this organizational unit, at any depth", &unit())),
        ("region", described("Only in this region", &region())),
        ("vpc", vpc),
        ("reason", text("Why the findings are accepted")),
        ("until", day),
    ];
    Keys {
        description: "Findings of `verify` and `report` that are accepted until a given day. At least one of `account`, `unit`, \
                      `region` and `vpc` is required, and a finding must match all that are set",
        required: &["reason", "until"],
        keys,
    }
}

/// The resources to log in an account, by kind.
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
            ("tags", tags("Only resources with all of these tags")),
            ("except", described("All resources except these", &ids)),
        ];
        if is_vpc {
            rule.push(("default-vpcs", flag("Whether default VPCs are included", true)));
        }
        let note = match kind {
            ResourceKind::Vpc => "VPCs that another account shares are skipped: only their owner can log them",
            ResourceKind::TransitGateway => "Shared transit gateways are skipped: only their owner can log them",
            _ => "Parts of a logged resource are not logged again",
        };
        let choice = json!({
            "description": format!("The {}s to log: `\"all\"`, `\"none\"`, a list of IDs, or a table such as `{{ tags = {{ logged = \"yes\" }} }}`. {note}", kind.noun()),
            "default": if is_vpc { "all" } else { "none" },
            "anyOf": [{ "enum": ["all", "none"] }, ids, table("A rule", &[], rule)],
        });
        (kind.key(), choice)
    })
}
