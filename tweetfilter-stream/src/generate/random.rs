//! Random numbers without floats, so that a seed gives the same bytes on every machine.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for the thing that the numbers name.
    pub(super) fn of(seed: u64, parts: [u64; 3]) -> Self {
        Self(
            parts
                .iter()
                .fold(seed, |state, part| Self(state ^ part.wrapping_mul(0xff51_afd7_ed55_8ccd)).next()),
        )
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `n`; 0 for `n` = 0.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.next() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// Both ends included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True `n` times in 10,000.
    pub(super) fn chance(&mut self, n: u32) -> bool {
        self.below(10_000) < n
    }

    pub(super) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    /// An index by weights.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (i, &weight) in weights.iter().enumerate() {
            if left < weight {
                return i;
            }
            left -= weight;
        }
        0
    }

    /// A rank below `n` (at least 1), Zipf-distributed with exponent 1 and the first `head` ranks alike.
    ///
    /// Ranks double from octave to octave and all octaves are equally likely.
    pub(super) fn zipf(&mut self, n: u32, head: u32) -> u32 {
        let octaves = 32 - (n / head).leading_zeros();
        loop {
            let octave = self.below(octaves.max(1));
            let width = u64::from(head) << octave;
            let rank = width - u64::from(head) + (((self.next() >> 32) * width) >> 32);
            if rank < u64::from(n) {
                return rank as u32;
            }
        }
    }

    /// A number whose quantiles stand in `table` as (per mille, value), linear between them.
    pub(super) fn quantile(&mut self, table: &[(u32, u32)]) -> u32 {
        let at = self.below(1000);
        for pair in table.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            if at < to {
                let step = u64::from(high - low) * u64::from(at - from) / u64::from(to - from);
                return low + step as u32 + self.below((high - low) / (to - from) + 1);
            }
        }
        table.last().map_or(0, |&(_, value)| value)
    }
}
