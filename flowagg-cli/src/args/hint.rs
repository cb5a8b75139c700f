//! Suggestions for options and commands of other tools, such as `--auto-approve`.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options of other tools.
const OPTIONS: [(&str, &str); 8] = [
    ("--auto-approve", "use '--yes' to skip the confirmation"),
    ("--no-confirm", "use '--yes' to skip the confirmation"),
    ("--dry-run", "use 'flowagg plan', which changes nothing"),
    ("-f", "use '-c FILE' or '--config FILE' to select the fleet file"),
    ("--file", "use '-c FILE' or '--config FILE' to select the fleet file"),
    ("-o", "use '--json' to print JSON, or '--out' to write files"),
    ("--output", "use '--json' to print JSON, or '--out' to write files"),
    ("--debug", "use '-v' to log AWS calls, or '-vv' for more"),
];
/// Terraform's options have one dash, so clap parses them as several short options.
const AUTO_APPROVE: &str = "-auto-approve";
/// Commands of other tools.
const VERBS: [(&str, &str); 11] = [
    (
        "status",
        "use 'flowagg verify' for the delivery of each flow log, or 'flowagg report' for the whole fleet",
    ),
    (
        "validate",
        "use 'flowagg doctor' to check the fleet file and AWS, or 'flowagg policy build' to check the fleet file offline",
    ),
    ("check", "use 'flowagg doctor' for the fleet, or 'flowagg policy check' for a bucket policy"),
    ("diff", "use 'flowagg plan' for the fleet, or 'flowagg policy diff' for two policies"),
    ("athena", "use 'flowagg query QUESTION --engine athena'; 'flowagg query --list' shows the questions"),
    ("preview", "use 'flowagg plan'"),
    ("deploy", "use 'flowagg apply'"),
    ("up", "use 'flowagg apply'"),
    ("delete", "use 'flowagg destroy', which keeps the bucket and its objects"),
    ("remove", "use 'flowagg destroy', which keeps the bucket and its objects"),
    ("down", "use 'flowagg destroy', which keeps the bucket and its objects"),
];
/// Commands that have subcommands.
const PARENTS: [&str; 2] = ["policy", "export"];

/// Adds a tip to an error about an option or a command of another tool.
pub(crate) fn hinted(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let tip = tip(&error, args);
    if let Some(tip) = tip {
        for other in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
            error.remove(other);
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

fn tip(error: &clap::Error, args: &[OsString]) -> Option<&'static str> {
    let given = |kind| match error.get(kind) {
        Some(ContextValue::String(given)) => Some(given.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let is_terraforms = args.iter().any(|arg| arg == AUTO_APPROVE);
            let given = if is_terraforms { OPTIONS[0].0 } else { given(ContextKind::InvalidArg)? };
            find(&OPTIONS, given)
        }
        ErrorKind::InvalidSubcommand => {
            let given = given(ContextKind::InvalidSubcommand)?;
            let mut above = args.iter().take_while(|arg| *arg != given);
            if above.any(|arg| PARENTS.iter().any(|parent| arg == parent)) {
                return None;
            }
            find(&VERBS, given)
        }
        _ => None,
    }
}

fn find(words: &[(&str, &'static str)], given: &str) -> Option<&'static str> {
    words.iter().find(|(word, _)| *word == given).map(|(_, tip)| *tip)
}
