//! The buffer on Redis, on servers that the test starts itself.

use std::collections::BTreeSet;
use std::time::Duration;

use clock::ShiftedClock;
use servers::{FIT, RedisServer};
use tweetfilter_stream::buffer::{
    Batch, Buffer, BufferError, Counts, Encoded, EntryId, Fence, Gap, Leased, MOST_GAPS, Most, Stats,
};
use tweetfilter_stream::redis_streams::{Options, RedisBuffer};

#[path = "support/clock.rs"]
mod clock;
#[path = "redis/nobodys.rs"]
mod nobodys;
#[path = "support/servers.rs"]
mod servers;
#[path = "redis/strangers.rs"]
mod strangers;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(400);
/// When a short lease has run out.
const OVER: Duration = Duration::from_millis(600);

fn some(count: u64) -> Vec<Encoded> {
    let one = |key: u64| Encoded { key, bytes: format!(r#"{{"n":{key}}}"#).into_bytes() };
    (0..count).map(one).collect()
}

fn batch(fence: Fence, entries: Vec<Encoded>, cursor: &str) -> Batch {
    let n = entries.len() as u64;
    let counts = Counts { lines: n, posts: n, entries: n, ..Counts::default() };
    Batch { source: "s".into(), fence, entries, cursor: Some(cursor.into()), counts, gaps: Vec::new() }
}

async fn filled(buffer: &impl Buffer, count: u64) -> Fence {
    let fence = buffer.claim("s", "one", LONG).await.unwrap().fence;
    buffer.append(&batch(fence, some(count), "c")).await.unwrap();
    fence
}

fn ids(leased: &[Leased]) -> Vec<EntryId> {
    leased.iter().map(|entry| entry.id.clone()).collect()
}

fn bodies(leased: &[Leased]) -> BTreeSet<String> {
    leased.iter().map(|entry| String::from_utf8(entry.bytes.clone()).unwrap()).collect()
}

/// What holds of every engine.
mod contract {
    use super::*;

    pub async fn a_source_is_one_instances(buffer: &impl Buffer) {
        let first = buffer.claim("s", "one", LONG).await.unwrap();
        assert_eq!(first.cursor, None);
        let taken = buffer.claim("s", "two", SHORT).await.unwrap_err();
        assert!(
            matches!(&taken, BufferError::Taken { holder, free_in, .. } if holder == "one" && *free_in <= LONG)
        );
        let again = buffer.claim("s", "one", SHORT).await.unwrap();
        assert!(again.fence > first.fence);
        assert!(matches!(buffer.renew("s", first.fence, LONG).await, Err(BufferError::Fenced { .. })));
        buffer.renew("s", again.fence, LONG).await.unwrap();
        tokio::time::sleep(OVER).await;
        assert!(
            matches!(buffer.claim("s", "two", LONG).await, Err(BufferError::Taken { .. })),
            "it was renewed"
        );
        buffer.renew("s", again.fence, SHORT).await.unwrap();
        tokio::time::sleep(OVER).await;
        let second = buffer.claim("s", "two", LONG).await.unwrap();
        assert!(second.fence > again.fence);
        assert!(matches!(buffer.renew("s", again.fence, LONG).await, Err(BufferError::Fenced { .. })));
    }

    pub async fn a_fenced_append_leaves_nothing(buffer: &impl Buffer) {
        let old = filled(buffer, 3).await;
        let new = buffer.claim("s", "one", LONG).await.unwrap();
        assert_eq!(new.cursor.as_deref(), Some("c"));
        let late = buffer.append(&batch(old, some(9), "late")).await;
        assert_eq!(late, Err(BufferError::Fenced { source_name: "s".into() }));
        assert_eq!(buffer.stats().await.unwrap().entries, 3);
        buffer.append(&Batch { cursor: None, ..batch(new.fence, some(2), "") }).await.unwrap();
        let claim = buffer.claim("s", "one", LONG).await.unwrap();
        assert_eq!(claim.cursor.as_deref(), Some("c"), "a batch without a cursor leaves the one before");
        assert_eq!(buffer.stats().await.unwrap().entries, 5);
        let unclaimed = Batch { source: "t".into(), ..batch(Fence(0), some(1), "") };
        assert!(matches!(buffer.append(&unclaimed).await, Err(BufferError::Forgotten { .. })));
    }

    pub async fn entries_are_leased_once_and_in_order(buffer: &impl Buffer) {
        let fence = filled(buffer, 40).await;
        let first = buffer.lease("a", Most::entries(15), LONG).await.unwrap();
        assert_eq!(first.len(), 15);
        assert!(first.iter().all(|entry| entry.attempts == 1));
        let second = buffer.lease("b", Most::entries(15), LONG).await.unwrap();
        let third = buffer.lease("a", Most::entries(15), LONG).await.unwrap();
        assert_eq!((second.len(), third.len()), (15, 10));
        let all: BTreeSet<_> =
            [&first, &second, &third].into_iter().flat_map(|leased| bodies(leased)).collect();
        assert_eq!(all.len(), 40, "nobody holds what another does");
        assert_eq!(buffer.lease("b", Most::entries(15), LONG).await.unwrap(), []);
        // All of one key: in order, and as many as are asked for.
        for key in (0..4).rev() {
            let same = (0..5).map(|n| Encoded { key, bytes: vec![b'0' + n] }).collect();
            buffer.append(&batch(fence, same, "d")).await.unwrap();
            let in_order = buffer.lease("a", Most::entries(5), LONG).await.unwrap();
            assert_eq!(in_order.iter().map(|entry| entry.bytes[0]).collect::<Vec<_>>(), *b"01234");
        }
    }

    pub async fn a_lease_runs_out_unless_extended(buffer: &impl Buffer) {
        filled(buffer, 10).await;
        let kept = buffer.lease("a", Most::entries(4), SHORT).await.unwrap();
        buffer.extend("a", &ids(&kept), LONG).await.unwrap();
        let lost = buffer.lease("a", Most::entries(10), SHORT).await.unwrap();
        assert_eq!((kept.len(), lost.len()), (4, 6));
        tokio::time::sleep(OVER).await;
        let theirs = buffer.lease("b", Most::entries(10), LONG).await.unwrap();
        assert_eq!(bodies(&theirs), bodies(&lost));
        assert!(theirs.iter().all(|entry| entry.attempts == 2));
        // What another holds by now is neither extended nor given back.
        buffer.extend("a", &ids(&lost), Duration::ZERO).await.unwrap();
        buffer.release("a", &ids(&lost)).await.unwrap();
        assert_eq!(buffer.lease("c", Most::entries(10), LONG).await.unwrap(), []);
        let stats = buffer.stats().await.unwrap();
        assert_eq!((stats.entries, stats.leased, stats.redelivered, stats.lost), (10, 10, 6, 0));
    }

    pub async fn what_is_acknowledged_is_gone(buffer: &impl Buffer) {
        filled(buffer, 10).await;
        let before = buffer.stats().await.unwrap();
        assert!(before.bytes >= 70 && before.leased == 0 && before.oldest.is_some(), "{before:?}");
        let leased = buffer.lease("a", Most::entries(6), LONG).await.unwrap();
        assert_eq!(buffer.stats().await.unwrap().leased, 6);
        for _ in 0..2 {
            buffer.ack("a", &ids(&leased)).await.unwrap();
            let stats = buffer.stats().await.unwrap();
            assert_eq!((stats.entries, stats.leased, stats.lost), (4, 0, 0));
        }
        let strangers = ["", "x", "99:1-1", "0:1", "0:1-1 0:2-2"].map(|id| EntryId(id.into()));
        buffer.ack("a", &strangers).await.unwrap();
        buffer.release("a", &strangers).await.unwrap();
        buffer.extend("a", &strangers, LONG).await.unwrap();
        let rest = buffer.lease("b", Most::entries(10), LONG).await.unwrap();
        assert_eq!(rest.len(), 4);
        buffer.ack("b", &ids(&rest)).await.unwrap();
        assert_eq!(buffer.stats().await.unwrap(), Stats::default());
    }

    pub async fn what_is_released_is_leased_at_once(buffer: &impl Buffer) {
        filled(buffer, 10).await;
        let leased = buffer.lease("a", Most::entries(10), LONG).await.unwrap();
        buffer.release("a", &ids(&leased[..7])).await.unwrap();
        assert_eq!(buffer.stats().await.unwrap().leased, 3);
        let again = buffer.lease("b", Most::entries(10), LONG).await.unwrap();
        assert_eq!(bodies(&again), bodies(&leased[..7]));
        assert!(again.iter().all(|entry| entry.attempts == 2));
    }

    pub async fn workers_at_once_never_share_an_entry(buffer: &(impl Buffer + Clone + 'static)) {
        filled(buffer, 2000).await;
        let worker = |name: &'static str| {
            let buffer = buffer.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let leased = buffer.lease(name, Most::entries(37), LONG).await.unwrap();
                    if leased.is_empty() {
                        return seen;
                    }
                    buffer.ack(name, &ids(&leased)).await.unwrap();
                    seen.extend(leased.into_iter().map(|entry| entry.bytes));
                }
            })
        };
        let workers = ["a", "b", "c"].map(worker);
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        assert_eq!(all.len(), 2000);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 2000);
    }
}

