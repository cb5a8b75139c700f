//! Converts objects to record batches: column selection, decompression, text and Parquet.

mod build;
mod inflate;
mod layout;
mod number;
mod parquet;
mod reader;
mod split;
mod text;

pub(crate) use layout::ReadLayout;
pub(crate) use reader::Reader;
