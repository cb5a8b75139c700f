//! The steps of a task: each prints its name when it starts and its duration when it ends.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// The completed steps of a task, as a table of durations.
#[derive(Default)]
pub(crate) struct Steps(Vec<(String, Duration)>);

impl Steps {
    /// Runs a step, as [`step`] does, and adds it to the table.
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        let done = step(name, work)?;
        self.0.push((name.to_owned(), start.elapsed()));
        Ok(done)
    }

    /// The duration of a completed step.
    pub(crate) fn time(&self, name: &str) -> Duration {
        self.0.iter().filter(|(step, _)| step == name).map(|(_, time)| *time).sum()
    }
}

impl fmt::Display for Steps {
    /// A Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| step | time |\n|---|--:|")?;
        for (name, time) in &self.0 {
            writeln!(f, "| {name} | {} |", minutes(*time))?;
        }
        let total: Duration = self.0.iter().map(|(_, time)| *time).sum();
        writeln!(f, "| total | {} |", minutes(total))
    }
}

/// Runs a step, and prints its name and duration.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let start = Instant::now();
    eprintln!("\n== {name}");
    let done = work().with_context(|| format!("{name} failed after {}", minutes(start.elapsed())))?;
    eprintln!("== {name}: {}", minutes(start.elapsed()));
    Ok(done)
}

/// A duration in minutes and seconds.
pub(crate) fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}
