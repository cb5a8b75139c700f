//! Progress: a bar on a terminal, a line now and then elsewhere, an event for each step for a program; and Ctrl-C.

use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::event::{Event, tell};
use crate::Progress;

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

    /// Waits for Ctrl-C: the first cancels the token, the second ends the program.
    pub(crate) async fn interrupts(&self, cancel: &CancellationToken) {
        while tokio::signal::ctrl_c().await.is_ok() {
            if cancel.is_cancelled() {
                std::process::exit(130);
            }
            cancel.cancel();
            self.say("stopping: the calls under way are finished first; Ctrl-C again ends at once");
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
