/// How a run ended. Each has its exit code, which does not change between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, and nothing is wrong.
    Done = 0,
    /// Something failed or is missing; the output names it.
    Failed = 1,
    /// The command line or the fleet file cannot be used; nothing was read or written.
    Usage = 2,
    /// There are differences (`plan --exit-code`), findings (`policy check`), or something does not deliver (`verify`).
    Differs = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