/// With time for each answer, however slow the machine is.
fn patient() -> Options {
    Options { timeout: LONG, ..Options::default() }
}

async fn open(server: &RedisServer) -> RedisBuffer {
    RedisBuffer::open(&server.url(), patient()).await.unwrap()
}

/// What it answers once it answers again: it is asked as often as there is time for in five seconds, which are longer on a
/// busy machine.
async fn in_the_end<T>(ask: impl AsyncFn() -> Result<T, BufferError>) -> T {
    for _ in 0..250 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not answer again")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    for partitions in [4, 1] {
        let options = || Options { partitions, ..patient() };
        macro_rules! each {
            ($($name:ident)*) => {$(
                server.say(&["FLUSHALL"]);
                contract::$name(&RedisBuffer::open(&server.url(), options()).await.unwrap()).await;
            )*};
        }
        each! {
            a_source_is_one_instances a_fenced_append_leaves_nothing entries_are_leased_once_and_in_order
            a_lease_runs_out_unless_extended what_is_acknowledged_is_gone what_is_released_is_leased_at_once
            workers_at_once_never_share_an_entry
        }
    }
}

#[tokio::test]
async fn counts_and_gaps_stand_with_the_cursor() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 3).await;
    let mut more = batch(fence, some(2), "d");
    more.counts.undecodable.insert("too long".into(), 4);
    more.gaps.push(Gap { from: 1, to: 2, reason: "a \"stall\"".into(), missing: Some(9) });
    buffer.append(&more).await.unwrap();
    let sources = buffer.sources().await.unwrap();
    let mut counts = batch(fence, some(5), "").counts;
    counts.undecodable = more.counts.undecodable.clone();
    assert_eq!(sources.len(), 1);
    assert_eq!((&*sources[0].name, sources[0].cursor.as_deref()), ("s", Some("d")));
    assert_eq!((&sources[0].counts, &sources[0].gaps), (&counts, &more.gaps));
}

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
async fn what_strangers_remove_is_noticed() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 40).await;
    // Ten in each partition; a few of each are leased, then one partition is trimmed.
    let leased = buffer.lease("a", Most::entries(12), SHORT).await.unwrap();
    server.say(&["XTRIM", "tf:{0}", "MAXLEN", "0"]);
    assert_eq!(buffer.stats().await.unwrap().lost, 10);
    tokio::time::sleep(SHORT * 2).await;
    let again = buffer.lease("b", Most::entries(100), LONG).await.unwrap();
    assert_eq!(again.len(), 30, "{} were leased", leased.len());
    let losses = buffer.losses().await.unwrap();
    assert_eq!(losses.len(), 1);
    assert!(losses[0].reason.contains("XTRIM") && losses[0].missing == Some(3) && losses[0].from > 0);
    buffer.ack("b", &ids(&again)).await.unwrap();
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.lost), (0, 0, 10));
    // Group and stream are made anew, and at the beginning.
    buffer.append(&batch(fence, some(8), "d")).await.unwrap();
    server.say(&["XGROUP", "DESTROY", "tf:{1}", "tf"]);
    server.say(&["DEL", "tf:{2}"]);
    assert_eq!(buffer.lease("a", Most::entries(100), LONG).await.unwrap().len(), 6);
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.lost), (6, 12));
    assert_eq!(buffer.losses().await.unwrap().len(), 3);
    // Of them, too, the newest are kept.
    let old = vec![r#"{"from":1,"to":1,"reason":"old","missing":null}"#; MOST_GAPS];
    server.say(&[&["RPUSH", "tf:losses"][..], &old[..]].concat());
    server.say(&["XGROUP", "DESTROY", "tf:{1}", "tf"]);
    buffer.lease("a", Most::entries(100), LONG).await.unwrap();
    let losses = buffer.losses().await.unwrap();
    assert_eq!((losses.len(), buffer.losses_dropped().await.unwrap()), (MOST_GAPS, 4));
    assert!(losses[MOST_GAPS - 1].reason.contains("consumer group"), "{:?}", losses[MOST_GAPS - 1]);
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

#[tokio::test]
async fn work_goes_on_after_flushall() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let before = filled(&buffer, 20).await;
    let leased = buffer.lease("a", Most::entries(5), LONG).await.unwrap();
    server.say(&["FLUSHALL"]);
    buffer.ack("a", &ids(&leased)).await.unwrap();
    assert_eq!(buffer.lease("a", Most::entries(5), LONG).await.unwrap(), []);
    let forgotten = Err(BufferError::Forgotten { source_name: "s".into() });
    assert_eq!(buffer.append(&batch(before, some(1), "d")).await, forgotten);
    assert_eq!(buffer.renew("s", before, LONG).await, forgotten);
    assert!(filled(&buffer, 3).await > before, "no fencing number comes twice");
    assert_eq!(buffer.lease("a", Most::entries(5), LONG).await.unwrap().len(), 3);
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.lost), (3, 20));
    let losses = buffer.losses().await.unwrap();
    assert!(losses.len() == 1 && losses[0].reason.contains("FLUSHALL"), "{losses:?}");
    // All of it came since the buffer was last seen empty, but for a second in which it may have been on its way.
    let lasted = losses[0].to - losses[0].from;
    assert!((1_000..60_000).contains(&lasted), "{losses:?}");
}

