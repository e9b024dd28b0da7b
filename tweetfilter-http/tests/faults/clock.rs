//! Clocks that jump, of the server as of the parts.

use crate::chain::{Chain, stream};
use crate::redis::{FIT, RedisServer};
use crate::shifted::ShiftedClock;

#[test]
fn clocks_that_jump_lose_nothing() {
    let Some(mut chain) = Chain::start(&stream(5_000, 14)) else { return };
    let Some(clock) = ShiftedClock::new(&chain.files.path("")) else { return };
    let variables = clock.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
    let Some(redis) = RedisServer::start_with(&FIT, &variables) else { return };
    chain.buffer = redis.url();
    chain.redis = redis;
    chain.point_at_buffer();
    chain.set_rate(Some(60.0));
    let names = ["ingest", "worker-1", "worker-2"];
    let mut parts: Vec<_> = names.iter().map(|name| chain.part_with(name, &[], &variables)).collect();
    for shift in [3600, -3600, 86_400, 0] {
        let commit = chain.commit();
        chain.until("it works", || chain.commit() > commit + 2);
        clock.set(shift);
        let told: i64 = chain.redis.say(&["TIME"]).lines().next().and_then(|s| s.parse().ok()).unwrap_or(0);
        let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs() as i64;
        assert!((told - now - shift).abs() < 60, "the clock did not jump");
        let commit = chain.commit();
        chain.until("it goes on", || chain.commit() > commit + 2);
        // Whoever starts now inherits leases of another time.
        for (part, name) in parts.iter_mut().zip(names) {
            assert!(part.kill(), "{name} had ended");
            *part = chain.part_with(name, &[], &variables);
        }
    }
    parts[0].kill();
    chain.set_rate(None);
    let mut ingest = chain.part_with("ingest", &[], &variables);
    chain.drain(&mut ingest);
    chain.assert_held();
    // The parts went by these clocks.
    let spread = chain.maria.ask("tf", "SELECT MAX(received_at) - MIN(received_at) FROM post");
    assert!(spread[0][0].parse::<i64>().is_ok_and(|spread| spread > 86_400_000), "{spread:?}");
}
