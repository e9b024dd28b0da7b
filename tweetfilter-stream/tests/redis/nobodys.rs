//! Entries that strangers made nobody's: neither new to the group nor pending. And consumers that nobody needs any more.

use super::*;

/// How long what was found to be nobody's is kept from everybody.
const KEPT: Duration = Duration::from_secs(60);
/// Longer than all the time that goes by in a test.
const LONG: Duration = Duration::from_secs(600);

/// Leases all that there is, in as many calls as that takes, and has all found that is nobody's.
async fn all(buffer: &RedisBuffer, worker: &str) -> Vec<Leased> {
    let mut all = Vec::new();
    loop {
        let reclaimed = buffer.reclaimed();
        let leased = buffer.lease(worker, Most::entries(5_000), KEPT).await.unwrap();
        buffer.extend(worker, &ids(&leased), LONG).await.unwrap();
        if leased.is_empty() && buffer.reclaimed() == reclaimed {
            return all;
        }
        all.extend(leased);
    }
}

/// Leases what nobody can be about to store any more.
async fn all_in_time(server: &RedisServer, buffer: &RedisBuffer, worker: &str) -> Vec<Leased> {
    server.pass(KEPT + KEPT / 10);
    all(buffer, worker).await
}

/// Each partition has more than one call looks through.
#[tokio::test]
async fn what_a_removed_consumer_held_is_leased_again_and_nothing_else_is() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 1_600).await;
    let first = buffer.lease("living", Most::entries(40), LONG).await.unwrap();
    let gone = all(&buffer, "gone").await;
    let rest = buffer.lease("living", Most::entries(40), LONG).await.unwrap();
    assert_eq!((first.len(), gone.len(), rest.len()), (40, 1_560, 0));
    for p in 0..4 {
        server.say(&["XGROUP", "DELCONSUMER", &format!("tf:{{{p}}}"), "tf", "gone"]);
    }
    // Whoever had them may live.
    assert_eq!((all(&buffer, "next").await, buffer.reclaimed()), (Vec::new(), 1_560));
    let again = all_in_time(&server, &buffer, "next").await;
    assert_eq!((bodies(&again), again.len()), (bodies(&gone), 1_560));
    // What became of them may be stored, which only those are asked for that were leased before.
    assert!(again.iter().all(|entry| entry.attempts == 2), "{again:?}");
    assert_eq!(buffer.reclaimed(), 1_560);
    buffer.ack("next", &ids(&again)).await.unwrap();
    buffer.ack("living", &ids(&first)).await.unwrap();
    assert_eq!(all(&buffer, "next").await, []);
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.redelivered, stats.lost), (0, 0, 1_560, 0));
}

#[tokio::test]
async fn what_a_moved_group_or_a_reader_without_acknowledgement_passed_over_is_leased() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 40).await;
    server.say(&["XGROUP", "SETID", "tf:{0}", "tf", "$"]);
    server.say(&["XGROUP", "SETID", "tf:{1}", "tf", "99999999999999-0"]);
    server.say(&["XREADGROUP", "GROUP", "tf", "stranger", "NOACK", "COUNT", "7", "STREAMS", "tf:{2}", ">"]);
    let mut leased = all(&buffer, "a").await;
    assert_eq!((leased.len(), buffer.reclaimed()), (13, 27));
    leased.extend(all_in_time(&server, &buffer, "a").await);
    assert_eq!((leased.len(), bodies(&leased).len(), buffer.reclaimed()), (40, 40, 27));
    // What comes next is new to the group again, wherever that was moved to.
    buffer.append(&batch(fence, some(8), "d")).await.unwrap();
    let new = all(&buffer, "a").await;
    assert!(new.len() == 8 && new.iter().all(|entry| entry.attempts == 1), "{new:?}");
    assert_eq!(buffer.reclaimed(), 27);
    // What a reader passes over while others come behind it is found, too, as soon as nothing is new.
    buffer.append(&batch(fence, some(4), "e")).await.unwrap();
    server.say(&["XREADGROUP", "GROUP", "tf", "stranger", "NOACK", "STREAMS", "tf:{3}", ">"]);
    buffer.append(&batch(fence, some(4), "f")).await.unwrap();
    let rest = all(&buffer, "a").await;
    assert_eq!((rest.len(), buffer.reclaimed()), (7, 28));
    assert_eq!(all_in_time(&server, &buffer, "a").await.len(), 1);
}

