//! Numbers that differ at each run.

use std::time::{SystemTime, UNIX_EPOCH};

/// Numbers that differ at each run; the seed is told where the test fails.
pub struct Chance {
    seed: u64,
    state: u64,
}

impl Default for Chance {
    fn default() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs() | 1);
        Self { seed, state: seed }
    }
}

impl Chance {
    /// What the numbers follow from.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The next one, at least `least` and below `most`.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        // Marsaglia's xorshift: enough to scatter kills.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        least + self.state % (most - least)
    }
}
