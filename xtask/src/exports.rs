//! `cargo xtask exports`: what `flowagg export` writes, before AWS's own rules and on an emulator.
//!
//! Every template of a matrix of fleets passes cfn-lint, which has CloudFormation's resource schemas; and the hub's
//! template, deployed, leaves `flowagg plan` nothing to do at the bucket but what LocalStack's CloudFormation leaves out.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};

use crate::cargo::{self, run};
use crate::emulator::Running;
use crate::{Emulator, cargo::root};

/// Every package with its version and hashes.
const LOCK: &str = "xtask/exports/requirements.txt";
/// The fleet files of the matrix, with the region that their templates are checked for.
const FLEETS: [(&str, &str); 8] = [
    ("plain", "eu-west-1"),
    ("kms", "us-west-2"),
    ("named", "eu-west-1"),
    ("organization", "eu-west-1"),
    ("whole", "eu-west-1"),
    ("china", "cn-north-1"),
    ("gov", "us-gov-west-1"),
    ("many", "eu-west-1"),
];
/// The exports of the matrix; a fleet that cannot be expressed so refuses.
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
/// How a run of flowagg ends that refuses, or that has no credentials to look accounts up with.
const REFUSALS: [i32; 2] = [1, 2];
/// The fewest templates that the matrix gives, in each format: fewer mean that what should be checked was not written.
const FEWEST_TEMPLATES: usize = 30;

pub(crate) fn exports(which: &Emulator) -> anyhow::Result<()> {
    cargo::build()?;
    let python = environment()?;
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
        eprintln!("cfn-lint finds nothing in {templates} templates as {format}");
    }
    deployed(which, &python, &folder)
}

/// Deploys the hub's template to an account in which nobody has been yet, and plans.
fn deployed(which: &Emulator, python: &Path, folder: &Path) -> anyhow::Result<()> {
    const REGION: &str = "eu-west-1";
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let account = format!("9{:011}", since % 100_000_000_000);
    let file = folder.join("deployed.toml");
    let fleet = format!(
        "[hub]\naccount = \"{account}\"\nregion = \"{REGION}\"\nbucket = \"flow-logs-{account}\"\nprefix = \"network\"\n\n\
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
    let hub = planned["hub"].as_array().context("the plan names no hub")?;
    let hub: Vec<&str> = hub.iter().filter_map(|change| change["change"].as_str()).collect();
    // LocalStack's CloudFormation gives a bucket no lifecycle.
    ensure!(hub == ["set-lifecycle"], "after the stack, the plan for the bucket is {hub:?}:\n{planned:#}");
    eprintln!(
        "the hub's stack leaves flowagg nothing to do at the bucket but its lifecycle, which LocalStack leaves out"
    );
    Ok(())
}

fn fleet_file(name: &str) -> PathBuf {
    root().join("flowagg-cli/tests/export/fleets").join(name).with_extension("toml")
}

/// The program, with nothing of the machine's own AWS settings.
fn flowagg(fleet: &Path) -> Command {
    let mut flowagg = Command::new(cargo::program("flowagg"));
    flowagg.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").arg("--config").arg(fleet);
    flowagg
}

/// The interpreter of the virtual environment with the locked packages, which is made where it is not there.
fn environment() -> anyhow::Result<PathBuf> {
    let lock = root().join(LOCK);
    let folder = root().join("target/exports-python");
    let python =
        folder.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(format!("python{EXE_SUFFIX}"));
    let installed = folder.join("requirements.txt");
    if fs::read(&installed).ok() == Some(fs::read(&lock)?) {
        return Ok(python);
    }
    if Command::new("python3").arg("--version").output().is_err() {
        bail!("cfn-lint needs `python3`, which is not on the path");
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r"];
    run(Command::new(&python).args(install).arg(&lock))?;
    fs::copy(&lock, &installed)?;
    Ok(python)
}
