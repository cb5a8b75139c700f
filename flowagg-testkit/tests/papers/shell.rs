//! A shell that runs the commands of a page in a simulated world, unchanged.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use flowagg_testkit::emulator::{Emulator, aws_cli};
use flowagg_testkit::world::{Ran, World, program};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::{Assert, IntoData};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::page::{Block, Command, root};
use crate::paper::Paper;

/// The timeout for one command.
const PATIENCE: Duration = Duration::from_secs(180);

/// A shell in a folder, with `flowagg` and `aws` on its path.
pub(crate) struct Shell {
    pub(crate) folder: PathBuf,
    pub(crate) paper: Paper,
    environment: Vec<(&'static str, String)>,
    programs: TempDir,
}

impl Shell {
    pub(crate) fn new(folder: &Path, paper: Paper, environment: Vec<(&'static str, String)>) -> Self {
        let programs = tempfile::tempdir().unwrap();
        symlink(fs::canonicalize(program().unwrap()).unwrap(), programs.path().join("flowagg")).unwrap();
        Self { folder: folder.to_owned(), paper, environment, programs }
    }

    /// Writes a file with text from a page.
    pub(crate) fn write(&self, name: &str, on_paper: &str) {
        fs::write(self.folder.join(name), self.paper.in_world(on_paper)).unwrap();
    }

    /// The contents of a file, with the names that pages use.
    pub(crate) fn read(&mut self, name: &str) -> String {
        let text = fs::read_to_string(self.folder.join(name)).unwrap();
        self.paper.on_paper(&text)
    }

    /// Changes the credentials for later commands.
    pub(crate) fn become_account(&mut self, account: impl ToString) {
        self.environment.retain(|(name, _)| *name != "AWS_ACCESS_KEY_ID");
        self.environment.push(("AWS_ACCESS_KEY_ID", account.to_string()));
    }

    /// Runs a command in a terminal and confirms prompts. Panics unless it exits with this code. The output has the names that
    /// pages use.
    #[track_caller]
    pub(crate) fn exits(&mut self, command: &Command, code: i32) -> impl Future<Output = Ran> {
        let caller = std::panic::Location::caller();
        async move {
            let ran = self.run(&command.text).await;
            assert_eq!(ran.code, Some(code), "{}, at {caller}: {ran}", command.place);
            ran
        }
    }

    /// Runs a command that is not in the page. Panics unless it exits with 0.
    #[track_caller]
    pub(crate) fn also(&mut self, command: &str) -> impl Future<Output = Ran> {
        let caller = std::panic::Location::caller();
        async move {
            let ran = self.run(command).await;
            assert_eq!(ran.code, Some(0), "at {caller}: {ran}");
            ran
        }
    }

    /// Runs a command in a terminal in which `y` was typed.
    async fn run(&mut self, command: &str) -> Ran {
        let shell = self.shell(command);
        let (mut terminal, inside) = pty_process::open().unwrap();
        let mut shell = pty_process::Command::new("sh").args(["-c", &shell]).current_dir(&self.folder);
        shell = shell.env_clear().envs(self.variables(command)).stdout(Stdio::piped()).kill_on_drop(true);
        terminal.write_all(b"y\n").await.unwrap();
        let child = shell.spawn(inside).unwrap();
        let written = async {
            let (mut written, mut part) = (Vec::new(), [0; 4096]);
            // On Linux, the end of a terminal is an error.
            while let Ok(length @ 1..) = terminal.read(&mut part).await {
                written.extend_from_slice(&part[..length]);
            }
            written
        };
        let both = async { tokio::join!(child.wait_with_output(), written) };
        let ended = tokio::time::timeout(PATIENCE, both).await;
        let (output, written) = ended.unwrap_or_else(|_| panic!("`{command}` timed out after {PATIENCE:?}"));
        let output = output.unwrap();
        let mut paper = |bytes: &[u8]| self.paper.on_paper(&String::from_utf8_lossy(bytes));
        let (stdout, stderr) = (paper(&output.stdout), paper(&written));
        Ran::new(command, output.status.code(), stdout, stderr)
    }

    /// Compares the output of each command of a `console` block with the block. The commands must exit with these codes.
    /// `SNAPSHOTS=overwrite` updates the block.
    pub(crate) async fn shows(&mut self, block: &Block, codes: &[i32]) {
        let place = block.place();
        let commands: Vec<&str> = block.text.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        assert_eq!(commands.len(), codes.len(), "{place}: the story expects another number of commands");
        let mut shown = String::new();
        for (command, code) in commands.into_iter().zip(codes) {
            let mut shell = tokio::process::Command::new("sh");
            shell.args(["-c", &format!("exec 2>&1; {}", self.shell(command))]).current_dir(&self.folder);
            shell.env_clear().envs(self.variables(command)).stdin(Stdio::null()).kill_on_drop(true);
            let output = tokio::time::timeout(PATIENCE, shell.output()).await.unwrap().unwrap();
            let printed = self.paper.on_paper(&String::from_utf8_lossy(&output.stdout));
            assert_eq!(output.status.code(), Some(*code), "{place}: `{command}`: {printed}");
            shown.extend([&format!("$ {command}\n"), printed.trim_start_matches('\n')]);
            shown.truncate(shown.trim_end().len());
            shown.push_str("\n\n");
        }
        shown.truncate(shown.trim_end().len());
        shown.push('\n');
        if std::env::var(DEFAULT_ACTION_ENV).is_ok_and(|action| action == "overwrite") {
            renew(block, &shown);
        } else {
            let same = Assert::new().try_eq(Some(&place), shown.into_data(), block.text.as_str().raw());
            same.unwrap_or_else(|error| panic!("{error}Update with {DEFAULT_ACTION_ENV}=overwrite"));
        }
    }

    /// The command for `sh`, with the names of the world. Without `jq`, only the part before the pipe.
    fn shell(&self, command: &str) -> String {
        let command = self.paper.in_world(command);
        match command.split_once("| jq") {
            Some((before, _)) if !has("jq") => before.to_owned(),
            _ => command,
        }
    }

    /// The environment of a command: its programs and its account, without the settings of this machine's user.
    fn variables(&self, command: &str) -> Vec<(&'static str, String)> {
        let aws = self.programs.path().join("aws");
        if command.contains("aws ") && !aws.exists() {
            let python = aws_cli().unwrap();
            fs::write(&aws, format!("#!/bin/sh\nexec '{}' -m awscli \"$@\"\n", python.display())).unwrap();
            fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let none = |name: &str| self.folder.join(name).display().to_string();
        let mut variables = self.environment.clone();
        let region =
            variables.iter().find(|(name, _)| *name == "AWS_REGION").map(|(_, region)| region.clone());
        variables.extend(region.map(|region| ("AWS_DEFAULT_REGION", region)));
        variables.extend([
            ("PATH", format!("{}:{path}", self.programs.path().display())),
            ("HOME", self.folder.display().to_string()),
            ("AWS_CONFIG_FILE", none("no-config")),
            ("AWS_SHARED_CREDENTIALS_FILE", none("no-credentials")),
        ]);
        variables
    }
}

/// Whether a program is on the path.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Replaces the text of a block in its page. Only one test writes at a time.
fn renew(block: &Block, text: &str) {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap();
    let page = root().join(&block.page);
    let was = fs::read_to_string(&page).unwrap();
    let fenced = |text: &str| format!("```console\n{text}```\n");
    assert_eq!(was.matches(&fenced(&block.text)).count(), 1, "{}", block.place());
    fs::write(&page, was.replacen(&fenced(&block.text), &fenced(text), 1)).unwrap();
}

/// A world on LocalStack, and a shell in its hub account and its folder.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) shell: Shell,
}

impl Stage {
    /// A world with these members: 222222222222, 333333333333 and so on, with one VPC in each of two regions.
    pub(crate) async fn with<const N: usize>(members: [&str; N]) -> Self {
        let mut world = World::new(Emulator::shared().unwrap()).await.unwrap();
        for name in members {
            world.member(name, 1).await.unwrap();
        }
        let folder = world.fleet_path().parent().unwrap().to_owned();
        let shell = Shell::new(&folder, Paper::of(&world), world.environment());
        let stage = Self { world, shell };
        stage.write_fleet();
        stage
    }

