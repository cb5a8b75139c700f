//! Checks of resources: ARNs, buckets and folders.
//!
//! Source: "IAM JSON policy elements: Resource" (IAM User Guide).

use flowagg_core::id::{AccountId, Partition};
use flowagg_core::layout;
use flowagg_core::near::distance;

use super::subject::{Item, S3Arn, Statement, Subject};
use super::{Check, Report, Severity, shown};
use crate::evaluate::{Glob, fits};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "malformed-arn",
        severity: Severity::Error,
        help: "a bucket is `arn:aws:s3:::bucket`, its objects are `arn:aws:s3:::bucket/folder/*`",
        find: malformed,
    },
    Check {
        id: "wrong-partition",
        severity: Severity::Error,
        help: "use the partition of the bucket's region: `aws`, `aws-cn` or `aws-us-gov`",
        find: wrong_partition,
    },
    Check {
        id: "another-bucket",
        severity: Severity::Error,
        help: "use the ARN of this bucket; a bucket policy cannot name other buckets",
        find: another_bucket,
    },
    Check {
        id: "whole-bucket-resource",
        severity: Severity::Warning,
        help: "use `/AWSLogs/<account>/*`, and the folders of any other prefixes that receive logs",
        find: whole_bucket,
    },
    Check {
        id: "variable-before-fifth-colon",
        severity: Severity::Error,
        help: "use variables only after the fifth colon",
        find: early_variable,
    },
    Check {
        id: "digit-prefix-wildcard",
        severity: Severity::Warning,
        help: "list each account in full",
        find: digit_prefix,
    },
    Check {
        id: "resource-without-wildcard",
        severity: Severity::Error,
        help: "append `/*` to the folder",
        find: no_wildcard,
    },
    Check {
        id: "misspelt-awslogs-folder",
        severity: Severity::Error,
        help: "use `AWSLogs/`, the case-sensitive folder that log delivery writes to",
        find: misspelt_folder,
    },
    Check {
        id: "redundant-resource",
        severity: Severity::Warning,
        help: "remove the duplicate or covered resource; it counts toward the limit of 20,480 bytes",
        find: redundant,
    },
];

/// The ARNs of `Resource` and `NotResource`.
fn all<'d>(statement: &Statement<'d>) -> Vec<Item<'d>> {
    let negated = statement.members.iter().filter(|member| member.key == "NotResource");
    let negated = negated.flat_map(|member| member.value.elements());
    let negated = negated.filter_map(|node| node.as_str().map(|text| Item { text, at: node.span.start }));
    statement.resources.iter().copied().chain(negated).collect()
}

fn malformed(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for item in all(statement) {
            let parts: Vec<&str> = item.text.splitn(6, ':').collect();
            let access_point = parts.last().is_some_and(|rest| rest.starts_with("accesspoint"));
            let why = match parts.as_slice() {
                _ if item.text == "*" => continue,
                ["arn", partition, ..]
                    if !partition.starts_with("aws") && !partition.contains(['*', '?', '$']) =>
                {
                    "unknown partition"
                }
                ["arn", _, service, ..] if !fits(service, "s3") && !service.starts_with("s3") => {
                    "not an S3 ARN"
                }
                ["arn", _, _, region, account, _]
                    if !(access_point || fits(region, "") && fits(account, "")) =>
                {
                    "bucket ARNs have no region and no account"
                }
                ["arn", _, _, _, _, ""] => "the bucket name is missing",
                ["arn", _, _, _, _, resource] if resource.starts_with('/') => "the bucket name is missing",
                ["arn", _, _, _, _, resource] if !access_point && has_odd_bucket(resource) => {
                    "invalid bucket name"
                }
                ["arn", _, _, _, _, _] => continue,
                ["arn", ..] => "an ARN has six parts; bucket ARNs have three colons after `s3`",
                _ => "not an ARN",
            };
            report.add(Some(statement), item.at, format!("{}: {why}", shown(item.text)));
        }
        for condition in statement.on("aws:sourcearn").filter(|condition| !condition.asks_presence()) {
            for value in condition.values.iter().filter(|value| value.text != "*") {
                let parts: Vec<&str> = value.text.splitn(6, ':').collect();
                if parts.len() < 6 || parts[0] != "arn" {
                    let message = format!(
                        "{}: an ARN has six parts, and each part is compared separately",
                        shown(value.text)
                    );
                    report.add(Some(statement), value.at, message);
                }
            }
        }
    }
}

