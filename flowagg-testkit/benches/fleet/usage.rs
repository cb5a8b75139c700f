//! CPU time and memory, on systems that report them in files (Linux).

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A thread of this process.
pub(crate) struct Thread(PathBuf);

impl Thread {
    /// The current thread.
    pub(crate) fn this() -> Option<Self> {
        let own = fs::read_link("/proc/thread-self").ok()?;
        Some(Self(PathBuf::from("/proc").join(own).join("schedstat")))
    }

    /// The CPU time of the thread so far.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        let text = fs::read_to_string(&self.0).ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }
}

/// The CPU time of calls, if the system reports it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Number of calls, including throttled ones.
    pub(crate) calls: usize,
    /// CPU time of this process.
    pub(crate) all: Option<Duration>,
    /// CPU time of the endpoint, which is part of `all`.
    pub(crate) endpoint: Option<Duration>,
}

impl Cost {
    /// Seconds of the process and of the endpoint.
    pub(crate) fn seconds(self) -> Option<(f64, f64)> {
        Some((self.all?.as_secs_f64(), self.endpoint?.as_secs_f64()))
    }

    /// Microseconds per call, without the endpoint.
    pub(crate) fn each(self) -> Option<f64> {
        let (all, endpoint) = self.seconds()?;
        Some((all - endpoint) / self.calls as f64 * 1e6)
    }
}

/// The CPU time of all live threads.
pub(crate) fn of_process() -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let each = threads.filter_map(|thread| Thread(thread.ok()?.path().join("schedstat")).cpu());
    Some(each.sum())
}

/// The peak memory of this process, in bytes.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1_024)
}
