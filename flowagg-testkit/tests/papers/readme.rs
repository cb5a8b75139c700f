//! The README and getting started: from an empty folder to the report page.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::page::Section;
use crate::shell::Stage;

pub(crate) async fn five_minutes(section: &mut Section) {
    let mut stage = Stage::with(["payments"]).await;
    let folder = stage.shell.folder.clone();
    fs::remove_file(stage.world.fleet_path()).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the folder is empty");
    let fleet = section.fleet("");
    stage.shell.write("flowagg.toml", &fleet);

    let [doctor, plan] = section.next("sh").of();
    stage.shell.exits(&doctor, 0).await;
    stage.shell.exits(&plan, 0).await;
    stage.shell.shows(&section.next("console"), &[0]).await;
    assert_eq!(stage.flow_logs("payments").await, 0, "doctor and plan change nothing");
    let [apply, verify] = section.next("sh").of();
    let applied = stage.shell.exits(&apply, 0).await;
    // The confirmation.
    assert_data_eq!(
        applied.stderr,
        str![[r#"
y

Apply these changes? [y/N] 
"#]]
    );
    assert_eq!(stage.flow_logs("payments").await, 2);
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
    stage.shell.shows(&section.next("console"), &[0]).await;
    let [report, query] = section.next("sh").of();
    stage.shell.exits(&report, 0).await;
    assert!(stage.shell.read("report.html").contains("222222222222"));
    let rows = stage.shell.exits(&query, 0).await.stdout;
    assert!(rows.contains("222222222222"), "{rows}");
    let again = stage.shell.exits(&apply, 0).await.stdout;
    assert_data_eq!(
        again,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = up to date

flow logs
  = 2 up to date

note: flow logs expire after 90 days

plan: nothing to do
next: run `flowagg verify --wait 30m` to wait until the logs arrive

"#]]
    );

    // The fleet file of an organization; the stories of rolling-out.md apply one.
    section.fleet("");
}

pub(crate) async fn init(section: &mut Section) {
    let mut stage = Stage::with(["payments", "shop"]).await;
    fs::remove_file(stage.world.fleet_path()).unwrap();
    let [init] = section.next("sh").of();
    stage.shell.exits(&init, 0).await;
    let plan = stage.shell.also("flowagg plan").await.stdout;
    assert!(plan.contains("plan: 6 changes to the hub, 4 flow logs to create"), "{plan}");
}

pub(crate) async fn look(section: &mut Section) {
    let mut stage = Stage::with(["payments", "shop"]).await;
    let [doctor, plan, permissions] = section.next("sh").of();
    stage.shell.exits(&doctor, 0).await;
    stage.shell.exits(&plan, 0).await;
    let printed = stage.shell.exits(&permissions, 0).await.stdout;
    assert!(printed.contains("sts:AssumeRole"), "{printed}");
    assert_eq!(stage.world.policy().await.unwrap(), None, "the bucket is not created");
    assert_eq!((stage.flow_logs("payments").await, stage.flow_logs("shop").await), (0, 0));
}

pub(crate) async fn apply_and_verify(section: &mut Section) {
    let mut stage = Stage::with(["payments", "shop"]).await;
    let [apply, verify, report] = section.next("sh").of();
    stage.shell.exits(&apply, 0).await;
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
    stage.shell.exits(&report, 0).await;
    assert!(stage.shell.read("report.html").contains("333333333333"));
}