/// Whether the bucket name contains characters that are never allowed. Old buckets have capitals and underscores.
fn has_odd_bucket(resource: &str) -> bool {
    let bucket = resource.split('/').next().unwrap_or_default();
    !bucket.contains('$')
        && !bucket.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*' | b'?'))
}

fn partition_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').next().filter(|partition| !partition.contains(['*', '?', '$']))
}

fn wrong_partition(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut arns: Vec<(&Statement<'_>, Item<'_>)> = Vec::new();
    for statement in &subject.statements {
        let values = statement.conditions.iter().flat_map(|condition| condition.values.iter().copied());
        let principals = statement.principals.iter().map(|(_, item)| *item);
        arns.extend(all(statement).into_iter().chain(principals).chain(values).map(|item| (statement, item)));
    }
    let known = |item: &Item<'_>| partition_of(item.text).and_then(|text| Partition::parse(text).ok());
    let count = |partition: Partition| arns.iter().filter(|(_, item)| known(item) == Some(partition)).count();
    // The first of the most frequent partitions. In a tie, regions show which one is right.
    let most = Partition::ALL.into_iter().rev().max_by_key(|partition| count(*partition));
    for (statement, item) in &arns {
        let Some(text) = partition_of(item.text) else { continue };
        let region =
            item.text.split(':').nth(3).and_then(|region| flowagg_core::id::Region::parse(region).ok());
        let why = match (Partition::parse(text), &region) {
            (Err(_), _) if text.starts_with("aws-iso") || text.starts_with("aws-eusc") => continue,
            (Err(_), _) => format!("unknown partition {}", shown(text)),
            (Ok(partition), Some(region)) if region.partition() != partition => {
                format!("region {region} is in partition `{}`, not `{partition}`", region.partition())
            }
            (Ok(partition), _) if Some(partition) != most => {
                format!("{} is in a different partition from the rest of the policy", shown(item.text))
            }
            _ => continue,
        };
        report.add(Some(statement), item.at, why);
    }
}

fn another_bucket(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(bucket) = &subject.bucket else { return };
    for statement in &subject.statements {
        for item in all(statement) {
            if let Some(arn) = S3Arn::parse(item.text)
                && !arn.bucket.contains("${")
                && !arn.bucket.is_empty()
                && !fits(arn.bucket, bucket)
                && !arn.bucket.starts_with("accesspoint")
            {
                report.add(
                    Some(statement),
                    item.at,
                    format!("{} is not in the bucket {}", shown(item.text), shown(bucket)),
                );
            }
        }
    }
}

/// Whether it covers all objects of a bucket.
pub(super) fn is_whole_bucket(item: &Item<'_>) -> bool {
    item.text == "*"
        || S3Arn::parse(item.text).is_some_and(|arn| {
            matches!(arn.key, Some("*" | "**")) || arn.is_of_objects() && arn.key.is_none()
        })
}

fn whole_bucket(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.writes() {
        for item in statement.resources.iter().filter(|item| is_whole_bucket(item)) {
            let bound = statement.is_bound_to_a_source() && item.text != "*";
            let severity = if bound { Severity::Note } else { Severity::Warning };
            let message = match statement.source_accounts().as_slice() {
                [only] => format!(
                    "{} allows logs of {} in every folder, not only in its own",
                    shown(item.text),
                    shown(only.text)
                ),
                _ => format!(
                    "{} allows logs of each account in every folder, not only in its own",
                    shown(item.text)
                ),
            };
            report.add(Some(statement), item.at, message).severity(severity);
        }
    }
}

