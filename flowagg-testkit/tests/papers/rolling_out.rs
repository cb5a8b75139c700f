//! Rolling out, and Athena. LocalStack has no organizations and no Athena, so these stories use moto.

use std::collections::BTreeSet;
use std::path::Path;

use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
use flowagg_core::layout::{FileName, Layout};
use flowagg_testkit::emulator::Moto;
use flowagg_testkit::organization::MotoOrganization;
use flowagg_testkit::world::fresh_bucket;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use tempfile::TempDir;

use crate::page::Section;
use crate::paper::Paper;
use crate::shell::{Shell, Stage};

const HUB: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n";

/// An organization, and a shell in its management account, which is the hub. 222222222222 is in the unit that the page names,
/// and 333333333333 is in the root.
struct Corner {
    organization: MotoOrganization,
    shell: Shell,
    /// The working directory of the shell.
    _folder: TempDir,
}

impl Corner {
    async fn found() -> Self {
        let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
        let unit = organization.unit("work", None).await.unwrap();
        let mut paper = Paper::default();
        paper.name("111122223333", organization.management());
        paper.name("222222222222", organization.account("payments", Some(&unit)).await.unwrap());
        paper.name("333333333333", organization.account("shop", None).await.unwrap());
        paper.name("o-a1b2c3d4e5", organization.id());
        paper.name("ou-a1b2-c3d4e5f6", unit);
        paper.bucket("acme-flow-logs", &fresh_bucket().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::new(folder.path(), paper, organization.environment());
        Self { organization, shell, _folder: folder }
    }

    /// Delivers a file for each flow log that a plan leaves unchanged.
    async fn deliver(&self, fleet: &str) {
        let fleet = self.shell.paper.in_world(fleet);
        let plan = self.organization.flowagg(&fleet, ["plan", "--json"]).await.unwrap().exits(0).json();
        let bucket = self.shell.paper.in_world("acme-flow-logs");
        let management = self.organization.management();
        let left = plan["left"].as_array().unwrap();
        assert!(!left.is_empty(), "{plan:#}");
        for flow_log in left {
            let text = |name: &str| flow_log[name].as_str().unwrap();
            let region = Region::parse(text("region")).unwrap();
            let mut name = FileName::new(
                Place::new(AccountId::parse(text("account")).unwrap(), &region),
                FlowLogId::parse(text("flow-log")).unwrap(),
                Timestamp::now().to_zoned(TimeZone::UTC).datetime(),
                "0a1b2c3d",
            );
            name.format = Files::default().format;
            let key = Layout::new(None, Files::default()).key(&name);
            let s3 = self.organization.s3(management, &Region::parse("eu-west-1").unwrap()).await.unwrap();
            s3.put_object().bucket(&bucket).key(key).body(b"x".to_vec().into()).send().await.unwrap();
        }
    }

    async fn policy(&mut self) -> String {
        let read = "aws s3api get-bucket-policy --bucket acme-flow-logs --query Policy --output text";
        self.shell.also(&format!("{read} --region eu-west-1")).await.stdout
    }
}

/// The export is rejected until the members have the role that the rest of the page uses.
pub(crate) async fn roles(section: &mut Section) {
    let mut stage = Stage::with(["payments", "shop"]).await;
    let [permissions, export] = section.next("sh").of();
    stage.shell.exits(&export, 2).await;
    for name in ["payments", "shop"] {
        stage.world.set_of(name, "role = \"flowagg\"");
    }
    stage.write_fleet();
    let printed = stage.shell.exits(&permissions, 0).await.stdout;
    assert!(printed.contains("arn:aws:iam::222222222222:role/flowagg"), "{printed}");
    stage.shell.exits(&export, 0).await;
    for template in ["hub-role.yaml", "member-role.yaml"] {
        let template = stage.shell.read(&Path::new("templates").join(template).display().to_string());
        assert!(template.contains("AWS::IAM::Role"), "{template}");
    }
}

pub(crate) async fn check(section: &mut Section) {
    let mut stage = Stage::with(["payments", "shop"]).await;
    let [doctor, plan] = section.next("sh").of();
    stage.shell.exits(&doctor, 0).await;
    stage.shell.exits(&plan, 0).await;
    assert_eq!((stage.flow_logs("payments").await, stage.flow_logs("shop").await), (0, 0));
}

pub(crate) async fn one_account(section: &mut Section) {
    let mut stage = Stage::with(["payments", "shop"]).await;
    let [apply, verify] = section.next("sh").of();
    stage.shell.exits(&apply, 0).await;
    assert_eq!((stage.flow_logs("payments").await, stage.flow_logs("shop").await), (2, 0));
    let policy = stage.policy().await;
    assert!(policy.contains("222222222222") && !policy.contains("333333333333"), "{policy}");
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
}

pub(crate) async fn units(section: &mut Section) {
    // One unit.
    let mut corner = Corner::found().await;
    let fleet = section.fleet(HUB);
    corner.shell.write("flowagg.toml", &fleet);
    let [plan, apply, verify] = section.next("sh").of();
    let planned = corner.shell.exits(&plan, 0).await.stdout;
    let changes = planned.lines().filter_map(|line| line.trim_start().strip_prefix("+ "));
    let accounts: BTreeSet<&str> = changes
        .filter_map(|change| change.split_whitespace().next())
        .filter(|word| word.parse::<AccountId>().is_ok())
        .collect();
    assert_eq!(accounts, BTreeSet::from(["222222222222"]), "{planned}");
    corner.shell.exits(&apply, 0).await;
    corner.deliver(&fleet).await;
    corner.shell.exits(&verify, 0).await;
    let policy = corner.policy().await;
    assert!(policy.contains("222222222222") && !policy.contains("o-a1b2c3d4e5"), "{policy}");

    // The whole organization, with the form that the page names.
    let mut fleet: String =
        fleet.lines().filter(|line| !line.starts_with("units")).flat_map(|line| [line, "\n"]).collect();
    fleet.push_str("\n[policy]\nform = \"organization\"\n");
    corner.shell.write("flowagg.toml", &fleet);
    corner.shell.exits(&apply, 0).await;
    corner.deliver(&fleet).await;
    corner.shell.exits(&verify, 0).await;
    let policy = corner.policy().await;
    assert!(policy.contains("o-a1b2c3d4e5") && !policy.contains("222222222222"), "{policy}");
    let [plan, report] = section.next("sh").of();
    corner.shell.exits(&plan, 0).await;
    corner.shell.exits(&report, 0).await;
    let page = corner.shell.read("report.html");
    assert!(page.contains("222222222222") && page.contains("333333333333"));
}

pub(crate) async fn athena_table(section: &mut Section) {
    let mut corner = Corner::found().await;
    let member = "[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    corner.shell.write("flowagg.toml", &format!("{HUB}{member}"));
    corner.shell.also("flowagg apply").await;
    let [files, template, print, query] = section.next("sh").of();
    corner.shell.exits(&files, 0).await;
    for file in ["queries/database.sql", "queries/table.sql", "queries/query-top.sql"] {
        assert!(!corner.shell.read(file).is_empty());
    }
    corner.shell.exits(&template, 0).await;
    let template: Value = serde_saphyr::from_str(&corner.shell.read("athena.yaml")).unwrap();
    assert!(template["Resources"].is_object(), "{template}");
    let printed = corner.shell.exits(&print, 0).await.stdout;
    assert!(printed.contains("SELECT"), "{printed}");
    let asked = corner.shell.exits(&query, 0).await;
    // The amount that Athena scans is printed before the confirmation.
    let (before, after) = asked.stderr.split_once("Run this query? [y/N] ").unwrap();
    assert!(before.contains("Athena will scan up to 0 objects"), "{asked}");
    assert!(after.contains("ok: 0 rows from Athena"), "{asked}");
}

pub(crate) async fn engines(section: &mut Section) {
    let mut corner = Corner::found().await;
    let member = "[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    corner.shell.write("flowagg.toml", &format!("{HUB}{member}"));
    corner.shell.also("flowagg apply").await;
    let [explain, question, print, sql] = section.next("sh").of();
    let explained = corner.shell.exits(&explain, 0).await.stdout;
    assert!(explained.starts_with("Athena will scan up to "), "{explained}");
    corner.shell.exits(&question, 0).await;
    let printed = corner.shell.exits(&print, 0).await.stdout;
    assert!(printed.contains("10.0.1.10"), "{printed}");
    let asked = corner.shell.exits(&sql, 0).await;
    assert!(asked.stderr.contains("the amount that Athena scans is unknown"), "{asked}");
}
