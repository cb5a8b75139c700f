/// The result of a run. The exit codes are stable across releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Success, and everything is healthy.
    Done = 0,
    /// Something failed, could not be read or was not applied; the output names it.
    Failed = 1,
    /// The command line or the fleet file is invalid, or a selection matches nothing. Nothing was changed.
    Usage = 2,
    /// The run completed with findings.
    Differs = 3,
    /// Ctrl-C ended the run.
    Interrupted = 130,
    /// SIGTERM or SIGHUP ended the run.
    Terminated = 143,
}

impl Exit {
    /// All values.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Failed, Self::Usage, Self::Differs, Self::Interrupted, Self::Terminated];

    /// The meaning of the exit code.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "success, and everything is healthy",
            Self::Failed => "something failed, could not be read or was not applied",
            Self::Usage => {
                "the command line or the fleet file is invalid, or a selection matches nothing; nothing was changed"
            }
            Self::Differs => {
                "completed with findings: differences (remaining after `apply`, or found by `plan` and `policy diff` with \
                 `--exit-code`), findings of `policy check`, a delivery that is denied or undecided, flow logs that do not deliver, \
                 objects that `query` skipped because they are broken, or rows found by `query --fail-if-rows`"
            }
            Self::Interrupted => "interrupted by Ctrl-C",
            Self::Terminated => "interrupted by SIGTERM or SIGHUP",
        }
    }
}

impl Exit {
    /// The first word of the last line of a run that a signal ended.
    pub(crate) fn by_signal(self) -> &'static str {
        if self == Self::Terminated { "terminated" } else { "interrupted" }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use snapbox::{Data, assert_data_eq};

    use super::*;

    #[test]
    fn documentation_lists_every_exit_code() {
        let rows: String =
            Exit::ALL.map(|exit| format!("| {} | {} |\n", exit as u8, exit.meaning())).concat();
        for page in ["README.md", "docs/json.md"] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
            let text = fs::read_to_string(&file).unwrap();
            let start = "## Exit codes\n\n| code | meaning |\n|---|---|\n";
            let (before, rest) = text.split_once(start).unwrap();
            let (_, after) = rest.split_once("\n\n").unwrap();
            let text = format!("{before}{start}{rows}\n{after}");
            assert_data_eq!(text, Data::read_from(&file, None).raw());
        }
    }
}
