//! One part of a task: named before it begins, and timed after it ends.

use std::time::Instant;

use anyhow::Context as _;

/// Does a part of a task, and tells its name and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let start = Instant::now();
    eprintln!("\n== {name}");
    let done = work().with_context(|| format!("{name} failed after {}", told(start)))?;
    eprintln!("== {name}: {}", told(start));
    Ok(done)
}

/// How long it has been.
pub(crate) fn told(since: Instant) -> String {
    let seconds = since.elapsed().as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}
