//! The exports only use documented arguments, and contain every required one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::json;
use crate::fleet;

/// A block with its required and optional arguments. Arguments of nested blocks follow a dot; they are required if the nested block
/// exists.
type Page = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Meta-arguments of every resource.
///
/// Source: "Meta-arguments" (Terraform Language Documentation, 1.11).
const META: [&str; 5] = ["provider", "for_each", "depends_on", "lifecycle", "lifecycle.prevent_destroy"];

/// Pages of the AWS Provider Documentation, 6.37; comments have their titles. The page of `aws_flow_log` lists `traffic_type` as
/// required, but the provider does not require it for transit gateways, for which EC2 rejects it.
const PAGES: [Page; 12] = [
    // "Provider Configuration"
    (
        "provider.aws",
        &["assume_role.role_arn"],
        &["alias", "allowed_account_ids", "assume_role", "assume_role.session_name", "profile", "region"],
    ),
    // "Resource: aws_s3_bucket"
    ("resource.aws_s3_bucket", &[], &["bucket", "bucket_namespace", "force_destroy", "region", "tags"]),
    // "Resource: aws_s3_bucket_public_access_block"
    (
        "resource.aws_s3_bucket_public_access_block",
        &["bucket"],
        &[
            "block_public_acls",
            "block_public_policy",
            "ignore_public_acls",
            "region",
            "restrict_public_buckets",
            "skip_destroy",
        ],
    ),
    // "Resource: aws_s3_bucket_ownership_controls"
    ("resource.aws_s3_bucket_ownership_controls", &["bucket", "rule", "rule.object_ownership"], &["region"]),
    // "Resource: aws_s3_bucket_server_side_encryption_configuration"
    (
        "resource.aws_s3_bucket_server_side_encryption_configuration",
        &["bucket", "rule", "rule.apply_server_side_encryption_by_default.sse_algorithm"],
        &[
            "expected_bucket_owner",
            "region",
            "rule.apply_server_side_encryption_by_default",
            "rule.apply_server_side_encryption_by_default.kms_master_key_id",
            "rule.bucket_key_enabled",
        ],
    ),
    // "Resource: aws_s3_bucket_lifecycle_configuration"
    (
        "resource.aws_s3_bucket_lifecycle_configuration",
        &[
            "bucket",
            "rule",
            "rule.abort_incomplete_multipart_upload.days_after_initiation",
            "rule.id",
            "rule.status",
            "rule.transition.storage_class",
        ],
        &[
            "expected_bucket_owner",
            "region",
            "rule.abort_incomplete_multipart_upload",
            "rule.expiration",
            "rule.expiration.date",
            "rule.expiration.days",
            "rule.expiration.expired_object_delete_marker",
            "rule.filter",
            "rule.filter.object_size_greater_than",
            "rule.filter.object_size_less_than",
            "rule.filter.prefix",
            "rule.noncurrent_version_expiration",
            "rule.noncurrent_version_expiration.newer_noncurrent_versions",
            "rule.noncurrent_version_expiration.noncurrent_days",
            "rule.transition",
            "rule.transition.date",
            "rule.transition.days",
        ],
    ),
    // "Resource: aws_s3_bucket_policy"
    ("resource.aws_s3_bucket_policy", &["bucket", "policy"], &["region"]),
    // "Resource: aws_flow_log"
    (
        "resource.aws_flow_log",
        &[],
        &[
            "deliver_cross_account_role",
            "destination_options",
            "destination_options.file_format",
            "destination_options.hive_compatible_partitions",
            "destination_options.per_hour_partition",
            "eni_id",
            "iam_role_arn",
            "log_destination",
            "log_destination_type",
            "log_format",
            "max_aggregation_interval",
            "region",
            "subnet_id",
            "tags",
            "traffic_type",
            "transit_gateway_attachment_id",
            "transit_gateway_id",
            "vpc_id",
        ],
    ),
    // "Data Source: aws_vpcs"
    ("data.aws_vpcs", &["filter.name", "filter.values"], &["filter", "region", "tags"]),
    // "Data Source: aws_subnets"
    ("data.aws_subnets", &["filter.name", "filter.values"], &["filter", "region", "tags"]),
    // "Data Source: aws_network_interfaces"
    ("data.aws_network_interfaces", &["filter.name", "filter.values"], &["filter", "region", "tags"]),
    // "import block reference" (Terraform Language Documentation, 1.11)
    ("import", &["to", "id"], &["for_each", "provider"]),
];