#[tokio::test]
async fn a_loss_is_told_once_whoever_looks_first() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let (buffer, other) = (open(&server).await, open(&server).await);
    filled(&buffer, 20).await;
    assert_eq!(other.stats().await.unwrap().entries, 20);
    server.say(&["FLUSHALL"]);
    // Somebody new, who knows nothing of it, and lays the buffer out anew.
    assert_eq!(open(&server).await.stats().await.unwrap().lost, 0);
    for buffer in [&buffer, &other, &buffer] {
        assert_eq!(buffer.stats().await.unwrap().lost, 20);
    }
    let losses = buffer.losses().await.unwrap();
    assert!(losses.len() == 1 && losses[0].missing == Some(20), "{losses:?}");
}

#[tokio::test]
async fn it_is_known_since_when_what_is_not_done_was_appended() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let (buffer, other) = (open(&server).await, open(&server).await);
    assert_eq!(buffer.oldest_seen(), None);
    let fence = filled(&buffer, 2).await;
    let first = buffer.oldest_seen().unwrap();
    let held = other.lease("gone", Most::entries(2), LONG).await.unwrap();
    for (cursor, done) in [("d", true), ("e", false)] {
        tokio::time::sleep(Duration::from_millis(20)).await;
        buffer.append(&batch(fence, some(9), cursor)).await.unwrap();
        assert_eq!(buffer.oldest_seen(), Some(first), "it is held and not done");
        let leased = other.lease("b", Most::entries(9), LONG).await.unwrap();
        if done {
            other.ack("b", &ids(&leased)).await.unwrap();
        }
    }
    other.ack("gone", &ids(&held)).await.unwrap();
    buffer.append(&batch(fence, some(1), "f")).await.unwrap();
    assert!(buffer.oldest_seen().unwrap() >= first + 30, "what is done is no longer counted");
}

