//! A progress bar on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::Progress;

pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix:12} {pos:>4}/{len:4} {wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn step(&self, what: &str, done: usize, total: usize, at: &str) {
        self.0.set_prefix(what.to_owned());
        self.0.set_length(total as u64);
        self.0.set_position(done as u64);
        self.0.set_message(at.to_owned());
    }
}
