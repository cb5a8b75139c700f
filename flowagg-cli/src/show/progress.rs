//! Progress and signals. On a terminal, progress is a bar; otherwise occasional lines, or an event for each step with JSON output.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use flowagg_core::arrival::Share;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::event::{Event, print_line};
use crate::{Exit, Progress};

/// The minimum number of steps for progress lines. Shorter work ends before the lines would be read.
const WORTH_A_LINE: usize = 50;
/// How often a wait is reported without a terminal.
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Watch {
    bar: Option<ProgressBar>,
    events: bool,
    waits: Mutex<Minutes>,
}

impl Watch {
    pub(crate) fn new(interactive: bool, events: bool) -> Self {
        let bar = (interactive && !events).then(|| {
            let bar = ProgressBar::new(0);
            match ProgressStyle::with_template("{prefix:12} {pos:>4}/{len:4} {wide_msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        // A dumb terminal cannot show a bar and gets lines, like a file.
        let bar = bar.filter(|bar| !bar.is_hidden());
        Self { bar, events, waits: Mutex::default() }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Waits for signals: the first cancels the token, the second ends the program.
    pub(crate) async fn interrupts(&self, cancel: &CancellationToken, first: &OnceCell<Exit>) -> ! {
        loop {
            let exit = signal().await;
            if first.set(exit).is_err() {
                self.say(&format!("{}: calls in progress were not finished", exit.by_signal()));
                end(exit);
            }
            cancel.cancel();
            self.say("stopping after the calls in progress; press Ctrl-C again to stop immediately");
        }
    }

    /// Shows the progress of a wait: on a terminal at every call, otherwise once a minute.
    pub(crate) fn waited(&self, waited: &Waited) {
        let Waited { share, .. } = waited;
        match &self.bar {
            Some(_) => self.step(DELIVERING, share.count, share.of, &waited.times()),
            None if !self.waits.lock().is_ok_and(|mut waits| waits.has_come(waited.elapsed)) => {}
            None if self.events => self.step(DELIVERING, share.count, share.of, &waited.times()),
            None => self.say(&waited.to_string()),
        }
    }

    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None if self.events => print_line(&Event::Notice { text: line }),
            None => print_line(&line),
        }
    }
}

/// The progress of work in several parts. Results may be printed between the parts.
#[cfg(feature = "query")]
pub(crate) struct Watched {
    interactive: bool,
    events: bool,
    watch: Option<Watch>,
    signal: std::pin::Pin<Box<dyn Future<Output = Exit>>>,
    start: std::time::Instant,
    /// When the next line is due if there is no bar.
    next: Duration,
}

#[cfg(feature = "query")]
impl Watched {
    /// Starts the work. From now on, signals do not end the program; [`Watched::until`] returns them.
    pub(crate) fn new(interactive: bool, events: bool) -> Self {
        let start = std::time::Instant::now();
        Self { interactive, events, watch: None, signal: Box::pin(signal()), start, next: MINUTE }
    }

    /// Runs a part of the work until it ends or a signal arrives. A signal between two parts ends the next part.
    pub(crate) async fn until<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Exit> {
        tokio::select! {
            biased;
            exit = &mut self.signal => Err(exit),
            result = work => Ok(result),
        }
    }

    /// The time since the work started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Shows the progress of the work: on a terminal at every call, otherwise once a minute.
    pub(crate) fn show(&mut self, what: &str, done: u64, total: u64, at: &str) {
        let elapsed = self.elapsed();
        let watch = self.watch.get_or_insert_with(|| Watch::new(self.interactive, self.events));
        if let Some(bar) = &watch.bar {
            bar.set_prefix(what.to_owned());
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(at.to_owned());
        } else if elapsed >= self.next {
            self.next += MINUTE;
            watch.say(&format!("{what}: {done} of {total} objects, {at}"));
        }
    }

    /// Shows the progress of work with an unknown total, in the same way.
    #[cfg(feature = "athena")]
    pub(crate) fn count(&mut self, what: &str, done: u64, noun: &str) {
        if self.interactive {
            self.show(what, done, done, noun);
        } else if self.elapsed() >= self.next {
            self.next += MINUTE;
            Watch::new(false, self.events).say(&format!("{what}: {done} {noun} so far"));
        }
    }

    /// Removes the bar from the terminal before other output is printed.
    pub(crate) fn hide(&mut self) {
        if let Some(watch) = self.watch.take() {
            watch.finish();
        }
    }
}

/// The name of a wait's step in events.
const DELIVERING: &str = "delivering";

/// The elapsed and remaining time of a wait for deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waited {
    share: Share,
    elapsed: Duration,
    remaining: Duration,
}

impl Waited {
    /// Creates the progress of a wait up to `limit`. `share` is the share of flow logs that deliver.
    pub(crate) fn new(share: Share, elapsed: Duration, limit: Duration) -> Self {
        let elapsed = Duration::from_secs(elapsed.as_secs());
        Self { share, elapsed, remaining: limit.saturating_sub(elapsed) }
    }

