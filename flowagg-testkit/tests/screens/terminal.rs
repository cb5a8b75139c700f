//! The program in a terminal, and the resulting screen.

use std::num::NonZeroU16;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use flowagg_testkit::world::{World, program};
use pty_process::Size;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Enough rows that nothing scrolls off the screen.
const ROWS: u16 = 6000;
/// The end of a confirmation prompt.
const QUESTION: &str = "[y/N] ";
/// The key that a terminal turns into an interrupt.
pub(crate) const CTRL_C: &str = "\u{3}";
/// Timeout of a run.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the program's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// A terminal with this many columns.
    Columns(u16),
    Piped,
}

pub(crate) const WIDTHS: [Width; 3] = [Width::Columns(80), Width::Columns(200), Width::Piped];

impl Width {
    pub(crate) fn columns(self) -> Option<u16> {
        match self {
            Self::Columns(columns) => Some(columns),
            Self::Piped => None,
        }
    }
}

/// The result of a run.
pub(crate) struct Shown {
    pub(crate) code: Option<i32>,
    /// All output; with pipes, standard output followed by standard error.
    pub(crate) bytes: Vec<u8>,
    width: Width,
}

/// A run of the program in a folder, with only these environment variables.
#[derive(Clone)]
pub(crate) struct Run {
    folder: std::path::PathBuf,
    variables: Vec<(String, String)>,
    /// Pairs of text to wait for and text to type, in order.
    typed: Vec<(&'static str, &'static str)>,
}

impl Run {
    /// A run in a folder with this fleet file, offline.
    pub(crate) fn offline(folder: &Path, fleet_file: &str) -> Self {
        std::fs::write(folder.join("flowagg.toml"), fleet_file).unwrap();
        let run = Self { folder: folder.to_owned(), variables: Vec::new(), typed: Vec::new() };
        run.with("TERM", "xterm-256color").with("LANG", "C.UTF-8")
    }

    /// A run as the hub account of a world.
    pub(crate) fn of(world: &World) -> Self {
        let path = world.fleet_path();
        let folder = path.parent().unwrap();
        let mut run = Self::offline(folder, &world.fleet_file());
        for (variable, value) in world.environment() {
            run = run.with(variable, &value);
        }
        let nowhere = folder.join("nowhere").display().to_string();
        run.with("AWS_CONFIG_FILE", &nowhere).with("AWS_SHARED_CREDENTIALS_FILE", &nowhere)
    }

    /// The same run with this variable set.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.retain(|(name, _)| name != variable);
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The same run, with this answer typed at the confirmation prompt.
    pub(crate) fn typing(self, typed: &'static str) -> Self {
        self.typing_at(QUESTION, typed)
    }

    /// The same run, with `typed` entered once `shown` appears.
    pub(crate) fn typing_at(self, shown: &'static str, typed: &'static str) -> Self {
        self.typing_each(&[(shown, typed)])
    }

    /// The same run, with several pairs of text to wait for and text to type. Each text must appear after the previous
    /// one.
    pub(crate) fn typing_each(self, typed: &[(&'static str, &'static str)]) -> Self {
        Self { typed: typed.to_vec(), ..self }
    }

    /// Runs the program with these arguments.
    pub(crate) async fn flowagg(&self, words: &str, width: Width) -> Shown {
        let run = async {
            match width {
                Width::Columns(columns) => self.in_terminal(words, columns).await,
                Width::Piped => self.piped(words).await,
            }
        };
        let shown = tokio::time::timeout(PATIENCE, run).await;
        let (code, bytes) =
            shown.unwrap_or_else(|_| panic!("`flowagg {words}` is still running after {PATIENCE:?}"));
        Shown { code, bytes, width }
    }

    async fn in_terminal(&self, words: &str, columns: u16) -> (Option<i32>, Vec<u8>) {
        let (mut terminal, inside) = pty_process::open().unwrap();
        terminal.resize(Size::new(ROWS, columns)).unwrap();
        let command = pty_process::Command::new(program().unwrap()).args(words.split(' '));
        let command = command.current_dir(&self.folder).env_clear().envs(self.variables.clone());
        let mut child = command.kill_on_drop(true).spawn(inside).unwrap();
        let (mut bytes, mut part, mut seen) = (Vec::new(), [0; 4096], 0);
        let mut typed = self.typed.iter().peekable();
        // Linux reports an error when no process has the terminal open.
        while let Ok(length @ 1..) = terminal.read(&mut part).await {
            bytes.extend_from_slice(&part[..length]);
            while let Some((shown, text)) = typed.peek()
                && let Some(place) = place_of(shown.as_bytes(), &bytes[seen..])
            {
                seen += place + shown.len();
                terminal.write_all(text.as_bytes()).await.unwrap();
                typed.next();
            }
        }
        (child.wait().await.unwrap().code(), bytes)
    }

    async fn piped(&self, words: &str) -> (Option<i32>, Vec<u8>) {
        let mut command = tokio::process::Command::new(program().unwrap());
        command.args(words.split(' ')).current_dir(&self.folder).env_clear().envs(self.variables.clone());
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        (output.status.code(), [output.stdout, output.stderr].concat())
    }
}

fn place_of(part: &[u8], bytes: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

impl Shown {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text());
        self
    }

    /// The terminal after processing all output.
    pub(crate) fn terminal(&self) -> vt100::Parser {
        let size = |number| NonZeroU16::new(number).unwrap();
        let columns = self.width.columns().unwrap_or(1);
        let mut terminal = vt100::Parser::new(size(ROWS), size(columns), 0);
        terminal.process(&self.bytes);
        terminal
    }

    /// The final contents of the screen. Lines that the terminal wrapped are joined.
    pub(crate) fn text(&self) -> String {
        let Some(columns) = self.width.columns() else {
            return String::from_utf8(self.bytes.clone()).unwrap();
        };
        let terminal = self.terminal();
        let screen = terminal.screen();
        let mut text = String::new();
        for (number, row) in screen.rows(0, columns).enumerate() {
            text.push_str(&row);
            if !screen.row_wrapped(u16::try_from(number).unwrap()) {
                text.push('\n');
            }
        }
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
        lines.join("\n") + "\n"
    }
}