fn early_variable(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in &subject.statements {
        for item in all(statement) {
            let Some((before, _)) = item.text.split_once("${") else { continue };
            if before.bytes().filter(|b| *b == b':').count() < 5 {
                report.add(
                    Some(statement),
                    item.at,
                    format!(
                        "{} has a variable in a position where AWS does not resolve it",
                        shown(item.text)
                    ),
                );
            }
        }
    }
}

/// Whether a text is the leading digits of an account ID followed by a wildcard.
fn is_cut_id(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    let wild = rest.starts_with(['*', '?']);
    (1..AccountId::DIGITS).contains(&digits)
        && wild
        && rest.bytes().all(|b| matches!(b, b'*' | b'?') || b.is_ascii_digit())
}

fn digit_prefix(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.allows()) {
        for item in &statement.resources {
            let Some((_, rest)) = item.text.split_once("/AWSLogs/") else { continue };
            let folder = rest.split('/').next().unwrap_or_default();
            if is_cut_id(layout::account_in(folder)) {
                let message = format!(
                    "{} matches the folder of every account whose ID starts with these digits",
                    shown(item.text)
                );
                report.add(Some(statement), item.at, message);
            }
        }
        for condition in statement
            .conditions
            .iter()
            .filter(|condition| condition.is_of_source() && condition.is_positive())
        {
            for value in &condition.values {
                let id = if condition.key_name == "aws:sourcearn" {
                    value.text.split(':').nth(4).unwrap_or_default()
                } else {
                    value.text
                };
                if is_cut_id(id) {
                    let message = format!(
                        "{} matches every account whose ID starts with these digits",
                        shown(value.text)
                    );
                    report.add(Some(statement), value.at, message);
                }
            }
        }
    }
}

fn no_wildcard(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.writes() {
        for item in &statement.resources {
            if S3Arn::parse(item.text).is_some_and(|arn| arn.key.is_some_and(|key| !key.contains(['*', '?'])))
            {
                report.add(
                    Some(statement),
                    item.at,
                    format!("{} matches a single object, not the objects of a folder", shown(item.text)),
                );
            }
        }
    }
}

fn misspelt_folder(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.writes() {
        for item in &statement.resources {
            let folders = item.text.split('/').skip(1);
            let near = |folder: &&str| distance(&folder.to_lowercase(), "awslogs") <= 1;
            if let Some(folder) =
                folders.clone().find(near).filter(|_| !folders.clone().any(|folder| folder == "AWSLogs"))
            {
                report.add(
                    Some(statement),
                    item.at,
                    format!("{} is not the folder that log delivery writes to", shown(folder)),
                );
            }
        }
    }
}

/// A statement with more resources cannot fit in a policy that S3 accepts, so they are not compared with each other.
const MOST_COMPARED: usize = 1_000;

fn redundant(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|statement| statement.resources.len() <= MOST_COMPARED)
    {
        // `whole-bucket-resource` recommends keeping the narrower one.
        let writes = statement.allows() && statement.names_delivery();
        let wild = statement
            .resources
            .iter()
            .filter(|item| item.text.contains(['*', '?']) && !item.text.contains("${"));
        let wild: Vec<(&Item<'_>, Glob)> = wild.map(|item| (item, Glob::plain(item.text))).collect();
        let mut seen = std::collections::BTreeSet::new();
        for item in &statement.resources {
            let covering = wild.iter().find(|(other, glob)| {
                other.text != item.text
                    && !(writes && is_whole_bucket(other))
                    && !(other.text.contains('?') && item.text.contains('*'))
                    && glob.matches_plain(item.text)
            });
            if !seen.insert(item.text) {
                report.add(Some(statement), item.at, format!("{} is listed twice", shown(item.text)));
            } else if let Some((other, _)) = covering {
                report.add(
                    Some(statement),
                    item.at,
                    format!("{} is covered by {}", shown(item.text), shown(other.text)),
                );
            }
        }
    }
}

/// Whether everything that matches the second pattern matches the first. A `?` could wrongly match a `*`, so such pairs
/// return false.
pub(super) fn covers(pattern: &str, other: &str) -> bool {
    !(pattern.contains('?') && other.contains('*')) && fits(pattern, other)
}
