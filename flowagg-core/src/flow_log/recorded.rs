//! Every field that a record can have, including those that the fleet file cannot request.

use super::format::{FIELDS, TAG_FIELDS, column};
use super::kind::FieldKind::{self, Int64, Text};

/// The fields of transit gateway records (version 6) that VPC records do not have.
///
/// Source: "Transit Gateway Flow Log records", available fields (Amazon VPC Transit Gateways); for the types, "Query AWS Transit
/// Gateway flow logs" (Amazon Athena User Guide).
const GATEWAY_FIELDS: [(&str, FieldKind); 18] = [
    ("resource-type", Text),
    ("tgw-id", Text),
    ("tgw-attachment-id", Text),
    ("tgw-src-vpc-account-id", Text),
    ("tgw-dst-vpc-account-id", Text),
    ("tgw-src-vpc-id", Text),
    ("tgw-dst-vpc-id", Text),
    ("tgw-src-subnet-id", Text),
    ("tgw-dst-subnet-id", Text),
    ("tgw-src-eni", Text),
    ("tgw-dst-eni", Text),
    ("tgw-src-az-id", Text),
    ("tgw-dst-az-id", Text),
    ("tgw-pair-attachment-id", Text),
    ("packets-lost-no-route", Int64),
    ("packets-lost-blackhole", Int64),
    ("packets-lost-mtu-exceeded", Int64),
    ("packets-lost-ttl-expired", Int64),
];

/// A field that a record can have. In addition to the fields of [`Field`](super::Field), which a fleet file can request, it
/// includes tags and the fields of transit gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordedField {
    name: &'static str,
    kind: FieldKind,
}

impl RecordedField {
    /// Every field: those of VPCs in the order of AWS's documentation, tags, and those of transit gateways.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_vpcs = FIELDS.iter().map(|&(name, _, kind)| Self { name, kind });
        let tags = TAG_FIELDS.iter().map(|&name| Self { name, kind: Text });
        of_vpcs.chain(tags).chain(GATEWAY_FIELDS.iter().map(|&(name, kind)| Self { name, kind }))
    }

    /// The name in the header of a text file.
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// The type of the values.
    pub fn kind(self) -> FieldKind {
        self.kind
    }

    /// The name of the column in a table and in a Parquet file, with `_` instead of `-`.
    pub fn column(self) -> String {
        column(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_field_is_listed_once() {
        let names: BTreeSet<&str> = RecordedField::all().map(RecordedField::as_str).collect();
        assert_eq!((names.len(), RecordedField::all().count()), (72, 72));
    }

    #[test]
    fn documented_fields_of_transit_gateways_are_listed() {
        let documented = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id \
                          tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni \
                          tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport \
                          protocol packets bytes start end log-status type packets-lost-no-route packets-lost-blackhole \
                          packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags region flow-direction \
                          pkt-src-aws-service pkt-dst-aws-service";
        for name in documented.split(' ') {
            assert!(RecordedField::all().any(|field| field.as_str() == name), "{name}");
        }
    }
}
