//! The answers of both engines: `flowagg query` itself, and its SQL for Athena, run by DuckDB.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;

use jiff::Timestamp;
use serde_json::Value;
use tokio::process::Command;

use super::super::RehearsalError;
use super::super::readers::{INTERVALS, START};
use super::worlds::{Delivered, succeeded};
use crate::delivery::recording::PUBLISHED_EVERY;
use crate::emulator::tail;
use crate::world::Ran;

const AS_ATHENA: &str =
    concat!(include_str!("../../../readers/athena.py"), include_str!("../../../readers/as_athena.py"));

/// The rows of an answer; `None` is null.
pub(super) type Rows = Vec<Vec<Option<String>>>;

/// The arguments of a question on the command line.
pub(super) type Line = Vec<String>;

/// The answers of both engines to one question.
pub(super) struct Answers {
    pub(super) here: Rows,
    pub(super) athena: Rows,
}

impl Delivered {
    /// The answers to these questions; `None` if the fields are not recorded and both engines reject the question with
    /// the same message.
    pub(super) async fn answers(
        &self,
        lines: &[Line],
        python: &Path,
    ) -> Result<Vec<Option<Answers>>, RehearsalError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        succeeded(self.world.flowagg(["export", "athena", "--out", &path.display().to_string()]).await?)?;
        // Each run writes the fleet file, so they are sequential.
        let mut here = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            here.push(self.here(number, line, path).await?);
        }
        let mut athena = self.as_athena(path, python).await?;
        let both = here.into_iter().enumerate().map(|(number, here)| {
            let Some(here) = here else { return Ok(None) };
            let missing =
                || RehearsalError::NotSo(format!("Athena returned no answer to {:?}", lines[number]));
            let athena = athena.remove(&number.to_string()).ok_or_else(missing)?;
            Ok(Some(Answers { here, athena }))
        });
        both.collect()
    }

    /// Runs the program and returns its rows. Writes the SQL for Athena to the folder.
    async fn here(
        &self,
        number: usize,
        line: &[String],
        folder: &Path,
    ) -> Result<Option<Rows>, RehearsalError> {
        let here = self.query(line, &["--format", "json"]).await?;
        let sql = self.query(line, &["--engine", "athena", "--print"]).await?;
        if here.code == Some(2) && sql.code == Some(2) && here.stderr == sql.stderr {
            return Ok(None);
        }
        let (here, sql) = (succeeded(here)?, succeeded(sql)?);
        std::fs::write(folder.join(format!("asked-{number}.sql")), sql.stdout)?;
        rows(&here).map(Some)
    }

    async fn query(&self, line: &[String], options: &[&str]) -> Result<Ran, RehearsalError> {
        let words = ["query"].into_iter().chain(line.iter().map(String::as_str));
        Ok(self.world.flowagg(words.chain(options.iter().copied())).await?)
    }

    /// DuckDB's answers, by the index of the question.
    async fn as_athena(
        &self,
        folder: &Path,
        python: &Path,
    ) -> Result<BTreeMap<String, Rows>, RehearsalError> {
        let moments = (0..i64::from(INTERVALS)).map(|n| START.as_second() + n * PUBLISHED_EVERY);
        let moments: Vec<_> =
            moments.map(Timestamp::from_second).collect::<Result<_, _>>().map_err(io::Error::other)?;
        let list = |words: Vec<String>| words.join(",");
        let accounts = list(self.accounts().iter().map(ToString::to_string).collect());
        let hours = list(moments.iter().map(|moment| moment.strftime("%Y-%m-%dT%H").to_string()).collect());
        let path = folder.display().to_string();
        let mut command = Command::new(python);
        command.args(["-I", "-c", AS_ATHENA, self.world.bucket().as_str(), &path, &accounts, &hours]);
        command.envs(self.world.environment()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let why = tail(&(said.into_owned() + &String::from_utf8_lossy(&output.stderr)));
            return Err(RehearsalError::NotSo(format!("DuckDB failed on {}:\n{why}", self.kind)));
        }
        let read = |line: &str| {
            let value: Value = serde_json::from_str(line).map_err(io::Error::other)?;
            let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
            let row = |row: &Value| list(row).iter().map(|value| value.as_str().map(as_json)).collect();
            let name = value["name"].as_str().unwrap_or_default().to_owned();
            Ok((name, list(&value["rows"]).iter().map(row).collect()))
        };
        said.lines().map(read).collect()
    }
}

/// A value as JSON writes it: numbers without trailing zeros.
fn as_json(text: &str) -> String {
    let number: Option<serde_json::Number> = text.contains('.').then(|| text.parse().ok()).flatten();
    number.map_or_else(|| text.to_owned(), |number| number.to_string())
}

/// The rows of `--format json`.
fn rows(ran: &Ran) -> Result<Rows, RehearsalError> {
    let objects: Vec<serde_json::Map<String, Value>> =
        serde_json::from_str(&ran.stdout).map_err(io::Error::other)?;
    let text = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    Ok(objects.into_iter().map(|object| object.into_iter().map(|(_, value)| text(value)).collect()).collect())
}
