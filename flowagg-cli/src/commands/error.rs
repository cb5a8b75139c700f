//! The error type of the commands, with fixes and exit codes.

use std::io;
use std::path::PathBuf;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::FleetError;
use flowagg_policy::{MergeError, Plan};

use crate::aws::{CallError, OpenError, OpenOwnError, SettingError};
use crate::export::ExportError;
use crate::import::ImportError;
use crate::{Exit, Screen};

/// The error of a command. Its kind determines the exit code.
///
/// Commands return it without printing it: [`report`](Self::report) prints it once.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The command line, or a file that it names, is invalid.
    Usage(Vec<Problem>),
    /// The fleet file at this path is invalid.
    FleetFile(PathBuf, FleetError),
    /// AWS could not identify the caller.
    Caller(CallError),
    /// Calls to AWS failed.
    Calls(Vec<Failure>),
    /// A plan could not be created because of obstacles or accounts that could not be read.
    Unplanned(Box<Plan>),
    /// AWS contains nothing for the result.
    Empty(Problem),
    /// Files already exist with other contents, or cannot be read or written.
    Files(Vec<Problem>),
    /// A query failed while it ran.
    #[cfg(feature = "query")]
    Query(Problem),
    /// Standard output or standard error cannot be written, or an answer to a prompt cannot be read.
    Output(io::Error),
}

/// An error message with its fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The error, in lower case and without a full stop.
    pub(crate) message: String,
    /// An imperative sentence that fixes it.
    pub(crate) fix: String,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into() }
    }
}

impl CommandError {
    /// A single problem of the command line, or of a file that it names.
    pub(crate) fn usage(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Usage(vec![Problem::new(message, fix)])
    }

    /// A file cannot be read or written.
    pub(crate) fn file(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Files(vec![Problem::new(message, fix)])
    }

    /// The exit code of the run.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::FleetFile(..) => Exit::Usage,
            Self::Caller(_) | Self::Calls(_) | Self::Unplanned(_) | Self::Empty(_) | Self::Files(_) => {
                Exit::Failed
            }
            #[cfg(feature = "query")]
            Self::Query(_) => Exit::Failed,
            // The reader has closed the pipe, as in `flowagg plan | head`.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) => Exit::Failed,
        }
    }

    /// Prints the error, to the terminal or as events, and returns the exit code of the run.
    pub(crate) fn report(self, screen: &mut Screen<'_>) -> Exit {
        let error = match self {
            Self::Output(error) => error,
            other => match other.print(screen) {
                Ok(()) => return other.exit(),
                Err(error) => error,
            },
        };
        let unwritten = Self::Output(error);
        // If standard error cannot be written, there is nowhere else to report to.
        let _ = unwritten.print(screen);
        unwritten.exit()
    }

    fn print(&self, screen: &mut Screen<'_>) -> io::Result<()> {
        match self {
            Self::Usage(problems) | Self::Files(problems) => {
                problems.iter().try_for_each(|problem| screen.error(&problem.message, &problem.fix))
            }
            Self::FleetFile(path, error) => screen.faults(path, error),
            Self::Caller(error) => {
                let help = error.advice.without_place();
                screen.error(&format!("{}: {}", error.call, error.message), &help)
            }
            Self::Calls(failures) => screen.failures(failures),
            Self::Unplanned(plan) => {
                screen.failures(plan.failures())?;
                screen.obstacles(plan.obstacles())
            }
            #[cfg(feature = "query")]
            Self::Query(problem) => screen.error(&problem.message, &problem.fix),
            Self::Empty(problem) => screen.error(&problem.message, &problem.fix),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Self::Output(error) => screen.error(
                &format!("the output could not be written: {error}"),
                "check where standard output is redirected to",
            ),
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Calls(vec![failure])
    }
}

impl From<SettingError> for CommandError {
    fn from(error: SettingError) -> Self {
        Self::usage(error.to_string(), error.help)
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Setting(error) => error.into(),
            OpenError::Caller(failure) | OpenError::Hub(failure) => failure.into(),
        }
    }
}

impl From<OpenOwnError> for CommandError {
    fn from(error: OpenOwnError) -> Self {
        match error {
            OpenOwnError::Setting(error) => error.into(),
            OpenOwnError::Caller(error) => error.into(),
        }
    }
}

impl From<CallError> for CommandError {
    fn from(error: CallError) -> Self {
        Self::Caller(error)
    }
}

impl From<MergeError> for CommandError {
    fn from(error: MergeError) -> Self {
        Self::usage(error.to_string(), error.help())
    }
}

impl From<ExportError> for CommandError {
    fn from(error: ExportError) -> Self {
        Self::usage(error.to_string(), error.help())
    }
}

