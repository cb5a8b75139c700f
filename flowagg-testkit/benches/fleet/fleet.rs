//! The size of the fleet.

use clap::Args;
use flowagg_testkit::simulation::Shape;

/// The size of the fleet.
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
    /// The organization of this size.
    pub(crate) fn shape(&self) -> Shape {
        let mut shape = Shape::new(self.accounts, usize::try_from(self.regions).unwrap_or(usize::MAX));
        shape.vpcs = self.vpcs;
        shape
    }
}
