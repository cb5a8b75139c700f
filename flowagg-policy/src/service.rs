//! The service that delivers flow logs.

/// The principal that delivers vended logs, in every partition.
///
/// Source: "Amazon S3 bucket permissions for flow logs" (Amazon VPC User Guide), and its edition for China.
pub const DELIVERY_SERVICE: &str = "delivery.logs.amazonaws.com";

/// The canned ACL that the delivery service sends with every object.
pub const DELIVERY_ACL: &str = "bucket-owner-full-control";
