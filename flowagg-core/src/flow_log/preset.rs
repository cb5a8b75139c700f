//! Named sets of fields.

use super::format::{Field, RecordFormat};

/// A set of fields that the fleet file can name instead of a list. Each starts with the fields of AWS's default format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldSet {
    /// AWS's default format.
    Default,
    /// For questions about traffic costs: gateways, Availability Zones, and the destination of traffic.
    Cost,
    /// For questions about access: TCP flags, reject reasons, encryption, and packet addresses.
    Security,
    /// Every field except those of tags. The set depends on the version of flowagg.
    All,
}

/// The fields of `cost` in addition to the default format.
const COST: [&str; 13] = [
    "vpc-id",
    "subnet-id",
    "instance-id",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "az-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
    "resource-id",
    "interface-type",
    "next-hop-az-id",
];

/// The fields of `security` in addition to the default format.
const SECURITY: [&str; 13] = [
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
    "reject-reason",
    "encryption-status",
    "interface-type",
];

impl FieldSet {
    /// All sets.
    pub const ALL: [Self; 4] = [Self::Default, Self::Cost, Self::Security, Self::All];

    /// The value in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Cost => "cost",
            Self::Security => "security",
            Self::All => "all",
        }
    }

    /// The fields of the set, in the order of AWS's documentation.
    pub fn format(self) -> RecordFormat {
        let default = RecordFormat::default();
        let has = |field: &Field| match self {
            Self::Default => false,
            Self::Cost => COST.contains(&field.as_str()),
            Self::Security => SECURITY.contains(&field.as_str()),
            Self::All => true,
        };
        let fields = Field::all().filter(|field| default.fields().contains(field) || has(field));
        RecordFormat::try_from(fields.collect::<Vec<_>>()).unwrap_or(default)
    }

    /// The set with exactly these fields in this order.
    pub fn of(format: &RecordFormat) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.format() == *format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_extend_the_default_format() {
        let sizes = FieldSet::ALL.map(|set| set.format().fields().len());
        assert_eq!(sizes, [14, 14 + COST.len(), 14 + SECURITY.len(), Field::all().count()]);
        for set in FieldSet::ALL {
            assert_eq!(FieldSet::of(&set.format()), Some(set));
        }
        assert_eq!(FieldSet::Default.format(), RecordFormat::default());
    }
}
