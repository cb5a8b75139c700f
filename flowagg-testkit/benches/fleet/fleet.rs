//! The fleet: how large it is, its file, and the accounts that the endpoint knows.

use clap::Args;

use crate::organizations;

/// The account that owns the bucket, and that the caller is in. Its access key is its id.
pub(crate) const HUB: &str = "111111111111";
/// Regions that are in every account.
pub(crate) const REGIONS: [&str; 8] = [
    "eu-west-1",
    "us-east-1",
    "eu-central-1",
    "us-west-2",
    "eu-north-1",
    "us-east-2",
    "ap-southeast-2",
    "ca-central-1",
];

/// How large the fleet is.
#[derive(Args, Clone, Debug)]
pub(crate) struct Size {
    /// Member accounts
    #[arg(long, default_value_t = 1_000)]
    pub(crate) accounts: u64,
    /// Regions of each account
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=8))]
    pub(crate) regions: u64,
    /// VPCs in each region of an account
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) vpcs: u64,
}

impl Size {
    /// The member accounts' ids.
    pub(crate) fn members(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.accounts).map(|n| format!("{:012}", 200_000_000_000 + n * 7_919))
    }

    /// The regions of each.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &'static str> {
        REGIONS.into_iter().zip(0..self.regions).map(|(region, _)| region)
    }
}

/// The fleet file: a whole organization.
pub(crate) fn file(size: &Size) -> String {
    let regions: Vec<_> = size.regions().map(|region| format!("\"{region}\"")).collect();
    format!(
        "[hub]\naccount = \"{HUB}\"\nregion = \"{}\"\nbucket = \"acme-flow-logs\"\nretention-days = 90\n\n\
         [organization]\nid = \"{}\"\nregions = [{}]\n",
        REGIONS[0],
        organizations::ID,
        regions.join(", ")
    )
}
