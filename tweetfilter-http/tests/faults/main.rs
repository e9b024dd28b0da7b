//! The parts on real servers, harmed on purpose: killed, stopped, cut off, filled up, robbed.
//!
//! After each fault the same holds: what is stored is what the oracle says of what was accepted, the accounts
//! balance, and the fault is shown to have happened. `TWEETFILTER_SOAK=500` kills so often, and keeps what is stopped
//! stopped for a minute; `TWEETFILTER_SEED` repeats the choices of a run, which prints it.

mod chain;
mod clock;
mod cut;
mod embedded;
mod full;
mod kills;
mod locks;
mod oracle;
mod part;
mod points;
mod proxy;
mod robbed;
mod standby;
mod stopped;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../command/support.rs"]
mod support;
mod wire;

#[path = "../../../tweetfilter-sql/tests/common/mod.rs"]
mod maria;
#[path = "../../../tweetfilter-stream/tests/support/servers.rs"]
mod redis;
#[path = "../../../tweetfilter-stream/tests/support/clock.rs"]
mod shifted;

/// How many kills a long run is to have; `None` in a short one.
fn soak() -> Option<u64> {
    std::env::var("TWEETFILTER_SOAK").ok()?.parse().ok()
}

/// What happens next, by chance; the seed is printed.
struct Lot(u64);

impl Lot {
    fn new() -> Self {
        let seed = std::env::var("TWEETFILTER_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_millis() as u64);
        let seed = seed.unwrap_or_else(now);
        println!("TWEETFILTER_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
