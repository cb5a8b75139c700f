//! A terminal with the program in it, and what it shows.

use std::num::NonZeroU16;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use flowagg_testkit::world::{World, program};
use pty_process::Size;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// So many rows that nothing is lost above.
const ROWS: u16 = 6000;
/// How a question ends, which somebody at the keyboard answers.
const QUESTION: &str = "[y/N] ";
/// What a terminal makes an interrupt of.
pub(crate) const CTRL_C: &str = "\u{3}";
/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the program writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// A terminal of so many columns.
    Columns(u16),
    /// Pipes.
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

/// What came of a run.
pub(crate) struct Shown {
    pub(crate) code: Option<i32>,
    /// Every byte that was written: with pipes, standard output and then standard error.
    pub(crate) bytes: Vec<u8>,
    width: Width,
}

/// A run to be: in a folder, with nothing in its environment but this.
#[derive(Clone)]
pub(crate) struct Run {
    folder: std::path::PathBuf,
    variables: Vec<(String, String)>,
    /// What is typed, one after the other, each once something is shown.
    typed: Vec<(&'static str, &'static str)>,
}

impl Run {
    /// In a folder with this fleet file, offline.
    pub(crate) fn offline(folder: &Path, fleet_file: &str) -> Self {
        std::fs::write(folder.join("flowagg.toml"), fleet_file).unwrap();
        let run = Self { folder: folder.to_owned(), variables: Vec::new(), typed: Vec::new() };
        run.with("TERM", "xterm-256color").with("LANG", "C.UTF-8")
    }

    /// As the hub account of a world.
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

    /// The same with a variable set, or set to something else.
    pub(crate) fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.retain(|(name, _)| name != variable);
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The same with somebody at the keyboard who answers the question.
    pub(crate) fn typing(self, typed: &'static str) -> Self {
        self.typing_at(QUESTION, typed)
    }

    /// The same with somebody at the keyboard who types this once that is shown.
    pub(crate) fn typing_at(self, shown: &'static str, typed: &'static str) -> Self {
        self.typing_each(&[(shown, typed)])
    }

    /// The same with somebody who types each of these once that is shown, below what was shown before.
    pub(crate) fn typing_each(self, typed: &[(&'static str, &'static str)]) -> Self {
        Self { typed: typed.to_vec(), ..self }
    }

    /// Runs the program with these words.
    pub(crate) async fn flowagg(&self, words: &str, width: Width) -> Shown {
        let run = async {
            match width {
                Width::Columns(columns) => self.in_terminal(words, columns).await,
                Width::Piped => self.piped(words).await,
            }
        };
        let shown = tokio::time::timeout(PATIENCE, run).await;
        let (code, bytes) =
            shown.unwrap_or_else(|_| panic!("`flowagg {words}` has not ended after {PATIENCE:?}"));
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
        // Linux says by an error that a terminal has nobody in it any more.
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

    /// The terminal, with all that was drawn and wiped away.
    pub(crate) fn terminal(&self) -> vt100::Parser {
        let size = |number| NonZeroU16::new(number).unwrap();
        let columns = self.width.columns().unwrap_or(1);
        let mut terminal = vt100::Parser::new(size(ROWS), size(columns), 0);
        terminal.process(&self.bytes);
        terminal
    }

    /// What stands there in the end. A line that the terminal itself had to break is one line.
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
