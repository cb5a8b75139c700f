//! The worlds for the queries, and the traffic that is delivered to them.

use std::fmt;
use std::io::{self, Read as _};

use aws_sdk_s3::primitives::ByteStream;
use flate2::read::GzDecoder;
use flowagg_core::flow_log::{FieldSet, FileFormat, Files};
use flowagg_core::id::{AccountId, FlowLogId, Place, ResourceId};
use flowagg_core::layout::{FileName, Layout};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::RehearsalError;
use super::super::readers::{FIELDS, INTERVALS, MEMBERS, START, resources};
use super::expected::{FORMAT, Told};
use crate::aws::AwsError;
use crate::delivery::Outcome;
use crate::delivery::recording::{Columns, Recording, Shape, Traffic};
use crate::emulator::Emulator;
use crate::world::{Ran, World};

/// Additional members: too many for a table to enumerate its accounts.
const CROWD: usize = 40;
/// A resource whose traffic two accounts log.
const SHARED: &str = "vpc-0123456789abcdef0";

/// The fields that the flow logs of a world record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// AWS's default format.
    Default,
    /// All fields up to version 5, in another order.
    Version5,
    /// All fields.
    All,
}

/// Settings of the flow logs of a world.
#[derive(Clone, Copy)]
pub(super) struct WorldKind {
    pub(super) files: Files,
    pub(super) fields: Fields,
    pub(super) is_large: bool,
}

/// Covers every format, folder layout and partition granularity, each with the default fields and with others, and both
/// few and many accounts.
pub(super) const KINDS: [WorldKind; 4] = [
    WorldKind { files: files(FileFormat::PlainText, false, false), fields: Fields::Default, is_large: false },
    WorldKind { files: files(FileFormat::PlainText, true, true), fields: Fields::Version5, is_large: true },
    WorldKind { files: files(FileFormat::Parquet, false, true), fields: Fields::All, is_large: true },
    WorldKind { files: files(FileFormat::Parquet, true, false), fields: Fields::Default, is_large: false },
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
        let fields = match self.fields {
            Fields::Default => "default",
            Fields::Version5 => "version 5",
            Fields::All => "all",
        };
        let accounts = if self.is_large { "injected" } else { "enum" };
        write!(f, "{:<10}  {folders:<7}  {width:<10}  {fields:<9}  {accounts:<8}", format.as_str())
    }
}

/// A world with everything delivered.
pub(super) struct Delivered {
    pub(super) kind: WorldKind,
    pub(super) world: World,
    pub(super) told: Vec<Told>,
}

/// Creates a world with flow logs of this kind, and delivers traffic to its bucket.
pub(super) async fn deliver(emulator: &Emulator, kind: WorldKind) -> Result<Delivered, RehearsalError> {
    let mut world = World::new(emulator).await?;
    world.set("hub", "prefix = \"network\"");
    world.set("flow-logs", &format!("file-format = \"{}\"", kind.files.format.as_str()));
    world
        .set("flow-logs", &format!("hive-compatible-partitions = {}", kind.files.hive_compatible_partitions));
    world.set("flow-logs", &format!("per-hour-partition = {}", kind.files.per_hour_partition));
    match kind.fields {
        Fields::Default => {}
        Fields::Version5 => world.set("flow-logs", FIELDS),
        Fields::All => world.set("flow-logs", "fields = \"all\""),
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
                "{} did not deliver: {}",
                publication.flow_log, publication.outcome
            )));
        };
        // All files of a publication belong to the same interval.
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
            let what = format!("{said} records were delivered, but {recorded} are recorded");
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

/// The records of an interval, with all fields that the queries read. Flow logs of one resource record the same
/// traffic, whatever their fields and files.
fn recorded(recording: &Recording, start: Timestamp) -> Result<Vec<Told>, RehearsalError> {
    let recording = Recording { columns: Columns::parse(FORMAT), ..recording.clone() };
    let mut told = Vec::new();
    for file in recording.network(&Traffic::default()).files(start.as_second(), Shape::default()) {
        let mut text = String::new();
        GzDecoder::new(file?.body.as_slice()).read_to_string(&mut text)?;
        told.extend(text.lines().skip(1).map(|line| Told {
            account: recording.place.account.to_string(),
            region: recording.place.region.to_string(),
            values: line.split(' ').map(str::to_owned).collect(),
        }));
    }
    Ok(told)
}

pub(super) fn succeeded(ran: Ran) -> Result<Ran, RehearsalError> {
    if ran.code == Some(0) {
        Ok(ran)
    } else {
        Err(RehearsalError::NotSo(format!("the program failed: {ran}")))
    }
}

impl Delivered {
    /// Lets two accounts log the same traffic, as both ends of a connection do. No other traffic in this world crosses
    /// accounts.
    async fn share(&mut self) -> Result<(), RehearsalError> {
        let region = self.world.hub_region().clone();
        let columns = match self.kind.fields {
            Fields::Default => None,
            Fields::Version5 => Some(Columns::parse(&fields())),
            Fields::All => Some(Columns::from(&FieldSet::All.format())),
        };
        for account in self.accounts().into_iter().take(2) {
            let place = Place::new(account, &region);
            let mut recording = Recording {
                resource: Some(ResourceId::parse(SHARED).map_err(io::Error::other)?),
                ..Recording::new(place.clone(), flow_log()?)
            };
            if let Some(columns) = &columns {
                recording.columns = columns.clone();
            }
            let shape = Shape { format: self.kind.files.format, ..Shape::default() };
            for file in recording.network(&Traffic::default()).files(START.as_second(), shape) {
                let file = file?;
                self.put(&place, &file.hash, self.kind.files.format, file.body).await?;
            }
            self.told.extend(recorded(&recording, START)?);
        }
        Ok(())
    }

    /// Puts a file of the first interval into the bucket.
    pub(super) async fn put(
        &self,
        place: &Place,
        hash: &str,
        format: FileFormat,
        body: Vec<u8>,
    ) -> Result<(), RehearsalError> {
        let layout = Layout::new(Some("network".parse().map_err(io::Error::other)?), self.kind.files);
        let time = START.to_zoned(TimeZone::UTC).datetime();
        let mut name = FileName::new(place.clone(), flow_log()?, time, hash);
        name.format = format;
        let put = self.world.s3().put_object().bucket(self.world.bucket().as_str());
        let put = put.key(layout.key(&name)).body(ByteStream::from(body)).send().await;
        put.map_err(AwsError::during("PutObject", self.world.hub(), self.world.hub_region()))
            .map_err(crate::world::WorldError::from)?;
        Ok(())
    }

    /// The members that deliver, sorted.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        let named = MEMBERS.iter().filter_map(|name| self.world.accounts().get(*name));
        let mut accounts: Vec<AccountId> = named.map(|account| account.id).collect();
        accounts.sort();
        accounts
    }
}

/// A flow log ID that no delivering flow log has.
fn flow_log() -> Result<FlowLogId, RehearsalError> {
    Ok(FlowLogId::parse("fl-0123456789abcdef0").map_err(io::Error::other)?)
}

/// [`FIELDS`] in EC2's notation: the words between its quotes.
fn fields() -> String {
    let words = FIELDS.split('"').skip(1).step_by(2);
    words.map(|word| format!("${{{word}}}")).collect::<Vec<_>>().join(" ")
}
