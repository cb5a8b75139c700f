//! `flowagg policy check`: prints the findings of the linter as text, JSON or SARIF.

use flowagg_policy::{Finding, Severity, checks, lint};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::input::Input;
use crate::args::CheckArgs;
use crate::commands::error::CommandError;
use crate::{Exit, Screen, show};

/// Output of `policy check --json`.
#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct CheckDocument<'a> {
    /// The findings, in the order of the text.
    findings: &'a [Finding],
}

pub(super) fn run(options: &CheckArgs, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    let input = Input::named(&options.policy);
    let policy = input.text()?;
    let mut findings = lint(&policy, options.bucket.as_ref());
    findings.retain(|finding| finding.severity >= options.severity);
    if options.sarif {
        show::json(&sarif(&findings, input), screen.out)?;
    } else if options.json {
        show::document(&CheckDocument { findings: &findings }, screen.out)?;
    } else {
        show::findings(&input.to_string(), &findings, screen.out)?;
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Differs })
}

/// Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" (OASIS).
fn sarif(findings: &[Finding], input: Input<'_>) -> Value {
    let mut rules: Vec<&Finding> = findings.iter().collect();
    rules.sort_by_key(|finding| finding.id);
    rules.dedup_by_key(|finding| finding.id);
    // The help of a rule is that of its check; the help of a finding can be specific to its statement.
    let help = |finding: &Finding| match checks().find(|check| check.id == finding.id) {
        Some(check) => check.help.to_owned(),
        None => finding.help.to_string(),
    };
    let rules: Vec<Value> =
        rules.iter().map(|finding| json!({ "id": finding.id, "help": { "text": help(finding) } })).collect();
    let uri = match input {
        Input::Stdin => "stdin".to_owned(),
        Input::File(path) => path.display().to_string(),
    };
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            json!({
                "ruleId": finding.id,
                "level": level,
                "message": { "text": format!("{}; {}", finding.message, finding.help) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uri },
                    "region": { "startLine": finding.place.line, "startColumn": finding.place.column },
                } }],
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "flowagg", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}
