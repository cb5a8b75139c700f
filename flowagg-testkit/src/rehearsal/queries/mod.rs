//! What `flowagg export athena` writes and `flowagg athena query` asks, without Athena: sqlglot reads the statements in
//! Athena's dialect, and DuckDB answers them over the objects of a bucket. The partitions of the table must be the folders that
//! hold objects, and the answers those that the traffic itself gives.

mod expected;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::process::Stdio;

use aws_sdk_s3::primitives::ByteStream;
use flate2::read::GzDecoder;
use flowagg_core::flow_log::{FileFormat, Files};
use flowagg_core::id::{AccountId, FlowLogId, Place, ResourceId};
use flowagg_core::layout::{FileName, Layout};
use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::process::Command;

use self::expected::{Expected, FORMAT, Told};
use super::RehearsalError;
use super::readers::{FIELDS, INTERVALS, MEMBERS, PACKAGES, START, resources};
use crate::aws::AwsError;
use crate::delivery::Outcome;
use crate::delivery::recording::{Columns, PUBLISHED_EVERY, Recording, Shape, Traffic};
use crate::emulator::{Backend, Emulator, tail};
use crate::world::{Ran, World};

const AS_ATHENA: &str = include_str!("../../../readers/as_athena.py");
/// So many accounts more are too many for a table to enumerate.
const CROWD: usize = 40;
/// The resource whose traffic two accounts log.
const SHARED: &str = "vpc-0123456789abcdef0";

/// How the flow logs of a world are asked for.
#[derive(Clone, Copy)]
struct WorldKind {
    files: Files,
    has_fields: bool,
    is_large: bool,
}

/// Every format, way of naming, and width of a partition, each with the default fields and with others; and with few
/// accounts and many.
const KINDS: [WorldKind; 4] = [
    WorldKind { files: files(FileFormat::PlainText, false, false), has_fields: false, is_large: false },
    WorldKind { files: files(FileFormat::PlainText, true, true), has_fields: true, is_large: true },
    WorldKind { files: files(FileFormat::Parquet, false, true), has_fields: true, is_large: true },
    WorldKind { files: files(FileFormat::Parquet, true, false), has_fields: false, is_large: false },
];

const fn files(format: FileFormat, hive_compatible_partitions: bool, per_hour_partition: bool) -> Files {
    let mut files = Files::new(format);
    files.hive_compatible_partitions = hive_compatible_partitions;
    files.per_hour_partition = per_hour_partition;
    files
}

impl fmt::Display for WorldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Files { format, hive_compatible_partitions, per_hour_partition, .. } = self.files;
        let folders = if hive_compatible_partitions { "hive" } else { "plain" };
        let width = if per_hour_partition { "hours" } else { "days" };
        let fields = if self.has_fields { "version 5" } else { "default" };
        let accounts = if self.is_large { "injected" } else { "enum" };
        write!(f, "{:<10}  {folders:<7}  {width:<10}  {fields:<9}  {accounts:<8}", format.as_str())
    }
}

/// A world in which all that was to be delivered is.
struct Delivered {
    kind: WorldKind,
    world: World,
    told: Vec<Told>,
}

/// What a query is asked for, and what it must answer.
struct QueryCase {
    name: &'static str,
    args: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Whether the rows come in an order that every engine keeps.
    is_ordered: bool,
}

/// Delivers to a world of each kind, asks every query, and tells how many rows each gave. Fails where an answer is not that of
/// the traffic, and where the table's partitions are not the folders that hold objects.
pub async fn ask(backend: &Backend, out: &mut impl Write) -> Result<(), RehearsalError> {
    let python = PACKAGES.python()?;
    let emulator = Emulator::start(backend)?;
    let delivered = try_join_all(KINDS.map(|kind| deliver(&emulator, kind))).await?;
    writeln!(out, "format      folders  partitions  fields     accounts  query                rows")?;
    let mut differing = Vec::new();
    for of in &delivered {
        let asked = of.questions();
        let answers = of.answers(&asked, &python).await?;
        for QueryCase { name, rows, is_ordered, .. } in asked {
            let kind = of.kind;
            writeln!(out, "{kind}  {name:<19}  {:>4}", rows.len())?;
            let Some(answer) = answers.get(name) else {
                return Err(RehearsalError::NotSo(format!("`{name}` is answered")));
            };
            let sorted = |rows: &[Vec<String>]| {
                let mut rows = rows.to_vec();
                if !is_ordered {
                    rows.sort();
                }
                rows
            };
            let (expected, answered) = (sorted(&rows), sorted(answer));
            if rows.is_empty() || expected != answered {
                let first = expected.iter().zip(&answered).find(|(expected, answered)| expected != answered);
                differing.push(format!(
                    "{kind}  {name}: {} rows of {} expected; the first that differs (expected, answered): {first:?}",
                    answered.len(),
                    expected.len()
                ));
            }
        }
    }
    if differing.is_empty() {
        return Ok(());
    }
    Err(RehearsalError::NotSo(format!("every query says what the traffic was\n{}", differing.join("\n"))))
}

