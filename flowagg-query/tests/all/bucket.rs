//! In-memory buckets built from object descriptions.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use flowagg_core::flow_log::{FieldKind, FileFormat, Files, RecordedField};
use flowagg_core::id::{AccountId, FlowLogId, Place, Prefix, Region};
use flowagg_core::layout::{FileName, Layout};
use flowagg_query::object_store::memory::InMemory;
use flowagg_query::object_store::path::Path;
use flowagg_query::object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::basic::{Compression as ParquetCompression, LogicalType, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

/// An object: its key, and its text, from which Parquet files are also generated.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) format: FileFormat,
}

/// The location of the objects of an account-region.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
    pub(crate) prefix: Option<&'static str>,
    pub(crate) is_hive: bool,
    pub(crate) is_hourly: bool,
}

impl Home {
    pub(crate) const PLAIN: Self =
        Self { account: "111122223333", region: "eu-west-1", prefix: None, is_hive: false, is_hourly: false };

    /// The key of a file with this time in its name, in Unix seconds.
    pub(crate) fn key(&self, time: i64, number: usize, format: FileFormat) -> String {
        let mut files = Files::default();
        files.format = format;
        files.hive_compatible_partitions = self.is_hive;
        files.per_hour_partition = self.is_hourly;
        let place = Place::new(AccountId::parse(self.account).unwrap(), &Region::parse(self.region).unwrap());
        let time = jiff::Timestamp::from_second(time).unwrap().to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let flow_log = FlowLogId::parse("fl-0a1b2c3d4e5f67890").unwrap();
        let mut name = FileName::new(place, flow_log, time, format!("{number:08x}"));
        name.format = format;
        let prefix = self.prefix.map(|prefix| Prefix::parse(prefix).unwrap());
        Layout::new(prefix, files).key(&name)
    }
}

impl Object {
    pub(crate) fn new(home: &Home, time: i64, number: usize, format: FileFormat, text: String) -> Self {
        Self { key: home.key(time, number, format), text, format }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        match self.format {
            FileFormat::PlainText => gzip(self.text.as_bytes()),
            FileFormat::Parquet => parquet_of(&self.text),
        }
    }
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Converts text to a Parquet file; `-` is NULL, and numbers have the types that AWS documents.
fn parquet_of(text: &str) -> Vec<u8> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let records: Vec<Vec<&str>> = lines.map(|line| line.split(' ').collect()).collect();
    let physical = |name: &str| match RecordedField::all().find(|field| field.as_str() == name) {
        Some(field) if field.as_str() == "protocol" || field.kind() == FieldKind::Int32 => Physical::INT32,
        Some(field) if field.kind() == FieldKind::Int64 => Physical::INT64,
        _ => Physical::BYTE_ARRAY,
    };
    let columns = names.iter().map(|name| {
        let kind = physical(name);
        let logical = (kind == Physical::BYTE_ARRAY).then_some(LogicalType::String);
        let column = name.replace('-', "_");
        let builder =
            Type::primitive_type_builder(&column, kind).with_repetition(parquet::basic::Repetition::OPTIONAL);
        Arc::new(builder.with_logical_type(logical).build().unwrap())
    });
    let schema = Type::group_type_builder("flow_log").with_fields(columns.collect()).build().unwrap();
    let properties =
        WriterProperties::builder().set_compression(ParquetCompression::GZIP(Default::default())).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (place, name) in names.iter().enumerate() {
        let values: Vec<&str> = records.iter().map(|record| record[place]).collect();
        let levels: Vec<i16> = values.iter().map(|value| i16::from(*value != "-")).collect();
        let values = values.into_iter().filter(|value| *value != "-");
        let mut column = group.next_column().unwrap().unwrap();
        match physical(name) {
            Physical::INT32 => {
                let values: Vec<i32> = values.map(|value| value.parse().unwrap()).collect();
                column.typed::<Int32Type>().write_batch(&values, Some(&levels), None).unwrap();
            }
            Physical::INT64 => {
                let values: Vec<i64> = values.map(|value| value.parse().unwrap()).collect();
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None).unwrap();
            }
            _ => {
                let values: Vec<ByteArray> = values.map(ByteArray::from).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
            }
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

/// A bucket with these objects.
pub(crate) async fn bucket(objects: &[Object]) -> Arc<dyn ObjectStore> {
    let store = InMemory::new();
    for object in objects {
        put(&store, &object.key, object.body()).await;
    }
    Arc::new(store)
}

pub(crate) async fn put(store: &dyn ObjectStore, key: &str, body: Vec<u8>) {
    store.put(&Path::parse(key).unwrap(), body.into()).await.unwrap();
}
