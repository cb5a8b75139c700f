//! Checks that every command in messages, help texts and documents exists with its options.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use snapbox::{assert_data_eq, str};

use crate::{FLEET, offline};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files under a folder with one of these extensions.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, endings, found);
        } else if endings.iter().any(|ending| path.extension().is_some_and(|it| it == *ending)) {
            found.push(path);
        }
    }
}

/// Texts in backticks that look like a command, each with a file that contains it.
fn named() -> BTreeMap<String, PathBuf> {
    let mut sources = vec![root().join("README.md")];
    for folder in ["flowagg-core/src", "flowagg-policy/src", "flowagg-cli/src", "docs"] {
        files(&root().join(folder), &["rs", "md"], &mut sources);
    }
    let mut found = BTreeMap::new();
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            for quoted in line.split('`').skip(1).step_by(2) {
                // Placeholders for the options of the current run.
                let quoted = quoted.replace("{given}", "");
                let words = quoted.strip_prefix("flowagg ").unwrap_or(&quoted);
                if words != quoted || words.starts_with("policy ") {
                    found.entry(words.to_owned()).or_insert_with(|| path.clone());
                }
            }
        }
    }
    found
}

/// The parts of a command line that do not exist.
fn missing(text: &str, helps: &mut BTreeMap<Vec<String>, String>) -> Vec<String> {
    let words = text.split_whitespace().map(|word| word.trim_matches(['[', ']', ',', '…', '.']));
    let is_verb =
        |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase()) && !word.contains(['=', '/']);
    let verb: Vec<String> = words.clone().take_while(is_verb).map(str::to_owned).collect();
    let help = helps.entry(verb.clone()).or_insert_with(|| {
        let args: Vec<&str> = verb.iter().map(String::as_str).chain(["--help"]).collect();
        let said = offline(&args, FLEET, "");
        if said.code == Some(0) { said.out } else { String::new() }
    });
    if help.is_empty() {
        return vec![verb.join(" ")];
    }
    let options = words.filter(|word| word.starts_with("--") && !help.contains(word));
    options.map(str::to_owned).collect()
}

#[test]
fn mentioned_commands_exist_with_their_options() {
    let named = named();
    for known in ["policy check", "plan", "permissions", "apply --allow-expiry"] {
        assert!(named.contains_key(known), "{known} is named somewhere");
    }
    let mut helps = BTreeMap::new();
    for (text, wrong) in
        [("policy chek", "policy chek"), ("plan --no-such", "--no-such"), ("policy check --sarif", "")]
    {
        assert_eq!(missing(text, &mut helps).concat(), wrong);
    }
    let wrong: Vec<String> = named
        .iter()
        .map(|(text, path)| (text, path, missing(text, &mut helps)))
        .filter(|(.., missing)| !missing.is_empty())
        .map(|(text, path, missing)| format!("`{text}` in {}: {missing:?}", path.display()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn policy_check_finds_leftovers_of_another_tool() {
    let page = fs::read_to_string(root().join("docs/moving.md")).unwrap();
    assert!(
        page.contains("| flowagg policy check --bucket acme-flow-logs"),
        "docs/moving.md contains the command"
    );
    let live = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"Open","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-flow-logs/*"},
        {"Sid":"Public","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-flow-logs/*"},
        {"Sid":"Idle","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-flow-logs/*"},
        {"Sid":"Network","Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-flow-logs/AWSLogs/111122223333/*"}]}"#;
    let said =
        offline(&["policy", "check", "--bucket", "acme-flow-logs", "--severity", "error"], FLEET, live);
    assert_data_eq!(
        said.out,
        str![[r#"
2:63: error no-confused-deputy-condition: statement `Open`: the service can do this for any AWS account, not only yours
    add a condition on `aws:SourceAccount` that lists every account whose logs the statement allows, or on `aws:SourceOrgID`
3:54: error public-principal: statement `Public`: anyone can do this, with or without an AWS account
    list the allowed services or accounts, or add a condition that only they meet
4:103: error bucket-action-on-objects: statement `Idle`: `s3:GetBucketAcl` applies to the bucket, but the resources are objects, so it has no effect
    use the bucket's ARN, without a slash
5:66: error wrong-service-principal: statement `Network`: `vpc-flow-logs.amazonaws.com` does not deliver flow logs, so the statement does not allow their delivery
    use `delivery.logs.amazonaws.com`, which delivers flow logs in every region and partition

4 findings in standard input

"#]]
    );
}