/// Maps with user-defined keys.
const MAPS: [&str; 1] = ["tags"];

/// The paths of all arguments of a block and its nested blocks.
fn arguments(body: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, value) in body.as_object().unwrap_or_else(|| panic!("{path} is not a block: {body}")) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let blocks: Vec<&Value> = match value {
            Value::Array(all) => all.iter().filter(|one| one.is_object()).collect(),
            one => {
                [one].into_iter().filter(|one| one.is_object() && !MAPS.contains(&name.as_str())).collect()
            }
        };
        blocks.into_iter().for_each(|block| arguments(block, &path, found));
        found.insert(path);
    }
}

#[track_caller]
pub(super) fn are_documented(page: &str, body: &Value) {
    let (_, required, optional) =
        PAGES.iter().find(|(title, ..)| *title == page).unwrap_or_else(|| panic!("{page}"));
    let mut found = BTreeSet::new();
    arguments(body, "", &mut found);
    for argument in &found {
        let is_known = [required, optional].iter().any(|known| known.contains(&argument.as_str()));
        let is_meta = page != "provider.aws" && META.contains(&argument.as_str());
        assert!(is_known || is_meta, "{page} has no `{argument}`: {body}");
    }
    for argument in *required {
        let within = argument.rsplit_once('.').map(|(block, _)| block);
        let is_asked = within.is_none_or(|block| found.contains(block));
        assert!(!is_asked || found.contains(*argument), "{page} lacks `{argument}`: {body}");
    }
}

/// Every block in a file that `PAGES` contains, with its page.
pub(super) fn blocks(file: &Value) -> Vec<(String, &Value)> {
    let mut blocks = Vec::new();
    for (kind, content) in file.as_object().unwrap() {
        match kind.as_str() {
            "resource" | "data" => {
                for (r#type, named) in content.as_object().unwrap() {
                    blocks.extend(
                        named.as_object().unwrap().values().map(|body| (format!("{kind}.{type}"), body)),
                    );
                }
            }
            "provider" => {
                let all = &content["aws"];
                let all =
                    all.as_array().cloned().map_or(vec![all], |_| all.as_array().unwrap().iter().collect());
                blocks.extend(all.into_iter().map(|body| ("provider.aws".to_owned(), body)));
            }
            "import" => {
                let all = content.as_array().map_or(vec![content], |all| all.iter().collect());
                blocks.extend(all.into_iter().map(|body| ("import".to_owned(), body)));
            }
            "//" | "terraform" | "locals" => {}
            other => panic!("unexpected block: {other}"),
        }
    }
    blocks
}

#[test]
fn blocks_have_all_required_and_only_documented_arguments() {
    let mut pages = BTreeSet::new();
    for name in ["plain", "kms", "named", "china", "gov", "many", "rules"] {
        for file in ["providers", "hub", "policy", "flow-logs"] {
            let file = json(&fleet(name), None, file);
            for (page, body) in blocks(&file) {
                are_documented(&page, body);
                pages.insert(page);
            }
        }
    }
    let of_table: BTreeSet<String> = PAGES.iter().map(|(title, ..)| (*title).to_owned()).collect();
    let unseen: Vec<&String> = of_table.difference(&pages).collect();
    assert_eq!(unseen, ["import"], "every page is used by a fleet");
}

#[test]
fn flow_log_has_one_resource_and_traffic_type_except_for_transit_gateways() {
    let ids = ["vpc_id", "subnet_id", "eni_id", "transit_gateway_id"];
    let mut seen = BTreeSet::new();
    for name in ["plain", "kms", "rules"] {
        let file = json(&fleet(name), None, "flow-logs");
        for (_, body) in blocks(&file).into_iter().filter(|(page, _)| page == "resource.aws_flow_log") {
            let named: Vec<&str> = ids.into_iter().filter(|id| body.get(id).is_some()).collect();
            let [one] = named[..] else { panic!("{body}") };
            assert_eq!(body.get("traffic_type").is_none(), one == "transit_gateway_id", "{body}");
            assert_eq!(body[one], "${each.value}");
            seen.insert(one);
        }
    }
    assert_eq!(seen, BTreeSet::from(ids));
}