impl From<ImportError> for CommandError {
    fn from(error: ImportError) -> Self {
        let problem = Problem::new(error.to_string(), error.help());
        match error {
            ImportError::NoMembers { .. } => Self::Empty(problem),
            _ => Self::Usage(vec![problem]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flowagg_core::fleet::FleetFile;
    use flowagg_core::id::{AccountId, BucketName, Place, Region};

    use super::*;
    use crate::show::Sheet;

    /// Standard error that cannot be written.
    struct Unwritable(io::ErrorKind);

    impl Write for Unwritable {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Reports an error to this standard error.
    fn report(error: CommandError, err: &mut dyn Write, events: bool) -> Exit {
        let mut out = Vec::new();
        let mut out_sheet = Sheet::new(&mut out, None);
        let mut err = Sheet::new(err, None);
        let exit = error.report(&mut Screen {
            out: &mut out_sheet,
            err: &mut err,
            input: None,
            interactive: false,
            events,
        });
        assert!(out.is_empty(), "errors go to standard error");
        exit
    }

    /// The printed error, without styles, and the exit code.
    fn reported(error: CommandError, events: bool) -> (String, Exit) {
        let mut err = Vec::new();
        let exit = report(error, &mut err, events);
        (String::from_utf8(anstream::adapter::strip_bytes(&err).into_vec()).unwrap(), exit)
    }

    fn failure() -> Failure {
        let mut failed = Failure::new(
            Place::new(AccountId::parse("111122223333").unwrap(), &Region::parse("eu-west-1").unwrap()),
            "GetBucketPolicy",
            "not authorized",
            "allow it",
        );
        failed.code = Some("AccessDenied".to_owned());
        failed
    }

    fn caller() -> CallError {
        CallError {
            call: "GetCallerIdentity".to_owned(),
            code: None,
            message: "no AWS credentials found".to_owned(),
            advice: "sign in".into(),
        }
    }

    fn faults() -> CommandError {
        let text = include_str!("../../../flowagg-core/tests/data/eight-faults.toml");
        CommandError::FleetFile("flowagg.toml".into(), FleetFile::parse(text).unwrap_err())
    }

    #[test]
    fn each_kind_has_its_exit_code() {
        let bucket = BucketName::parse("acme-flow-logs").unwrap();
        for (error, exit) in [
            (CommandError::usage("unknown query", "name another"), Exit::Usage),
            (faults(), Exit::Usage),
            (ExportError::NoVpcs.into(), Exit::Usage),
            (ImportError::SeveralFolders { what: "", folders: "a, b".to_owned() }.into(), Exit::Usage),
            (ImportError::NoMembers { bucket, sought: Vec::new() }.into(), Exit::Failed),
            (caller().into(), Exit::Failed),
            (failure().into(), Exit::Failed),
            (CommandError::Calls(vec![failure(), failure()]), Exit::Failed),
            (CommandError::file("`a` cannot be written", "name another"), Exit::Failed),
            (io::Error::from(io::ErrorKind::StorageFull).into(), Exit::Failed),
            (io::Error::from(io::ErrorKind::BrokenPipe).into(), Exit::Done),
        ] {
            let name = format!("{error:?}");
            assert_eq!(error.exit(), exit, "{name}");
            assert_eq!(reported(error, false).1, exit, "{name}");
        }
    }

    #[test]
    fn problems_are_printed_with_their_fixes() {
        let problems = ["a", "b"].map(|name| Problem::new(format!("`{name}` exists"), "give `--force`"));
        let (text, _) = reported(CommandError::Files(problems.to_vec()), false);
        let line = |name: &str| format!("error: `{name}` exists\n       give `--force`\n");
        assert_eq!(text, line("a") + &line("b"));
    }

    #[test]
    fn caller_error_is_printed_without_an_account_and_region() {
        let (text, _) = reported(caller().into(), false);
        assert_eq!(text, "error: GetCallerIdentity: no AWS credentials found\n       sign in\n");
    }

    #[test]
    fn broken_pipe_is_not_printed() {
        let error = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(reported(error.into(), false), (String::new(), Exit::Done));
    }

    #[test]
    fn events_name_the_kind_of_error() {
        for (error, event, count) in [
            (CommandError::usage("unknown query", "name another"), "error", 1),
            (faults(), "error", 8),
            (caller().into(), "error", 1),
            (CommandError::Calls(vec![failure(), failure()]), "failure", 2),
        ] {
            let (text, _) = reported(error, true);
            assert_eq!(text.lines().count(), count, "{text}");
            let start = format!("{{\"schema\":1,\"event\":\"{event}\",");
            assert!(text.lines().all(|line| line.starts_with(&start)), "{text}");
        }
    }

    #[test]
    fn unprintable_error_fails_unless_the_pipe_is_closed() {
        let exit = |kind| report(CommandError::usage("a", "b"), &mut Unwritable(kind), false);
        assert_eq!(exit(io::ErrorKind::StorageFull), Exit::Failed);
        assert_eq!(exit(io::ErrorKind::BrokenPipe), Exit::Done);
        let output = io::Error::from(io::ErrorKind::StorageFull);
        let broken = &mut Unwritable(io::ErrorKind::BrokenPipe);
        assert_eq!(report(output.into(), broken, false), Exit::Failed);
    }
}
