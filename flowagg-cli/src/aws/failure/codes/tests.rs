use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use flowagg_core::id::{AccountId, Place, Region};
use serde::Deserialize;
use snapbox::{Data, assert_data_eq, file};

use super::super::denial::{Effect, PolicyType};
use super::super::table::{Code, Only};
use super::*;
use crate::aws::call;

const START: &str = "<!-- generated from the error codes -->\n";
const END: &str = "<!-- end of the generated part -->\n";

fn of(row: &Row) -> String {
    let codes = row.codes.iter().map(|code| match code {
        Code::Is(whole) => format!("`{whole}`"),
        Code::Starts(start) => format!("`{start}…`"),
        Code::Ends(end) => format!("`…{end}`"),
        Code::Contains(part) => format!("`…{part}…`"),
    });
    let codes = if row.codes.is_empty() { "any code".to_owned() } else { Vec::from_iter(codes).join(", ") };
    let only = match row.only {
        Only::Any => String::new(),
        Only::At(call) => format!(" at `{}`", call.name),
        Only::Of(service) => format!(" for `{service}…` actions"),
    };
    let says =
        if row.says.is_empty() { String::new() } else { format!(", with *{}* in the message", row.says) };
    format!("{codes}{only}{says}")
}

/// A table of the page.
fn table(head: &str, rows: impl IntoIterator<Item = (String, &'static str)>) -> String {
    let mut table = format!("| {head} | what to do |\n|---|---|\n");
    for (of, help) in rows {
        let help = help.replace("{who}", "the role or user used in {account}");
        let help = help.replace("{account}", "the account").replace("{region}", "the region");
        let help = help.replace("{action}", "the action").replace("{bucket-region}", "another region");
        let find = "`aws organizations describe-policy --policy-id ID` prints the policy";
        let _ = writeln!(table, "| {of} | {} |", help.replace("{find}", find));
    }
    table
}

/// The rows for policy types, with AWS's names.
fn denials() -> Vec<(String, &'static str)> {
    let mut rows = Vec::new();
    for policy in PolicyType::ALL {
        let service = match policy {
            PolicyType::Bucket => ", from S3",
            PolicyType::Key => ", from KMS",
            _ => "",
        };
        match policy {
            PolicyType::PublicAccessBlock => {
                rows.push((format!("*{}*", policy.name()), policy.help(Effect::Denies)));
            }
            PolicyType::Unnamed => rows.push(("*explicit deny*".to_owned(), policy.help(Effect::Denies))),
            _ => {
                let name = policy.name();
                rows.push((format!("*explicit deny … {name}*{service}"), policy.help(Effect::Denies)));
                rows.push((format!("*because no {name} allows*{service}"), policy.help(Effect::AllowsNot)));
            }
        }
    }
    rows
}

#[test]
fn operations_page_lists_every_code_with_its_advice() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let mut page = fs::read_to_string(&file).unwrap();
    let parts = PARTS.iter().map(|part| {
        let rows = part.rows.iter().map(|row| (of(row), row.help));
        (part.title, table("code", rows))
    });
    for (title, table) in parts.chain([("Denied calls", table("AWS's message", denials()))]) {
        let start = format!("**{title}**\n\n{START}");
        let (before, rest) = page.split_once(&start).unwrap_or_else(|| panic!("missing part {title}"));
        let (_, after) = rest.split_once(END).unwrap();
        page = format!("{before}{start}{table}{END}{after}");
    }
    assert_eq!(page.matches(START).count(), PARTS.len() + 1);
    assert_data_eq!(page, Data::read_from(&file, None).raw());
}

fn text(code: &Code) -> &'static str {
    let (Code::Is(text) | Code::Starts(text) | Code::Ends(text) | Code::Contains(text)) = code;
    text
}

#[test]
fn no_row_shadows_another() {
    for wanted in PARTS.iter().flat_map(|part| part.rows) {
        let call = match wanted.only {
            Only::At(call) => call,
            Only::Of("organizations:") => call::LIST_ACCOUNTS,
            Only::Of("kms:") => call::DESCRIBE_KEY,
            Only::Of(_) => call::GET_POLICY,
            Only::Any => call::DESCRIBE_VPCS,
        };
        let codes: Vec<&str> = match wanted.codes {
            [] => vec!["400"],
            codes => Vec::from_iter(codes.iter().map(text)),
        };
        for code in codes {
            let found = row(call, code, wanted.says).map(|(_, row)| row.help);
            assert_eq!(found, Some(wanted.help), "{code}");
        }
    }
}

#[test]
fn only_temporary_errors_advise_a_plain_retry() {
    for part in PARTS.iter().filter(|part| part.title != "Temporary errors") {
        for row in part.rows {
            let starts = ["run the command again", "wait"].iter().any(|start| row.help.starts_with(start));
            assert!(!starts, "{}", row.help);
        }
    }
}

#[test]
fn explicit_deny_never_advises_allowing_the_action() {
    for policy in PolicyType::ALL {
        let help = policy.help(Effect::Denies);
        assert!(!help.contains("allow {action}") && !help.contains("allow the caller"), "{help}");
    }
}

/// An AWS error from a public recording.
///
/// Most are from cloud-custodian/cloud-custodian df800e9 (`tests/data/placebo`) and localstack/localstack 8b9a79f
/// (`tests/aws/services`), with their placeholders; the others are quoted in public issues. IDs and names are masked. LocalStack
/// snapshots often contain a test name instead of the operation.
#[derive(Deserialize)]
struct Recorded {
    call: String,
    status: Option<u16>,
    code: Option<String>,
    #[serde(default)]
    message: String,
}

fn recorded() -> Vec<Recorded> {
    let lines = include_str!("../../../../tests/data/aws-errors.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Recorded {
    fn call(&self) -> Call {
        let (service, operation) = self.call.split_once('.').unwrap();
        Call { name: operation.to_owned().leak(), action: format!("{service}:{operation}").leak() }
    }
}

fn place() -> Place {
    Place::new(AccountId::parse("222222222222").unwrap(), &Region::parse("eu-west-1").unwrap())
}

#[test]
fn every_recorded_error_has_fitting_advice() {
    let recorded = recorded();
    assert_eq!(recorded.len(), 494);
    let mut outcomes: BTreeMap<(&str, String), BTreeMap<String, usize>> = BTreeMap::new();
    for error in &recorded {
        let (call, code) = (error.call(), error.code.as_deref().unwrap_or("no code"));
        let kind = match Denial::parse(call, &error.message) {
            Some(_) => "Denied calls",
            None => row(call, code, &error.message).map_or("Other errors", |(title, _)| title),
        };
        let of_aws =
            AwsError { call, code, message: &error.message, status: error.status, bucket_region: None };
        let advice = of_aws.advice().at(&place());
        *outcomes.entry((kind, advice)).or_default().entry(code.to_owned()).or_default() += 1;
    }
    let mut text = String::new();
    let mut last = "";
    for ((kind, advice), codes) in outcomes {
        if kind != last {
            let _ = writeln!(text, "{}# {kind}", if last.is_empty() { "" } else { "\n" });
            last = kind;
        }
        let _ = writeln!(text, "\n{advice}");
        for (code, count) in codes {
            let _ = writeln!(text, "  {count:3} {code}");
        }
    }
    assert_data_eq!(text, file!["recorded.txt"].raw());
}
