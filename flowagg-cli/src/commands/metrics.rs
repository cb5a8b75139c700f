//! Files of metrics, which `verify` and `report` write.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::error::CommandError;
use super::files::{can_be_file, unwritten, write_all};
use crate::Screen;
use crate::args::{GlobalArgs, Lines, MetricsArgs};
use crate::metrics::{Metrics, last_success};

/// Checks what is known before any call. `on_stdout` is the option that has something else written to standard output.
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
            let what =
                format!("`{option}` writes the metrics of the whole fleet, and `--only` reads a part of it");
            return Err(CommandError::usage(what, format!("leave out `--only` or `{option}`")));
        }
        path.map_or(Ok(()), |path| can_be_file(path, example))?;
    }
    match on_stdout {
        Some(option) if options.is_on_stdout() => {
            let what = format!("`--metrics-emf -` and `{option}` both write to standard output");
            Err(CommandError::usage(what, "write the metrics into a file, as in `--metrics-emf flowagg.log`"))
        }
        _ => Ok(()),
    }
}

/// Writes the metrics of a run. One that could not read everything keeps the last success of the file that is there.
pub(super) fn write(
    options: &MetricsArgs,
    mut metrics: Metrics,
    is_read: bool,
    now: Timestamp,
    screen: &mut Screen<'_>,
) -> Result<(), CommandError> {
    if !is_read {
        let before = options.metrics.as_deref().map(before).transpose()?.flatten();
        metrics = metrics.failed(before);
    }
    if let Some(path) = &options.metrics {
        write_all([(path.as_path(), metrics.prometheus().as_bytes())])?;
    }
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
    Ok(())
}

/// When a run last read everything, by the file that is replaced.
fn before(path: &Path) -> Result<Option<Timestamp>, CommandError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(last_success(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritten(path, &error)),
    }
}
