//! The types and the name of the hub's resources in a configuration.

/// The name of the bucket and its settings.
pub(super) const NAME: &str = "flow_logs";
pub(super) const BUCKET: &str = "aws_s3_bucket";
pub(super) const POLICY: &str = "aws_s3_bucket_policy";
pub(super) const PUBLIC_ACCESS_BLOCK: &str = "aws_s3_bucket_public_access_block";
pub(super) const OWNERSHIP: &str = "aws_s3_bucket_ownership_controls";
pub(super) const ENCRYPTION: &str = "aws_s3_bucket_server_side_encryption_configuration";
pub(super) const LIFECYCLE: &str = "aws_s3_bucket_lifecycle_configuration";
