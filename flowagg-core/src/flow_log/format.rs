//! The record format of a flow log: which fields, in which order, and the version that brings them.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::id::IdError;
use crate::near::nearest;

/// Every field that a flow log of a VPC may record, with the version that brought it. Version 6 is of transit gateways.
///
/// Source: "Flow log records", available fields (Amazon VPC User Guide).
const FIELDS: [(&str, u8); 48] = [
    ("version", 2),
    ("account-id", 2),
    ("interface-id", 2),
    ("srcaddr", 2),
    ("dstaddr", 2),
    ("srcport", 2),
    ("dstport", 2),
    ("protocol", 2),
    ("packets", 2),
    ("bytes", 2),
    ("start", 2),
    ("end", 2),
    ("action", 2),
    ("log-status", 2),
    ("vpc-id", 3),
    ("subnet-id", 3),
    ("instance-id", 3),
    ("tcp-flags", 3),
    ("type", 3),
    ("pkt-srcaddr", 3),
    ("pkt-dstaddr", 3),
    ("region", 4),
    ("az-id", 4),
    ("sublocation-type", 4),
    ("sublocation-id", 4),
    ("pkt-src-aws-service", 5),
    ("pkt-dst-aws-service", 5),
    ("flow-direction", 5),
    ("traffic-path", 5),
    ("ecs-cluster-arn", 7),
    ("ecs-cluster-name", 7),
    ("ecs-container-instance-arn", 7),
    ("ecs-container-instance-id", 7),
    ("ecs-container-id", 7),
    ("ecs-second-container-id", 7),
    ("ecs-service-name", 7),
    ("ecs-task-definition-arn", 7),
    ("ecs-task-arn", 7),
    ("ecs-task-id", 7),
    ("reject-reason", 8),
    ("resource-id", 9),
    ("encryption-status", 10),
    ("interface-type", 11),
    ("next-hop-interface-id", 11),
    ("next-hop-subnet-id", 11),
    ("next-hop-az-id", 11),
    ("next-hop-vpc-id", 11),
    ("next-hop-interface-type", 11),
];

/// Fields of version 11 that also need the names of tags (`TagFieldSpecifications`).
const TAG_FIELDS: [&str; 6] =
    ["instance-tag", "instance-tag-2", "interface-tag", "interface-tag-2", "asg-tag", "asg-tag-2"];

/// How many fields the default format has: those of version 2, in the order of the table.
const DEFAULT_FIELDS: usize = 14;

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(usize);

impl Field {
    /// Reads the name of a field.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "a field of \"Flow log records\" (Amazon VPC User Guide), as in `pkt-srcaddr`";
        if let Some(at) = FIELDS.iter().position(|(name, _)| *name == text) {
            return Ok(Self(at));
        }
        let why = if TAG_FIELDS.contains(&text) {
            "it needs the names of tags, which flowagg cannot give yet".to_owned()
        } else {
            let nearest = nearest(text, FIELDS.iter().map(|(name, _)| *name));
            format!("the nearest that AWS has is `{}`", nearest.unwrap_or_default())
        };
        Err(IdError::new(text, "a field of a flow log record", why, HELP))
    }

    /// Every field, in the order of AWS's documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FIELDS.len()).map(Self)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        FIELDS[self.0].0
    }

    /// The version of records that brought it.
    pub fn version(self) -> u8 {
        FIELDS[self.0].1
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

crate::id::text_name!(Field);

/// The fields of a record, in order. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFormat(Vec<Field>);

/// A record format without fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record format has at least one field")]
#[non_exhaustive]
pub struct NoFields;

impl TryFrom<Vec<Field>> for RecordFormat {
    type Error = NoFields;

    fn try_from(fields: Vec<Field>) -> Result<Self, NoFields> {
        if fields.is_empty() { Err(NoFields) } else { Ok(Self(fields)) }
    }
}

impl RecordFormat {
    /// The fields.
    pub fn fields(&self) -> &[Field] {
        &self.0
    }

    /// The version that the records say they have: the highest of their fields'.
    pub fn version(&self) -> u8 {
        self.0.iter().map(|field| field.version()).max().unwrap_or_default()
    }
}

impl Default for RecordFormat {
    /// The fields of version 2.
    fn default() -> Self {
        Self((0..DEFAULT_FIELDS).map(Field).collect())
    }
}

impl fmt::Display for RecordFormat {
    /// As `CreateFlowLogs` takes it: `${version} ${account-id} …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, field) in self.0.iter().enumerate() {
            let gap = if n == 0 { "" } else { " " };
            write!(f, "{gap}${{{field}}}")?;
        }
        Ok(())
    }
}

impl Serialize for RecordFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    #[test]
    fn the_default_format_is_the_documented_one() {
        let documented = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} \
                          ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
        assert_eq!(RecordFormat::default().to_string(), documented);
        assert_eq!(RecordFormat::default().version(), 2);
    }

    #[test]
    fn as_many_fields_as_the_documentation_has_by_version() {
        for (version, fields) in [(2, 14), (5, 29), (10, 42), (11, 54 - TAG_FIELDS.len())] {
            assert_eq!(
                FIELDS.iter().filter(|(_, since)| *since <= version).count(),
                fields,
                "version {version}"
            );
        }
    }

    #[test]
    fn a_records_version_is_the_highest_of_its_fields() {
        let fields = ["version", "pkt-srcaddr", "flow-direction"].map(|name| Field::parse(name).unwrap());
        assert_eq!(RecordFormat::try_from(fields.to_vec()).unwrap().version(), 5);
    }

    #[test]
    fn a_misspelt_field_is_answered_with_the_nearest() {
        let message = |text: &str| Field::parse(text).unwrap_err().to_string();
        assert_data_eq!(
            message("pkt_srcaddr"),
            str![
                "`pkt_srcaddr` is not a field of a flow log record: the nearest that AWS has is `pkt-srcaddr`"
            ]
        );
        assert_data_eq!(
            message("instance-tag"),
            str![
                "`instance-tag` is not a field of a flow log record: it needs the names of tags, which flowagg cannot give yet"
            ]
        );
    }
}
