//! The server itself: killed, unfit, full, silent.

use super::*;

#[tokio::test]
async fn a_batch_is_one_round_trip() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 1).await;
    server.say(&["CONFIG", "RESETSTAT"]);
    let entries = (0..500).map(|key| Encoded { key, bytes: vec![b'x'; 1024] }).collect();
    buffer.append(&batch(fence, entries, "d")).await.unwrap();
    let info = server.say(&["INFO", "commandstats"]);
    let calls = |name: &str| info.contains(&format!("cmdstat_{name}:calls="));
    assert!(info.contains("cmdstat_evalsha:calls=1,") && info.contains("cmdstat_xadd:calls=500,"), "{info}");
    assert!(!calls("eval") && !calls("multi") && !calls("exec"), "{info}");
}

#[tokio::test]
async fn a_killed_server_comes_back_with_everything() {
    let Some(mut server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 10).await;
    let leased = buffer.lease("a", Most::entries(4), LONG).await.unwrap();
    server.kill();
    let error = buffer.append(&batch(fence, some(1), "d")).await.unwrap_err();
    assert!(matches!(error, BufferError::Away(_)), "{error}");
    server.restart(None);
    in_the_end(async || buffer.append(&batch(fence, some(1), "d")).await).await;
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.lost), (11, 4, 0), "entries, group and leases are there");
    assert_eq!(buffer.claim("s", "one", LONG).await.unwrap().cursor.as_deref(), Some("d"));
    assert_eq!(buffer.lease("b", Most::entries(99), LONG).await.unwrap().len(), 7);
    buffer.ack("a", &ids(&leased)).await.unwrap();
    // A worker that starts again gets at once what it held.
    let again = open(&server).await.lease("b", Most::entries(99), LONG).await.unwrap();
    assert_eq!((again.len(), again[0].attempts), (7, 2));
}

#[tokio::test]
async fn a_server_that_may_lose_entries_is_refused() {
    for (options, expected) in [
        (&["--appendonly", "no"][..], "CONFIG SET appendonly yes"),
        (
            &["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"],
            "CONFIG SET maxmemory-policy noeviction",
        ),
    ] {
        let Some(server) = RedisServer::start(options) else { return };
        let refused = RedisBuffer::open(&server.url(), patient()).await.unwrap_err();
        assert!(matches!(&refused, BufferError::Unfit(text) if text.contains(expected)), "{refused}");
        let options = Options { allow_unsafe: true, ..patient() };
        let allowed = RedisBuffer::open(&server.url(), options).await.unwrap();
        assert!(allowed.warnings().iter().any(|text| text.contains(expected)), "{:?}", allowed.warnings());
    }
    let Some(mut server) = RedisServer::start(&["--appendonly", "yes"]) else { return };
    let buffer = open(&server).await;
    assert!(buffer.warnings().iter().any(|text| text.contains("appendfsync is everysec")));
    let other = RedisBuffer::open(&server.url(), Options { partitions: 3, ..patient() }).await;
    assert!(matches!(&other, Err(BufferError::Unfit(text)) if text.contains("configure 4")), "{other:?}");
    // It is judged again at each connection.
    server.restart(Some(&["--appendonly", "no"]));
    let _ = buffer.stats().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(matches!(buffer.stats().await, Err(BufferError::Unfit(_))));
}

#[tokio::test]
async fn a_full_server_takes_nothing_and_still_gives() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 600).await;
    server.say(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let full = buffer.append(&batch(fence, some(5), "full")).await.unwrap_err();
    assert!(matches!(full, BufferError::Full(_)), "{full}");
    let counted = Batch { entries: Vec::new(), ..batch(fence, some(5), "full") };
    assert!(matches!(buffer.append(&counted).await, Err(BufferError::Full(_))));
    assert_eq!(buffer.stats().await.unwrap().entries, 600);
    // A worker that begins makes room.
    open(&server).await.claim_for("store").await.unwrap();
    open(&server).await.claim_for("store").await.unwrap();
    buffer.renew("s", fence, LONG).await.unwrap();
    assert_eq!(buffer.claim("s", "one", LONG).await.unwrap().cursor.as_deref(), Some("c"));
    let leased = open(&server).await.lease("a", Most::entries(600), SHORT).await.unwrap();
    buffer.release("a", &ids(&leased)).await.unwrap();
    let leased = buffer.lease("b", Most::entries(600), LONG).await.unwrap();
    buffer.extend("b", &ids(&leased), LONG).await.unwrap();
    buffer.ack("b", &ids(&leased)).await.unwrap();
    let stats = buffer.stats().await.unwrap();
    assert_eq!((leased.len(), stats.entries, stats.redelivered, stats.lost), (600, 0, 600, 0));
    server.say(&["CONFIG", "SET", "maxmemory", "0"]);
    let fence = buffer.claim("s", "one", LONG).await.unwrap().fence;
    buffer.append(&batch(fence, some(5), "d")).await.unwrap();
    assert_eq!(buffer.sources().await.unwrap()[0].counts.lines, 605);
}

