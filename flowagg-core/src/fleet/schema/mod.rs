//! What a fleet file may hold, as a JSON Schema: editors complete and check it while it is written. The table of keys in
//! `docs/reference.md` is generated from the same keys.

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
/// It knows every key and the form of every value. What takes two keys to see (a region of another partition, an account
/// named twice) only [`FleetFile::parse`](super::FleetFile::parse) tells.
pub fn schema() -> Value {
    let tables = tables().into_iter().map(|(table, keys)| {
        let list = |description: &str, keys: Keys| {
            json!({ "description": description, "type": "array", "items": keys.schema() })
        };
        let schema = match table {
            MEMBERS => list("The accounts whose VPCs are logged", keys),
            EXCEPTIONS => list("Findings that are accepted until a day", keys),
            _ => keys.schema(),
        };
        (table.to_owned(), schema)
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flowagg.toml",
        "description": "The VPC Flow Logs of many AWS accounts in one S3 bucket",
        "type": "object",
        "properties": tables.collect::<Map<_, _>>(),
        "required": ["hub"],
        "additionalProperties": false,
    })
}

/// The tables of which a file has a list.
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
        "The fleet's name: lowercase letters, digits, `.` and `-`, up to 80. Everything that flowagg manages carries it, and \
         flowagg changes and deletes nothing else. If it is left out, the bucket's name, followed by a hash of `hub.prefix` if \
         that is set",
        "^[a-z0-9]([a-z0-9.-]{0,78}[a-z0-9])?$",
    );
    let read_role = role(
        "The role that `plan`, `verify` and `report` assume in every account, in place of its `role`. `flowagg export iam` writes \
         it, with permissions to read only",
        false,
    );
    let external_id = pattern(
        "The external id that is sent whenever a role is assumed, and that the roles of `flowagg export iam` require",
        "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
    );
    let keys = vec![("name", name), ("read-role", read_role), ("external-id", external_id)];
    Keys { description: "The fleet itself", required: &[], keys }
}

fn hub() -> Keys {
    let retention = json!({
        "description": "Flow logs expire after this many days, or never: `\"forever\"`. If it is left out, after 90 days in a \
         bucket that flowagg creates, while an existing bucket keeps its lifecycle rules. A shorter expiry of an existing bucket \
         needs `--allow-expiry`",
        "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": Retention::FOREVER }],
    });
    let transition = table(
        "A move to a cheaper storage class before the expiry, as in `{ days = 30, storage-class = \"STANDARD_IA\" }`",
        &["days", "storage-class"],
        [
            ("days", days("After this many days", 0, None)),
            ("storage-class", words("The class", StorageClass::ALL.map(StorageClass::as_str), None)),
        ],
    );
    let encryption = pattern(
        "`\"sse-s3\"`, or the ARN of a customer managed KMS key in the hub's region. If it is left out, an existing bucket keeps \
         its default encryption, and a new one gets `\"sse-s3\"`",
        "^(sse-s3|arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$",
    );
    let ownership = words(
        "Whether an existing bucket gets `BucketOwnerEnforced`, with which ACLs have no effect. If it is left out, it does unless \
         the bucket ACL grants something to anyone but the owner or cannot be read",
        ObjectOwnership::ALL.map(ObjectOwnership::as_str),
        None,
    );
    let keys = vec![
        ("account", account("The account that owns the bucket")),
        (
            "region",
            described(
                "The bucket's region; the partition (`aws`, `aws-cn`, `aws-us-gov`) follows from it",
                &region(),
            ),
        ),
        ("bucket", pattern("The bucket; created if it does not exist", "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")),
        (
            "prefix",
            pattern(
                "A sub-folder that contains `AWSLogs/`; `AWSLogs` itself is reserved",
                "^[a-zA-Z0-9!_.'()-]+(/[a-zA-Z0-9!_.'()-]+)*/?$",
            ),
        ),
        ("retention-days", retention),
        ("transition", transition),
        (
            "noncurrent-days",
            days(
                "In a versioned bucket: versions that are no longer current are deleted after this many days",
                1,
                None,
            ),
        ),
        (
            "abort-uploads-days",
            days(
                "The parts of unfinished uploads are deleted after this many days",
                1,
                Lifecycle::default().abort_uploads_days,
            ),
        ),
        ("encryption", encryption),
        (
            "bucket-key",
            flag(
                "With a KMS key: whether S3 uses a bucket key, which saves a call to KMS for each object",
                true,
            ),
        ),
        ("object-ownership", ownership),
        ("profile", text("The profile that every call starts from")),
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
        "The fields of a record: `\"default\"` (AWS's default format), `\"cost\"` or `\"security\"` (what these questions of \
         `flowagg query` need), `\"all\"`, or a list in order, as in `[\"version\", \"vpc-id\", \"srcaddr\"]`: all of versions 2 to \
         11, except those of tags",
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
                "The maximum time that a record covers",
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
        ("hive-compatible-partitions", flag("Folders such as `aws-region=eu-west-1/year=2026/`", false)),
        ("per-hour-partition", flag("A folder for each hour", false)),
        (
            "tags",
            tags(
                "Tags of every flow log, in addition to `managed-by = flowagg` and `flowagg:fleet`, which contains the fleet's name",
            ),
        ),
        (
            "foreign",
            words(
                "Flow logs of others to this bucket and folder. `covers`: one that delivers the declared traffic, or more, counts \
                 as the flow log of its resource, and flowagg creates none. `differs`: it counts, and one that is not as declared is \
                 a finding. `ignore`: it does not count",
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
                "Test `aws:SourceAccount` in both statements; `false` writes AWS's classic two statements",
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
                "Whether the write must have the ACL `bucket-owner-full-control`",
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
            price(
                "USD for the delivery of a GB of records, before they are compressed",
                listed.delivery_per_gb,
            ),
        ),
        (
            "storage-per-gb-month",
            price("USD for a GB that is stored for a month", listed.storage_per_gb_month),
        ),
        ("compression", days("How many bytes of records a stored byte has", 1, Some(listed.compression))),
    ];
    Keys {
        description: "What AWS charges, for the costs that `report` estimates. The defaults are list prices of us-east-1 in 2025",
        required: &[],
        keys,
    }
}