/// A world with flow logs of this kind, with the traffic that lies in its bucket.
async fn deliver(emulator: &Emulator, kind: WorldKind) -> Result<Delivered, RehearsalError> {
    let mut world = World::new(emulator).await?;
    world.set("hub", "prefix = \"network\"");
    world.set("flow-logs", &format!("file-format = \"{}\"", kind.files.format.as_str()));
    world
        .set("flow-logs", &format!("hive-compatible-partitions = {}", kind.files.hive_compatible_partitions));
    world.set("flow-logs", &format!("per-hour-partition = {}", kind.files.per_hour_partition));
    if kind.has_fields {
        world.set("flow-logs", FIELDS);
    }
    for name in MEMBERS {
        world.member(name, 1).await?;
    }
    succeeded(world.flowagg(["apply", "--yes"]).await?)?;
    let publications = world.deliver_from(START, INTERVALS).await?;
    let resources = resources(&world).await?;
    let mut told = Vec::new();
    for publication in &publications {
        let Outcome::Delivered(files) = &publication.outcome else {
            return Err(RehearsalError::NotSo(format!(
                "{} delivers: {}",
                publication.flow_log, publication.outcome
            )));
        };
        // All files of a publication are of the same interval.
        let name = files
            .first()
            .and_then(|file| file.key.rsplit('/').next())
            .and_then(|name| FileName::parse(name).ok());
        let Some(name) = name else { continue };
        let recording = Recording {
            resource: resources.get(publication.flow_log.as_str()).cloned(),
            ..Recording::new(publication.place.clone(), publication.flow_log.clone())
        };
        let start = name.time.to_zoned(TimeZone::UTC).map_err(io::Error::other)?.timestamp();
        let before = told.len();
        told.extend(recorded(&recording, start)?);
        let (said, recorded) = (publication.outcome.records(), told.len() - before);
        if usize::try_from(said) != Ok(recorded) {
            let what =
                format!("{} records, the number that was delivered, are recorded, not {recorded}", said);
            return Err(RehearsalError::NotSo(what));
        }
    }
    let mut of = Delivered { kind, world, told };
    of.share().await?;
    if kind.is_large {
        of.world.crowd(CROWD);
    }
    Ok(of)
}

/// The records of an interval, with all that the queries ask for. Flow logs of one resource record the same traffic, whatever
/// their fields and files.
fn recorded(recording: &Recording, start: Timestamp) -> Result<Vec<Told>, RehearsalError> {
    let day = start.strftime("%Y-%m-%d").to_string();
    let recording = Recording { columns: Columns::parse(FORMAT), ..recording.clone() };
    let mut told = Vec::new();
    for file in recording.network(&Traffic::default()).files(start.as_second(), Shape::default()) {
        let mut text = String::new();
        GzDecoder::new(file?.body.as_slice()).read_to_string(&mut text)?;
        told.extend(text.lines().skip(1).map(|line| Told {
            account: recording.place.account.to_string(),
            region: recording.place.region.to_string(),
            day: day.clone(),
            values: line.split(' ').map(str::to_owned).collect(),
        }));
    }
    Ok(told)
}

fn succeeded(ran: Ran) -> Result<Ran, RehearsalError> {
    if ran.code == Some(0) { Ok(ran) } else { Err(RehearsalError::NotSo(format!("it succeeds: {ran}"))) }
}

impl Delivered {
    /// Has two accounts log the same traffic, as both ends of it do: nothing else in this world goes between accounts.
    async fn share(&mut self) -> Result<(), RehearsalError> {
        let region = self.world.hub_region().clone();
        let layout = Layout::new(Some("network".parse().map_err(io::Error::other)?), self.kind.files);
        let format = if self.kind.has_fields { fields() } else { String::new() };
        for account in self.accounts().into_iter().take(2) {
            let flow_log = FlowLogId::parse("fl-0123456789abcdef0").map_err(io::Error::other)?;
            let place = Place::new(account, &region);
            let mut recording = Recording {
                resource: Some(ResourceId::parse(SHARED).map_err(io::Error::other)?),
                ..Recording::new(place.clone(), flow_log.clone())
            };
            if self.kind.has_fields {
                recording.columns = Columns::parse(&format);
            }
            let shape = Shape { format: self.kind.files.format, ..Shape::default() };
            for file in recording.network(&Traffic::default()).files(START.as_second(), shape) {
                let file = file?;
                let mut name = FileName::new(
                    place.clone(),
                    flow_log.clone(),
                    START.to_zoned(TimeZone::UTC).datetime(),
                    file.hash,
                );
                name.format = self.kind.files.format;
                let put = self.world.s3().put_object().bucket(self.world.bucket().as_str());
                let put = put.key(layout.key(&name)).body(ByteStream::from(file.body)).send().await;
                put.map_err(AwsError::during("PutObject", self.world.hub(), &region))
                    .map_err(crate::world::WorldError::from)?;
            }
            self.told.extend(recorded(&recording, START)?);
        }
        Ok(())
    }

