//! A run that a signal ends: what it says last, and with which code it ends.

use std::process::Stdio;

use flowagg_testkit::world::{World, program};
use snapbox::{assert_data_eq, str};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{applied, deliver, on_paper};

fn spawn(world: &World, args: &[&str]) -> Child {
    let mut command = Command::new(program().unwrap());
    let path = world.fleet_path();
    std::fs::write(&path, world.fleet_file()).unwrap();
    command.args(args).arg("--config").arg(path).env_clear().envs(world.environment());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

/// Sends a signal once a line of standard error starts so. Returns the exit code, standard output, and the other lines.
async fn signalled(mut child: Child, signal: &str, start: &str) -> (Option<i32>, String, Vec<String>) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut told = Vec::new();
    loop {
        let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("no line starts with {start}"));
        told.push(line);
        if told.last().is_some_and(|line| line.starts_with(start)) {
            break;
        }
    }
    let process = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([signal, &process]).status().await.unwrap().success());
    while let Some(line) = lines.next_line().await.unwrap() {
        told.push(line);
    }
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).await.unwrap();
    (child.wait().await.unwrap().code(), out, told)
}

#[tokio::test]
async fn an_interrupted_wait_says_what_delivers_and_what_is_still_awaited() {
    let world = applied(["shop", "bank"]).await;
    deliver(&world).await;
    let log = world.flow_logs(world.accounts()["bank"].id, world.hub_region()).await.unwrap().remove(0);
    let id = log.flow_log_id.unwrap();
    for key in world.keys().await.unwrap().into_iter().filter(|key| key.contains(&id)) {
        world.s3().delete_object().bucket(world.bucket().as_str()).key(key).send().await.unwrap();
    }
    for (signal, code, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let child = spawn(&world, &["verify", "--wait", "30m"]);
        let (ended, out, told) = signalled(child, signal, "waiting: ").await;
        assert_eq!(ended, Some(code), "{out}{told:?}");
        assert!(told.iter().all(|line| line.starts_with("waiting: 3 of 4 flow logs deliver; ")), "{told:?}");
        if code == 130 {
            assert_data_eq!(
                on_paper(&world, &out),
                str![[r#"
  + 222222222222  shop  2 delivering, newest object 40 s old
  ~ 333333333333  bank  1 delivering, 1 waiting, newest object 40 s old

waiting: 1 flow log: new, nothing has arrived yet
       `flowagg verify --wait 30m` waits for it
  ~ 333333333333  bank  eu-west-1  vpc-0123456789abcdef0  fl-0123456789abcdef0

  resources  4 of 4 (100 %) have a flow log
  flow logs  3 of 4 (75 %) deliver, 1 waiting

interrupted: 3 of 4 flow logs deliver; still awaited: 1 waiting
next: run `flowagg verify` again

"#]]
            );
        }
        let last = format!("{word}: 3 of 4 flow logs deliver; still awaited: 1 waiting");
        assert_eq!(out.lines().rev().nth(1), Some(&*last));
    }
    let child = spawn(&world, &["verify", "--wait", "30m", "--json"]);
    let (ended, out, _) =
        signalled(child, "-INT", "{\"schema\":1,\"event\":\"step\",\"what\":\"delivering\"").await;
    let verified: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((ended, &verified["coverage"]["flow-logs"]["count"]), (Some(130), &serde_json::json!(3)));
}
