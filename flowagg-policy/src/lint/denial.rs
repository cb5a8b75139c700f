//! Checks of Deny statements that block log delivery, and of Deny statements for plain HTTP that do not work.
//!
//! Each Deny is evaluated as a policy with no other statement, against the requests that the delivery service would
//! send.

use std::collections::BTreeSet;

use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};
use flowagg_core::near::distance;

use super::subject::{Condition, Statement, Subject};
use super::{Check, Report, Severity, shown};
use crate::evaluate::{DecisionKind, Policy, Request};
use crate::json;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "deny-blocks-delivery-vpce",
        severity: Severity::Error,
        help: EXEMPT,
        find: |subject, report| blocks(subject, report, Reason::Endpoint),
    },
    Check {
        id: "deny-blocks-delivery-source-ip",
        severity: Severity::Error,
        help: EXEMPT,
        find: |subject, report| blocks(subject, report, Reason::Address),
    },
    Check {
        id: "deny-blocks-delivery-encryption-header",
        severity: Severity::Error,
        help: EXEMPT_FROM_HEADER,
        find: |subject, report| blocks(subject, report, Reason::Encryption),
    },
    Check {
        id: "deny-blocks-delivery-no-service-exemption",
        severity: Severity::Error,
        help: EXEMPT,
        find: |subject, report| blocks(subject, report, Reason::Identity),
    },
    Check {
        id: "deny-blocks-delivery",
        severity: Severity::Error,
        help: EXEMPT,
        find: |subject, report| blocks(subject, report, Reason::Other),
    },
    Check {
        id: "tls-deny-inverted",
        severity: Severity::Error,
        help: "deny requests if `aws:SecureTransport` is `false`",
        find: inverted,
    },
    Check {
        id: "tls-deny-misspelt",
        severity: Severity::Error,
        help: "write `\"Bool\": {\"aws:SecureTransport\": \"false\"}`",
        find: misspelt,
    },
    Check {
        id: "tls-deny-incomplete",
        severity: Severity::Warning,
        help: "deny `s3:*` on both the bucket and its objects",
        find: incomplete,
    },
];

const EXEMPT: &str = "add `\"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"}` to the condition";
const EXEMPT_FROM_HEADER: &str = "add `\"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"}` to the condition, and set the bucket's \
    default encryption to what the statement requires: log delivery sends no encryption header";
/// For a statement that is meant for services: exempting all services would disable it.
const EXEMPT_DELIVERY: &str = "add `\"StringNotEqualsIfExists\": {\"aws:PrincipalServiceName\": \"delivery.logs.amazonaws.com\"}` to the condition";
const EXEMPT_SOURCES: &str = "add the accounts that own the flow logs, or their organization, to the sources that the condition exempts";
const NOT_MEANT: &str =
    "if the statement should not block flow logs, narrow its actions, resources or condition";

/// Help that lets flow logs through a Deny and keeps everything else that it denies; `None` for the help of the check.
fn exemption(statement: &Statement<'_>) -> Option<&'static str> {
    let on = |names: &str| {
        statement.conditions.iter().any(|condition| super::names::has(names, &condition.key_name))
    };
    let exempts_sources = statement.conditions.iter().any(|condition| {
        condition.is_of_source() && condition.operator.is_some_and(|operator| operator.negated)
    });
    if exempts_sources {
        Some(EXEMPT_SOURCES)
    } else if statement.names_delivery() || statement.conditions.iter().any(Condition::is_of_source) {
        Some(NOT_MEANT)
    } else if on("aws:principalisawsservice aws:principalservicename aws:principalservicenameslist") {
        Some(EXEMPT_DELIVERY)
    } else {
        None
    }
}

/// Why a Deny blocks delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Endpoint,
    Address,
    Encryption,
    Identity,
    Other,
}

impl Reason {
    fn of(statement: &Statement<'_>) -> Self {
        let has = |names: &str| {
            statement.conditions.iter().any(|condition| super::names::has(names, &condition.key_name))
        };
        if has("aws:sourcevpce aws:sourcevpc aws:vpcsourceip aws:vpceaccount aws:vpceorgid aws:vpceorgpaths")
        {
            Self::Endpoint
        } else if has("aws:sourceip") {
            Self::Address
        } else if has(
            "s3:x-amz-server-side-encryption s3:x-amz-server-side-encryption-aws-kms-key-id s3:x-amz-server-side-encryption-customer-algorithm",
        ) {
            Self::Encryption
        } else if has(
            "aws:principalorgid aws:principalorgpaths aws:principalarn aws:principalaccount aws:userid aws:username aws:principaltype aws:principalisawsservice aws:multifactorauthpresent aws:multifactorauthage",
        ) || statement
            .conditions
            .iter()
            .any(|condition| condition.key_name.starts_with("aws:principaltag/"))
            || statement.not_principal.is_some()
        {
            Self::Identity
        } else {
            Self::Other
        }
    }
}