fn organization() -> Keys {
    let lookup = table(
        "The role that lists the accounts of the organization, if the caller may not, as in `{ account = \"…\", role = \"…\" }`",
        &["account", "role"],
        [
            ("account", account("The management account or a delegated administrator")),
            ("role", role("The role to assume there", false)),
        ],
    );
    let mut keys = vec![
        (
            "id",
            pattern(
                "The organization that the `organization` forms of the policy name",
                "^o-[a-z0-9]{10,32}$",
            ),
        ),
        (
            "regions",
            regions(
                "With this key, the accounts of the organization are looked up and become members; the regions of each, or `[\"all\"]`",
            ),
        ),
        ("units", list("Only accounts under these organizational units, at any depth", &unit())),
        ("except-units", list("Not the accounts under these organizational units", &unit())),
        ("accounts", list("These accounts, in any unit; without `units`, no others", &account_id())),
        ("except-accounts", list("Not these accounts", &account_id())),
        ("role", role("The role to assume in each account, by name", true)),
        ("lookup", lookup),
    ];
    keys.extend(selection());
    Keys { description: "The organization, whose accounts can be looked up", required: &["id"], keys }
}

fn member() -> Keys {
    let mut keys = vec![
        (
            "account",
            account(
                "An account that is logged; it may be the hub account. Its settings replace those of `organization` for it",
            ),
        ),
        ("name", text("The name of the account in output")),
        (
            "regions",
            regions("The regions that are logged, or `[\"all\"]`: those that are enabled in the account"),
        ),
        ("role", role("The role to assume in the account, by name", true)),
    ];
    keys.extend(selection());
    Keys { description: "An account that is logged", required: &["account", "regions"], keys }
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
        ("unit", described("Only in accounts that this organizational unit holds, at any depth", &unit())),
        ("region", described("Only in this region", &region())),
        ("vpc", vpc),
        ("reason", text("Why the findings are accepted")),
        ("until", day),
    ];
    Keys {
        description: "Findings of `verify` and `report` that are accepted until a day: those that match all of `account`, `unit`, \
                      `region` and `vpc` that it names, at least one of them",
        required: &["reason", "until"],
        keys,
    }
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
            ("except", described("All except these", &ids)),
        ];
        if is_vpc {
            rule.push(("default-vpcs", flag("Whether default VPCs are included", true)));
        }
        let note = if is_vpc {
            "VPCs that another account shares are left to their owner"
        } else {
            "What is part of a logged resource is not logged twice"
        };
        let choice = json!({
            "description": format!("Which {}s are logged: `\"all\"`, `\"none\"`, a list of ids, or a table such as `{{ tags = {{ logged = \"yes\" }} }}`. {note}", kind.noun()),
            "default": if is_vpc { "all" } else { "none" },
            "anyOf": [{ "enum": ["all", "none"] }, ids, table("A rule", &[], rule)],
        });
        (kind.key(), choice)
    })
}
