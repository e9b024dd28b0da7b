//! A process that ends at each step of its work.

use std::os::unix::process::ExitStatusExt;

use crate::chain::{Chain, stream};
use crate::embedded::Embedded;

/// A place in the program, and the time at which it is fatal.
const READING: [&str; 3] = ["claim.after:1", "append.before:2", "append.after:2"];
const WORKING: [&str; 6] =
    ["lease.after:2", "commit.before:2", "commit.open:2", "commit.after:2", "ack.before:2", "ack.after:2"];

/// Whether the part ends there.
fn ends_there(wanted: &str, log: &str, signal: Option<i32>) {
    let place = wanted.split(':').next().unwrap_or_default();
    assert!(log.contains(&format!("fail point {place}\n")), "{wanted}: {log}");
    assert_eq!(signal, Some(6), "{wanted}");
}

#[test]
fn nothing_is_lost_or_twice_whichever_step_is_the_last() {
    let Some(mut chain) = Chain::start(&stream(4_000, 5)) else { return };
    chain.set_rate(Some(60.0));
    let mut ingest = chain.part("ingest");
    let mut places = Vec::new();
    for place in READING {
        assert!(ingest.kill(), "all was read before {place}");
        let mut part = chain.part_with("ingest", &[], &[("TWEETFILTER_FAIL", place)]);
        chain.until(place, || part.ended().is_some());
        ends_there(place, &chain.log(), part.ended().and_then(|ended| ended.signal()));
        ingest = chain.part("ingest");
        places.push(place);
    }
    for place in WORKING {
        let mut part = chain.part_with("worker-1", &[], &[("TWEETFILTER_FAIL", place)]);
        chain.until(place, || part.ended().is_some());
        ends_there(place, &chain.log(), part.ended().and_then(|ended| ended.signal()));
        assert!(ingest.ended().is_none(), "all was read before {place}");
        places.push(place);
    }
    let _worker = chain.part("worker-1");
    ingest.kill();
    chain.set_rate(None);
    let mut ingest = chain.part("ingest");
    chain.drain(&mut ingest);
    chain.assert_held();
    println!("ended at {places:?}");
}

#[test]
fn nor_where_one_file_is_buffer_and_store() {
    let chain = Embedded::start(&stream(1_500, 6), None);
    // It acknowledges with the commit.
    let places = READING.iter().chain(WORKING.iter().filter(|place| !place.starts_with("ack")));
    for place in places {
        let mut part = chain.serve(Some(40.0), &[("TWEETFILTER_FAIL", place)]);
        chain.until(place, || part.ended().is_some());
        ends_there(place, &chain.log(), part.ended().and_then(|ended| ended.signal()));
    }
    assert!(chain.lines_read() < chain.said.lines, "all was read before the last of them");
    let _server = chain.serve(None, &[]);
    chain.drain();
    chain.assert_held();
    assert_eq!(chain.status()["crashes"], 7, "each was found out");
}
