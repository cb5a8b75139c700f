//! Varies how a text is written where its grammar leaves a choice.

use proptest::collection::vec;
use proptest::prelude::*;

/// A writer's habits: an endless sequence of small choices. Without bytes, every choice is the first and plainest, so
/// that a text shrinks to its canonical form.
#[derive(Clone, Debug, Default)]
pub(super) struct Hand {
    bytes: Vec<u8>,
    at: usize,
}

/// Any habits.
pub(super) fn hand() -> impl Strategy<Value = Hand> {
    let bytes = prop_oneof![1 => Just(Vec::new()), 2 => vec(any::<u8>(), 0..24)];
    bytes.prop_map(|bytes| Hand { bytes, at: 0 })
}

impl Hand {
    /// Picks one of `ways` alternatives, from 0.
    pub(super) fn pick(&mut self, ways: usize) -> usize {
        if self.bytes.is_empty() {
            return 0;
        }
        let byte = self.bytes[self.at % self.bytes.len()];
        // Each pass over the bytes yields other choices.
        let byte = usize::from(byte) + self.at / self.bytes.len();
        self.at += 1;
        byte % ways
    }

    /// Whether to deviate from the plain form.
    pub(super) fn flourish(&mut self) -> bool {
        self.pick(2) == 1
    }

    /// Like [`flourish`](Self::flourish), but rarely.
    pub(super) fn whim(&mut self) -> bool {
        self.pick(16) == 15
    }

    /// Picks one of these.
    pub(super) fn one<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        of[self.pick(N)]
    }
}