#[tokio::test]
async fn of_losses_that_are_told_when_the_buffer_is_laid_out_the_newest_are_kept_too() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 3).await;
    server.say(&["FLUSHALL"]);
    let old = vec![r#"{"from":1,"to":1,"reason":"old","missing":null}"#; MOST_GAPS];
    server.say(&[&["RPUSH", "tf:losses"][..], &old[..]].concat());
    assert_eq!(buffer.stats().await.unwrap().lost, 3);
    let losses = buffer.losses().await.unwrap();
    assert_eq!((losses.len(), buffer.losses_dropped().await.unwrap()), (MOST_GAPS, 1));
    assert!(losses[MOST_GAPS - 1].reason.contains("FLUSHALL"), "{:?}", losses[MOST_GAPS - 1]);
}

#[tokio::test]
async fn gaps_that_are_kept_elsewhere_are_let_go_and_later_ones_stay() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 1).await;
    let gap = |from| Gap { from, to: from + 1, reason: "cut \"off\"".into(), missing: Some(3) };
    let told = |gaps: Vec<Gap>| Batch { gaps, ..batch(fence, Vec::new(), "c") };
    buffer.append(&told(vec![gap(1), gap(2)])).await.unwrap();
    server.say(&["RPUSH", "tf:losses", r#"{"from":1,"to":1,"reason":"old","missing":null}"#]);
    let noted = buffer.noted_gaps().await.unwrap();
    let of: Vec<_> = noted.iter().map(|noted| (noted.source.as_deref(), noted.gaps.len())).collect();
    assert_eq!(of, [(Some("s"), 2), (None, 1)]);
    // Told before the others are let go.
    buffer.append(&told(vec![gap(3)])).await.unwrap();
    for noted in &noted {
        buffer.let_go(noted).await.unwrap();
    }
    let noted = buffer.noted_gaps().await.unwrap();
    assert_eq!((noted.len(), &noted[0].gaps[..]), (1, &[gap(3)][..]));
}

#[tokio::test]
async fn what_strangers_wrote_among_gaps_stops_none_of_them() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 1).await;
    let gap = |from| Gap { from, to: from + 1, reason: "cut off".into(), missing: None };
    let told = |from| Batch { gaps: vec![gap(from)], ..batch(fence, Vec::new(), "c") };
    buffer.append(&told(1)).await.unwrap();
    // Neither is UTF-8, or JSON, or a gap, or as short as one; nor is the name of a source.
    let write = r#"redis.call('SADD', 'tf:sources', '\255')
        local long = '{"from":1,"to":1,"reason":"' .. string.rep('x', 100000) .. '"}'
        return redis.call('RPUSH', 'tf:gaps:s', '\255\254', 'none', '{"from":1}', long)"#;
    assert_eq!(server.say(&["EVAL", write, "0"]).trim(), "5");
    buffer.append(&told(3)).await.unwrap();
    let gaps = [gap(1), gap(3)];
    assert_eq!(buffer.sources().await.unwrap()[0].gaps, gaps);
    let noted = buffer.noted_gaps().await.unwrap();
    assert_eq!((noted.len(), &noted[0].gaps[..], noted[0].foreign.len()), (1, &gaps[..], 4));
    assert_eq!(noted[0].foreign[..2], ["\u{fffd}\u{fffd}", "none"]);
    buffer.let_go(&noted[0]).await.unwrap();
    assert_eq!(server.say(&["LLEN", "tf:gaps:s"]).trim(), "0");
    assert!(buffer.noted_gaps().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_strangers_wrote_of_sources_is_passed_over_or_named_with_the_way_out() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 3).await;
    let write = r#"redis.call('HSET', 'tf:layout', 'gaps_dropped', '\255')
        return redis.call('HSET', 'tf:source:s', '\255', 'x', 'more', '\254', 'holder', 'a\255', 'till', 'x')"#;
    assert_eq!(server.say(&["EVAL", write, "0"]).trim(), "2");
    let sources = buffer.sources().await.unwrap();
    assert_eq!((sources.len(), sources[0].counts.entries, sources[0].held_until), (1, 3, 0));
    assert_eq!((sources[0].cursor.as_deref(), sources[0].holder.as_deref()), (Some("c"), Some("a\u{fffd}")));
    assert_eq!(buffer.losses_dropped().await.unwrap(), 0);
    for key in ["tf:gaps:s", "tf:source:s", "tf:sources"] {
        server.say(&["SET", key, "x"]);
        // Where the names can be read, it is told beside what else is known.
        let error = match buffer.sources().await {
            Ok(mut sources) => sources.remove(0).unfit.expect("it is named"),
            Err(error) => error,
        };
        let BufferError::Unfit(said) = &error else { panic!("{error:?}") };
        assert!(said.ends_with(&format!("redis-cli DEL {key}")), "{said}");
        server.say(&["DEL", key]);
        buffer.sources().await.unwrap();
    }
}

