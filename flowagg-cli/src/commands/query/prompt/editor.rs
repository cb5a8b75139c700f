//! The line editor, on a thread of its own, and the file of its history.

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
/// The variable that names another file for the history; an empty one turns it off.
const VARIABLE: &str = "FLOWAGG_QUERY_HISTORY";
/// How a file of a history begins.
const FIRST_LINE: &str = "#V2";
/// The lines that are kept.
const LINES: usize = 1_000;

/// The file of the history; `None` if there is to be none. Fails if the file that the variable names is something else.
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
    let what = format!("`{}`, which {VARIABLE} names, is not a history that can be read", path.display());
    Err(Problem::new(
        what,
        format!("name another file with {VARIABLE}, which is created, or set it to nothing for no history"),
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

/// How a terminal is set before the editor changes it.
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

/// Where terminals are not set so.
#[cfg(not(unix))]
pub(super) struct TerminalMode;

#[cfg(not(unix))]
impl TerminalMode {
    pub(super) fn of_stdin() -> Self {
        Self
    }

    pub(super) fn restore(&self) {}
}

/// Reads lines from a terminal.
pub(super) struct Typist {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
    /// Why the history is not kept, until that has been printed.
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
            // There is none at first.
            let _ = editor.load_history(history);
        }
        Ok(Self { editor, history: history.map(Path::to_owned), unkept: None })
    }

    /// Reads a line, on a thread that may wait.
    pub(super) async fn line(mut self) -> Result<(Self, Result<String, ReadlineError>), io::Error> {
        let read = tokio::task::spawn_blocking(move || {
            let typed = self.editor.readline(PROMPT);
            self.keep();
            (self, typed)
        });
        read.await.map_err(io::Error::other)
    }

    /// Writes the history. A prompt without a history is better than none.
    fn keep(&mut self) {
        let Some(path) = self.history.take() else { return };
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        match self.editor.append_history(&path) {
            Ok(()) => self.history = Some(path),
            Err(error) => {
                let how = format!("`{VARIABLE}` names another file");
                self.unkept =
                    Some(format!("the history cannot be kept in `{}`: {error}. {how}", path.display()));
            }
        }
    }
}

/// What helps to type.
struct Assistant(Known);

impl Helper for Assistant {}
impl Highlighter for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Validator for Assistant {
    /// Enter begins another line of a statement until it ends.
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
        // A function goes on with its argument, another word with the next one.
        let pair = |word: String| {
            let space = if word.ends_with('(') { "" } else { " " };
            Pair { replacement: format!("{word}{space}"), display: word }
        };
        Ok((start, candidates.into_iter().map(pair).collect()))
    }
}
