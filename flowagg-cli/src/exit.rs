/// How a run ended. Each has its exit code, which does not change between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, and everything is healthy.
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
    /// Every end of a run.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Failed, Self::Usage, Self::Differs, Self::Interrupted, Self::Terminated];

    /// What the exit code means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, and everything is healthy",
            Self::Failed => "something failed, could not be read or was not applied",
            Self::Usage => {
                "the command line or the fleet file is invalid, or a selection matches nothing; nothing was changed"
            }
            Self::Differs => {
                "completed with findings: differences (those that `apply` leaves, and those of `plan` and `policy diff` with \
                 `--exit-code`), findings of `policy check`, a delivery that is denied or undecided, flow logs that do not deliver, \
                 broken objects that `query` skipped, or rows that `query --fail-if-rows` found"
            }
            Self::Interrupted => "interrupted by Ctrl-C",
            Self::Terminated => "interrupted by SIGTERM or SIGHUP",
        }
    }
}

impl Exit {
    /// What a run that a signal ended says first in its last line.
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
    fn the_pages_list_every_exit_code_with_its_meaning() {
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