#[tokio::test]
async fn a_loss_began_by_the_time_at_which_who_tells_it_first_saw_what_is_lost() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    filled(&open(&server).await, 20).await;
    let late = open(&server).await;
    server.say(&["FLUSHALL"]);
    assert_eq!(late.stats().await.unwrap().lost, 20);
    let losses = late.losses().await.unwrap();
    let lasted = losses[0].to - losses[0].from;
    assert!((1_000..60_000).contains(&lasted), "{losses:?}");
}

/// Has another process work under a name: this one, which had it, but for what is said.
fn give_to_another(server: &RedisServer, worker: &str, said: &[(&str, serde_json::Value)]) -> String {
    let key = format!("tf:worker:{worker}");
    let mut process: serde_json::Value = serde_json::from_str(server.say(&["GET", &key]).trim()).unwrap();
    for (name, value) in said {
        process[*name] = value.clone();
    }
    server.say(&["SET", &key, &process.to_string(), "PX", "60000"]);
    server.say(&["GET", &key])
}

#[tokio::test]
async fn a_second_process_of_a_name_goes_on_under_its_own_and_takes_nothing() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 20).await;
    let held = buffer.lease("a", Most::entries(5), LONG).await.unwrap();
    let first = give_to_another(&server, "a", &[("pid", 7.into()), ("space", "elsewhere".into())]);
    let second = open(&server).await;
    let told = second.lease("a", Most::entries(20), LONG).await.unwrap_err();
    let BufferError::Named { worker, holder, own, free_in } = &told else { panic!("{told}") };
    assert!(worker == "a" && holder.starts_with("process 7") && own.starts_with("a/"), "{told}");
    assert!(*free_in <= LONG && *free_in > LONG / 2, "{told}");
    // It is told once.
    let rest = second.lease("a", Most::entries(20), LONG).await.unwrap();
    assert!(rest.len() == 15 && rest.iter().all(|entry| entry.attempts == 1), "{rest:?}");
    assert_eq!(server.say(&["GET", "tf:worker:a"]), first);
    // What the first holds is neither extended nor given back by it, nor by who had the name before.
    for buffer in [&second, &buffer] {
        buffer.extend("a", &ids(&held), Duration::ZERO).await.unwrap();
        buffer.release("a", &ids(&held)).await.unwrap();
    }
    assert_eq!(second.lease("b", Most::entries(20), LONG).await.unwrap(), []);
    second.release("a", &ids(&rest)).await.unwrap();
    assert_eq!(second.lease("b", Most::entries(20), LONG).await.unwrap().len(), 15);
    assert_eq!(server.say(&["GET", "tf:worker:a"]), first);
}

