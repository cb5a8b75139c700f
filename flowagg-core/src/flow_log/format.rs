//! The record format of a flow log: its fields, in order, and the version that they require.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::id::IdError;
use crate::near::nearest;

use super::kind::FieldKind::{self, Int32, Int64, Text};

/// Every field that a VPC flow log can record, with the version that introduced it and its type. Version 6 is for transit
/// gateways.
///
/// Source: "Flow log records", available fields (Amazon VPC User Guide); for the types, "Create a table for Amazon VPC flow logs
/// and query it" (Amazon Athena User Guide).
pub(super) const FIELDS: [(&str, u8, FieldKind); 48] = [
    ("version", 2, Int32),
    ("account-id", 2, Text),
    ("interface-id", 2, Text),
    ("srcaddr", 2, Text),
    ("dstaddr", 2, Text),
    ("srcport", 2, Int32),
    ("dstport", 2, Int32),
    ("protocol", 2, Int64),
    ("packets", 2, Int64),
    ("bytes", 2, Int64),
    ("start", 2, Int64),
    ("end", 2, Int64),
    ("action", 2, Text),
    ("log-status", 2, Text),
    ("vpc-id", 3, Text),
    ("subnet-id", 3, Text),
    ("instance-id", 3, Text),
    ("tcp-flags", 3, Int32),
    ("type", 3, Text),
    ("pkt-srcaddr", 3, Text),
    ("pkt-dstaddr", 3, Text),
    ("region", 4, Text),
    ("az-id", 4, Text),
    ("sublocation-type", 4, Text),
    ("sublocation-id", 4, Text),
    ("pkt-src-aws-service", 5, Text),
    ("pkt-dst-aws-service", 5, Text),
    ("flow-direction", 5, Text),
    ("traffic-path", 5, Int32),
    ("ecs-cluster-arn", 7, Text),
    ("ecs-cluster-name", 7, Text),
    ("ecs-container-instance-arn", 7, Text),
    ("ecs-container-instance-id", 7, Text),
    ("ecs-container-id", 7, Text),
    ("ecs-second-container-id", 7, Text),
    ("ecs-service-name", 7, Text),
    ("ecs-task-definition-arn", 7, Text),
    ("ecs-task-arn", 7, Text),
    ("ecs-task-id", 7, Text),
    ("reject-reason", 8, Text),
    ("resource-id", 9, Text),
    ("encryption-status", 10, Int32),
    ("interface-type", 11, Text),
    ("next-hop-interface-id", 11, Text),
    ("next-hop-subnet-id", 11, Text),
    ("next-hop-az-id", 11, Text),
    ("next-hop-vpc-id", 11, Text),
    ("next-hop-interface-type", 11, Text),
];

/// Fields of version 11 that also need the names of tags (`TagFieldSpecifications`).
pub(super) const TAG_FIELDS: [&str; 6] =
    ["instance-tag", "instance-tag-2", "interface-tag", "interface-tag-2", "asg-tag", "asg-tag-2"];

/// The number of fields of the default format: those of version 2, which come first in the table.
const DEFAULT_FIELDS: usize = 14;

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(usize);

impl Field {
    /// Parses the name of a field.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use a field of \"Flow log records\" (Amazon VPC User Guide), e.g. `pkt-srcaddr`";
        if let Some(at) = FIELDS.iter().position(|(name, ..)| *name == text) {
            return Ok(Self(at));
        }
        let why = if TAG_FIELDS.contains(&text) {
            "it requires tag names, which flowagg does not support".to_owned()
        } else {
            let nearest = nearest(text, FIELDS.iter().map(|(name, ..)| *name));
            format!("the closest match is `{}`", nearest.unwrap_or_default())
        };
        Err(IdError::new(text, "flow log field", why, HELP))
    }

    /// Every field, in the order of AWS's documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FIELDS.len()).map(Self)
    }

    /// The name of the field.
    pub fn as_str(self) -> &'static str {
        FIELDS[self.0].0
    }

    /// The record version that introduced the field.
    pub fn version(self) -> u8 {
        FIELDS[self.0].1
    }

    /// The type of the field's values.
    pub fn kind(self) -> FieldKind {
        FIELDS[self.0].2
    }

    /// The name of the field's column in a table, with `_` instead of `-`.
    pub fn column(self) -> String {
        column(self.as_str())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

crate::id::text_name!(Field);

/// The name of a field's column.
pub(super) fn column(field: &str) -> String {
    field.replace('-', "_")
}

/// The fields of a record, in order. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFormat(Vec<Field>);

/// The error for a record format without fields.
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

    /// The version in the records: the highest version of their fields.
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
    /// The format that `CreateFlowLogs` expects: `${version} ${account-id} …`.
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
    fn default_format_matches_the_documentation() {
        let documented = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} \
                          ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
        assert_eq!(RecordFormat::default().to_string(), documented);
        assert_eq!(RecordFormat::default().version(), 2);
    }

    #[test]
    fn field_counts_by_version_match_the_documentation() {
        for (version, fields) in [(2, 14), (5, 29), (10, 42), (11, 54 - TAG_FIELDS.len())] {
            assert_eq!(
                FIELDS.iter().filter(|(_, since, _)| *since <= version).count(),
                fields,
                "version {version}"
            );
        }
    }

    #[test]
    fn version_is_the_highest_of_the_fields() {
        let fields = ["version", "pkt-srcaddr", "flow-direction"].map(|name| Field::parse(name).unwrap());
        assert_eq!(RecordFormat::try_from(fields.to_vec()).unwrap().version(), 5);
    }

    #[test]
    fn misspelled_fields_get_the_closest_match() {
        let message = |text: &str| Field::parse(text).unwrap_err().to_string();
        assert_data_eq!(
            message("pkt_srcaddr"),
            str!["`pkt_srcaddr` is not a valid flow log field: the closest match is `pkt-srcaddr`"]
        );
        assert_data_eq!(
            message("instance-tag"),
            str![[
                r#"`instance-tag` is not a valid flow log field: it requires tag names, which flowagg does not support"#
            ]]
        );
    }
}
