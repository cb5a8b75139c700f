//! The metrics files that `verify` and `report` write.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use flowagg_core::id::FleetName;
use jiff::Timestamp;

use super::error::CommandError;
use super::files::{can_be_written, unwritten, write_all};
use crate::Screen;
use crate::args::{GlobalArgs, Lines, MetricsArgs};
use crate::metrics::{Metrics, last_success};

/// Checks the options before any AWS call. `on_stdout` is an option that also writes to standard output.
pub(super) fn check(
    global: &GlobalArgs,
    options: &MetricsArgs,
    on_stdout: Option<&str>,
) -> Result<(), CommandError> {
    let given = [
        options.metrics.as_deref().map(|path| ("--metrics", "flowagg.prom", Some(path))),
        options.metrics_emf.as_ref().map(|lines| ("--metrics-emf", "flowagg.log", lines.path())),
    ];
    for (option, example, path) in given.into_iter().flatten() {
        if !global.only.is_empty() {
            let what = format!("`{option}` needs the whole fleet, and `--only` selects a part of it");
            return Err(CommandError::usage(what, format!("remove `--only` or `{option}`")));
        }
        path.map_or(Ok(()), |path| can_be_written(global, path, example))?;
    }
    let of_lines = options.metrics_emf.as_ref().and_then(Lines::path);
    if of_lines.is_some() && of_lines == options.metrics.as_deref() {
        let what = "`--metrics` and `--metrics-emf` write to the same file";
        return Err(CommandError::usage(what, "use two different files"));
    }
    match on_stdout {
        Some(option) if options.is_on_stdout() => {
            let what = format!("`--metrics-emf -` and `{option}` both write to standard output");
            Err(CommandError::usage(what, "write the metrics to a file, as in `--metrics-emf flowagg.log`"))
        }
        _ => Ok(()),
    }
}

/// Writes the metrics of a run. If not everything could be read, the time of the last success is kept from the existing file.
pub(super) fn write(
    options: &MetricsArgs,
    mut metrics: Metrics,
    is_read: bool,
    now: Timestamp,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    if !is_read {
        let before = options.metrics.as_deref().and_then(|path| before(path, &metrics.fleet));
        metrics = metrics.failed(before);
    }
    let path = options.metrics.as_deref();
    let replaced = path.map_or(Ok(()), |path| write_all([(path, metrics.prometheus().as_bytes())]));
    let lines = options.metrics_emf.as_ref();
    match lines.map(|lines| (lines, metrics.emf(now))) {
        Some((Lines::StandardOutput, text)) => write!(screen.out, "{text}")?,
        Some((Lines::File(path), text)) => {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| unwritten(path, &error))?;
        }
        None => {}
    }
    replaced
}

/// The time of the last complete run, from the file that is replaced. A pipe is not read.
fn before(path: &Path, fleet: &FleetName) -> Option<Timestamp> {
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    let text = is_file.then(|| fs::read(path).ok())??;
    last_success(&String::from_utf8_lossy(&text), fleet)
}