#[tokio::test]
async fn a_process_that_is_gone_leaves_its_name_and_what_it_held_at_once() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 10).await;
    assert_eq!(buffer.lease("a", Most::entries(4), LONG).await.unwrap().len(), 4);
    let gone = give_to_another(&server, "a", &[("pid", 4_000_000.into()), ("began", "1".into())]);
    let process: serde_json::Value = serde_json::from_str(gone.trim()).unwrap();
    if process["space"] == "" {
        println!("skipped: this system does not say which processes run");
        return;
    }
    let leased = buffer.lease("a", Most::entries(20), LONG).await.unwrap();
    assert_eq!(leased.len(), 10);
    assert_eq!(leased.iter().filter(|entry| entry.attempts == 2).count(), 4);
    assert_ne!(server.say(&["GET", "tf:worker:a"]), gone);
}

#[tokio::test]
async fn a_name_lasts_as_long_as_what_is_leased_under_it() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 10).await;
    let left = |worker: &str| -> i64 {
        server.say(&["PTTL", &format!("tf:worker:{worker}")]).trim().parse().unwrap()
    };
    buffer.lease("a", Most::entries(1), LONG).await.unwrap();
    buffer.lease("a", Most::entries(1), SHORT).await.unwrap();
    assert!((50_000..=60_000).contains(&left("a")), "{}", left("a"));
    let leased = buffer.lease("b", Most::entries(1), SHORT).await.unwrap();
    assert!(left("b") <= 400, "{}", left("b"));
    buffer.extend("b", &ids(&leased), LONG).await.unwrap();
    assert!((50_000..=60_000).contains(&left("b")), "{}", left("b"));
    // Who ends gives it back.
    buffer.release("b", &[]).await.unwrap();
    assert_eq!(left("b"), -2);
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

