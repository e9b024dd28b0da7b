//! Somebody else takes a source over.

use std::time::{Duration, UNIX_EPOCH};

use crate::chain::{Chain, Part, stream};

/// What Redis knows of the source.
fn source(chain: &Chain, field: &str) -> String {
    chain.redis.say(&["HGET", "tf:source:site", field]).trim().to_owned()
}

#[test]
fn another_ingest_takes_over_in_ten_seconds_and_the_same_at_once() {
    let Some(mut chain) = Chain::start(&stream(4_000, 12)) else { return };
    chain.set_rate(Some(40.0));
    let _workers = [chain.part("worker-1"), chain.part("worker-2")];
    let mut first = chain.part("ingest-a");
    chain.until("it reads", || chain.lines_read() > 20);
    let _second = chain.part("ingest-b");
    chain.until("the other one waits", || chain.log().contains("is read by ingest-a"));
    assert!(first.kill());
    let now = || UNIX_EPOCH.elapsed().expect("after 1970");
    let read = chain.lines_read();
    let till = source(&chain, "till").parse::<u64>().map(Duration::from_millis).expect("a time");
    let left = till.saturating_sub(now());
    let took = chain.until("the other one reads", || chain.lines_read() > read);
    let taken = now();
    println!("taken over after {took:?}");
    // Ten seconds are promised, nine of them are the lease; whoever else computes here may take some.
    let since = taken.saturating_sub(till);
    assert!(left <= Duration::from_secs(9) && since < Duration::from_secs(20), "{left:?} {since:?}");
    assert!(taken >= till, "a lease is no lease: {left:?} of it were left, {took:?}");
    // One that only slept for longer than its lease finds that it was replaced, and appends nothing more.
    let mut third = chain.part("ingest-a");
    chain.until("it waits", || chain.log().contains("is read by ingest-b"));
    let second = _second;
    second.signal("STOP");
    let read = chain.lines_read();
    let is_back = || source(&chain, "holder") == "ingest-a" && chain.lines_read() > read;
    chain.until("the first one reads again", is_back);
    second.signal("CONT");
    chain.until("the sleeper finds out", || chain.log().contains("was taken over by another instance"));
    // The same instance gets its source back at once.
    let again = |third: &mut Part| {
        assert!(third.kill(), "all was read already");
        let read = chain.lines_read();
        *third = chain.part("ingest-a");
        let took = chain.until("the same one reads", || chain.lines_read() > read);
        println!("read on by the same instance after {took:?}");
        took
    };
    // Less than the lease has left. A machine that has much else to do may take longer to start a process.
    assert!((0..4).any(|_| again(&mut third) < Duration::from_secs(6)));
    drop(second);
    third.kill();
    chain.set_rate(None);
    let mut third = chain.part("ingest-a");
    chain.drain(&mut third);
    chain.assert_held();
}
