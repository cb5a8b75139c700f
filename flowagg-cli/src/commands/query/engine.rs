//! Checks the options against the selected engine.

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
        let what = format!("`{option}` requires `--engine athena`");
        return Err(CommandError::usage(what, format!("add `--engine athena`, or remove `{option}`")));
    }
    let table = "Athena reads the table of the fleet file's bucket";
    let here = |option: &str| format!("remove `{option}`, or use `--engine local`");
    let confirmed = "every query in Athena is confirmed";
    let misplaced = [
        (options.bucket.is_some(), "--bucket", table, here("--bucket")),
        (options.path.is_some(), "--path", table, here("--path")),
        (options.prefix.is_some(), "--prefix", table, here("--prefix")),
        (options.strict, "--strict", "Athena has no equivalent", here("--strict")),
        (
            options.ask_above.is_some(),
            "--ask-above",
            confirmed,
            "remove it; `--yes` skips the confirmation, and `--explain` prints the amount that is scanned"
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
