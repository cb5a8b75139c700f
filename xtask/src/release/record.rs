//! The record of a release: a Markdown table of its artifacts, for the terminal and for the summary of a workflow run.

use std::fmt::Write as _;
use std::time::Duration;

/// An artifact of a release.
pub(super) struct Row {
    pub(super) artifact: String,
    /// The download size in bytes.
    pub(super) size: u64,
    /// The size of the program in bytes.
    pub(super) program: u64,
    pub(super) start: Start,
    /// The tests that passed with the program of the artifact.
    pub(super) smoke: Vec<String>,
}

/// The time that the program takes to print its version.
pub(super) enum Start {
    /// The median, and that of an empty program.
    Measured { median: Duration, reference: Duration },
    /// On this machine the program runs in an emulator or a container, which takes longer.
    NotHere,
}

/// The table of these artifacts.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = "| artifact | size | program | start | smoke test |\n|---|---|---|---|---|\n".to_owned();
    for Row { artifact, size, program, start, smoke } in rows {
        let start = match start {
            Start::Measured { median, reference } => {
                let (median, more) = (millis(*median), millis(median.saturating_sub(*reference)));
                format!("{median:.1} ms, {more:.1} ms more than an empty program")
            }
            Start::NotHere => "not measured here".to_owned(),
        };
        let (size, program, smoke) = (mega(*size), mega(*program), smoke.join(", "));
        let row = format!("| {artifact} | {size:.1} MB | {program:.1} MB | {start} | {smoke} |\n");
        let _ = table.write_str(&row);
    }
    table
}

#[allow(clippy::cast_precision_loss, reason = "only for display")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    #[test]
    fn row_has_sizes_start_and_smoke_test() {
        let row = |start| Row {
            artifact: "flowagg.tar.gz".to_owned(),
            size: 9_940_000,
            program: 27_100_000,
            start,
            smoke: vec!["6 offline commands".to_owned(), "a rollout on an emulator".to_owned()],
        };
        let (median, reference) = (Duration::from_micros(5260), Duration::from_micros(1100));
        assert_data_eq!(
            table(&[row(Start::Measured { median, reference }), row(Start::NotHere)]),
            str![[r#"
| artifact | size | program | start | smoke test |
|---|---|---|---|---|
| flowagg.tar.gz | 9.9 MB | 27.1 MB | 5.3 ms, 4.2 ms more than an empty program | 6 offline commands, a rollout on an emulator |
| flowagg.tar.gz | 9.9 MB | 27.1 MB | not measured here | 6 offline commands, a rollout on an emulator |

"#]]
        );
    }
}
