//! What flowagg is about, as plain values: the fleet a person declares, what AWS has, and the difference between them.
//!
//! * [`id`]: AWS's names, parsed once and true ever after
//! * [`fleet`]: the `flowagg.toml` a person writes, read with all its faults at once
//! * [`flow_log`]: what a flow log does: traffic, interval, destination, tags
//! * [`layout`]: where in the bucket an object lies
//! * [`observed`]: what AWS has
//! * [`arrival`]: whether its objects arrive
//! * [`plan`]: the difference, as a value that is shown and then done
//!
//! This crate does no IO: no network, no files, no environment, no clock, no printing.

pub mod arrival;
pub mod fleet;
pub mod flow_log;
pub mod id;
pub mod layout;
pub mod observed;
pub mod plan;
