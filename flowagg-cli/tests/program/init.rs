//! `flowagg init`, schemas and shell completions, offline.

use std::fs;
use std::process::Command;

use flowagg_core::fleet::FleetFile;
use snapbox::{assert_data_eq, str};

use crate::messages::{IDENTITY, endpoint};
use crate::{Said, offline_in};

const OPTIONS: [&str; 8] = [
    "init",
    "--offline",
    "--hub-account",
    "111122223333",
    "--region",
    "eu-west-1",
    "--bucket",
    "acme-flow-logs",
];

#[test]
fn new_fleet_file_has_comments_on_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let options = [&OPTIONS[..], &["--account", "222222222222", "--regions", "eu-west-1,us-east-1"]].concat();
    let said = offline_in(folder.path(), &options, "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let text = fs::read_to_string(folder.path().join("flowagg.toml")).unwrap();
    let fleet = FleetFile::parse(&text).unwrap();
    let accounts: Vec<String> = fleet.members.keys().map(ToString::to_string).collect();
    assert_eq!(accounts, ["222222222222"]);
    assert_data_eq!(
        text,
        str![[r##"
# Collects the VPC Flow Logs of these accounts in one S3 bucket. `flowagg plan` compares this file with AWS.

[hub]
# In a bucket that `apply` creates, objects expire after 90 days (see `retention-days`) and are encrypted by S3. Set `encryption` to use a KMS key.
account = "111122223333"
region = "eu-west-1"
bucket = "acme-flow-logs"

[flow-logs]
# Default: all traffic, AWS's default fields, plain text. Keys: `traffic`, `fields`, `file-format`, `aggregation-interval`, `tags`.

[policy]
# Default: least privilege for these accounts (see `form`).

[[members]]
account = "222222222222"
regions = ["eu-west-1", "us-east-1"]

"##]]
    );
    let said = offline_in(folder.path(), &["policy", "build"], "");
    assert_eq!(said.code, Some(0), "{}", said.err);
}

#[test]
fn organization_without_accounts_is_logged_entirely() {
    let folder = tempfile::tempdir().unwrap();
    let said = offline_in(folder.path(), &[&OPTIONS[..], &["--organization", "o-a1b2c3d4e5"]].concat(), "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let text = fs::read_to_string(folder.path().join("flowagg.toml")).unwrap();
    let fleet = FleetFile::parse(&text).unwrap();
    assert!(fleet.discovery().is_some_and(|(organization, _)| organization.is_whole()), "{text}");
    assert_eq!(fleet.members.len(), 0);
}

#[test]
fn missing_values_are_reported_by_option_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let said = offline_in(folder.path(), &["init", "--offline", "--region", "eu-west-1"], "");
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: missing: `--hub-account`, `--bucket`, `--organization` or `--account`
       pass them as options, or run `flowagg init` in a terminal

"#]]
    );
    assert!(!folder.path().join("flowagg.toml").exists());
}

#[test]
fn existing_file_is_reported_first_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flowagg.toml");
    fs::write(&file, "mine").unwrap();
    let options = [&OPTIONS[..], &["--account", "222222222222"]].concat();
    // Missing values are not reported.
    for options in [&options[..], &["init", "--offline"]] {
        let said = offline_in(folder.path(), options, "");
        assert_eq!(said.code, Some(1));
        assert_data_eq!(
            said.err,
            str![[r#"
error: `flowagg.toml` already exists; nothing was written
       write another file with `-c FILE`, or use `--force` to overwrite it

"#]]
        );
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(offline_in(folder.path(), &[&options[..], &["--force"]].concat(), "").code, Some(0));
    assert!(FleetFile::parse(&fs::read_to_string(&file).unwrap()).is_ok());
}

#[test]
fn next_command_contains_a_custom_fleet_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = [&OPTIONS[..], &["--account", "222222222222", "-c", "eu.toml"]].concat();
    let said = offline_in(folder.path(), &options, "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_data_eq!(
        said.err,
        str![[r#"
next: review `eu.toml`, then run `flowagg -c eu.toml doctor`

"#]]
    );
}

#[test]
fn folder_is_not_accepted_as_a_fleet_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("fleets")).unwrap();
    let said = offline_in(
        folder.path(),
        &[&OPTIONS[..], &["--account", "222222222222", "-c", "fleets"]].concat(),
        "",
    );
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: `fleets` is a folder; nothing was written
       use a file such as `fleets/flowagg.toml`

"#]]
    );
}

#[test]
fn printed_schema_matches_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let said = offline_in(folder.path(), &["schema"], "");
    let printed: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(printed, flowagg_core::fleet::schema());
}

#[test]
fn completions_and_man_pages_contain_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = offline_in(folder.path(), &["completions", shell], "");
        assert!(said.code == Some(0) && said.out.contains("verify"), "{shell}: {}", said.err);
    }
    let said = offline_in(folder.path(), &["man", "--out", "pages"], "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let help = offline_in(folder.path(), &["help"], "").out;
    let verbs =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Continuation lines are indented further.
    let verbs =
        verbs.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    let verbs: Vec<&str> = verbs.filter(|verb| *verb != "help").collect();
    assert!(verbs.len() > 10, "{verbs:?}");
    for verb in verbs {
        let page = folder.path().join("pages").join(format!("flowagg-{verb}.1"));
        assert!(fs::read_to_string(&page).unwrap().contains(".SH SYNOPSIS"), "{verb}");
    }
}

#[test]
fn denied_defaults_are_reported_with_replacement_options() {
    let url = endpoint(|request| {
        let lower = request.to_ascii_lowercase();
        if lower.contains("getcalleridentity") {
            (200, IDENTITY.to_owned())
        } else if lower.contains("describeorganization") {
            let denied = r#"{"__type":"AccessDeniedException","Message":"You don't have permissions to access this resource."}"#;
            (400, denied.to_owned())
        } else {
            let message = "User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action";
            (403, format!("<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"))
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    command.args(["init", "--region", "eu-west-1", "--endpoint-url", &url]).current_dir(folder.path());
    command.env_clear().env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    let said = Said::of(command.output().unwrap());
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
note: could not list existing buckets: ListBuckets: User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action; allow s3:ListAllMyBuckets for the caller, or pass `--bucket`
note: could not look up the organization: DescribeOrganization: You don't have permissions to access this resource.; allow organizations:DescribeOrganization for the caller, or pass `--organization` or `--account`
error: missing: `--organization` or `--account`
       pass them as options, or run `flowagg init` in a terminal

"#]]
    );
}
