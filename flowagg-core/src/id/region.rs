use std::fmt;

use super::{IdError, text_name};
use crate::near::nearest;

/// The regions of the supported partitions, in sort order.
///
/// Source: `partitions.json` of botocore, which the AWS CLI uses (version 1.43). AWS lists them in "AWS Regions" (AWS General
/// Reference).
const KNOWN: [&str; 40] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// A partition: a group of regions with its own accounts, credentials and ARNs.
///
/// Source: "Partitions" (AWS Fault Isolation Boundaries). The isolated and sovereign partitions are not supported, because AWS
/// does not document their log delivery principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// `aws`: the commercial regions.
    Aws,
    /// `aws-cn`: the regions in China.
    AwsCn,
    /// `aws-us-gov`: AWS GovCloud (US).
    AwsUsGov,
}

impl Partition {
    /// All partitions.
    pub const ALL: [Self; 3] = [Self::Aws, Self::AwsCn, Self::AwsUsGov];

    /// Parses the partition part of an ARN.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|partition| partition.as_str() == text).ok_or_else(|| {
            IdError::new(text, "partition", "it is not supported", "use `aws`, `aws-cn` or `aws-us-gov`")
        })
    }

    /// The partition part of an ARN.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }
}

impl Partition {
    /// The region that every account of the partition has enabled, and that hosts the endpoints of global services.
    ///
    /// Source: "AWS Organizations endpoints and quotas" (AWS General Reference), for the global service's region.
    pub fn first_region(self) -> Region {
        let name = match self {
            Self::Aws => "us-east-1",
            Self::AwsCn => "cn-northwest-1",
            Self::AwsUsGov => "us-gov-west-1",
        };
        Region { name: name.to_owned(), partition: self }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

text_name!(Partition);

/// A region in one of the supported partitions. It may be unknown to this version, because AWS adds regions every year.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    name: String,
    partition: Partition,
}

impl Region {
    /// Parses a region code such as `eu-west-1`, `cn-north-1` or `us-gov-west-1`.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use a region code such as `eu-west-1`, `cn-north-1` or `us-gov-west-1`";
        let wrong = |why: &str| IdError::new(text, "region", why, HELP);
        let mut parts: Vec<&str> = text.split('-').collect();
        let number = parts.pop().unwrap_or_default();
        let words = parts.len() >= 2
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()));
        if text.len() > 32
            || !words
            || number.len() > 2
            || number.is_empty()
            || !number.bytes().all(|b| b.is_ascii_digit())
        {
            if parts.len() >= 2 && number.ends_with(|c: char| c.is_ascii_lowercase()) {
                return Err(wrong("it looks like an Availability Zone"));
            }
            return Err(wrong("it does not have the format of a region code"));
        }
        let partition = match (parts[0], parts[1]) {
            ("cn", _) => Partition::AwsCn,
            ("us", "gov") => Partition::AwsUsGov,
            ("us" | "eu", iso) if iso.starts_with("iso") => {
                return Err(wrong("its partition is not supported"));
            }
            (area, _) if area.len() != 2 => return Err(wrong("its partition is not supported")),
            _ => Partition::Aws,
        };
        Ok(Self { name: text.to_owned(), partition })
    }

    /// The region code.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether this version of flowagg knows the region. An unknown region may be newer or misspelled.
    pub fn is_known(&self) -> bool {
        KNOWN.binary_search(&self.as_str()).is_ok()
    }

    /// The known region of the same partition with the most similar code.
    pub fn nearest_known(&self) -> Option<&'static str> {
        let in_partition =
            |name: &&str| Self::parse(name).is_ok_and(|known| known.partition == self.partition);
        nearest(&self.name, KNOWN.into_iter().filter(in_partition))
    }

    /// The partition of the region.
    pub fn partition(&self) -> Partition {
        self.partition
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

text_name!(Region);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_determine_their_partition() {
        for (region, partition) in [
            ("us-east-1", Partition::Aws),
            ("ap-southeast-7", Partition::Aws),
            ("mx-central-1", Partition::Aws),
            ("cn-northwest-1", Partition::AwsCn),
            ("us-gov-east-1", Partition::AwsUsGov),
        ] {
            assert_eq!(Region::parse(region).unwrap().partition(), partition, "{region}");
        }
    }

    #[test]
    fn known_regions_are_sorted_and_suggested_for_misspelled_ones() {
        assert!(KNOWN.is_sorted());
        assert!(KNOWN.iter().all(|name| Region::parse(name).unwrap().is_known()));
        for (misspelled, meant) in [
            ("eu-wset-1", "eu-west-1"),
            ("us-eats-2", "us-east-2"),
            ("eu-centrall-1", "eu-central-1"),
            ("us-gov-west-2", "us-gov-west-1"),
            ("cn-nort-1", "cn-north-1"),
        ] {
            let region = Region::parse(misspelled).unwrap();
            assert!(!region.is_known());
            assert_eq!(region.nearest_known(), Some(meant), "{misspelled}");
        }
    }

    #[test]
    fn invalid_regions_are_rejected() {
        for bad in [
            "",
            "us",
            "us-east",
            "us-east-1a",
            "US-EAST-1",
            "us--1",
            "us-east-",
            "east-1",
            "us-iso-east-1",
            "eusc-de-east-1",
        ] {
            assert!(Region::parse(bad).is_err(), "{bad}");
        }
        snapbox::assert_data_eq!(
            Region::parse("us-east-1a").unwrap_err().to_string(),
            snapbox::str!["`us-east-1a` is not a valid region: it looks like an Availability Zone"]
        );
    }
}
