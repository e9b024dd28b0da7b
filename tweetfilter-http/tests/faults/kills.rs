//! Whoever is killed, whenever: nothing is lost, and nothing is there twice.

use std::time::{Duration, Instant};

use crate::chain::{Chain, Part, real_posts, stream};
use crate::{Lot, soak};

/// Who can be killed.
const WHO: [&str; 6] = ["ingest", "worker-1", "worker-2", "redis", "mariadb", "all"];

#[test]
fn what_is_stored_after_random_kills_is_what_the_oracle_says() {
    let kills = soak().unwrap_or(60);
    let mut lot = Lot::new();
    let lines = real_posts() + &stream((50 * kills).clamp(3_000, 12_000), lot.below(1 << 20));
    let Some(mut chain) = Chain::start(&lines) else { return };
    chain.set_rate(Some(chain.said.lines as f64 / (1.5 * kills as f64)));
    let begin = Instant::now();
    let mut parts: Vec<Part> = WHO[..3].iter().map(|name| chain.part(name)).collect();
    let mut killed = [0_u64; WHO.len()];
    for number in 0..kills {
        std::thread::sleep(Duration::from_millis(50 + lot.below(400)));
        // Each at least once, and now and then several at once.
        let who = match number {
            0..5 => number as usize,
            _ if number % 10 == 9 => 5,
            _ => lot.below(6) as usize,
        };
        let reading = parts[0].ended().is_none();
        let alive = match who {
            0..3 => {
                let alive = parts[who].kill();
                std::thread::sleep(Duration::from_millis(lot.below(150)));
                parts[who] = chain.part(WHO[who]);
                alive
            }
            3 => {
                let alive = chain.redis.kill();
                std::thread::sleep(Duration::from_millis(lot.below(400)));
                chain.redis.restart(None);
                alive
            }
            4 => {
                let alive = chain.maria.kill();
                std::thread::sleep(Duration::from_millis(lot.below(400)));
                chain.maria.restart();
                alive
            }
            _ => {
                let alive: Vec<bool> = parts.iter_mut().map(Part::kill).collect();
                let servers = chain.redis.kill() && chain.maria.kill();
                // They are there before their servers, and wait for them.
                parts = WHO[..3].iter().map(|name| chain.part(name)).collect();
                std::thread::sleep(Duration::from_millis(200 + lot.below(300)));
                chain.redis.restart(None);
                chain.maria.restart();
                servers && alive[1..].iter().all(|alive| *alive)
            }
        };
        assert!(alive || (who == 0 && !reading), "{} was dead before its kill\n{}", WHO[who], chain.log());
        killed[who] += 1;
        // Lines are to last until the last kill.
        let left = (chain.said.lines - chain.lines_read()) as f64;
        let time = begin.elapsed().as_secs_f64() / (number + 1) as f64 * (kills - number + 9) as f64;
        chain.set_rate(Some(0.6 * left / time));
        if number % 4 == 1 {
            chain.edit(lot.below(1000));
        }
    }
    println!("killed: {:?}", WHO.iter().zip(killed).collect::<Vec<_>>());
    assert!(killed.iter().all(|&count| count > 0), "{killed:?}");
    assert!(parts[0].ended().is_none(), "all was read before the last kill");
    chain.set_rate(None);
    parts[0].kill();
    parts[0] = chain.part("ingest");
    let mut ingest = parts.remove(0);
    chain.drain(&mut ingest);
    chain.assert_held();
    assert!(chain.history.len() as u64 >= kills / 8, "filters were changed meanwhile");
    // Those who were killed in the middle of their work had it taken over.
    let status = chain.status();
    assert!(status["buffer"]["redelivered"].as_u64() > Some(0), "{status}");
    let recovered = chain.maria.log().matches("Starting crash recovery").count() as u64;
    assert!(recovered > 0, "{}", chain.maria.log());
}
