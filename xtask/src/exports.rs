//! `cargo xtask exports`: checks the output of `flowagg export` with third-party tools and on an emulator.
//!
//! - Every template of a matrix of fleets passes cfn-lint, which has CloudFormation's resource schemas.
//! - After the hub's template is deployed, `flowagg plan` changes nothing at the bucket except settings that LocalStack's
//!   CloudFormation ignores.
//! - Every Terraform configuration of the same fleets passes Terraform, as far as possible without a provider.
//! - The JSON documents of the scenarios are valid under the JSON Schemas in `docs/schemas`.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};

use crate::cargo::{self, run};
use crate::emulator::{BACKEND_VARIABLE, Running};
use crate::{Emulator, cargo::root, python};

/// The fleet files of the matrix, with the region for which cfn-lint checks their templates.
const FLEETS: [(&str, &str); 11] = [
    ("plain", "eu-west-1"),
    ("kms", "us-west-2"),
    ("named", "eu-west-1"),
    ("organization", "eu-west-1"),
    ("whole", "eu-west-1"),
    ("china", "cn-north-1"),
    ("gov", "us-gov-west-1"),
    ("many", "eu-west-1"),
    ("rules", "eu-west-1"),
    ("reading", "eu-west-1"),
    ("elsewhere", "eu-west-1"),
];
/// The exports of the matrix. An export fails if it cannot express the fleet.
const EXPORTS: [&str; 9] = [
    "cloudformation --hub",
    "cloudformation --member",
    "cloudformation --member --account 111122223333 --region eu-west-1",
    "cloudformation --member --account 012345678901 --region us-west-2",
    "cloudformation --member --account 222222222222 --region cn-north-1",
    "cloudformation --member --account 222222222222 --region us-gov-west-1",
    "cloudformation --stackset",
    "iam",
    "athena",
];
/// The exit codes of an export that cannot express the fleet, or that has no credentials for a lookup of accounts.
const REFUSALS: [i32; 2] = [1, 2];
/// The minimum number of fleets with a Terraform configuration, in each format.
const FEWEST_CONFIGURATIONS: usize = 7;
/// The minimum number of templates, in each format. Fewer mean that some were not written and thus not checked.
const FEWEST_TEMPLATES: usize = 30;

pub(crate) fn exports(which: &Emulator) -> anyhow::Result<()> {
    cargo::build()?;
    let python = python::program("python")?;
    let folder = root().join("target/exports");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for format in ["yaml", "json"] {
        let mut templates = 0;
        for (fleet, region) in FLEETS {
            let out = folder.join(format).join(fleet);
            fs::create_dir_all(&out)?;
            for export in EXPORTS {
                let mut flowagg = flowagg(&fleet_file(fleet));
                flowagg.arg("export").args(export.split(' ')).args(["--format", format, "--out"]).arg(&out);
                let ended = flowagg.output()?;
                let refused = ended.status.code().is_some_and(|code| REFUSALS.contains(&code));
                ensure!(ended.status.success() || refused, "{}", String::from_utf8_lossy(&ended.stderr));
            }
            let mut written: Vec<PathBuf> =
                fs::read_dir(&out)?.map(|file| file.map(|file| file.path())).collect::<Result<_, _>>()?;
            written.sort();
            templates += written.len();
            let mut lint = Command::new(python.with_file_name(format!("cfn-lint{EXE_SUFFIX}")));
            run(lint.args(["--regions", region, "--"]).args(&written))?;
        }
        ensure!(templates >= FEWEST_TEMPLATES, "only {templates} templates were written as {format}");
        eprintln!("cfn-lint reports no problems in {templates} templates as {format}");
    }
    configurations(&folder.join("terraform"))?;
    schema(&python, &folder)?;
    documents(which, &python, &folder.join("documents"))?;
    deployed(which, &python, &folder)
}

/// Validates fleet files against the output of `flowagg schema`.
fn schema(python: &Path, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join("flowagg.schema.json");
    let printed = Command::new(cargo::program("flowagg")).arg("schema").output()?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    fs::write(&file, printed.stdout)?;
    let fleets = FLEETS.map(|(fleet, _)| fleet_file(fleet));
    run(Command::new(python).arg(root().join("xtask/exports/schema.py")).arg(&file).args(fleets))?;
    eprintln!("the schema accepts {} fleet files and rejects unknown keys", FLEETS.len());
    Ok(())
}

