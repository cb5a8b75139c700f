//! The records of a flow log, and the files that contain them, reproducible from a seed. This module does not call AWS,
//! read a clock or write to disk.
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

/// Seconds between publications of the service.
///
/// Source: "Flow log files" (Amazon VPC User Guide).
pub const PUBLISHED_EVERY: i64 = 300;

/// A flow log as the recording service sees it.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Recording {
    /// The account and the region of the flow log.
    pub place: Place,
    pub flow_log: FlowLogId,
    /// The resource that is logged. Flow logs of the same resource record the same traffic.
    pub resource: Option<ResourceId>,
    /// Which records are kept.
    pub traffic_type: TrafficType,
    /// Maximum duration of a record.
    pub aggregation_interval: AggregationInterval,
    /// The fields of its records.
    pub columns: Columns,
}

impl Recording {
    /// A flow log of all traffic, in EC2's default format, of an unknown resource.
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

    /// The interfaces that the flow log covers, with this traffic.
    pub fn network(&self, traffic: &Traffic) -> Network {
        Network::new(self.clone(), traffic.clone())
    }
}

/// The amount of traffic in a network, and the seed that generates it.
///
/// The same seed, resource and interval produce the same flows, whatever flow log records them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// A different seed produces different traffic.
    pub seed: u64,
    /// Flows of all interfaces in one [`PUBLISHED_EVERY`]. Each is one record of a flow log of `ALL` traffic.
    pub flows: u64,
    /// Interfaces with traffic. Every third one belongs to a NAT gateway.
    pub busy: u32,
    /// Interfaces without traffic: a `NODATA` record for each aggregation interval that ends.
    pub idle: u32,
    /// Number of busy interfaces with more traffic than the service can record: a `SKIPDATA` record for each
    /// aggregation interval that ends, in addition to their flows.
    pub overloaded: u32,
}

impl Default for Traffic {
    /// Eight flows on each of three interfaces, which covers all kinds of flows, and an idle interface.
    fn default() -> Self {
        Self { seed: 0, flows: 24, busy: 3, idle: 1, overloaded: 0 }
    }
}
