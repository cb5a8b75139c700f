//! Compares three readers of the objects that the delivery service writes: flowlogs-reader and DuckDB, from PyPI, and
//! `flowagg query`. Each must find the records that the service reports as written, and their bytes, by account and
//! region.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use flate2::read::GzDecoder;
use flowagg_core::flow_log::FileFormat;
use flowagg_core::id::ResourceId;
use flowagg_core::layout::FileName;
use futures::future::try_join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::process::Command;

use super::RehearsalError;
use crate::delivery::recording::{Columns, PUBLISHED_EVERY, Recording, Shape, Traffic};
use crate::delivery::{Outcome, Publication};
use crate::emulator::{Backend, Emulator, Packages, tail};
use crate::world::World;

pub(super) const MEMBERS: [&str; 3] = ["shop", "bank", "post"];
/// 15 minutes across midnight, so that each flow log has files in the folders of two days.
pub(super) const START: Timestamp = Timestamp::constant(1_772_322_600, 0);
pub(super) const INTERVALS: u32 = 3;

/// All fields up to version 5, in another order than the default format's.
pub(super) const FIELDS: &str = r#"fields = [
    "version", "account-id", "region", "az-id", "vpc-id", "subnet-id", "instance-id", "interface-id", "sublocation-type",
    "sublocation-id", "flow-direction", "traffic-path", "type", "srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr",
    "pkt-src-aws-service", "pkt-dst-aws-service", "srcport", "dstport", "protocol", "tcp-flags", "packets", "bytes",
    "start", "end", "action", "log-status",
]"#;

/// The Python packages of the readers.
pub(super) const PACKAGES: Packages = Packages {
    name: "flowlogs-reader",
    version: "5.0.1",
    lock: include_str!("../../readers/requirements.txt"),
};
const WITH_FLOWLOGS_READER: &str = include_str!("../../readers/with_flowlogs_reader.py");
const WITH_DUCKDB: &str = include_str!("../../readers/with_duckdb.py");
/// The day of [`START`].
const FIRST_DAY: &str = "2026-02-28";
/// Excludes records whose fields differ from their folders.
const COUNTS: &str = "SELECT account_id, log_region, count(*), coalesce(sum(bytes), 0) FROM vpc_flow_logs \
                      WHERE account_id = log_account AND coalesce(region, log_region) = log_region GROUP BY 1, 2 ORDER BY 1, 2";

/// Settings of the flow logs of a world.
#[derive(Clone, Copy)]
struct FileKind {
    format: FileFormat,
    is_hive: bool,
    has_fields: bool,
}

/// Records and the sum of their `bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    records: u64,
    bytes: u64,
}

/// By account and region.
type Counts = BTreeMap<(String, String), Count>;

/// A world with everything delivered.
struct Delivered {
    kind: FileKind,
    world: World,
    said: Counts,
}

/// A program that reads flow log objects.
#[derive(Clone, Copy)]
enum Program {
    /// Supports plain folders only.
    FlowlogsReader,
    DuckDb,
    Flowagg,
}

/// The result of one reader in one world.
struct Reading<'a> {
    reader: Program,
    of: &'a Delivered,
    read: Counts,
}

/// Path of the Python with the readers, which is installed if missing.
pub fn python() -> Result<PathBuf, RehearsalError> {
    Ok(PACKAGES.python()?)
}

/// Delivers every kind of file, each to its own world, runs every reader that supports it, and prints the counts. Fails
/// if a reader finds something other than what the delivery service reports as written.
pub async fn read_by_others(backend: &Backend, out: &mut impl Write) -> Result<(), RehearsalError> {
    let python = PACKAGES.python()?;
    let emulator = Emulator::start(backend)?;
    let delivered = try_join_all(FileKind::all().map(|kind| deliver(&emulator, kind))).await?;
    let (python, at_once) = (&python, std::thread::available_parallelism().map_or(1, usize::from));
    let readings = delivered.iter().flat_map(|of| {
        let readers = Program::ALL.into_iter().filter(|reader| reader.reads(of.kind));
        readers.map(move |reader| Reading::make(reader, of, python))
    });
    let readings: Vec<_> = stream::iter(readings).buffered(at_once).try_collect().await?;
    tell(&readings, out)?;
    let differing = readings.iter().flat_map(|Reading { reader, of, read }| {
        let differences = differences(&of.said, read);
        let heading = (!differences.is_empty()).then(|| format!("{reader} of {}:", of.kind));
        heading.into_iter().chain(differences)
    });
    let differing: Vec<_> = differing.collect();
    if differing.is_empty() {
        if let Some(of) = delivered.first() {
            let samples = super::metrics::compare(&of.world, python).await?;
            writeln!(out, "\nPrometheus's client reads {samples} samples of `flowagg report --metrics`")?;
        }
        return Ok(());
    }
    Err(RehearsalError::NotSo(format!(
        "readers found other records than were written\n{}",
        differing.join("\n")
    )))
}

