//! The line editor, on a thread of its own, and the file of its history.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, CompletionType, Config, Context, Editor, Helper};

use super::complete::Known;
use super::line::goes_on;

const PROMPT: &str = "flowagg> ";
/// The variable that names another file for the history; an empty one turns it off.
const VARIABLE: &str = "FLOWAGG_QUERY_HISTORY";
/// The lines that are kept.
const LINES: usize = 1_000;

/// The file of the history; `None` if there is to be none.
pub(super) fn history() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    match env::var_os(VARIABLE) {
        Some(path) if path.is_empty() => return None,
        Some(path) => return Some(path.into()),
        None => {}
    }
    let folder = if cfg!(windows) {
        PathBuf::from(set("LOCALAPPDATA")?)
    } else {
        let of_home = || env::home_dir().map(|home| home.join(".local/state"));
        set("XDG_STATE_HOME").map(|path: OsString| path.into()).or_else(of_home)?
    };
    Some(folder.join("flowagg").join("query-history"))
}

/// Reads lines from a terminal.
pub(super) struct Typist {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
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
        Ok(Self { editor, history: history.map(Path::to_owned) })
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
        let Some(path) = &self.history else { return };
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let _ = self.editor.append_history(path);
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