/// Keys that every request has and whose values this crate does not know: a Deny on them is not checked.
const UNKNOWN: &str = "aws:resourceaccount aws:resourceorgid aws:resourceorgpaths s3:resourceaccount aws:requestedregion \
    aws:currenttime aws:epochtime aws:useragent s3:signatureage s3:x-amz-content-sha256 s3:objectcreationoperation";

fn is_tls(condition: &Condition<'_>) -> bool {
    condition.key_name == "aws:securetransport"
}

/// Whether a Deny that is meant for plain HTTP matches TLS requests instead.
fn is_inverted(statement: &Statement<'_>) -> bool {
    let inverted = |condition: &Condition<'_>| {
        let negated = condition.operator.is_some_and(|operator| operator.negated);
        let word = if negated { "false" } else { "true" };
        is_tls(condition)
            && !condition.values.is_empty()
            && condition.values.iter().all(|value| value.text.eq_ignore_ascii_case(word))
            && condition.operator.is_some_and(|operator| operator.family != crate::evaluate::Family::Null)
    };
    statement.conditions.iter().any(inverted)
}

fn blocks(subject: &Subject<'_>, report: &mut Report<'_>, reason: Reason) {
    let requests = requests(subject);
    // Findings of `tls-deny-inverted` and `tls-deny-misspelt` need a correction, not an exemption.
    let is_about_tls = |s: &Statement<'_>| is_inverted(s) || s.conditions.iter().any(is_misspelt);
    for statement in
        subject.statements.iter().filter(|s| s.denies() && Reason::of(s) == reason && !is_about_tls(s))
    {
        let unknown = |condition: &Condition<'_>| {
            super::names::has(UNKNOWN, &condition.key_name) || condition.key_name.contains("tag/")
        };
        if statement.conditions.iter().any(unknown) {
            continue;
        }
        let text = format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{}}}",
            json::part(subject.text, statement.node.span.clone())
        );
        let Ok(policy) = Policy::compile(&text) else { continue };
        if requests.iter().any(|request| policy.decide(request).kind == DecisionKind::ExplicitDeny) {
            let keys: Vec<String> =
                statement.conditions.iter().map(|condition| shown(condition.key.text)).collect();
            let why = match keys.as_slice() {
                [] => "it has no condition".to_owned(),
                keys => format!("the delivery service matches its condition on {}", keys.join(" and ")),
            };
            // Without a grant, there is no delivery to block yet.
            let granted = subject.grants().next().is_some();
            let verb = if granted { "blocks" } else { "would block" };
            let message = format!("the statement {verb} log delivery: {why}");
            let added = report.add(Some(statement), statement.node.span.start, message);
            let added = if granted { added } else { added.severity(Severity::Warning) };
            if let Some(help) = exemption(statement) {
                added.help(help);
            }
        }
    }
}

fn own_folder(account: AccountId) -> (AccountId, String) {
    (account, format!("AWSLogs/{account}/"))
}

/// Returns the requests that the delivery service would send for the accounts that the policy allows, or for one
/// account if it lists none.
fn requests(subject: &Subject<'_>) -> Vec<Request> {
    const MOST: usize = 64;
    let mut puts: BTreeSet<(AccountId, String)> = BTreeSet::new();
    for statement in subject.writes().filter(|statement| !statement.is_for_delivery_sources()) {
        let listed = statement.source_accounts();
        let folders = statement.folder_accounts();
        for item in listed.iter().chain(&folders).take(MOST) {
            let Ok(account) = AccountId::parse(item.text) else { continue };
            let own = statement.resources.iter().find_map(|resource| {
                let (_, key) = resource.text.splitn(6, ':').nth(5)?.split_once('/')?;
                let folder = key.trim_end_matches('*');
                (folder.contains(item.text) || !folder.contains(|c: char| c.is_ascii_digit()))
                    .then(|| folder.to_owned())
            });
            let folder = own
                .filter(|folder| folder.contains(item.text))
                .unwrap_or_else(|| format!("AWSLogs/{account}/"));
            puts.insert((account, folder));
        }
    }
    if puts.is_empty() {
        // If the grant lists none, use the accounts that a Deny exempts.
        let spared = subject.statements.iter().flat_map(|statement| statement.on("aws:sourceaccount"));
        let spared = spared.flat_map(|condition| &condition.values).take(MOST);
        puts.extend(spared.filter_map(|item| AccountId::parse(item.text).ok()).map(own_folder));
    }
    if puts.is_empty()
        && let Ok(account) = AccountId::parse("111122223333")
    {
        puts.insert(own_folder(account));
    }
    let bucket = BucketName::parse_in_policy(subject.bucket.as_deref().unwrap_or("bucket")).ok();
    let is_of = |partition: &str| subject.text.contains(&format!("arn:{partition}:s3"));
    let region = match () {
        () if is_of("aws-cn") => "cn-north-1",
        () if is_of("aws-us-gov") => "us-gov-west-1",
        () => "us-east-1",
    };
    let (Some(bucket), Ok(region)) = (bucket, Region::parse(region)) else { return Vec::new() };
    let organization = organization(subject);
    let belonging = |request: Request| match &organization {
        Some((id, path)) => request.in_organization(id, path),
        None => request,
    };
    let mut requests = Vec::new();
    for (account, folder) in puts {
        let key = format!(
            "{folder}vpcflowlogs/{region}/2026/01/02/{account}_vpcflowlogs_{region}_fl-1234abcd_20260102T0000Z_fe123456.log.gz"
        );
        requests.push(belonging(Request::put_object(&bucket, account, &region, &key)));
        requests.push(belonging(Request::acl_check(&bucket, account, &region)));
    }
    requests
}