impl FileKind {
    fn all() -> impl Iterator<Item = Self> {
        let formats = FileFormat::ALL.into_iter();
        let layouts = formats.flat_map(|format| [false, true].map(|is_hive| (format, is_hive)));
        layouts.flat_map(|(format, is_hive)| {
            [false, true].map(|has_fields| Self { format, is_hive, has_fields })
        })
    }

    fn layout(self) -> &'static str {
        if self.is_hive { "hive" } else { "plain" }
    }

    fn fields(self) -> &'static str {
        if self.has_fields { "version 5" } else { "default" }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} folders, {} fields", self.format.as_str(), self.layout(), self.fields())
    }
}

/// Creates a world with flow logs of this kind, and counts what the delivery service writes.
async fn deliver(emulator: &Emulator, kind: FileKind) -> Result<Delivered, RehearsalError> {
    let mut world = World::new(emulator).await?;
    world.set("flow-logs", &format!("file-format = \"{}\"", kind.format.as_str()));
    world.set("flow-logs", &format!("hive-compatible-partitions = {}", kind.is_hive));
    if kind.has_fields {
        world.set("flow-logs", FIELDS);
    }
    for name in MEMBERS {
        world.member(name, 1).await?;
    }
    let applied = world.flowagg(["apply", "--yes"]).await?;
    if applied.code != Some(0) {
        return Err(RehearsalError::NotSo(format!("`flowagg apply` failed: {applied}")));
    }
    let publications = world.deliver_from(START, INTERVALS).await?;
    let resources = resources(&world).await?;
    let mut said = Counts::new();
    for publication in &publications {
        let Outcome::Delivered(files) = &publication.outcome else {
            return Err(RehearsalError::NotSo(format!(
                "{} did not deliver: {}",
                publication.flow_log, publication.outcome
            )));
        };
        let count = said
            .entry((publication.place.account.to_string(), publication.place.region.to_string()))
            .or_default();
        count.records += publication.outcome.records();
        // All files of a publication belong to the same interval.
        let name = files.first().and_then(|file| file.key.rsplit('/').next());
        if let Some(name) = name.and_then(|name| FileName::parse(name).ok()) {
            count.bytes += traffic(publication, &resources, &name)?;
        }
    }
    Ok(Delivered { kind, world, said })
}

/// The resource of each flow log of the members.
pub(super) async fn resources(world: &World) -> Result<BTreeMap<String, ResourceId>, RehearsalError> {
    let mut resources = BTreeMap::new();
    for account in world.accounts().values() {
        for region in world.regions() {
            for flow_log in world.flow_logs(account.id, region).await? {
                let resource = flow_log.resource_id().and_then(|id| ResourceId::parse(id).ok());
                resources.extend(flow_log.flow_log_id().map(str::to_owned).zip(resource));
            }
        }
    }
    Ok(resources)
}

