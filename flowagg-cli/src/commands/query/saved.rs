//! Saved questions: the files `queries/*.sql` next to the fleet file.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use flowagg_core::question::{Parameter, ParameterKind, QuestionName, SavedQuestion};
use flowagg_core::text::one_line;
use flowagg_query::{QueryError, Statement, Template};

use super::super::error::{CommandError, Problem};
use crate::args::GlobalArgs;

/// The first words of SQL statements.
pub(super) const OF_SQL: [&str; 5] = ["select", "with", "explain", "describe", "show"];
/// Commands of the prompt.
pub(super) const OF_PROMPT: [&str; 5] = ["exit", "help", "list", "quit", "reset"];
/// The folder of saved questions.
const FOLDER: &str = "queries";
const EXTENSION: &str = "sql";

/// A saved question and its file.
pub(super) struct Saved {
    name: String,
    path: PathBuf,
    pub(super) question: SavedQuestion,
    template: Template,
}

/// The folder with the saved questions of a fleet file.
fn folder(global: &GlobalArgs) -> PathBuf {
    global.config.parent().unwrap_or(Path::new("")).join(FOLDER)
}

/// The saved question of this name; `None` if its file does not exist.
pub(super) fn named(global: &GlobalArgs, name: &str) -> Result<Option<Saved>, CommandError> {
    if !SavedQuestion::is_name(name) {
        return Ok(None);
    }
    let path = folder(global).join(name).with_extension(EXTENSION);
    match fs::symlink_metadata(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        _ => Saved::read(&path).map(Some).map_err(|problem| CommandError::Usage(vec![problem])),
    }
}

/// The names of all saved questions.
pub(super) fn names(global: &GlobalArgs) -> Vec<String> {
    let files = files(global).unwrap_or_default();
    let names = files.iter().filter_map(|path| stem(path)).map(str::to_owned);
    names.filter(|name| SavedQuestion::is_name(name)).collect()
}

/// Every saved question, and the problems of invalid files.
pub(super) fn all(global: &GlobalArgs) -> (Vec<Saved>, Vec<Problem>) {
    let (mut saved, mut problems) = (Vec::new(), Vec::new());
    let files = files(global).unwrap_or_else(|error| {
        let what = format!("`{}` cannot be read: {error}", folder(global).display());
        problems.push(Problem::new(what, "make it a readable folder"));
        Vec::new()
    });
    for path in files {
        match Saved::read(&path).and_then(Saved::tried) {
            Ok(question) => saved.push(question),
            Err(problem) => problems.push(problem),
        }
    }
    (saved, problems)
}

/// The files; none if the folder does not exist.
fn files(global: &GlobalArgs) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder(global)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(EXTENSION)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem().and_then(OsStr::to_str)
}

impl Saved {
    fn read(path: &Path) -> Result<Self, Problem> {
        let place = path.display();
        let name = stem(path).filter(|name| SavedQuestion::is_name(name)).ok_or_else(|| {
            let what = format!("`{place}` is not a valid name for a question");
            Problem::new(what, "rename the file: use a-z, 0-9 and `-`, starting with a letter")
        })?;
        if QuestionName::parse(name).is_ok() {
            let what = format!("`{place}` has the name of a built-in question");
            return Err(Problem::new(what, "rename the file"));
        }
        if OF_SQL.contains(&name) || OF_PROMPT.contains(&name) {
            let what = format!("`{place}` has the name of a SQL keyword or a prompt command");
            return Err(Problem::new(what, "rename the file"));
        }
        let text = text_of(path).map_err(|error| {
            Problem::new(format!("`{place}` cannot be read: {error}"), "make it a readable text file")
        })?;
        let wrong = |what: &str, fix: String| Problem::new(format!("`{place}`, {what}"), fix);
        let question =
            SavedQuestion::parse(&text).map_err(|error| wrong(&error.to_string(), error.help.clone()))?;
        let template = Template::parse(&question.sql)
            .map_err(|error| wrong(&one_line(&error.to_string()), "correct the statement".to_owned()))?;
        let is_declared = |name: &&str| question.parameters.iter().any(|parameter| parameter.name == **name);
        if let Some(name) = template.names().find(|name| !is_declared(name)) {
            let what = format!("`${name}` is not declared");
            let fix = if Parameter::is_name(name) {
                format!("add `-- parameter: {name} text` or `-- parameter: {name} integer` at the top")
            } else {
                "rename it with a-z, 0-9 and `_`, starting with a letter, and declare it at the top"
                    .to_owned()
            };
            return Err(wrong(&what, fix));
        }
        let is_used = |name: &str| template.names().any(|used| used == name);
        if let Some(unused) = question.parameters.iter().find(|parameter| !is_used(&parameter.name)) {
            let what = format!("the parameter `{}` is not used", unused.name);
            return Err(wrong(
                &what,
                format!("use `${}` in the statement, or remove the parameter", unused.name),
            ));
        }
        Ok(Self { name: name.to_owned(), path: path.to_owned(), question, template })
    }

    /// The statement with the values of the arguments.
    pub(super) fn sql(&self, arguments: &[String]) -> Result<String, CommandError> {
        let values = self.question.values(arguments.iter().map(String::as_str));
        let values = values.map_err(|error| {
            let parameters: Vec<String> = self.question.parameters.iter().map(Parameter::to_string).collect();
            let has = if parameters.is_empty() {
                "it has no parameters".to_owned()
            } else {
                format!("its parameters: {}", parameters.join(", "))
            };
            let example = self.question.example(&self.name);
            CommandError::usage(format!("`{}`: {error}", self.name), format!("{has}; as in `{example}`"))
        })?;
        Ok(self.template.bind(|name| values.get(name)))
    }

    /// Checks that the statement is valid with example values.
    fn tried(self) -> Result<Self, Problem> {
        let kind = |name: &str| {
            self.question
                .parameters
                .iter()
                .find(|parameter| parameter.name == name)
                .map(|parameter| parameter.kind)
        };
        let sql = self.template.bind(|name| kind(name).map(ParameterKind::example));
        match Statement::parse(&sql) {
            Ok(_) => Ok(self),
            Err(error) => Err(self.problem(&error)),
        }
    }

    /// The error for a statement that the local engine cannot run.
    pub(super) fn wrong(&self, error: &QueryError) -> CommandError {
        CommandError::Usage(vec![self.problem(error)])
    }

    fn problem(&self, error: &QueryError) -> Problem {
        let what = format!("`{}`: {}", self.path.display(), one_line(&error.to_string()));
        Problem::new(what, error.help().unwrap_or("correct the statement"))
    }

    /// The name and the contents of the file.
    pub(super) fn listed(&self) -> (&str, &SavedQuestion) {
        (&self.name, &self.question)
    }
}

/// The text of a file. Fails for a pipe.
fn text_of(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    fs::read_to_string(path)
}
