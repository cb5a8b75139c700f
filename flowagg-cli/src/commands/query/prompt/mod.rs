//! The interactive prompt of `flowagg query`.

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
who 10.0.0.7 --from 24h    run a question with its argument and options
SELECT count(*) FROM vpc_flow_logs;
                           run a SQL statement, up to a semicolon
--from 24h --only shop     set options for all lines that follow
reset                      restore the options of the command line
list                       list the questions; `who --list` describes `who`
quit                       end the prompt (also Ctrl-D)

Tab completes questions, options, columns and functions. Ctrl-C stops a query.";

/// Runs the lines that are typed, until `quit` or the end of the input. An error ends only its line.
pub(super) async fn run(
    global: &GlobalArgs,
    words: &[OsString],
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    if !screen.interactive || screen.events {
        let help =
            "use a question, as in `flowagg query who 10.0.0.7`; `flowagg query --list` shows all questions";
        return Err(CommandError::usage(
            "missing question or SQL statement: cannot prompt without a terminal",
            help,
        ));
    }
    let history = history().map_err(|problem| CommandError::Usage(vec![problem]))?;
    let known = Known::new(saved::names(global));
    let typist = Typist::new(known, history.as_deref());
    let mut typist = typist.map_err(|error| cannot_prompt(&error))?;
    screen.say("`help` shows all commands, Ctrl-D ends the prompt")?;
    let mode = TerminalMode::of_stdin();
    let mut options = words.to_owned();
    loop {
        let typed;
        (typist, typed) = tokio::select! {
            typed = typist.line() => typed?,
            // The thread that reads the terminal can only be ended together with the process.
            exit = signal() => {
                mode.restore();
                screen.say(&format!("\n{}: the prompt was closed", exit.by_signal()))?;
                end(exit)
            }
        };
        if let Some(unkept) = typist.unkept.take() {
            screen.note(&unkept)?;
        }
        let typed = match typed {
            Ok(typed) => typed,
            // The line is discarded.
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
                    // The rest of a pasted text is discarded as well.
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
        // Unreachable: the words start with `flowagg query`.
        Ok(_) => Ok(Exit::Usage),
        Err(error) => Ok(usage(&error, screen)),
    }
}

fn cannot_prompt(error: &ReadlineError) -> CommandError {
    let what = format!("the terminal cannot be read: {error}");
    CommandError::usage(what, "pass the question or the statement as an argument")
}
