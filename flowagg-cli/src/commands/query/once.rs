//! Runs one command line, from the shell or from the prompt.

use super::super::error::CommandError;
use super::{answer, watch};
use crate::args::{GlobalArgs, QueryArgs};
use crate::{Exit, Screen};

/// Lists questions, watches a query, or runs it once.
pub(super) async fn once(
    global: &GlobalArgs,
    options: &QueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    match options.watch {
        _ if options.list => answer::list(global, options, screen),
        Some(every) => watch::run(global, options, every, screen).await,
        None => Ok(answer::ask(global, options, None, screen).await?.exit),
    }
}