/// It is about to store them, and whoever got them too would store them once more.
#[tokio::test]
async fn what_a_living_worker_has_is_left_to_it_whatever_strangers_do_with_its_group() {
    for done in [
        &["XGROUP", "DELCONSUMER", "tf:{0}", "tf", "living"][..],
        &["XGROUP", "SETID", "tf:{0}", "tf", "0"],
        &["XGROUP", "DESTROY", "tf:{0}", "tf"],
    ] {
        let Some(server) = RedisServer::start(&FIT) else { return };
        let buffer = open(&server).await;
        // More in each partition than are read at once.
        let fence = filled(&buffer, 200).await;
        let held = all(&buffer, "living").await;
        server.say(done);
        assert_eq!(all(&buffer, "other").await, [], "{done:?}");
        buffer.append(&batch(fence, some(4), "d")).await.unwrap();
        let new = all(&buffer, "other").await;
        assert!(new.len() == 4 && new.iter().all(|entry| entry.attempts == 1), "{done:?}: {new:?}");
        buffer.ack("living", &ids(&held)).await.unwrap();
        assert_eq!(all_in_time(&server, &buffer, "other").await, [], "{done:?}");
        let stats = buffer.stats().await.unwrap();
        assert_eq!((held.len(), stats.entries, stats.leased, stats.lost), (200, 4, 4, 0), "{done:?}");
    }
}

/// Else others would get what it holds, while it goes on to believe that it is its own.
#[tokio::test]
async fn a_living_worker_extends_and_gives_back_what_was_found_to_be_nobodys() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 12).await;
    let held = all(&buffer, "living").await;
    for p in 0..4 {
        server.say(&["XGROUP", "DELCONSUMER", &format!("tf:{{{p}}}"), "tf", "living"]);
    }
    assert_eq!((held.len(), all(&buffer, "other").await, buffer.reclaimed()), (12, Vec::new(), 12));
    buffer.extend("living", &ids(&held[..4]), LONG).await.unwrap();
    buffer.release("living", &ids(&held[4..8])).await.unwrap();
    assert_eq!(bodies(&all(&buffer, "other").await), bodies(&held[4..8]));
    // What another has by now stays its own.
    buffer.extend("living", &ids(&held[4..8]), KEPT).await.unwrap();
    let rest = all_in_time(&server, &buffer, "other").await;
    assert_eq!(bodies(&rest), bodies(&held[8..]));
    assert!(rest.iter().all(|entry| entry.attempts == 2), "{rest:?}");
    buffer.ack("living", &ids(&held[..4])).await.unwrap();
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.lost), (8, 8, 0));
}

/// Neither is an id, nor could one be as long as the third.
#[tokio::test]
async fn what_a_stranger_wrote_in_place_of_where_to_look_on_is_passed_over() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 40).await;
    assert_eq!(all(&buffer, "gone").await.len(), 40);
    for (before, wrong) in (0..).zip(["none", "(none", "(99999999999999999999999-0"]) {
        for p in 0..4 {
            let (stream, counts) = (format!("tf:{{{p}}}"), format!("tf:{{{p}}}:counts"));
            // Who has them, at first and once they were found.
            for holder in ["gone", "(nobody)"] {
                server.say(&["XGROUP", "DELCONSUMER", &stream, "tf", holder]);
            }
            server.say(&["HSET", &counts, "looked", wrong]);
        }
        assert_eq!(buffer.reclaimed(), 40 * before);
        assert_eq!(
            (all(&buffer, "next").await, buffer.reclaimed()),
            (Vec::new(), 40 * (before + 1)),
            "{wrong}"
        );
        assert_eq!(server.say(&["HGET", "tf:{0}:counts", "looked"]).trim(), "(nil)");
    }
}

/// Behind it Redis refuses to look on.
#[tokio::test]
async fn what_is_nobodys_is_found_up_to_the_last_id_that_there_can_be() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    // As many in the partition as are looked at together.
    filled(&buffer, 60).await;
    server.say(&["XADD", "tf:{0}", "18446744073709551615-18446744073709551615", "entry", "{}"]);
    assert_eq!(all(&buffer, "gone").await.len(), 61);
    server.say(&["XGROUP", "DELCONSUMER", "tf:{0}", "tf", "gone"]);
    assert_eq!((all(&buffer, "next").await, buffer.reclaimed()), (Vec::new(), 16));
    assert_eq!(all_in_time(&server, &buffer, "next").await.len(), 16);
}

