//! The prompt of `flowagg query` on a terminal: questions and statements, one after the other.

mod complete;
mod editor;
mod line;

use std::ffi::OsString;

use rustyline::error::ReadlineError;

use self::complete::Known;
use self::editor::{TerminalMode, Typist, history};
use self::line::{Line, with_options_of};
use super::super::error::CommandError;
use super::once::once;
use super::saved;
use crate::args::{Args, GlobalArgs, Verb};
use crate::show::{end, signal, usage};
use crate::{Exit, Screen};

const HELP: &str = "\
who 10.0.0.7 --from 24h    a question with its argument and options
SELECT count(*) FROM vpc_flow_logs;
                           a SQL statement, up to a semicolon
--from 24h --only shop     options alone apply to all lines that follow
reset                      back to the options of the command line
list                       the questions; `who --list` shows what `who` counts
quit                       end the prompt, as Ctrl-D does

Tab completes questions, options, columns and functions. Ctrl-C stops a query.";

/// Reads lines and answers them, until `quit` or the end of the input. What fails ends its line only.
pub(super) async fn run(
    global: &GlobalArgs,
    words: &[OsString],
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    if !screen.interactive || screen.events {
        let help = "as in `flowagg query who 10.0.0.7`; `flowagg query --list` shows the questions";
        return Err(CommandError::usage(
            "name a question or give a SQL statement: there is no terminal for a prompt",
            help,
        ));
    }
    let history = history().map_err(|problem| CommandError::Usage(vec![problem]))?;
    let known = Known::new(saved::names(global));
    let typist = Typist::new(known, history.as_deref());
    let mut typist = typist.map_err(|error| cannot_prompt(&error))?;
    screen.say("`help` shows what can be typed, Ctrl-D ends the prompt")?;
    let mode = TerminalMode::of_stdin();
    let mut options = words.to_owned();
    loop {
        let typed;
        (typist, typed) = tokio::select! {
            typed = typist.line() => typed?,
            // The thread that reads the terminal cannot be ended in another way.
            exit = signal() => {
                mode.restore();
                screen.say(&format!("\n{}: the prompt was left", exit.by_signal()))?;
                end(exit)
            }
        };
        if let Some(unkept) = typist.unkept.take() {
            screen.note(&unkept)?;
        }
        let typed = match typed {
            Ok(typed) => typed,
            // The line is given up.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Exit::Done),
            Err(error) => return Err(cannot_prompt(&error)),
        };
        for line in Line::all(&typed) {
            match line {
                Ok(Line::Nothing) => {}
                Ok(Line::Help) => writeln!(screen.out, "{HELP}")?,
                Ok(Line::Quit) => return Ok(Exit::Done),
                Ok(Line::Reset) => options = words.to_owned(),
                Ok(Line::Options(line)) => {
                    let merged = with_options_of(&options, line);
                    match Args::read(&merged) {
                        Ok(_) => options = merged,
                        Err(error) => _ = usage(&error, screen),
                    }
                }
                Ok(Line::Ask(line)) => match answer(&with_options_of(&options, line), screen).await {
                    Ok(Exit::Terminated) => return Ok(Exit::Terminated),
                    // What was pasted below it is given up as well.
                    Ok(Exit::Interrupted) => break,
                    Ok(_) => {}
                    Err(error) => _ = error.report(screen),
                },
                Err(problem) => _ = CommandError::Usage(vec![problem]).report(screen),
            }
        }
    }
}

async fn answer(words: &[OsString], screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    match Args::read(words) {
        Ok(Args { global, verb: Verb::Query(options), .. }) => once(&global, &options, screen).await,
        // The words begin with this verb.
        Ok(_) => Ok(Exit::Usage),
        Err(error) => Ok(usage(&error, screen)),
    }
}

fn cannot_prompt(error: &ReadlineError) -> CommandError {
    let what = format!("the terminal cannot be read: {error}");
    CommandError::usage(what, "give the question or the statement as an argument")
}
