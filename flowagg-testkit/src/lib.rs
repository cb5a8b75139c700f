//! A small AWS on this machine, for those who test what flowagg does and for those who embed its crates.

pub mod emulator;