/// Returns an organization that the policy allows, or else one that a Deny exempts, and a path in it.
fn organization(subject: &Subject<'_>) -> Option<(OrganizationId, String)> {
    let named = |positive: bool| {
        let conditions = subject.statements.iter().flat_map(|statement| &statement.conditions);
        let of_source = |condition: &&Condition<'_>| {
            matches!(condition.key_name.as_str(), "aws:sourceorgid" | "aws:sourceorgpaths")
                && condition.is_positive() == positive
        };
        conditions.filter(of_source).flat_map(|condition| &condition.values).find_map(|value| {
            let id = OrganizationId::parse(value.text.split('/').next()?).ok()?;
            let path = value.text.replace("/*/", "/r-ab12/");
            let path = path.trim_end_matches('*');
            let path = if path.contains('/') { path.to_owned() } else { format!("{id}/r-ab12/") };
            Some((id, path))
        })
    };
    named(true).or_else(|| named(false))
}

fn inverted(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.denies() && is_inverted(s)) {
        let at = statement
            .conditions
            .iter()
            .find(|condition| is_tls(condition))
            .map_or(statement.node.span.start, |c| c.key.at);
        report.add(Some(statement), at, "the statement denies requests over TLS instead of plain HTTP");
    }
    for statement in subject.statements.iter().filter(|s| s.allows()) {
        for condition in statement.conditions.iter().filter(|condition| is_tls(condition)) {
            if condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"))
                && condition.is_positive()
            {
                report
                    .add(Some(statement), condition.key.at, "the statement only allows plain HTTP")
                    .help("allow requests if `aws:SecureTransport` is `true`");
            }
        }
    }
}

/// Whether a key looks like a misspelling of `aws:SecureTransport`.
fn is_misspelt(condition: &Condition<'_>) -> bool {
    let key = condition.key_name.as_str();
    let name = key.split_once(':').map_or(key, |(_, name)| name);
    let near =
        distance(name, "securetransport") <= 3 || ["ssl", "https", "tls", "securetransport"].contains(&name);
    near && !is_tls(condition)
}

fn misspelt(subject: &Subject<'_>, report: &mut Report<'_>) {
    for statement in subject.statements.iter().filter(|s| s.denies()) {
        for condition in &statement.conditions {
            if is_misspelt(condition) {
                report.add(
                    Some(statement),
                    condition.key.at,
                    format!(
                        "unknown condition key {}, so plain HTTP is not denied",
                        shown(condition.key.text)
                    ),
                );
            }
            let typo = |text: &str| !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false");
            if let Some(value) = condition.values.iter().find(|value| is_tls(condition) && typo(value.text)) {
                report.add(
                    Some(statement),
                    value.at,
                    format!(
                        "the value of `aws:SecureTransport` is never {}, so plain HTTP is not denied",
                        shown(value.text)
                    ),
                );
            }
        }
    }
}

fn incomplete(subject: &Subject<'_>, report: &mut Report<'_>) {
    let tls: Vec<_> = subject
        .statements
        .iter()
        .filter(|s| s.denies() && s.conditions.iter().any(is_tls) && !is_inverted(s))
        .collect();
    let covers = |action: &str, objects: bool| {
        tls.iter().any(|statement| {
            let arn = |text: &str| {
                super::subject::S3Arn::parse(text)
                    .is_some_and(|arn| if objects { arn.is_of_objects() } else { arn.is_of_bucket() })
            };
            statement.does(action)
                && statement.resources.iter().any(|item| item.text == "*" || arn(item.text))
        })
    };
    if let Some(first) = tls.first().filter(|statement| !statement.resources.is_empty()) {
        for (action, objects, what) in [
            ("s3:getobject", true, "objects"),
            ("s3:putobject", true, "objects"),
            ("s3:listbucket", false, "the bucket"),
        ] {
            if !covers(action, objects) {
                report.add(
                    Some(first),
                    first.node.span.start,
                    format!("`{action}` on {what} is still allowed over plain HTTP"),
                );
                break;
            }
        }
    }
}
