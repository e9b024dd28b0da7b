//! A store that is away: reading goes on, the buffer grows, and drains later.

use std::time::Duration;

use crate::chain::{Chain, stream};
use crate::soak;

/// Entries that the buffer must grow by, to be sure that it does.
const GROWN: u64 = 60;

#[test]
fn the_buffer_grows_while_the_store_is_away_and_drains_later() {
    let away = Duration::from_secs(if soak().is_some() { 60 } else { 5 });
    let posts = if soak().is_some() { 12_000 } else { 2_500 };
    let Some(mut chain) = Chain::start(&stream(posts, 3)) else { return };
    // So few that workers keep up with them on a slow machine, and that they last until both faults are over.
    chain.set_rate(Some(60.0));
    let mut ingest = chain.part("ingest");
    let _workers = [chain.part("worker-1"), chain.part("worker-2")];
    for (number, fault) in ["killed", "stopped"].into_iter().enumerate() {
        chain.until("it works", || chain.commit() > 3 * (number as i64 + 1) && chain.waiting() < GROWN / 2);
        chain.edit(number as u64 * 5);
        let commit = chain.commit();
        match fault {
            "killed" => assert!(chain.maria.kill()),
            _ => chain.maria.signal("STOP"),
        }
        // Who reads needs no store, not even to begin.
        assert!(ingest.kill());
        ingest = chain.part("ingest");
        std::thread::sleep(away);
        // It may have taken a while to begin.
        chain.until("the buffer grows", || chain.waiting() > GROWN);
        let grown = chain.waiting();
        match fault {
            "killed" => chain.maria.restart(),
            _ => chain.maria.signal("CONT"),
        }
        let took = chain.until("it goes on", || chain.commit() > commit);
        println!("{fault} for {away:?}: {grown} entries waited, stored again after {took:?}");
        // Five seconds are promised; whoever else computes here may take some of them.
        assert!(took < Duration::from_secs(30), "{took:?}");
        chain.until("it drains", || chain.waiting() < GROWN / 2);
    }
    chain.edit(11);
    assert!(ingest.ended().is_none(), "all was read before the store was away");
    ingest.kill();
    chain.set_rate(None);
    let mut ingest = chain.part("ingest");
    chain.drain(&mut ingest);
    chain.assert_held();
    let log = chain.log();
    assert!(log.contains("holds its entries until it can go on"), "{log}");
    assert!(log.contains("store and buffer are back"), "{log}");
}

#[test]
fn who_is_stopped_while_the_store_is_silent_says_that_it_will_count_as_a_crash() {
    let Some(chain) = Chain::start(&stream(300, 25)) else { return };
    let mut ingest = chain.part("ingest");
    let mut worker = chain.part("worker-1");
    chain.drain(&mut ingest);
    let known = "SELECT COUNT(*) FROM process WHERE name = 'work worker-1'";
    chain.until("the store knows it", || chain.maria.ask("tf", known)[0][0] == "1");
    chain.maria.signal("STOP");
    worker.signal("TERM");
    chain.until("it ends", || worker.ended().is_some());
    chain.maria.signal("CONT");
    assert!(worker.ended().is_some_and(|ended| ended.success()), "{}", chain.log());
    assert!(chain.log().contains("will report it as one that ended without saying so"), "{}", chain.log());
    let _worker = chain.part("worker-1");
    chain.until("it is found out", || chain.status()["crashes"] == 1);
    let status = chain.ok(&["status", "--crashes"]);
    assert!(status.contains("or stopped while the store did not answer"), "{status}");
}

/// Keeps every commit waiting until it is ended, or the test has failed.
const HOLD: &str = "START TRANSACTION; \
    SELECT COUNT(*) FROM state WHERE name IN ('commit', 'post') FOR UPDATE; DO SLEEP(240); ROLLBACK";

/// The connection that does, once it has the locks.
const HOLDER: &str = "SELECT id FROM information_schema.processlist \
    WHERE info LIKE '%DO SLEEP(%' AND id <> CONNECTION_ID()";

/// When it wakes up, another has had its entries, and is done with them.
#[test]
fn a_worker_that_sleeps_for_longer_than_its_lease_counts_nothing_twice() {
    let Some(chain) = Chain::start(&stream(300, 19)) else { return };
    let mut ingest = chain.part("ingest");
    chain.until("all is read", || ingest.ended().is_some());
    let maria = &chain.maria;
    let leased = || {
        let pending = chain.redis.say(&["XPENDING", "tf:{0}", "tf"]);
        pending.lines().next().and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    let holder = || maria.ask("", HOLDER).into_iter().flatten().next();
    let sleeper = std::thread::scope(|scope| {
        let held = scope.spawn(|| maria.try_ask("tf", HOLD));
        chain.until("commits are held up", || holder().is_some());
        let sleeper = chain.part("worker-1");
        chain.until("it has entries", || leased() > 0);
        sleeper.signal("STOP");
        assert!(!held.is_finished(), "it may have committed");
        maria.say(&format!("KILL {}", holder().expect("it still holds them up")));
        sleeper
    });
    let mut other = chain.part("worker-2");
    chain.until("another does them", || chain.waiting() == 0);
    // What it acknowledged is forgotten with its end.
    other.signal("TERM");
    chain.until("it ends", || other.ended().is_some());
    let back = || chain.log().matches("store and buffer are back").count();
    let before = back();
    sleeper.signal("CONT");
    chain.until("the sleeper goes on", || back() > before);
    chain.assert_held();
}