/// Validates the `--json` documents of the scenarios against their schemas.
fn documents(which: &Emulator, python: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut scenarios = cargo::cargo("test --workspace --test scenarios documents");
    scenarios.env("FLOWAGG_KEEP_DOCUMENTS", folder);
    run(scenarios.envs(which.backend.iter().map(|backend| (BACKEND_VARIABLE, backend))))?;
    let schemas = root().join("docs/schemas/1");
    run(Command::new(python).arg(root().join("xtask/exports/documents.py")).arg(schemas).arg(folder))
}

/// Checks every fleet's configuration with Terraform. Without Terraform, prints a notice and checks nothing.
fn configurations(folder: &Path) -> anyhow::Result<()> {
    if let Err(error) = terraform(Path::new(".")).arg("version").output() {
        eprintln!("NOT RUN: check of the Terraform configurations: cannot start `terraform`: {error}");
        return Ok(());
    }
    for format in ["hcl", "json"] {
        let mut configurations = 0;
        for (fleet, _) in FLEETS {
            let out = folder.join(format).join(fleet);
            let mut flowagg = flowagg(&fleet_file(fleet));
            let ended =
                flowagg.args(["export", "terraform", "--format", format, "--out"]).arg(&out).output()?;
            if ended.status.code().is_some_and(|code| REFUSALS.contains(&code)) {
                continue;
            }
            ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            passes_terraform(&out).with_context(|| format!("{fleet} as {format}"))?;
            let built = offline_output(&fleet_file(fleet), "policy build")?;
            let built: serde_json::Value = serde_json::from_str(&built)?;
            ensure!(policy(&out)? == built, "{fleet} as {format}: Terraform evaluates a different policy");
            configurations += 1;
        }
        ensure!(
            configurations >= FEWEST_CONFIGURATIONS,
            "only {configurations} fleets were written as {format}"
        );
        eprintln!(
            "Terraform accepts {configurations} configurations as {format}, with the policies that flowagg builds"
        );
    }
    Ok(())
}

/// Checks the structure, and the formatting of HCL; `terraform fmt` ignores JSON.
fn passes_terraform(folder: &Path) -> anyhow::Result<()> {
    run(terraform(folder).args(["fmt", "-check", "-diff"]))?;
    let providers = terraform(folder).arg("providers").output()?;
    ensure!(providers.status.success(), "{}", String::from_utf8_lossy(&providers.stderr));
    let providers = String::from_utf8_lossy(&providers.stdout);
    ensure!(providers.contains("hashicorp/aws"), "{providers}");
    Ok(())
}

/// The bucket policy as Terraform evaluates it, from the local values alone: the rest needs the provider.
fn policy(folder: &Path) -> anyhow::Result<serde_json::Value> {
    let alone = tempfile::tempdir()?;
    if let Ok(text) = fs::read_to_string(folder.join("policy.tf.json")) {
        let file: serde_json::Value = serde_json::from_str(&text)?;
        let locals = serde_json::json!({ "locals": file["locals"] });
        fs::write(alone.path().join("policy.tf.json"), locals.to_string())?;
    } else {
        let text = fs::read_to_string(folder.join("policy.tf"))?;
        let (locals, _) = text.split_once("\n}\n").context("`policy.tf` has no complete block")?;
        fs::write(alone.path().join("policy.tf"), format!("{locals}\n}}\n"))?;
    }
    fs::write(alone.path().join("input"), "jsonencode(local.bucket_policy)\n")?;
    let input = fs::File::open(alone.path().join("input"))?;
    let ended = terraform(alone.path()).arg("console").stdin(input).output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let policy: String = serde_json::from_slice(&ended.stdout)?;
    Ok(serde_json::from_str(&policy)?)
}

/// Terraform in a folder, without the settings of this machine.
fn terraform(folder: &Path) -> Command {
    let mut terraform = Command::new("terraform");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TF_")) {
        terraform.env_remove(name);
    }
    terraform.env("CHECKPOINT_DISABLE", "1").current_dir(folder);
    terraform
}