    fn times(&self) -> String {
        format!("{} elapsed, {} remaining", seconds(self.elapsed), seconds(self.remaining))
    }
}

impl fmt::Display for Waited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share { count, of, .. } = self.share;
        write!(f, "waiting: {count} of {of} flow logs deliver; {}", self.times())
    }
}

/// Formats whole seconds: `2m 15s`.
fn seconds(time: Duration) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    format!("{:#}", SignedDuration::from_secs(seconds))
}

/// Limits the progress lines of a wait to one per minute.
#[derive(Debug, Default)]
struct Minutes {
    next: Duration,
}

impl Minutes {
    /// Whether another minute has started since the last line.
    fn has_come(&mut self, elapsed: Duration) -> bool {
        let has_come = elapsed >= self.next;
        while self.next <= elapsed {
            self.next += MINUTE;
        }
        has_come
    }
}

/// Ends the program immediately.
pub(crate) fn end(exit: Exit) -> ! {
    std::process::exit(i32::from(exit as u8))
}

/// Waits for a signal to end the program.
#[cfg(unix)]
pub(crate) async fn signal() -> Exit {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    let mut hangup = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
    let hangup = async {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
        _ = hangup => Exit::Terminated,
    }
}

/// Waits for a signal to end the program.
#[cfg(not(unix))]
pub(crate) async fn signal() -> Exit {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Exit::Interrupted,
        // The platform has no signals to wait for.
        Err(_) => std::future::pending().await,
    }
}

/// Whether the program ignores SIGHUP, for example under `nohup`. Can only be detected on Linux.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit 0 is signal 1, SIGHUP.
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}

impl Progress for Watch {
    fn step(&self, what: &str, done: usize, total: usize, at: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(what.to_owned());
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                bar.set_message(at.to_owned());
            }
            None if self.events => print_line(&Event::Step { what, done, total, at }),
            // One line per 10 %.
            None if total >= WORTH_A_LINE
                && (done == total || done * 10 / total > (done - 1) * 10 / total) =>
            {
                self.say(&format!("{what}: {done} of {total}"));
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_reported_once_a_minute() {
        let mut minutes = Minutes::default();
        let times = [3, 4, 59, 60, 61, 119, 250, 251, 299, 300];
        let reported: Vec<u64> =
            times.into_iter().filter(|time| minutes.has_come(Duration::from_secs(*time))).collect();
        assert_eq!(reported, [3, 60, 250, 300]);
    }

    #[test]
    fn wait_has_elapsed_and_remaining_time() {
        let share = Share::new(2, 7);
        let waited = |elapsed| Waited::new(share, Duration::from_millis(elapsed), Duration::from_secs(1800));
        assert_eq!(
            waited(135_900).to_string(),
            "waiting: 2 of 7 flow logs deliver; 2m 15s elapsed, 27m 45s remaining"
        );
        assert_eq!(waited(9_000_000).times(), "2h 30m elapsed, 0s remaining");
    }
}
