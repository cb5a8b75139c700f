//! Tests of the public API, in one binary to save link time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests and test helpers")]

mod access_points;
mod adopting;
mod capacity;
mod deleted;
mod differential;
mod effects;
mod evaluation;
mod field;
mod foreign_text;
mod hostile;
mod kept_settings;
mod keys;
mod lint_advice;
mod lint_policies;
mod linting;
mod merging;
mod naive;
mod organizations;
mod ownership;
mod part;
mod plan_unread;
mod regions;
mod reserve;
mod support;
mod three_valued;