#[tokio::test]
async fn bytes_are_bounded_over_all_partitions_and_each_has_its_share() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = buffer.claim("s", "a", LONG).await.unwrap().fence;
    let large = |key: u64| Encoded { key, bytes: vec![b'x'; 1_000 + key as usize] };
    buffer.append(&batch(fence, (0..200).map(large).collect(), "c")).await.unwrap();
    let (mut seen, mut first) = (BTreeSet::new(), true);
    loop {
        let leased = buffer.lease("a", Most { entries: 100, bytes: 9_000 }, LONG).await.unwrap();
        if leased.is_empty() {
            break;
        }
        let bytes: usize = leased.iter().map(|entry| entry.bytes.len()).sum();
        assert!(bytes <= 9_000 && leased.iter().all(|entry| entry.attempts == 1), "{bytes}");
        if std::mem::take(&mut first) {
            let of: BTreeSet<_> = leased.iter().map(|entry| entry.id.0.split(':').next()).collect();
            assert!(of.len() > 1, "one partition has all of it");
        }
        seen.extend(leased.iter().map(|entry| entry.bytes.len()));
        buffer.ack("a", &ids(&leased)).await.unwrap();
    }
    assert_eq!(seen.len(), 200);
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.redelivered, stats.lost), (0, 0, 0));
}

/// How often ten milliseconds were over before something was done. While the machine holds up this thread none are counted.
async fn beats_during(work: impl Future<Output = ()>) -> u32 {
    let (mut work, mut beats) = (std::pin::pin!(work), 0);
    while tokio::time::timeout(Duration::from_millis(10), work.as_mut()).await.is_err() {
        beats += 1;
        assert!(beats < 6_000, "it waits without end");
    }
    beats
}

#[tokio::test]
async fn a_silent_server_is_away_in_time_and_appends_once() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let options = || Options { timeout: Duration::from_millis(300), ..Options::default() };
    let buffer = in_the_end(async || RedisBuffer::open(&server.url(), options()).await).await;
    // On a busy machine an answer may take longer: what is beside the point is asked for by who has time.
    let patient = open(&server).await;
    let next = batch(filled(&patient, 3).await, some(4), "d");
    server.signal("STOP");
    let asking = async {
        for _ in 0..3 {
            assert!(matches!(buffer.append(&next).await, Err(BufferError::Away(_))));
        }
        assert!(matches!(buffer.lease("a", Most::entries(9), LONG).await, Err(BufferError::Away(_))));
    };
    // Two of them wait, for 300 ms each.
    let beats = beats_during(asking).await;
    assert!(beats < 200, "{beats}");
    server.signal("CONT");
    in_the_end(async || buffer.append(&next).await).await;
    assert_eq!(patient.stats().await.unwrap().entries, 7, "the batch whose answer was lost is there once");
    assert_eq!(patient.sources().await.unwrap()[0].counts.entries, 7);
    in_the_end(async || buffer.append(&next).await).await;
    assert_eq!(patient.stats().await.unwrap().entries, 11, "the same again on purpose is another batch");
    // What a lease took whose answer was lost, the next one gets. (The server knows the script from the first.)
    let one = in_the_end(async || buffer.lease("a", Most::entries(1), LONG).await).await;
    in_the_end(async || buffer.release("a", &ids(&one)).await).await;
    server.signal("STOP");
    assert!(matches!(buffer.lease("a", Most::entries(99), LONG).await, Err(BufferError::Away(_))));
    server.signal("CONT");
    let leased = in_the_end(async || buffer.lease("a", Most::entries(99), LONG).await).await;
    assert_eq!(leased.len(), 11);
    assert!(leased.iter().filter(|entry| entry.attempts > 1).count() > 1, "the lost answer had leased them");
}

#[tokio::test]
async fn scripts_that_a_stranger_removed_are_loaded_again() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 3).await;
    server.say(&["SCRIPT", "FLUSH"]);
    buffer.append(&batch(fence, some(4), "d")).await.unwrap();
    assert_eq!(buffer.lease("a", Most::entries(9), LONG).await.unwrap().len(), 7);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_away_to_those_who_want_it() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let options = Options { timeout: Duration::from_secs(20), ..Options::default() };
    let opened = RedisBuffer::open(&server.url().replace("redis://", "rediss://"), options).await;
    assert!(matches!(opened, Err(BufferError::Away(_))), "{opened:?}");
}