    /// The members that deliver, in order.
    fn accounts(&self) -> Vec<AccountId> {
        let named = MEMBERS.iter().filter_map(|name| self.world.accounts().get(*name));
        let mut accounts: Vec<AccountId> = named.map(|account| account.id).collect();
        accounts.sort();
        accounts
    }

    /// Every query; one interface by its id, and one account in one region.
    fn questions(&self) -> Vec<QueryCase> {
        let expected = Expected { told: &self.told, has_fields: self.kind.has_fields };
        const NAMES: [&str; 6] = [
            "top-talkers",
            "rejected-by-account",
            "between-accounts",
            "interface",
            "bytes-per-day",
            "unexpected-ports",
        ];
        let by_name = NAMES.into_iter().map(|name| QueryCase {
            name,
            args: vec![name.to_owned()],
            rows: expected.rows(name).unwrap_or_default(),
            is_ordered: name != "interface",
        });
        let (interface, region) = (expected.another(), self.world.hub_region().to_string());
        let one = QueryCase {
            name: "one-interface",
            args: ["interface", "--interface", &interface].map(str::to_owned).to_vec(),
            rows: expected.interface(&interface),
            is_ordered: false,
        };
        let account = self.accounts().first().map(ToString::to_string).unwrap_or_default();
        let part = QueryCase {
            name: "one-account",
            args: ["bytes-per-day", "--only", &account, "--only", &region].map(str::to_owned).to_vec(),
            rows: expected.bytes_per_day(|told| told.account == account && told.region == region),
            is_ordered: true,
        };
        by_name.chain([one, part]).collect()
    }

    /// What DuckDB answers, by the names of the questions.
    async fn answers(
        &self,
        asked: &[QueryCase],
        python: &Path,
    ) -> Result<BTreeMap<String, Vec<Vec<String>>>, RehearsalError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().display().to_string();
        succeeded(self.world.flowagg(["export", "athena", "--out", &path]).await?)?;
        let moments = (0..i64::from(INTERVALS)).map(|n| START.as_second() + n * PUBLISHED_EVERY);
        let moments: Vec<_> =
            moments.map(Timestamp::from_second).collect::<Result<_, _>>().map_err(io::Error::other)?;
        let days: Vec<String> =
            moments.iter().map(|moment| moment.strftime("%Y-%m-%d").to_string()).collect();
        let (first, last) =
            (days.first().cloned().unwrap_or_default(), days.last().cloned().unwrap_or_default());
        for QueryCase { name, args, .. } in asked {
            let common = ["--from", &first, "--to", &last, "--print"].map(str::to_owned);
            let query =
                ["athena", "query"].map(str::to_owned).into_iter().chain(args.iter().cloned()).chain(common);
            let said = succeeded(self.world.flowagg(query).await?)?;
            std::fs::write(folder.path().join(format!("asked-{name}.sql")), said.stdout)?;
        }
        let list = |words: Vec<String>| words.join(",");
        let accounts = list(self.accounts().iter().map(ToString::to_string).collect());
        let hours = list(moments.iter().map(|moment| moment.strftime("%Y-%m-%dT%H").to_string()).collect());
        let mut command = Command::new(python);
        command.args(["-I", "-c", AS_ATHENA, self.world.bucket().as_str(), &path, &accounts, &hours]);
        command.envs(self.world.environment()).env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let why = tail(&(said.into_owned() + &String::from_utf8_lossy(&output.stderr)));
            return Err(RehearsalError::NotSo(format!("DuckDB can answer over {}:\n{why}", self.kind)));
        }
        let read = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).map_err(io::Error::other)?;
            let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
            let rows = list(&value["rows"]).iter().map(|row| list(row).iter().map(word).collect()).collect();
            Ok((word(&value["name"]), rows))
        };
        said.lines().map(read).collect()
    }
}

/// [`FIELDS`] as EC2 writes them: the words between its quotes.
fn fields() -> String {
    let words = FIELDS.split('"').skip(1).step_by(2);
    words.map(|word| format!("${{{word}}}")).collect::<Vec<_>>().join(" ")
}
