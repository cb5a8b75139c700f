//! Which options an engine has.

use super::super::error::CommandError;
use crate::args::QueryArgs;

/// Checks that no option of another engine is given.
#[cfg(not(feature = "athena"))]
pub(super) fn check(_: &QueryArgs) -> Result<(), CommandError> {
    Ok(())
}

/// Checks that no option of another engine is given.
#[cfg(feature = "athena")]
pub(super) fn check(options: &QueryArgs) -> Result<(), CommandError> {
    use crate::args::Engine;

    if options.engine == Engine::Local {
        let Some(option) = options.of_athena.given() else { return Ok(()) };
        let what = format!("`{option}` is an option of `--engine athena`");
        return Err(CommandError::usage(what, format!("add `--engine athena`, or leave out `{option}`")));
    }
    let table = "Athena reads the table of the bucket of the fleet file";
    let here = |option: &str| {
        format!("leave out `{option}`, or run the query on this machine with `--engine local`")
    };
    let confirmed = "flowagg asks before every query in Athena";
    let misplaced = [
        (options.bucket.is_some(), "--bucket", table, here("--bucket")),
        (options.path.is_some(), "--path", table, here("--path")),
        (options.prefix.is_some(), "--prefix", table, here("--prefix")),
        (options.strict, "--strict", "Athena has no such option", here("--strict")),
        (
            options.ask_above.is_some(),
            "--ask-above",
            confirmed,
            "leave it out: `--yes` runs the query without asking, and `--explain` prints what it scans"
                .to_owned(),
        ),
    ];
    match misplaced.into_iter().find(|(is_given, ..)| *is_given) {
        Some((_, option, why, help)) => {
            Err(CommandError::usage(format!("`{option}` cannot be used with `--engine athena`: {why}"), help))
        }
        None => Ok(()),
    }
}
