//! CloudFormation templates of the resources that `apply` creates, for teams that deploy all changes with stacks.
//!
//! * [`hub`]: the bucket with its settings and its policy
//! * [`member`], [`place`]: the flow log of one VPC, or of all listed resources in an account-region
//! * [`stack_set`]: a stack set with the member template, for every account of an organization
//! * [`roles`]: the IAM roles that flowagg needs
//!
//! It also contains the Athena workgroup of [`athena`](super::athena::athena).
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
