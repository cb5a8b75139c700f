//! The questions of `flowagg query` on both engines, without Athena: sqlglot parses the statements in Athena's dialect,
//! and DuckDB runs them over the objects of a bucket. The partitions of the table of `flowagg export athena` must be
//! the folders that contain objects, and both engines must return the same answers, which must match the traffic.

mod engines;
mod expected;
mod worlds;

use std::io::Write;

use flowagg_core::flow_log::FileFormat;
use flowagg_core::id::Place;
use futures::future::try_join_all;

use self::engines::{Answers, Line, Rows};
use self::expected::Expected;
use self::worlds::{Delivered, Fields, KINDS, deliver, succeeded};
use super::RehearsalError;
use super::readers::PACKAGES;
use crate::emulator::{Backend, Emulator};

/// The questions that both engines answer. `ENI`, `ADDRESS`, `ACCOUNT` and `REGION` are placeholders for those of a
/// world.
const LINES: [&str; 34] = [
    "pairs",
    "pairs packets",
    "pairs packets --nat ENI",
    "top",
    "top instances",
    "top subnets",
    "who ADDRESS",
    "interface ENI",
    "rejected",
    "ssh-rdp",
    "admin-ports",
    "admin-ports 22,443,5432 --own 10.0.0.0/8",
    "inbound",
    "outbound",
    "outbound --own 203.0.113.7/24",
    "nat",
    "nat --nat ENI",
    "nat-to-aws",
    "cross-zone",
    "between-accounts",
    "between-accounts vpcs",
    "between-accounts regions",
    "by-day",
    "by-day hour",
    "large-flows 1000",
    "large-flows 100KB",
    "scans 2",
    "off-hours",
    "off-hours --hours 0-20 --weekdays sat,mon --utc-offset -3:30",
    "by-service",
    "by-service ecs-task",
    "unencrypted",
    "by-day --only ACCOUNT --only REGION",
    "top --limit 3",
];
/// The two days of the traffic, and a part of them.
const DAYS: [&str; 4] = ["--from", "2026-02-28", "--to", "2026-03-01"];
const MINUTES: [&str; 4] = ["--from", "2026-02-28T23:53:00Z", "--to", "2026-03-01T00:01:00Z"];

/// Delivers to a world of each kind, runs every question on both engines, and prints the number of rows of each answer.
/// Fails if the engines disagree, if an answer does not match the traffic, or if the table's partitions are not exactly
/// the folders that contain objects.
pub async fn ask(backend: &Backend, out: &mut impl Write) -> Result<(), RehearsalError> {
    let python = PACKAGES.python()?;
    let emulator = Emulator::start(backend)?;
    let delivered = try_join_all(KINDS.map(|kind| deliver(&emulator, kind))).await?;
    writeln!(out, "format      folders  partitions  fields     accounts  rows  question")?;
    let (mut differing, mut answered) = (Vec::new(), [0; LINES.len()]);
    for of in &delivered {
        let lines = of.lines();
        for (place, (line, answers)) in lines.iter().zip(of.answers(&lines, &python).await?).enumerate() {
            let (kind, words) = (of.kind, line.join(" "));
            let Some(answers) = answers else {
                writeln!(out, "{kind}     -  {words}")?;
                continue;
            };
            writeln!(out, "{kind}  {:>4}  {words}", answers.here.len())?;
            answered[place % LINES.len()] += answers.here.len();
            differing.extend(
                of.differences(line, &answers).into_iter().map(|what| format!("{kind}  {words}: {what}")),
            );
        }
    }
    let unanswered = LINES.iter().zip(answered).filter(|(line, rows)| *rows == 0 && !EMPTY.contains(line));
    differing.extend(unanswered.map(|(line, _)| format!("{line}: no rows in any world")));
    if !differing.is_empty() {
        return Err(RehearsalError::NotSo(format!(
            "the engines and the traffic disagree\n{}",
            differing.join("\n")
        )));
    }
    for of in &delivered {
        of.refuses_other_format().await?;
    }
    Ok(())
}

/// Questions that return no rows for this traffic. The tests of flowagg-query cover them with generated networks.
const EMPTY: [&str; 7] = [
    "ssh-rdp",
    "nat-to-aws",
    "between-accounts vpcs",
    "between-accounts regions",
    "by-service",
    "by-service ecs-task",
    "unencrypted",
];

impl Delivered {
    /// Every question over both windows.
    fn lines(&self) -> Vec<Line> {
        let expected = self.expected();
        let account = self.accounts().first().map(ToString::to_string).unwrap_or_default();
        let region = self.world.hub_region().to_string();
        let word = |word: &str| match word {
            "ENI" => expected.busiest(),
            "ADDRESS" => expected.address(),
            "ACCOUNT" => account.clone(),
            "REGION" => region.clone(),
            word => word.to_owned(),
        };
        let line = |line: &str, window: [&str; 4]| {
            line.split(' ').map(word).chain(window.map(str::to_owned)).collect()
        };
        let all = LINES.map(|words| line(words, DAYS));
        let part = ["by-day hour", "top", "rejected", "interface ENI"].map(|words| line(words, MINUTES));
        all.into_iter().chain(part).collect()
    }

    fn expected(&self) -> Expected<'_> {
        Expected { told: &self.told, has_fields: self.kind.fields != Fields::Default }
    }

    /// Differences between the two answers, and between the answer and the traffic.
    fn differences(&self, line: &[String], Answers { here, athena }: &Answers) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(what) = difference(here, athena) {
            found.push(format!("flowagg and Athena: {what}"));
        }
        if line.ends_with(&DAYS.map(str::to_owned))
            && let Some(rows) = self.expected().rows(&line[..line.len() - DAYS.len()])
            && let Some(what) = difference(&rows, athena)
        {
            found.push(format!("expected and actual: {what}"));
        }
        found
    }

    /// A table has one format: a file of another format in its folders is reported as an error before Athena runs.
    async fn refuses_other_format(&self) -> Result<(), RehearsalError> {
        let ask = ["query", "top", "--engine", "athena", "--explain"].into_iter().chain(DAYS);
        let ask: Vec<&str> = ask.collect();
        let before = succeeded(self.world.flowagg(&ask).await?)?;
        if !before.stdout.starts_with("Athena will scan up to ") {
            return Err(RehearsalError::NotSo(format!("the size of the scan is not printed: {before}")));
        }
        let others = FileFormat::ALL.into_iter().filter(|format| *format != self.kind.files.format);
        for (format, account) in others.zip(self.accounts()) {
            let place = Place::new(account, self.world.hub_region());
            self.put(&place, "00000000", format, Vec::new()).await?;
        }
        let after = self.world.flowagg(&ask).await?;
        if after.code != Some(1) || !after.stderr.contains("1 of ") {
            return Err(RehearsalError::NotSo(format!("files of two formats are not rejected: {after}")));
        }
        Ok(())
    }
}

/// The first rows that differ.
fn difference(one: &Rows, other: &Rows) -> Option<String> {
    let first = one.iter().zip(other).find(|(one, other)| one != other);
    (one != other).then(|| format!("{} and {} rows; first difference: {first:?}", one.len(), other.len()))
}