/// Deploys the hub's template to a new account, and plans.
fn deployed(which: &Emulator, python: &Path, folder: &Path) -> anyhow::Result<()> {
    const REGION: &str = "eu-west-1";
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let account = format!("9{:011}", since % 100_000_000_000);
    let file = folder.join("deployed.toml");
    let fleet = format!(
        "[hub]\naccount = \"{account}\"\nregion = \"{REGION}\"\nbucket = \"flow-logs-{account}\"\nprefix = \"network\"\nretention-days = 90\n\n\
         [policy]\nform = \"bound-accounts\"\n\n[[members]]\naccount = \"{account}\"\nregions = [\"{REGION}\"]\n"
    );
    fs::write(&file, fleet)?;
    run(flowagg(&file).args(["export", "cloudformation", "--hub", "--out"]).arg(folder))?;
    let own;
    let url = match &which.backend {
        Some(url) if url.starts_with("http") => url,
        backend => {
            own = Running::start(backend.as_deref(), None)?;
            &own.url
        }
    };
    run(Command::new(python)
        .arg(root().join("xtask/exports/deploy.py"))
        .args([url, &account, REGION])
        .arg(folder.join("hub.yaml")))?;
    let mut plan = flowagg(&file);
    plan.args(["plan", "--json", "--endpoint-url", url]);
    plan.env("AWS_ACCESS_KEY_ID", &account).env("AWS_SECRET_ACCESS_KEY", "secret");
    let planned = plan.output()?;
    ensure!(planned.status.success(), "{}", String::from_utf8_lossy(&planned.stderr));
    let planned: serde_json::Value = serde_json::from_slice(&planned.stdout)?;
    ensure!(
        planned["hub"] == serde_json::json!([]),
        "after the deployment, the bucket differs:\n{planned:#}"
    );
    let hub = planned["not-applied"].as_array().context("the plan has no `not-applied`")?;
    let hub: Vec<&str> = hub.iter().filter_map(|change| change["change"].as_str()).collect();
    // LocalStack's CloudFormation sets no lifecycle, and a new expiry of an existing bucket needs `--allow-expiry`.
    ensure!(
        hub == ["set-lifecycle"],
        "after the deployment, the plan for the bucket is {hub:?}:\n{planned:#}"
    );
    imported(&file, url, &account, &folder.join("live"))?;
    eprintln!("after the hub's stack, the plan changes only the lifecycle, which LocalStack does not set");
    Ok(())
}

/// Checks that a live export imports the bucket, and after `apply` also its lifecycle and the flow logs.
fn imported(fleet: &Path, url: &str, account: &str, out: &Path) -> anyhow::Result<()> {
    let on_emulator = |args: &str| -> anyhow::Result<()> {
        let mut flowagg = flowagg(fleet);
        flowagg.args(args.split(' ')).args(["--endpoint-url", url]);
        flowagg.env("AWS_ACCESS_KEY_ID", account).env("AWS_SECRET_ACCESS_KEY", "secret");
        if args.starts_with("export") {
            flowagg.arg("--out").arg(out);
        }
        let ended = flowagg.output()?;
        ensure!(ended.status.success(), "{args}: {}", String::from_utf8_lossy(&ended.stderr));
        Ok(())
    };
    let addresses = || -> anyhow::Result<Vec<String>> {
        let imports: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(out.join("imports.tf.json"))?)?;
        let imports = imports["import"].as_array().context("`imports.tf.json` has no imports")?;
        Ok(imports.iter().filter_map(|import| Some(import["to"].as_str()?.to_owned())).collect())
    };
    let lifecycle = "aws_s3_bucket_lifecycle_configuration.flow_logs".to_owned();
    on_emulator("export terraform --live --format json")?;
    let before = addresses()?;
    ensure!(before.contains(&"aws_s3_bucket_policy.flow_logs".to_owned()), "{before:?}");
    ensure!(!before.iter().any(|to| *to == lifecycle || to.starts_with("aws_flow_log")), "{before:?}");
    on_emulator("apply --yes --allow-expiry")?;
    on_emulator("export terraform --live --format json --force")?;
    let after = addresses()?;
    ensure!(after.contains(&lifecycle), "{after:?}");
    ensure!(after.iter().any(|to| to.starts_with("aws_flow_log.vpcs_")), "{after:?}");
    if terraform(out).arg("version").output().is_ok() {
        passes_terraform(out)?;
    }
    eprintln!("live export: {} imports after apply, {} before", after.len(), before.len());
    Ok(())
}

/// The standard output of a flowagg command that needs no network.
fn offline_output(fleet: &Path, args: &str) -> anyhow::Result<String> {
    let ended = flowagg(fleet).args(args.split(' ')).output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8(ended.stdout)?)
}

fn fleet_file(name: &str) -> PathBuf {
    root().join("flowagg-cli/tests/export/fleets").join(name).with_extension("toml")
}

/// The program, without the AWS settings of this machine.
fn flowagg(fleet: &Path) -> Command {
    let mut flowagg = Command::new(cargo::program("flowagg"));
    flowagg.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").arg("--config").arg(fleet);
    flowagg
}
