//! The estimated reads of a query and their S3 cost.

use std::fmt;

use flowagg_query::Totals;

use super::super::size::bytes;

/// The price in USD of 1,000 GET requests.
///
/// Source: "Amazon S3 pricing", S3 Standard in US East (N. Virginia), June 2025. Other regions and storage classes differ.
const GET_PRICE: f64 = 0.0004;
const PRICED: &str = "USD 0.0004 per 1,000 GET requests (S3 Standard, us-east-1, 2025-06)";

/// The upper limit of what a query reads. With a `LIMIT`, or if the result is known early, it reads less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// The objects to read.
    pub(crate) selected: Totals,
    /// Objects that were listed but are not needed.
    pub(crate) pruned: Totals,
    /// Whether the objects are in S3, which charges for requests.
    pub(crate) in_bucket: bool,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { selected, pruned, in_bucket } = self;
        writeln!(f, "the query will read up to {}", totals(*selected))?;
        if pruned.objects > 0 {
            writeln!(f, "listed but not needed: {}", totals(*pruned))?;
        }
        if *in_bucket {
            // The number of objects is far below the limit of exact integers.
            #[allow(clippy::cast_precision_loss, reason = "an estimate")]
            let cost = selected.objects as f64 / 1000.0 * GET_PRICE;
            writeln!(f, "requests will cost up to USD {cost:.4}: {PRICED}")?;
            writeln!(
                f,
                "data transfer: {} (charged by AWS if it leaves the region of the bucket)",
                bytes(selected.bytes)
            )?;
        }
        Ok(())
    }
}

/// Formats totals: `3 objects with 1.2 MB`.
pub(crate) fn totals(totals: Totals) -> String {
    let objects = if totals.objects == 1 { "object" } else { "objects" };
    format!("{} {objects} with {}", totals.objects, bytes(totals.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimate_includes_requests_and_transfer_only_for_a_bucket() {
        let selected = Totals::new(2_500_000, 40_000_000_000);
        let pruned = Totals::new(1, 100);
        let estimate = Estimate { selected, pruned, in_bucket: true };
        assert_eq!(
            estimate.to_string(),
            "the query will read up to 2500000 objects with 40.0 GB\n\
             listed but not needed: 1 object with 100 bytes\n\
             requests will cost up to USD 1.0000: USD 0.0004 per 1,000 GET requests (S3 Standard, us-east-1, 2025-06)\n\
             data transfer: 40.0 GB (charged by AWS if it leaves the region of the bucket)\n"
        );
        let local = Estimate { selected, pruned: Totals::default(), in_bucket: false };
        assert_eq!(local.to_string(), "the query will read up to 2500000 objects with 40.0 GB\n");
    }
}