/// Bytes of the traffic in the interval of a file. Records the traffic again with the one field `bytes`: flow logs of
/// one resource record the same traffic, whatever their fields and files.
fn traffic(
    publication: &Publication,
    resources: &BTreeMap<String, ResourceId>,
    name: &FileName,
) -> Result<u64, RehearsalError> {
    let recording = Recording {
        resource: resources.get(publication.flow_log.as_str()).cloned(),
        columns: Columns::parse("${bytes}"),
        ..Recording::new(publication.place.clone(), publication.flow_log.clone())
    };
    let start = name.time.to_zoned(TimeZone::UTC).map_err(io::Error::other)?.timestamp().as_second();
    let mut bytes = 0;
    for file in recording.network(&Traffic::default()).files(start, Shape::default()) {
        let mut text = String::new();
        GzDecoder::new(file?.body.as_slice()).read_to_string(&mut text)?;
        // The header and the dashes of idle interfaces are not numbers.
        bytes += text.lines().filter_map(|line| line.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(bytes)
}

impl Program {
    const ALL: [Self; 3] = [Self::FlowlogsReader, Self::DuckDb, Self::Flowagg];

    fn name(self) -> &'static str {
        match self {
            Self::FlowlogsReader => "flowlogs-reader",
            Self::DuckDb => "DuckDB",
            Self::Flowagg => "flowagg query",
        }
    }

    fn reads(self, kind: FileKind) -> bool {
        !kind.is_hive || !matches!(self, Self::FlowlogsReader)
    }

    /// Runs the reader and returns its output: a line for each account and region, which [`parse`] reads.
    async fn run(self, of: &Delivered, python: &Path) -> Result<String, RehearsalError> {
        let bucket = of.world.bucket().to_string();
        match self {
            Self::FlowlogsReader => {
                let end = START + SignedDuration::from_secs(i64::from(INTERVALS) * PUBLISHED_EVERY);
                let moments = [START, end].map(|moment| TimeZone::UTC.to_datetime(moment).to_string());
                let places = of.said.keys().map(|(account, region)| format!("{account}/{region}"));
                let args = [bucket].into_iter().chain(moments).chain(places).collect();
                self.script(of, python, WITH_FLOWLOGS_READER, args).await
            }
            Self::DuckDb => {
                let args = vec![bucket, of.kind.format.suffix().to_owned(), of.kind.layout().to_owned()];
                self.script(of, python, WITH_DUCKDB, args).await
            }
            Self::Flowagg => {
                let ran = of.world.flowagg(["query", "--from", FIRST_DAY, "--format", "csv", COUNTS]).await?;
                if ran.code != Some(0) {
                    return Err(self.failed(of, &ran.to_string()));
                }
                Ok(ran.stdout.lines().skip(1).map(|line| line.replace(',', " ") + "\n").collect())
            }
        }
    }

    async fn script(
        self,
        of: &Delivered,
        python: &Path,
        script: &str,
        args: Vec<String>,
    ) -> Result<String, RehearsalError> {
        let mut command = Command::new(python);
        command.args(["-I", "-c", script]).args(args).envs(of.world.environment());
        command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(printed);
        }
        Err(self.failed(of, &(printed + &String::from_utf8_lossy(&output.stderr))))
    }

    fn failed(self, of: &Delivered, why: &str) -> RehearsalError {
        RehearsalError::NotSo(format!("{self} failed on {}:\n{}", of.kind, tail(why)))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl<'a> Reading<'a> {
    async fn make(reader: Program, of: &'a Delivered, python: &Path) -> Result<Reading<'a>, RehearsalError> {
        let printed = reader.run(of, python).await?;
        match printed.lines().map(parse).collect() {
            Some(read) => Ok(Self { reader, of, read }),
            None => Err(reader.failed(of, &printed)),
        }
    }
}

/// The account-regions for which the counts read differ from the counts written.
fn differences(said: &Counts, read: &Counts) -> Vec<String> {
    let places: BTreeSet<_> = said.keys().chain(read.keys()).collect();
    let compare = |place: &(String, String)| {
        let [said, read] = [said, read].map(|counts| counts.get(place).copied().unwrap_or_default());
        let (account, region) = place;
        (said != read).then(|| format!("  {account} {region}: {said} written, {read} read"))
    };
    places.into_iter().filter_map(compare).collect()
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records of {} bytes", self.records, self.bytes)
    }
}

/// Parses `111122223333 eu-west-1 24 1500`: account, region, records and bytes.
fn parse(line: &str) -> Option<((String, String), Count)> {
    let words: Vec<_> = line.split(' ').collect();
    let [account, region, records, bytes] = words.as_slice() else { return None };
    let count = Count { records: records.parse().ok()?, bytes: bytes.parse().ok()? };
    Some((((*account).to_owned(), (*region).to_owned()), count))
}

fn sum(counts: &Counts) -> Count {
    counts.values().fold(Count::default(), |sum, count| Count {
        records: sum.records + count.records,
        bytes: sum.bytes + count.bytes,
    })
}

fn tell(readings: &[Reading<'_>], out: &mut impl Write) -> io::Result<()> {
    let mut line = |cells: [&str; 9]| {
        let [reader, format, layout, fields, places, said, read, bytes_said, bytes_read] = cells;
        writeln!(
            out,
            "{reader:<15}  {format:<10}  {layout:<7}  {fields:<9}  {places:>15}  {said:>15}  {read:>12}  \
             {bytes_said:>13}  {bytes_read:>10}"
        )
    };
    line([
        "reader",
        "format",
        "folders",
        "fields",
        "account-regions",
        "records written",
        "records read",
        "bytes written",
        "bytes read",
    ])?;
    for Reading { reader, of, read } in readings {
        let (said, sum) = (sum(&of.said), sum(read));
        let numbers =
            [read.len() as u64, said.records, sum.records, said.bytes, sum.bytes].map(|n| n.to_string());
        let [places, said, sum, bytes_said, bytes_read] = numbers.each_ref().map(String::as_str);
        let FileKind { format, .. } = of.kind;
        let (layout, fields) = (of.kind.layout(), of.kind.fields());
        line([reader.name(), format.as_str(), layout, fields, places, said, sum, bytes_said, bytes_read])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: &[&str]) -> Counts {
        lines.iter().map(|line| parse(line).unwrap()).collect()
    }

    #[test]
    fn count_line_has_four_words() {
        let (place, count) = parse("111122223333 eu-west-1 24 1500").unwrap();
        assert_eq!(place, ("111122223333".to_owned(), "eu-west-1".to_owned()));
        assert_eq!(count, Count { records: 24, bytes: 1500 });
        for line in ["", "111122223333 eu-west-1 24", "111122223333 eu-west-1 24 None"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn wrong_missing_and_extra_counts_are_reported() {
        let said = counts(&["1 a 24 1500", "2 a 24 1500", "3 a 24 1500"]);
        assert!(differences(&said, &said).is_empty());
        let read = counts(&["1 a 24 1500", "2 a 24 1499", "4 a 1 1"]);
        let none = "0 records of 0 bytes";
        let expected = [
            "  2 a: 24 records of 1500 bytes written, 24 records of 1499 bytes read".to_owned(),
            format!("  3 a: 24 records of 1500 bytes written, {none} read"),
            format!("  4 a: {none} written, 1 records of 1 bytes read"),
        ];
        assert_eq!(differences(&said, &read), expected);
    }
}
