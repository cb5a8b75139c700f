//! Runs that are ended by a signal: their last line and their exit code.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use flowagg_testkit::faults::{Answer, CallFilter, Faults, Freeze};
use flowagg_testkit::world::{World, program};
use snapbox::{assert_data_eq, str};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{applied, deliver, on_paper, world};

fn spawn(world: &World, args: &[&str]) -> Child {
    let mut command = Command::new(std::path::absolute(program().unwrap()).unwrap());
    let path = world.fleet_path();
    std::fs::write(&path, world.fleet_file()).unwrap();
    command.args(args).current_dir(path.parent().unwrap()).env_clear().envs(world.environment());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

/// Sends a signal once a line of standard error has this prefix. Returns the exit code, standard output, and the lines
/// of standard error.
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
async fn interrupted_wait_reports_delivering_and_waiting_flow_logs() {
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

waiting: 1 flow log: new, no objects yet
       run `flowagg verify --wait 30m` to wait for them
  ~ 333333333333  bank  eu-west-1  vpc-0123456789abcdef0  fl-0123456789abcdef0

  resources  4 of 4 (100 %) have a flow log
  flow logs  3 of 4 (75 %) deliver, 1 waiting

interrupted: 3 of 4 flow logs deliver; remaining: 1 waiting
next: run `flowagg verify` again

"#]]
            );
        }
        let last = format!("{word}: 3 of 4 flow logs deliver; remaining: 1 waiting");
        assert_eq!(out.lines().rev().nth(1), Some(&*last));
    }
    let child = spawn(&world, &["verify", "--wait", "30m", "--json"]);
    let (ended, out, _) =
        signalled(child, "-INT", "{\"schema\":1,\"event\":\"step\",\"what\":\"delivering\"").await;
    let verified: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((ended, &verified["coverage"]["flow-logs"]["count"]), (Some(130), &serde_json::json!(3)));
}

/// Sends SIGINT to a process.
async fn interrupt(process: u32) {
    assert!(Command::new("kill").args(["-INT", &process.to_string()]).status().await.unwrap().success());
}

async fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn interrupted_apply_reports_remaining_changes_in_its_last_line() {
    let mut world = world(["shop", "bank"]).await;
    let (shop, bank) = (world.accounts()["shop"].id, world.accounts()["bank"].id);
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let process: Arc<Mutex<Option<u32>>> = Arc::default();
    let known = Arc::clone(&process);
    let signal = Answer::meanwhile(move || {
        let process = known.lock().unwrap().unwrap();
        interrupt(process)
    });
    faults.on(CallFilter::operation("CreateFlowLogs").in_account(shop).first(1), signal);
    let denied = Answer::error(403, "UnauthorizedOperation", "You are not authorized.");
    faults.on(CallFilter::operation("CreateFlowLogs").in_account(bank), denied);
    let child = spawn(&world, &["apply", "--yes"]);
    *process.lock().unwrap() = child.id();
    let (code, out) = ended(child).await;
    assert_eq!(code, Some(130), "{out}");
    let last = out.lines().rfind(|line| !line.starts_with("next: ")).unwrap();
    assert!(last.starts_with("interrupted: ") && last.ends_with(" to create"), "{out}");
}

#[tokio::test]
async fn apply_interrupted_during_its_recheck_prints_completed_changes() {
    let mut world = applied(["shop"]).await;
    world.member("bank", 1).await.unwrap();
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    let second = CallFilter::operation("GetPublicAccessBlock").after(1);
    faults.on(second, Answer::Frozen(Freeze::Before));
    let child = spawn(&world, &["apply", "--yes"]);
    let process = child.id().unwrap();
    faults.froze().await;
    interrupt(process).await;
    let (code, out) = ended(child).await;
    assert_eq!(code, Some(130), "{out}");
    let (_, applied) = out.split_once("\napplied\n").unwrap();
    assert_data_eq!(
        on_paper(&world, applied),
        str![[r#"
  done acme-flow-logs: wrote the bucket policy: granted delivery to 333333333333 (bank)
  done 333333333333 (bank) eu-west-1: created fl-0123456789abcdef0 for vpc-0123456789abcdef0
  done 333333333333 (bank) us-east-1: created fl-0123456789abcdef1 for vpc-0123456789abcdef1

interrupted: 3 changes applied; remaining differences were not checked
next: run `flowagg plan` to see the remaining changes

"#]]
    );
}

#[tokio::test]
async fn interrupted_read_reports_that_nothing_was_changed() {
    let mut world = applied(["shop"]).await;
    let faults = Faults::in_front_of(world.aws().url()).await.unwrap();
    world.send_program_to(faults.url());
    for words in [&["plan"][..], &["report"], &["doctor"], &["apply", "--yes"], &["plan", "--json"]] {
        faults.on(CallFilter::operation("DescribeVpcs"), Answer::Frozen(Freeze::Before));
        let child = spawn(&world, words);
        let process = child.id().unwrap();
        faults.froze().await;
        interrupt(process).await;
        let output = child.wait_with_output().await.unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let last = err.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(130), "{words:?}: {err}");
        assert!(last.contains("interrupted: nothing was changed"), "{words:?}: {err}");
        faults.quiet().await.unwrap();
        faults.lift();
    }
}
