//! Fleets that a configuration cannot express are errors, and no file is written.

use std::process::Command;

use flowagg::export::terraform::{TerraformFormat, configuration};
use flowagg_core::fleet::FleetFile;
use snapbox::{assert_data_eq, str};

fn file(member: &str) -> String {
    format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n\n\
         [[members]]\naccount = \"222222222222\"\nrole = \"flowagg\"\n{member}\n"
    )
}

#[track_caller]
fn refused(member: &str, what: &str, help: &str) {
    let fleet = FleetFile::parse(&file(member)).unwrap().without_lookup();
    let error = configuration(&fleet, None, TerraformFormat::Json).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.help().as_str()), (what, help));
}

#[test]
fn ids_in_several_regions_require_live() {
    refused(
        "regions = [\"eu-west-1\", \"us-east-1\"]\nvpcs = [\"vpc-1a2b3c4d\"]",
        "account `222222222222`: it has several regions, and the fleet file does not contain the region of each of its `vpcs`",
        "read the live state with `--live`",
    );
}

#[test]
fn vpcs_and_subnets_together_require_live() {
    refused(
        "regions = [\"eu-west-1\"]\nsubnets = \"all\"",
        "account `222222222222`: VPCs and parts of VPCs are logged, and the fleet file does not contain which overlap",
        "log only one kind, or read the live state with `--live`",
    );
}

#[test]
fn transit_gateways_selected_by_a_rule_require_live() {
    refused(
        "regions = [\"eu-west-1\"]\nvpcs = \"none\"\ntransit-gateways = \"all\"",
        "account `222222222222`: its `transit-gateways` are selected by a rule, but Terraform has no data source that lists them",
        "list their IDs in `transit-gateways`, or read the live state with `--live`",
    );
}

#[test]
fn all_regions_require_live() {
    refused(
        "regions = [\"all\"]",
        "account `222222222222`: its regions must be looked up",
        "list them in `regions`, or read the live state with `--live`",
    );
}

#[test]
fn command_writes_no_files_on_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = folder.path().join("flowagg.toml");
    std::fs::write(&fleet, file("regions = [\"eu-west-1\"]\nsubnets = \"all\"")).unwrap();
    let out = folder.path().join("out");
    let mut errors = String::new();
    for more in [&["--force"][..], &["--only", "222222222222"]] {
        let mut flowagg = Command::new(env!("CARGO_BIN_EXE_flowagg"));
        flowagg.arg("--config").arg(&fleet).args(["export", "terraform", "--out"]).arg(&out).args(more);
        let ended = flowagg.env_clear().output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), ended.stdout.as_slice()), (Some(2), &b""[..]), "{said}");
        errors += &said;
        assert!(!out.exists());
    }
    assert_data_eq!(
        errors,
        str![[r#"
error: account `222222222222`: VPCs and parts of VPCs are logged, and the fleet file does not contain which overlap
       log only one kind, or read the live state with `--live`
error: a Terraform configuration must contain the whole fleet
       remove `--only`: Terraform deletes resources that are not in its configuration

"#]]
    );
}
