//! Pseudorandom numbers, identical on every platform.

use sha2::{Digest, Sha256};

/// A number derived from a text.
pub(super) fn digest(text: &str) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// SplitMix64: small, fast and sufficient for addresses and ports.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // The high half of the product is distributed as evenly as a remainder, without a division.
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// Any 64-bit number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
