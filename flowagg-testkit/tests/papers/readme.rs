//! The README: from a clean clone to the page of the report.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::page::{Command, Section};
use crate::shell::Stage;

pub(crate) async fn first_five_minutes(section: &mut Section) {
    let mut stage = Stage::with(["payments"]).await;
    let folder = stage.shell.folder.clone();
    fs::remove_file(stage.world.fleet_path()).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the folder is empty");
    let fleet = section.fleet("");
    stage.shell.write("flowagg.toml", &fleet);

    let [doctor, plan, apply, verify, report, query] = section.next("sh").of();
    let shown = section.next("console");
    let delivering = section.next("console");
    stage.shell.exits(&doctor, 0).await;
    assert_eq!(stage.flow_logs("payments").await, 0, "the doctor changes nothing");
    stage.shell.shows(&shown, &[0]).await;
    stage.shell.exits(&plan, 0).await;
    assert_eq!(stage.flow_logs("payments").await, 0, "a plan writes nothing");
    let applied = stage.shell.exits(&apply, 0).await;
    // It asks.
    assert_data_eq!(
        applied.stderr,
        str![[r#"
y

Do this? [y/N] 
"#]]
    );
    assert_eq!(stage.flow_logs("payments").await, 2);
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
    stage.shell.shows(&delivering, &[0]).await;
    stage.shell.exits(&report, 0).await;
    let comment = report.text.split('`').nth(1).unwrap_or_default();
    let page = Command { text: format!("flowagg report {comment}"), ..report.clone() };
    stage.shell.exits(&page, 0).await;
    assert!(stage.shell.read("report.html").contains("222222222222"));
    let rows = stage.shell.exits(&query, 0).await.stdout;
    assert!(rows.contains("222222222222"), "{rows}");
    let again = stage.shell.exits(&apply, 0).await.stdout;
    assert_data_eq!(
        again,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  = as declared

flow logs
  = 2 as declared

note: flow logs expire after 90 days

plan: nothing to do
next: `flowagg verify --wait 30m` waits until the logs arrive

"#]]
    );

    // A whole organization is another fleet; its story is in the guide.
    section.fleet("");
}
