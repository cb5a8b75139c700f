//! The service that delivers flow logs.

use crate::document::Statement;
use crate::json::Node;

/// The service principal that delivers vended logs, in every partition.
///
/// Source: "Amazon S3 bucket permissions for flow logs" (Amazon VPC User Guide), and its edition for China.
pub const DELIVERY_SERVICE: &str = "delivery.logs.amazonaws.com";

/// The canned ACL that the delivery service sends with every object.
pub const DELIVERY_ACL: &str = "bucket-owner-full-control";

/// Whether the `Principal` of a statement names the delivery service.
pub(crate) fn names_delivery(statement: Statement<'_>) -> bool {
    let principals = statement.get("Principal").and_then(Node::members).unwrap_or_default();
    let services = principals.iter().filter(|entry| entry.key == "Service");
    services.flat_map(|entry| entry.value.elements()).any(|node| node.as_str() == Some(DELIVERY_SERVICE))
}
