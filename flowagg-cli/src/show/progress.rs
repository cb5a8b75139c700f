//! Progress: a bar on a terminal, a line now and then elsewhere, an event for each step for a program; and Ctrl-C.

use std::cell::OnceCell;

use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::event::{Event, tell};
use crate::{Exit, Progress};

/// Work with fewer steps than this is over before a line about it is read.
const WORTH_A_LINE: usize = 50;

pub(crate) struct Watch {
    bar: Option<ProgressBar>,
    events: bool,
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
        // A dumb terminal takes no bar: it is told on lines, as a file is.
        let bar = bar.filter(|bar| !bar.is_hidden());
        Self { bar, events }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Waits for a signal: the first cancels the token, the second ends the program.
    pub(crate) async fn interrupts(&self, cancel: &CancellationToken, first: &OnceCell<Exit>) -> ! {
        loop {
            let exit = signal().await;
            if first.set(exit).is_err() {
                end(exit);
            }
            cancel.cancel();
            self.say("stopping: calls in progress are finished first; a second Ctrl-C ends at once");
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None if self.events => tell(&Event::Notice { text: line }),
            None => tell(&line),
        }
    }
}

/// Ends the program at once.
pub(crate) fn end(exit: Exit) -> ! {
    std::process::exit(i32::from(exit as u8))
}

/// Waits for a signal that ends a program.
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

/// Waits for a signal that ends a program.
#[cfg(not(unix))]
pub(crate) async fn signal() -> Exit {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Exit::Interrupted,
        // Where there are no signals, there is nothing to wait for.
        Err(_) => std::future::pending().await,
    }
}

/// Whether the program was started to survive the end of its terminal, as by `nohup`. Only Linux tells.
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
            None if self.events => tell(&Event::Step { what, done, total, at }),
            // A line for each tenth.
            None if total >= WORTH_A_LINE
                && (done == total || done * 10 / total > (done - 1) * 10 / total) =>
            {
                self.say(&format!("{what}: {done} of {total}"));
            }
            None => {}
        }
    }
}
