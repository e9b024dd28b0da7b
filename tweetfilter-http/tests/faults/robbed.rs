//! A Redis that strangers lay hands on, that is full, or that keeps nothing: what is lost shows, and nothing else is.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::chain::{Chain, stream};
use crate::redis::FIT;

#[test]
fn what_strangers_take_from_redis_shows_in_status() {
    let Some(chain) = Chain::start(&stream(500, 15)) else { return };
    let mut ingest = chain.part("ingest");
    chain.until("all is read", || ingest.ended().is_some());
    let taken: u64 = chain.redis.say(&["XLEN", "tf:{0}"]).trim().parse().expect("a number");
    chain.redis.say(&["XTRIM", "tf:{0}", "MAXLEN", "0"]);
    assert!(taken > 20, "{taken}");
    let _worker = chain.part("worker-1");
    chain.until("the rest is stored", || chain.waiting() == 0);
    assert_eq!(chain.status()["buffer"]["lost"], taken);
    assert!(chain.ok(&["status"]).contains(&format!("{taken} entries lost by strangers")));
    // What is not stored is what was taken, and what is stored is right.
    let delivered = chain.delivered();
    let stored: BTreeSet<_> = delivered.iter().map(|d| (d.account.clone(), d.post.clone())).collect();
    let missing = |said: &(String, String)| !stored.contains(said) && !chain.said.is_gone(&said.1);
    let posts: BTreeSet<_> =
        chain.said.audience.iter().filter(|said| missing(said)).map(|(_, post)| post).collect();
    assert!(!posts.is_empty() && posts.len() as u64 <= taken, "{} posts, {taken} taken", posts.len());
}

/// Neither new nor pending, they are in no list of what is to be done.
#[test]
fn what_a_removed_consumer_held_is_stored_all_the_same() {
    let Some(chain) = Chain::start(&stream(500, 24)) else { return };
    let mut ingest = chain.part("ingest");
    chain.until("all is read", || ingest.ended().is_some());
    let mut gone = chain.part_with("worker-1", &[], &[("TWEETFILTER_FAIL", "lease.after:1")]);
    chain.until("it is gone", || gone.ended().is_some());
    // A chain in which nobody works any more says so, and does not wait.
    let begin = Instant::now();
    let stalled = catch_unwind(AssertUnwindSafe(|| chain.drain(&mut ingest)));
    let said = stalled.expect_err("nobody works").downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(said.contains("a worker has ended") && said.contains("worker-1 (process "), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    for p in 0..4 {
        let held = chain.redis.say(&["XGROUP", "DELCONSUMER", &format!("tf:{{{p}}}"), "tf", "worker-1"]);
        assert_ne!(held.trim(), "0", "partition {p}");
    }
    let _worker = chain.part("worker-1");
    chain.drain(&mut ingest);
    chain.assert_held();
    assert!(chain.log().contains("were nobody's any more, and are leased again"), "{}", chain.log());
}

#[test]
fn a_source_begins_again_where_all_keys_were_removed() {
    let Some(mut chain) = Chain::start(&stream(2_000, 16)) else { return };
    chain.set_rate(Some(150.0));
    let mut ingest = chain.part("ingest");
    chain.until("entries wait", || chain.waiting() > 100);
    let taken = chain.waiting();
    // Somebody new, who knows nothing of it, looks first, and must not hide it.
    ingest.signal("STOP");
    chain.redis.say(&["FLUSHALL"]);
    chain.status();
    ingest.signal("CONT");
    chain.until("it shows", || chain.status()["buffer"]["lost"].as_u64() > Some(0));
    let status = chain.ok(&["status"]);
    println!("{taken} entries were there\n{status}");
    assert!(status.contains("FLUSHALL"), "{status}");
    assert!(chain.status()["gaps"].as_u64() > Some(0));
    chain.until("the file is read anew", || chain.log().contains("lost its source, and begins again"));
    assert_eq!(chain.status()["crashes"], 0, "nothing broke");
    // The cursor is gone with them: the file is read from its beginning, and nothing is missing in the end.
    let _worker = chain.part("worker-1");
    ingest.kill();
    chain.set_rate(None);
    let mut ingest = chain.part("ingest");
    chain.drain(&mut ingest);
    chain.said.assert_held(&chain.delivered(), &chain.history);
}

#[test]
fn reading_waits_while_redis_is_full_and_while_it_keeps_nothing() {
    // More than twice of what fits, so that something is left to be read however long anything here takes.
    let Some(mut chain) = Chain::start(&stream(3_500, 17)) else { return };
    // So that no batch is larger than what will be free.
    chain.set_rate(Some(2_000.0));
    let info = chain.redis.say(&["INFO", "memory"]);
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("it says so");
    let limit = used.trim().parse::<u64>().expect("a number") + (1 << 20);
    chain.redis.say(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    let mut ingest = chain.part("ingest");
    let is_full = |line: &str| {
        line.contains("nothing is read until the buffer takes entries again")
            && line.contains("the buffer is full")
    };
    chain.until("it is full", || chain.log().lines().any(is_full));
    assert!(chain.lines_read() < chain.said.lines && ingest.ended().is_none(), "all fits");
    let read = chain.lines_read();
    // It makes room once, and ends: who reads is held up again, and does not come to the end of the file.
    let mut worker = chain.part_with("worker-1", &[], &[("TWEETFILTER_FAIL", "ack.after:1")]);
    chain.until("it makes room", || worker.ended().is_some());
    chain.until("there is room again", || chain.lines_read() > read);
    assert!(ingest.ended().is_none(), "all was read");
    // Without its file, what it acknowledges could be lost: nobody gives it anything.
    chain.redis.restart(Some(&["--appendonly", "no"]));
    let status = chain.ok(&["status"]);
    assert!(status.contains("CONFIG SET appendonly yes"), "{status}");
    chain.until("the reader refuses it", || chain.log().contains("is not fit to be a buffer"));
    let mut worker = chain.part("worker-1");
    chain.until("a worker refuses it", || worker.ended().is_some_and(|ended| !ended.success()));
    assert_eq!(chain.redis.say(&["DBSIZE"]).trim(), "0");
    chain.redis.restart(Some(&FIT));
    ingest.kill();
    let mut ingest = chain.part("ingest");
    let _worker = chain.part("worker-1");
    chain.drain(&mut ingest);
    chain.assert_held();
}

#[test]
fn what_an_unsafe_redis_loses_shows_in_status() {
    let Some(mut chain) = Chain::start(&stream(2_000, 18)) else { return };
    chain.redis.restart(Some(&["--appendonly", "no"]));
    chain.set_rate(Some(150.0));
    let unsafe_ = ["--allow-unsafe-buffer"];
    let ingest = chain.part_with("ingest", &unsafe_, &[]);
    chain.until("entries wait", || chain.waiting() > 100);
    assert!(chain.log().contains("this Redis keeps no append-only file"), "{}", chain.log());
    assert!(chain.redis.kill());
    chain.redis.restart(None);
    let lost = || -> u64 {
        let out = chain.ok(&["status", "--json", "--allow-unsafe-buffer"]);
        let status: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        status["buffer"]["lost"].as_u64().unwrap_or(0)
    };
    chain.until("the loss shows", || lost() > 0);
    println!("{} entries lost", lost());
    drop(ingest);
}
