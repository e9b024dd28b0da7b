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
    chain.set_rate(Some(150.0));
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
