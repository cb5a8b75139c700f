//! The commands that messages, help texts and documents name: each exists, with the options that it is named with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use snapbox::{assert_data_eq, str};

use crate::{FLEET, offline};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file with one of these endings under a folder.
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

/// The texts in back-ticks that start like a command, each with a file that has it.
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
                // The options that a run was given are those of its own command.
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

/// What does not exist of a command that is named.
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
fn every_command_that_is_named_exists_with_its_options() {
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
fn policy_check_finds_what_another_tool_leaves_in_a_policy() {
    let guide = fs::read_to_string(root().join("docs/guide.md")).unwrap();
    assert!(guide.contains("| flowagg policy check --bucket acme-flow-logs"), "the guide has the command");
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
2:63: error no-confused-deputy-condition: statement `Open`: the service may do this for any AWS account, not only for yours
    add `aws:SourceAccount` with every account whose logs the statement is for, or `aws:SourceOrgID`
3:54: error public-principal: statement `Public`: anyone may do this, with or without an AWS account
    list the services or accounts that are allowed, or add a condition that only they meet
4:103: error bucket-action-on-objects: statement `Idle`: `s3:GetBucketAcl` is on the bucket, and the resources are objects: it never applies
    name the bucket: its ARN without a slash
5:66: error wrong-service-principal: statement `Network`: `vpc-flow-logs.amazonaws.com` does not deliver flow logs, so the statement does not let them in
    use `delivery.logs.amazonaws.com`, which delivers flow logs in every region and partition

4 findings in standard input

"#]]
    );
}
