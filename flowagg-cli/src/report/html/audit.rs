//! The section for auditors: scope, exclusions with their reasons, retention, encryption, and the creator of the report.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use flowagg_core::arrival::State;
use flowagg_core::fleet::Exclusion;
use flowagg_core::observed::BucketEncryption;

use super::super::words::{count, counted};
use super::super::{AccountReport, Report};
use super::text::{Escaped, Text};

/// The controls that require flow logs, each with the version of its benchmark.
///
/// Source: "Security Hub controls for Amazon EC2", EC2.6 (AWS Security Hub User Guide), which lists the related CIS requirements.
const CONTROLS: &str = "CIS AWS Foundations Benchmark 3.7 (v5.0.0 and v3.0.0), 3.9 (v1.4.0) and 2.9 (v1.2.0); AWS Security Hub EC2.6. \
    These controls apply to every VPC; this report covers the resources that the fleet file selects.";

pub(super) fn audit(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<section aria-labelledby=\"h-audit\" id=\"audit\">\n<h2 id=\"h-audit\">For auditors</h2>\n<dl class=\"facts\">"
    )?;
    let mut fact = |name: &str, text: &str| writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Text(text));
    fact("Scope", &scope(report))?;
    fact("Regions", &list(report.regions.iter()))?;
    let unknown = report.totals.account_regions.of(State::Unknown);
    let of = report.accounts.len() * report.regions.len();
    let unread =
        format!("{} of {} account-regions could not be read", count(unknown as u64), count(of as u64));
    fact("Not read", if unknown == 0 { "none: every account-region was read" } else { &unread })?;
    left_out(report, out)?;
    excluded_vpcs(report, out)?;
    exceptions(report, out)?;
    let mut fact = |name: &str, text: &str| writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Text(text));
    let expiry = report.expiry.as_ref().map(|expiry| format!("{expiry} (lifecycle rules of the bucket)"));
    fact(
        "Retention",
        expiry.as_deref().unwrap_or("unknown: the bucket was not read, or a bucket change is pending"),
    )?;
    let encryption = report.encryption.as_ref().map(encryption);
    fact(
        "Encryption",
        encryption.as_deref().unwrap_or("unknown: the bucket was not read, or it has no default encryption"),
    )?;
    let caller = &report.made_by;
    let by = match (&caller.arn, caller.account) {
        (Some(arn), _) => Some(arn.clone()),
        (None, Some(account)) => Some(format!("a caller in {account}")),
        (None, None) => None,
    };
    fact("Created by", by.as_deref().unwrap_or("unknown"))?;
    let made = report.made.strftime("%Y-%m-%d %H:%M:%S UTC");
    fact("Created", &format!("{made}, with flowagg {}", caller.version))?;
    fact("Related controls", CONTROLS)?;
    writeln!(
        out,
        "</dl>\n<p class=\"csv\"><button type=\"button\" id=\"csv\" hidden>Download all resources (CSV)</button></p>\n</section>"
    )
}

fn list(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn scope(report: &Report) -> String {
    let left_out = report.accounts.iter().filter(|account| account.why.is_some()).count();
    let accounts = counted(report.accounts.len() - left_out, "account", "accounts");
    let regions = counted(report.regions.len(), "region", "regions");
    let resources = counted(report.totals.coverage.resources.of, "resource", "resources");
    let whole = if report.is_whole { "the whole fleet" } else { "a selected part of the fleet" };
    format!("{whole}: {resources} in {accounts} and {regions}")
}

/// Excluded accounts, each with the reason.
fn left_out(report: &Report, out: &mut String) -> fmt::Result {
    let left_out: Vec<(&AccountReport, &str)> =
        report.accounts.iter().filter_map(|account| Some((account, account.why.as_deref()?))).collect();
    let number = counted(left_out.len(), "account", "accounts");
    if left_out.is_empty() {
        return writeln!(out, "<dt>Excluded accounts</dt><dd>none</dd>");
    }
    writeln!(out, "<dt>Excluded accounts</dt><dd><details><summary>{number}</summary><ul>")?;
    for (AccountReport { account, name, .. }, why) in left_out {
        let name = name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        writeln!(out, "<li><code>{account}</code>{}: {}</li>", Escaped(&name), Text(why))?;
    }
    writeln!(out, "</ul></details></dd>")
}

/// How many VPCs are not part of the fleet, by the reason.
fn excluded_vpcs(report: &Report, out: &mut String) -> fmt::Result {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for vpc in report.accounts.iter().flat_map(|account| &account.excluded_vpcs) {
        let reason = match vpc.why {
            Exclusion::Shared { .. } => "shared by the account that owns it".to_owned(),
            why => why.to_string(),
        };
        *reasons.entry(reason).or_default() += 1;
    }
    if reasons.is_empty() {
        return writeln!(out, "<dt>Excluded VPCs</dt><dd>none</dd>");
    }
    writeln!(out, "<dt>Excluded VPCs</dt><dd><ul>")?;
    for (reason, number) in reasons {
        writeln!(out, "<li>{}: {}</li>", count(number), Text(&reason))?;
    }
    writeln!(out, "</ul></dd>")
}

/// The exceptions in the fleet file, each with its reason.
fn exceptions(report: &Report, out: &mut String) -> fmt::Result {
    if report.exceptions.is_empty() {
        return writeln!(out, "<dt>Exceptions</dt><dd>none</dd>");
    }
    let number = counted(report.exceptions.len(), "exception", "exceptions");
    writeln!(out, "<dt>Exceptions</dt><dd><details><summary>{number}</summary><ul>")?;
    for used in &report.exceptions {
        let (exception, ended) = (&used.exception, if used.is_expired { " (expired)" } else { "" });
        let text = format!("{exception}, until {}{ended}: {}", exception.until, exception.reason);
        writeln!(out, "<li>{}</li>", Escaped(&text))?;
    }
    writeln!(out, "</ul></details></dd>")
}

/// Describes the default encryption of the bucket.
///
/// Source: "ServerSideEncryptionByDefault" (Amazon S3 API Reference).
fn encryption(encryption: &BucketEncryption) -> String {
    let BucketEncryption { algorithm, key, bucket_key, .. } = encryption;
    let key =
        key.as_deref().map_or("the AWS managed key `aws/s3`".to_owned(), |key| format!("the KMS key {key}"));
    let bucket_key = if *bucket_key { "with" } else { "without" };
    let kms = |name: &str| format!("{name} with {key}, {bucket_key} a bucket key (bucket default)");
    match algorithm.as_str() {
        "AES256" => "SSE-S3 (AES256, bucket default)".to_owned(),
        "aws:kms" => kms("SSE-KMS"),
        "aws:kms:dsse" => kms("DSSE-KMS"),
        other => kms(other),
    }
}