#[tokio::test]
async fn what_a_group_that_was_moved_back_gives_again_is_leased_once_nobody_has_it() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 200).await;
    assert_eq!(buffer.lease("gone", Most::entries(200), KEPT).await.unwrap().len(), 200);
    server.say(&["XGROUP", "SETID", "tf:{0}", "tf", "0"]);
    // As many as are read at once are found to be new once more; the others are held still.
    assert_eq!((all(&buffer, "next").await, buffer.reclaimed()), (Vec::new(), 16));
    let again = all_in_time(&server, &buffer, "next").await;
    assert_eq!((again.len(), bodies(&again).len()), (200, 200));
    // What became of them may be stored.
    assert!(again.iter().all(|entry| entry.attempts == 2), "{again:?}");
}

/// No id, one that is longer than any, and one of a time that has not come.
#[tokio::test]
async fn what_a_stranger_wrote_in_place_of_the_last_id_that_was_read_keeps_nothing_back() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 40).await;
    assert_eq!(all(&buffer, "a").await.len(), 40);
    for wrong in
        ["none", "99999999999999999999999-0", "99999999999999-99999999999999999999", "99999999999999-0"]
    {
        for p in 0..4 {
            server.say(&["HSET", &format!("tf:{{{p}}}:counts"), "read", wrong]);
        }
        buffer.append(&batch(fence, some(8), wrong)).await.unwrap();
        let leased = buffer.lease("a", Most::entries(100), LONG).await.unwrap();
        assert!(leased.len() == 8 && leased.iter().all(|entry| entry.attempts == 1), "{wrong}: {leased:?}");
        assert_ne!(server.say(&["HGET", "tf:{0}:counts", "read"]).trim(), wrong);
    }
}

#[tokio::test]
async fn while_all_is_well_nothing_is_looked_through() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 400).await;
    assert_eq!(all(&buffer, "a").await.len(), 400);
    server.say(&["CONFIG", "RESETSTAT"]);
    for _ in 0..5 {
        assert_eq!(buffer.lease("b", Most::entries(100), LONG).await.unwrap(), []);
    }
    let info = server.say(&["INFO", "commandstats"]);
    assert!(info.contains("cmdstat_evalsha:calls=5,") && !info.contains("cmdstat_xrange"), "{info}");
    assert_eq!(buffer.reclaimed(), 0);
}

/// The consumers of a partition, and what each of them holds.
fn consumers(server: &RedisServer) -> Vec<(String, String)> {
    let said = server.say(&["XINFO", "CONSUMERS", "tf:{0}", "tf"]);
    let words: Vec<_> = said.lines().collect();
    let value = |at: usize, name: &str| {
        let found = words[at..].iter().position(|word| *word == name).expect(name);
        words[at + found + 1].to_owned()
    };
    let begins = (0..words.len()).filter(|at| words[*at] == "name");
    begins.map(|at| (value(at, "name"), value(at, "pending"))).collect()
}

#[tokio::test]
async fn who_ends_leaves_no_consumer_unless_it_holds_something() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 8).await;
    let leased = all(&buffer, "a").await;
    let one = |name: &str, pending: &str| (name.to_owned(), pending.to_owned());
    assert_eq!(consumers(&server), [one("a", "2")]);
    // As when entries of a newer version stay leased: what it holds must not become nobody's.
    buffer.release("a", &[]).await.unwrap();
    assert_eq!(consumers(&server), [one("a", "2")]);
    buffer.ack("a", &ids(&leased)).await.unwrap();
    buffer.release("a", &[]).await.unwrap();
    assert!(consumers(&server).is_empty());
    // It may go on all the same.
    filled(&buffer, 8).await;
    assert_eq!(all(&buffer, "a").await.len(), 8);
    assert_eq!(consumers(&server), [one("a", "2")]);
}

#[tokio::test]
async fn who_begins_removes_consumers_that_were_silent_for_long_and_hold_nothing() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 8).await;
    for p in ["tf:{0}", "tf:{1}"] {
        server.say(&["XGROUP", "CREATECONSUMER", p, "tf", "killed"]);
    }
    assert_eq!(all(&buffer, "holds").await.len(), 8);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    // Whether who begins is a consumer before it has had something, is the server's affair.
    let names = || -> Vec<_> {
        let names = consumers(&server).into_iter().map(|(name, _)| name);
        names.filter(|name| name != "begins").collect()
    };
    // Each worker looks once, when it begins. Others are spared for a day, unless it is told otherwise.
    assert_eq!(all(&buffer, "begins").await, []);
    assert_eq!(names(), ["holds", "killed"]);
    let options = Options { silence: Duration::from_secs(1), ..patient() };
    let buffer = RedisBuffer::open(&server.url(), options).await.unwrap();
    assert_eq!(all(&buffer, "begins").await, []);
    assert_eq!(names(), ["holds"]);
}
