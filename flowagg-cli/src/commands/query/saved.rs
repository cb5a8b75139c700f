//! Saved questions: the files `queries/*.sql` next to the fleet file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use flowagg_core::question::{ParameterError, QuestionName, SavedQuestion};
use flowagg_core::text::one_line;
use flowagg_query::{QueryError, Template};

use super::super::error::{CommandError, Problem};
use crate::args::GlobalArgs;

/// The folder of the files.
const FOLDER: &str = "queries";
const EXTENSION: &str = "sql";

/// A saved question, and where it is.
pub(super) struct Saved {
    name: String,
    path: PathBuf,
    pub(super) question: SavedQuestion,
    template: Template,
}

/// The folder of a fleet file's saved questions.
fn folder(global: &GlobalArgs) -> PathBuf {
    global.config.parent().unwrap_or(Path::new("")).join(FOLDER)
}

/// The saved question of this name; `None` if there is no such file.
pub(super) fn named(global: &GlobalArgs, name: &str) -> Result<Option<Saved>, CommandError> {
    if !SavedQuestion::is_name(name) {
        return Ok(None);
    }
    let path = folder(global).join(name).with_extension(EXTENSION);
    if !path.exists() {
        return Ok(None);
    }
    Saved::read(&path).map(Some).map_err(|problem| CommandError::Usage(vec![problem]))
}

/// The names of the files.
pub(super) fn names(global: &GlobalArgs) -> Vec<String> {
    let names = files(global).into_iter().filter_map(|path| stem(&path).map(str::to_owned));
    names.filter(|name| SavedQuestion::is_name(name)).collect()
}

/// Every saved question, and what is wrong with the other files.
pub(super) fn all(global: &GlobalArgs) -> (Vec<Saved>, Vec<Problem>) {
    let (mut saved, mut problems) = (Vec::new(), Vec::new());
    for path in files(global) {
        match Saved::read(&path) {
            Ok(question) => saved.push(question),
            Err(problem) => problems.push(problem),
        }
    }
    (saved, problems)
}

fn files(global: &GlobalArgs) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(global)).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension() == Some(OsStr::new(EXTENSION))).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem().and_then(OsStr::to_str)
}

impl Saved {
    fn read(path: &Path) -> Result<Self, Problem> {
        let place = path.display();
        let name = stem(path).filter(|name| SavedQuestion::is_name(name)).ok_or_else(|| {
            let what = format!("`{place}` does not have the name of a question");
            Problem::new(what, "rename it: use a-z, 0-9 and `-`, a letter first")
        })?;
        if QuestionName::parse(name).is_ok() {
            let what = format!("`{place}` has the name of one of flowagg's own questions");
            return Err(Problem::new(what, "rename the file"));
        }
        let text = fs::read_to_string(path).map_err(|error| {
            Problem::new(
                format!("`{place}` cannot be read: {error}"),
                "make it a text file that you may read",
            )
        })?;
        let wrong = |what: &str, fix: String| Problem::new(format!("`{place}`, {what}"), fix);
        let question =
            SavedQuestion::parse(&text).map_err(|error| wrong(&error.to_string(), error.help.clone()))?;
        let template = Template::parse(&question.sql)
            .map_err(|error| wrong(&one_line(&error.to_string()), "correct the statement".to_owned()))?;
        let is_declared = |name: &&str| question.parameters.iter().any(|parameter| parameter.name == **name);
        let undeclared = template.names().find(|name| !is_declared(name));
        if let Some(name) = undeclared {
            let fix = format!("add `-- parameter: {name} text` or `-- parameter: {name} integer` at the top");
            return Err(wrong(&format!("`${name}` is not declared"), fix));
        }
        let is_used = |name: &str| template.names().any(|used| used == name);
        if let Some(unused) = question.parameters.iter().find(|parameter| !is_used(&parameter.name)) {
            let what = format!("the parameter `{}` is not used", unused.name);
            return Err(wrong(
                &what,
                format!("write `${}` in the statement, or remove the parameter", unused.name),
            ));
        }
        Ok(Self { name: name.to_owned(), path: path.to_owned(), question, template })
    }

    /// The statement with the values of these arguments.
    pub(super) fn sql(&self, arguments: &[String]) -> Result<String, CommandError> {
        let values =
            self.question.values(arguments.iter().map(String::as_str)).map_err(|error: ParameterError| {
                CommandError::usage(
                    format!("`{}`: {error}", self.name),
                    format!("as in `flowagg query {}`", self.question.usage(&self.name)),
                )
            })?;
        Ok(self.template.bind(|name| values.get(name)))
    }

    /// Its statement cannot be run on this machine.
    pub(super) fn wrong(&self, error: &QueryError) -> CommandError {
        let what = format!("`{}`: {}", self.path.display(), one_line(&error.to_string()));
        CommandError::usage(what, error.help().unwrap_or("correct the statement"))
    }

    /// How it is asked, and what it is about.
    pub(super) fn lines(&self) -> (String, &str) {
        (self.question.usage(&self.name), &self.question.title)
    }
}