#[path = "contract/buffer.rs"]
mod shared;

fn pass(server: &RedisServer) -> impl AsyncFn(Duration) {
    async move |time| server.pass(time)
}

/// The suite that every engine passes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_of_all_engines_passes() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    macro_rules! each {
        ($($name:ident($($more:expr),*))*) => {$(
            server.say(&["FLUSHALL"]);
            shared::$name(&open(&server).await $(, $more)*).await;
        )*};
    }
    let now =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    each! {
        a_source_has_one_reader(pass(&server)) a_renewed_lease_lasts(pass(&server))
        a_lease_that_lies_far_ahead_ends_like_any_other(pass(&server))
        a_fenced_reader_appends_nothing() the_cursor_goes_with_its_batch() entries_come_in_order_as_they_were()
        a_lease_is_bounded_by_bytes(pass(&server))
        two_workers_never_hold_one_entry() a_lease_runs_out(pass(&server))
        a_lease_is_extended(pass(&server)) what_is_acknowledged_is_gone(pass(&server))
        what_is_released_is_there_at_once() stats_say_how_full_it_is(now())
    }
    server.say(&["FLUSHALL"]);
    let buffer = open(&server).await;
    let known = async || {
        let mut sources = buffer.sources().await.unwrap().into_iter();
        let source = sources.find(|source| source.name == "s").unwrap();
        (source.gaps.iter().map(|gap| gap.from).collect::<Vec<_>>(), source.gaps_dropped)
    };
    shared::of_many_gaps_the_newest_are_kept(&buffer, known).await;
}

/// The one of the suite that needs a clock that can be set back.
#[tokio::test]
async fn a_lease_from_before_the_clock_was_set_back_ends() {
    let folder = std::env::temp_dir().join(format!("tweetfilter-clock-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let Some(clock) = ShiftedClock::new(&folder) else { return };
    let variables = clock.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
    let Some(server) = RedisServer::start_with(&FIT, &variables) else { return };
    let jump = async |seconds| {
        let told = || server.say(&["TIME"]).lines().next().unwrap().parse::<i64>().unwrap();
        let before = told();
        clock.set(seconds);
        assert!(told().abs_diff(before) > 50, "the clock did not jump");
    };
    shared::a_lease_from_before_the_clock_was_set_back_ends(&open(&server).await, jump).await;
    let _ = std::fs::remove_dir_all(folder);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_away_to_those_who_want_it() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let options = Options { timeout: Duration::from_secs(20), ..Options::default() };
    let opened = RedisBuffer::open(&server.url().replace("redis://", "rediss://"), options).await;
    assert!(matches!(opened, Err(BufferError::Away(_))), "{opened:?}");
}
