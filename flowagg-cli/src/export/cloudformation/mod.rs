//! CloudFormation templates. They give what `apply` makes, for teams that bring every change by a stack.
//!
//! * [`hub`]: the bucket with its settings and its policy
//! * [`member`], [`place`]: flow logs of one VPC, or of all that the fleet file names in an account and region
//! * [`stack_set`]: the member's template in every account of an organization
//! * [`roles`]: what flowagg itself needs, where it may run after all
//!
//! A workgroup of Athena is written here too, for [`athena`](super::athena::athena).
//!
//! Sources: "AWS::Athena::NamedQuery", "AWS::Athena::WorkGroup", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::EC2::FlowLog", "AWS::CloudFormation::StackSet",
//! "AWS::IAM::Role" and "AWS::IAM::ManagedPolicy" (AWS CloudFormation Template Reference).

mod hub;
mod member;
mod roles;
mod stack_set;
mod template;
mod workgroup;

pub use hub::hub;
pub use member::{VpcFrom, member, place};
pub use roles::{roles, roles_with};
pub use stack_set::stack_set;
pub use template::TemplateFormat;
pub(super) use workgroup::workgroup;