    /// The same world after `flowagg apply`.
    pub(crate) async fn applied<const N: usize>(members: [&str; N]) -> Self {
        let mut stage = Self::with(members).await;
        stage.shell.also("flowagg apply --yes").await;
        stage
    }

    /// Writes the current fleet file of the world.
    pub(crate) fn write_fleet(&self) {
        fs::write(self.world.fleet_path(), self.world.fleet_file()).unwrap();
    }

    /// Delivers objects now, or for the first minutes of the day if it has just begun.
    pub(crate) async fn deliver(&self) {
        let now = Timestamp::now();
        let day = now.to_zoned(TimeZone::UTC).start_of_day().unwrap().timestamp();
        let at = now.max(day + SignedDuration::from_mins(10));
        self.world.deliver(at).await.unwrap();
    }

    /// The live policy, on paper.
    pub(crate) async fn policy(&mut self) -> String {
        let policy = self.world.policy().await.unwrap().unwrap_or_default();
        self.shell.paper.on_paper(&policy)
    }

    /// The number of flow logs of an account in all regions.
    pub(crate) async fn flow_logs(&self, name: &str) -> usize {
        let mut count = 0;
        for region in self.world.regions() {
            count += self.world.flow_logs(self.world.accounts()[name].id, region).await.unwrap().len();
        }
        count
    }
}
