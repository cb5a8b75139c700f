//! What a flow log records, and the files it is delivered in: repeatable, from a seed. Nothing here talks to AWS, reads a
//! clock or writes to a disk.
//!
//! ```
//! use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
//! use flowagg_testkit::delivery::recording::{Recording, Shape, Traffic};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recording = Recording::new(
//!     Place::new(AccountId::parse("111122223333")?, &Region::parse("eu-west-1")?),
//!     FlowLogId::parse("fl-0a1b2c3d4e5f67890")?,
//! );
//! let mut traffic = Traffic::default();
//! traffic.flows = 1_000;
//! let network = recording.network(&traffic);
//! for file in network.files(1_772_323_200, Shape::default()) {
//!     let file = file?;
//!     assert!(file.records >= 1_000 && !file.body.is_empty());
//! }
//! # Ok(())
//! # }
//! ```

mod columns;
mod files;
mod flows;
mod network;
mod parquet_file;
mod random;
mod record;
#[cfg(test)]
mod tests;
mod text;

use flowagg_core::flow_log::{AggregationInterval, RecordFormat, TrafficType};
use flowagg_core::id::{FlowLogId, Place, ResourceId};

pub use columns::Columns;
pub use files::{LARGEST_FILE, LogFile, Shape};
pub use network::Network;
pub use text::LEVEL;

/// Every how many seconds the service publishes.
///
/// Source: "Flow log files" (Amazon VPC User Guide).
pub const PUBLISHED_EVERY: i64 = 300;

/// A flow log, as the service that records it sees it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recording {
    /// The account and the region of the flow log.
    pub place: Place,
    /// The flow log.
    pub flow_log: FlowLogId,
    /// What it is a flow log of. Flow logs of one resource record the same traffic.
    pub resource: Option<ResourceId>,
    /// Which records it keeps.
    pub traffic_type: TrafficType,
    /// How long a record may span.
    pub aggregation_interval: AggregationInterval,
    /// The fields of its records.
    pub columns: Columns,
}

impl Recording {
    /// A flow log of all traffic, in EC2's default format, of a resource that is not known.
    pub fn new(place: Place, flow_log: FlowLogId) -> Self {
        Self {
            place,
            flow_log,
            resource: None,
            traffic_type: TrafficType::default(),
            aggregation_interval: AggregationInterval::default(),
            columns: Columns::from(&RecordFormat::default()),
        }
    }

    /// The interfaces that the flow log covers, with this traffic on them.
    pub fn network(&self, traffic: &Traffic) -> Network {
        Network::new(self.clone(), traffic.clone())
    }
}

/// How much goes on in a network, and which of all the possible traffic it is.
///
/// The same seed, resource and interval give the same flows, whatever flow log records them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Another seed is another traffic.
    pub seed: u64,
    /// The flows of all interfaces together in one [`PUBLISHED_EVERY`]: each is a record of a flow log of `ALL` traffic.
    pub flows: u64,
    /// Interfaces with flows. Every third is that of a NAT gateway.
    pub busy: u32,
    /// Interfaces without: a `NODATA` record for each aggregation interval that ends.
    pub idle: u32,
    /// How many of the busy ones have more than the service can record: a `SKIPDATA` record for each aggregation interval
    /// that ends, besides their flows.
    pub overloaded: u32,
}

impl Default for Traffic {
    /// Eight flows on each of three interfaces, which is all kinds of them, and an idle interface.
    fn default() -> Self {
        Self { seed: 0, flows: 24, busy: 3, idle: 1, overloaded: 0 }
    }
}
