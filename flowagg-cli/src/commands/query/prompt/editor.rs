//! The line editor, which runs on its own thread, and its history file.

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, CompletionType, Config, Context, Editor, Helper};

use super::super::super::error::Problem;
use super::complete::Known;
use super::line::goes_on;

const PROMPT: &str = "flowagg> ";
/// The environment variable that sets the history file. An empty value disables the history.
const VARIABLE: &str = "FLOWAGG_QUERY_HISTORY";
/// The first line of a history file.
const FIRST_LINE: &str = "#V2";
/// The maximum number of lines in the history.
const LINES: usize = 1_000;

/// The history file; `None` if the history is disabled. Fails if the variable names a file that is not a history.
pub(super) fn history() -> Result<Option<PathBuf>, Problem> {
    let Some(path) = env::var_os(VARIABLE) else { return Ok(default_history()) };
    if path.is_empty() {
        return Ok(None);
    }
    let path = PathBuf::from(path);
    let is_history = match fs::read(&path) {
        Ok(text) => text.is_empty() || text.starts_with(FIRST_LINE.as_bytes()),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if is_history {
        return Ok(Some(path));
    }
    let what = format!("`{}` ({VARIABLE}) is not a readable history file", path.display());
    Err(Problem::new(
        what,
        format!("set {VARIABLE} to another file, or to an empty value to disable the history"),
    ))
}

fn default_history() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        set("LOCALAPPDATA")?
    } else {
        set("XDG_STATE_HOME").or_else(|| env::home_dir().map(|home| home.join(".local/state")))?
    };
    Some(folder.join("flowagg").join("query-history"))
}

/// The terminal mode before the editor changes it.
#[cfg(unix)]
pub(super) struct TerminalMode(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl TerminalMode {
    pub(super) fn of_stdin() -> Self {
        Self(rustix::termios::tcgetattr(io::stdin()).ok())
    }

    pub(super) fn restore(&self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        if let Some(mode) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, mode);
        }
    }
}

/// A stand-in for platforms without termios.
#[cfg(not(unix))]
pub(super) struct TerminalMode;

#[cfg(not(unix))]
impl TerminalMode {
    pub(super) fn of_stdin() -> Self {
        Self
    }

    pub(super) fn restore(&self) {}
}

/// Reads lines from the terminal.
pub(super) struct Typist {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
    /// Why the history is not kept; taken when it is printed.
    pub(super) unkept: Option<String>,
}

impl Typist {
    pub(super) fn new(known: Known, history: Option<&Path>) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .behavior(Behavior::PreferTerm)
            .completion_type(CompletionType::List)
            .auto_add_history(true)
            .history_ignore_space(true)
            .max_history_size(LINES)?;
        let mut editor = Editor::with_config(config.build())?;
        editor.set_helper(Some(Assistant(known)));
        if let Some(history) = history {
            // The file does not exist at first.
            let _ = editor.load_history(history);
        }
        Ok(Self { editor, history: history.map(Path::to_owned), unkept: None })
    }

    /// Reads a line on a blocking thread.
    pub(super) async fn line(mut self) -> Result<(Self, Result<String, ReadlineError>), io::Error> {
        let read = tokio::task::spawn_blocking(move || {
            let typed = self.editor.readline(PROMPT);
            self.keep();
            (self, typed)
        });
        read.await.map_err(io::Error::other)
    }

    /// Writes the history. A failure does not end the prompt.
    fn keep(&mut self) {
        let Some(path) = self.history.take() else { return };
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        match self.editor.append_history(&path) {
            Ok(()) => self.history = Some(path),
            Err(error) => {
                let how = format!("set `{VARIABLE}` to another file");
                self.unkept =
                    Some(format!("the history cannot be kept in `{}`: {error}. {how}", path.display()));
            }
        }
    }
}

/// Completion and validation for the editor.
struct Assistant(Known);

impl Helper for Assistant {}
impl Highlighter for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Validator for Assistant {
    /// Enter starts a new line until the statement is complete.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if goes_on(context.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, place: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, candidates) = self.0.complete(line.get(..place).unwrap_or_default());
        // A space follows a word but not the parenthesis of a function.
        let pair = |word: String| {
            let space = if word.ends_with('(') { "" } else { " " };
            Pair { replacement: format!("{word}{space}"), display: word }
        };
        Ok((start, candidates.into_iter().map(pair).collect()))
    }
}
