//! Repeats a query (`--watch`).

use std::time::Duration;

use flowagg_core::text::one_line;
use jiff::{SignedDuration, Timestamp};
use tokio::time::MissedTickBehavior;

use super::super::error::CommandError;
use crate::args::{GlobalArgs, QueryArgs};
use crate::show::{Ended, Watched};
use crate::{Exit, Screen};

/// Repeats a query until a signal or a usage error, or with `--fail-if-rows` until there are rows. After a read error, the query is repeated,
/// because the next read may succeed.
pub(super) async fn run(
    global: &GlobalArgs,
    options: &QueryArgs,
    every: Duration,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    if options.asked.as_deref() == Some("-") {
        let help = "pass the statement as an argument, or save it as a question";
        return Err(CommandError::usage("`--watch` cannot repeat a statement from standard input", help));
    }
    let mut times = tokio::time::interval(every);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let interval = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
    let mut watched = Watched::new(false, screen.events);
    loop {
        if let Err(exit) = watched.until(times.tick()).await {
            return Ok(screen.ended(exit, "stopped repeating the query")?);
        }
        let asked: Vec<&str> = options.asked.iter().chain(&options.arguments).map(String::as_str).collect();
        let asked = one_line(&asked.join(" "));
        let heading = format!("{asked}, every {interval:#}, at {:.0}", Timestamp::now());
        match super::answer::ask(global, options, Some(heading.clone()), screen).await {
            Ok(Ended { exit: exit @ (Exit::Interrupted | Exit::Terminated | Exit::Usage), .. }) => {
                return Ok(exit);
            }
            Ok(Ended { exit, has_excess: true }) => return Ok(exit),
            Ok(_) => {}
            Err(error) if error.exit() == Exit::Failed => {
                screen.say(&heading)?;
                error.report(screen);
            }
            Err(error) => return Err(error),
        }
    }
}
