//! The emulators for real: started, answering, and gone with whoever started them.

#![allow(clippy::unwrap_used, reason = "a test may fail where it likes, its helpers too")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flowagg_testkit::emulator::{BACKEND_VARIABLE, Backend, Emulator};

/// Names the backend of these tests where [`BACKEND_VARIABLE`] names an emulator that runs already.
const OWN_BACKEND_VARIABLE: &str = "FLOWAGG_OWN_BACKEND";

/// The backend to start one of our own with: the named one, unless that is somebody else's endpoint.
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

/// Waits for what must come to pass; how long it takes is the engine's affair.
#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn program() -> (Child, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_flowagg-emulator"))
        .arg(own_backend().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut url).unwrap();
    (program, url.trim().to_owned())
}

#[test]
fn an_emulator_answers_until_it_is_dropped_and_its_log_is_kept() {
    let emulator = Emulator::start(&own_backend()).unwrap();
    let url = emulator.url().to_owned();
    assert!(answers(&url));
    eventually("the log says that it is ready", || emulator.log().contains("Ready."));
    let again = Emulator::start(&url.parse().unwrap()).unwrap();
    assert_eq!(again.url(), url);
    drop(again);
    assert!(answers(&url), "an endpoint that was there stays");
    drop(emulator);
    eventually("nothing answers any more", || !answers(&url));
}

#[test]
fn an_emulator_ends_with_the_standard_input_of_its_program() {
    let (mut program, url) = program();
    assert!(answers(&url));
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
    eventually("nothing answers any more", || !answers(&url));
}

#[test]
fn an_emulator_ends_even_when_its_program_is_killed() {
    let (mut program, url) = program();
    assert!(answers(&url));
    program.kill().unwrap();
    program.wait().unwrap();
    eventually("nothing answers any more", || !answers(&url));
}

#[test]
fn an_emulator_that_is_left_running_is_ended_by_the_command_it_names() {
    let emulator = Emulator::start(&own_backend()).unwrap();
    let url = emulator.url().to_owned();
    let stop = emulator.leave_running().unwrap();
    assert!(answers(&url));
    assert!(
        Command::new("sh").args(["-c", &stop]).stdout(Stdio::null()).status().unwrap().success(),
        "{stop}"
    );
    eventually("nothing answers any more", || !answers(&url));
}

#[test]
fn a_machine_without_docker_and_python_is_told_what_to_install() {
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
    for word in [
        "neither Docker nor Python",
        "docker.sock",
        "there is none on the path",
        "install Python 3.11",
        BACKEND_VARIABLE,
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
}
