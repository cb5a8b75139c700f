//! The real emulators: they start, respond, and end with the process that started them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests and their helpers may panic")]

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flowagg_testkit::emulator::{BACKEND_VARIABLE, Backend, Emulator, LOG_VARIABLE};
use snapbox::{assert_data_eq, str};

/// Selects the backend of these tests if [`BACKEND_VARIABLE`] is the URL of a running emulator.
const OWN_BACKEND_VARIABLE: &str = "FLOWAGG_OWN_BACKEND";

/// Makes a test fail on purpose, so that another test can check its output.
const ON_PURPOSE_VARIABLE: &str = "FLOWAGG_FAIL_ON_PURPOSE";

/// The backend for a separate emulator: the selected one, unless it is an existing endpoint.
fn own_backend() -> Backend {
    let named =
        [OWN_BACKEND_VARIABLE, BACKEND_VARIABLE].into_iter().filter_map(|name| std::env::var(name).ok());
    let mut named = named.filter_map(|text| text.parse().ok());
    let own = named.find(|backend| !matches!(backend, Backend::Endpoint(_)));
    own.unwrap_or_else(|| Backend::automatic().unwrap())
}

fn answers(url: &str) -> bool {
    TcpStream::connect(url.trim_start_matches("http://")).is_ok()
}

/// Waits for a condition; the duration depends on the Docker engine.
#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A program with an emulator, its URL and the URL of its log.
fn program() -> (Child, String, String) {
    program_in(&std::env::temp_dir())
}

/// The same, with this folder for its temporary files.
fn program_in(folder: &Path) -> (Child, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_flowagg-emulator"))
        .arg(own_backend().to_string())
        .env("TMPDIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(program.stdout.take().unwrap()).lines();
    let [url, log] = [told.next(), told.next()].map(|line| line.unwrap().unwrap());
    (program, url, log)
}

#[test]
fn emulator_runs_until_it_is_dropped_and_keeps_a_log() {
    let emulator = Emulator::start(&own_backend()).unwrap();
    let url = emulator.url().to_owned();
    assert!(answers(&url));
    eventually("the log contains `Ready.`", || emulator.log().contains("Ready."));
    let again = Emulator::start(&url.parse().unwrap()).unwrap();
    assert_eq!(again.url(), url);
    drop(again);
    assert!(answers(&url), "an existing endpoint keeps running");
    drop(emulator);
    eventually("the endpoint is closed", || !answers(&url));
}

#[test]
fn emulator_ends_with_the_standard_input_of_its_program() {
    let (mut program, url, _) = program();
    assert!(answers(&url));
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
    eventually("the endpoint is closed", || !answers(&url));
}

#[test]
fn emulator_ends_without_leftover_files_if_its_program_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, url, _) = program_in(folder.path());
    assert!(answers(&url));
    program.kill().unwrap();
    program.wait().unwrap();
    eventually("the endpoint is closed", || !answers(&url));
    eventually("its files are deleted", || folder.path().read_dir().unwrap().next().is_none());
}

#[test]
fn detached_emulator_is_stopped_by_the_returned_command() {
    let emulator = Emulator::start(&own_backend()).unwrap();
    let url = emulator.url().to_owned();
    let stop = emulator.leave_running().unwrap();
    assert!(answers(&url));
    assert!(
        Command::new("sh").args(["-c", &stop]).stdout(Stdio::null()).status().unwrap().success(),
        "{stop}"
    );
    eventually("the endpoint is closed", || !answers(&url));
}

/// Runs a single test of this program, which fails on purpose. Returns its output.
fn shown_by(test: &str, environment: &[(&str, &str)]) -> String {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test]).env(ON_PURPOSE_VARIABLE, "1").env_remove(LOG_VARIABLE);
    let output = again.envs(environment.iter().copied()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && shown.contains("failed on purpose"), "{shown}");
    shown
}

fn is_to_fail() -> bool {
    std::env::var_os(ON_PURPOSE_VARIABLE).is_some()
}

#[test]
fn failing_test_prints_the_end_of_its_emulators_log() {
    if is_to_fail() {
        let emulator = Emulator::shared().unwrap();
        eventually("the log contains `Ready.`", || emulator.log().contains("Ready."));
        panic!("failed on purpose");
    }
    let own = own_backend().to_string();
    let test = "failing_test_prints_the_end_of_its_emulators_log";
    let shown = shown_by(test, &[(BACKEND_VARIABLE, &own)]);
    let (_, log) = shown.split_once("last lines of the log of the emulator:\n").unwrap();
    assert!(log.contains("Ready."), "{shown}");
}

#[test]
fn failing_test_prints_the_log_of_another_programs_emulator() {
    if is_to_fail() {
        Emulator::shared().unwrap();
        panic!("failed on purpose");
    }
    let test = "failing_test_prints_the_log_of_another_programs_emulator";
    let (mut program, url, log) = program();
    eventually("its log is served", || {
        let shown = shown_by(test, &[(BACKEND_VARIABLE, &url), (LOG_VARIABLE, &log)]);
        shown.contains("last lines of the log of the emulator:\n") && shown.contains("Ready.")
    });
    let elsewhere = shown_by(test, &[(BACKEND_VARIABLE, &url)]);
    assert!(!elsewhere.contains("last lines of the log"), "the log's URL is not set: {elsewhere}");
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = format!("http://{}", gone.local_addr().unwrap());
    let shown = shown_by(test, &[(BACKEND_VARIABLE, &there), (LOG_VARIABLE, &log)]);
    let (_, last) = shown.split_once("last lines of the log of the emulator:\n").unwrap();
    assert_data_eq!(
        last.lines().next().unwrap().replace(&log, "URL"),
        str!["cannot read its log at URL: [..]"]
    );
}

#[test]
fn error_without_docker_and_python_names_what_to_install() {
    let bare = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_flowagg-emulator"))
        .env_clear()
        .env("PATH", bare.path())
        .env("HOME", bare.path())
        .env("DOCKER_HOST", format!("unix://{}", bare.path().join("docker.sock").display()))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{told}");
    assert_data_eq!(
        told.replace(bare.path().to_str().unwrap(), "BARE"),
        str![[r#"
error: neither Docker nor Python can run LocalStack 4.13.1 here
  docker: failed to initialize a docker client: Socket not found: BARE/docker.sock
  python: LocalStack needs Python 3.11 to 3.13, or `uv`: no Python on the path
start a Docker engine, or install Python 3.11 to 3.13 with pip (or `uv`), or name a running endpoint: FLOWAGG_BACKEND=http://127.0.0.1:4566

"#]]
    );
}
