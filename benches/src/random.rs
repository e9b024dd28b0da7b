//! The random numbers that TF-1 prescribes.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Begins a stream.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1), of 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 0 up to, not including, `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// An index, by percentages that add up to 100.
    pub fn share(&mut self, percent: &[f64]) -> usize {
        let mut left = self.unit() * 100.0;
        for (i, p) in percent.iter().enumerate() {
            if left < *p {
                return i;
            }
            left -= p;
        }
        percent.len() - 1
    }

    /// Normal, by Box–Muller; the cosine of each pair only.
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        mean + deviation * radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// Ranks 1 to n with P(rank i) ∝ (i + q)^-s.
#[derive(Clone, Debug)]
pub struct Zipf {
    cumulated: Vec<f64>,
    first: usize,
}

impl Zipf {
    /// All ranks 1 to `n`.
    #[must_use]
    pub fn new(n: usize, s: f64, q: f64) -> Self {
        Self::without(0, n, s, q)
    }

    /// The ranks from `left_out` + 1 to `n`.
    #[must_use]
    pub fn without(left_out: usize, n: usize, s: f64, q: f64) -> Self {
        let mut sum = 0.0;
        let cumulated = (left_out + 1..=n)
            .map(|i| {
                sum += (i as f64 + q).powf(-s);
                sum
            })
            .collect();
        Self { cumulated, first: left_out }
    }

    /// An index from 0, one less than the rank.
    pub fn pick(&self, random: &mut Random) -> usize {
        let total = self.cumulated.last().copied().unwrap_or(0.0);
        let at = random.unit() * total;
        self.first
            + self.cumulated.partition_point(|&sum| sum <= at).min(self.cumulated.len().saturating_sub(1))
    }
}
