//! `flowagg query`: runs questions and SQL on the objects of a bucket or a folder, on this machine or in Amazon Athena.

mod answer;
mod ask;
mod asked;
#[cfg(feature = "athena")]
mod athena;
mod engine;
mod failed;
mod lookups;
mod names;
mod once;
mod output;
mod prepared;
mod prompt;
mod rows;
mod rules;
mod run;
mod saved;
mod source;
mod watch;

use std::ffi::OsString;

use super::error::CommandError;
use crate::args::{GlobalArgs, QueryArgs};
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &GlobalArgs,
    options: &QueryArgs,
    words: &[OsString],
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    match &options.asked {
        None if !options.list => prompt::run(global, words, screen).await,
        _ => once::once(global, options, screen).await,
    }
}
