//! One command line, of a shell or of the prompt.

use super::super::error::CommandError;
use super::{answer, watch};
use crate::args::{GlobalArgs, QueryArgs};
use crate::{Exit, Screen};

/// What a command line asks for, but a prompt.
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
