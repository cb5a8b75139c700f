#![doc = include_str!("../README.md")]

pub mod acl;
pub mod arrival;
pub mod cost;
pub mod failure;
pub mod fleet;
pub mod flow_log;
pub mod id;
pub mod layout;
pub mod lifecycle;
pub mod lookup;
pub mod names;
pub mod near;
pub mod observed;
pub mod plan;
pub mod question;
pub mod text;
