#![doc = include_str!("../README.md")]

#[cfg(feature = "cli")]
mod args;
pub mod aws;
#[cfg(feature = "cli")]
mod commands;
pub mod doctor;
#[cfg(feature = "cli")]
mod exit;
pub mod export;
pub mod found;
pub mod import;
pub mod metrics;
#[cfg(feature = "cli")]
mod program;
mod progress;
pub mod report;
#[cfg(feature = "cli")]
pub mod show;

pub use progress::Progress;
#[cfg(feature = "cli")]
pub use {exit::Exit, program::run, show::Screen};
