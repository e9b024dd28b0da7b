//! What strangers wrote into the buffer's own keys: it is passed over, or named with the way out. And nothing is done by half,
//! since who asked would ask again and again.

use super::*;

/// What there is to be asked of a buffer.
async fn asked(buffer: &RedisBuffer, what: &str, fence: Fence, held: &[EntryId]) -> Result<(), BufferError> {
    match what {
        "probe" => buffer.probe().await,
        "claim" => buffer.claim("s", "one", LONG).await.map(drop),
        "renew" => buffer.renew("s", fence, LONG).await,
        "append" => buffer.append(&with_a_gap(batch(fence, some(8), "d"))).await,
        "lease" => buffer.lease("a", Most::entries(9), LONG).await.map(drop),
        "extend" => buffer.extend("a", held, LONG).await,
        "release" => buffer.release("a", held).await,
        "ack" => buffer.ack("a", held).await,
        "stats" => buffer.stats().await.map(drop),
        other => panic!("{other}"),
    }
}

fn with_a_gap(batch: Batch) -> Batch {
    let gap = Gap { from: 1, to: 2, reason: "cut off".into(), missing: None };
    Batch { gaps: vec![gap], ..batch }
}

/// The key that is to be removed, as an error says.
fn to_be_removed(error: &BufferError) -> &str {
    let BufferError::Unfit(said) = error else { panic!("{error:?}") };
    said.rsplit_once("redis-cli DEL ").expect("a way out").1
}

#[tokio::test]
async fn a_key_of_another_kind_is_named_by_all_that_needs_it_and_nothing_is_done_by_half() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 40).await;
    let held = ids(&buffer.lease("a", Most::entries(20), LONG).await.unwrap());
    let state = || {
        let of = [
            "XLEN tf:{0}",
            "XPENDING tf:{0} tf",
            "HGETALL tf:{0}:counts",
            "HGETALL tf:source:s",
            "LLEN tf:gaps:s",
            "GET tf:worker:a",
        ];
        of.map(|words| server.say(&words.split(' ').collect::<Vec<_>>()))
    };
    for (key, needed_by) in [
        (
            "tf:layout",
            &["probe", "claim", "renew", "append", "lease", "extend", "release", "ack", "stats"][..],
        ),
        ("tf:source:s", &["claim", "renew", "append"]),
        ("tf:sources", &["claim"]),
        ("tf:gaps:s", &["append"]),
        ("tf:losses", &["probe", "lease"]),
        ("tf:worker:a", &["lease", "extend", "release"]),
        ("tf:{3}", &["probe", "append", "lease", "extend", "release", "ack", "stats"]),
        ("tf:{3}:counts", &["probe", "append", "lease", "extend", "release", "ack", "stats"]),
    ] {
        server.say(&["RENAME", key, "aside"]);
        server.say(&["ZADD", key, "1", "x"]);
        let before = state();
        for what in needed_by {
            let error = asked(&buffer, what, fence, &held).await.unwrap_err();
            assert_eq!((to_be_removed(&error), state()), (key, before.clone()), "{what}");
        }
        server.say(&["DEL", key]);
        server.say(&["RENAME", "aside", key]);
    }
    // The batch that was refused so often is there once.
    asked(&buffer, "append", fence, &held).await.unwrap();
    let stats = buffer.stats().await.unwrap();
    assert_eq!((stats.entries, stats.leased, stats.lost), (48, 20, 0));
}

/// As after an XADD with an id of one's own.
#[tokio::test]
async fn a_stream_that_takes_no_more_is_named_and_no_other_takes_its_part_of_a_batch() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let fence = filled(&buffer, 8).await;
    for last in ["18446744073709551615-0", "18446744073709551615-18446744073709551615"] {
        server.say(&["XADD", "tf:{3}", last, "entry", "{}"]);
        for _ in 0..2 {
            let error = buffer.append(&batch(fence, some(8), "d")).await.unwrap_err();
            assert_eq!(to_be_removed(&error), "tf:{3}");
        }
        assert_eq!(server.say(&["XLEN", "tf:{0}"]).trim(), "2", "{last}");
    }
    // What stands in it is leased all the same.
    let leased = buffer.lease("a", Most::entries(100), LONG).await.unwrap();
    assert_eq!(leased.len(), 10);
    buffer.ack("a", &ids(&leased)).await.unwrap();
    server.say(&["DEL", "tf:{3}"]);
    buffer.append(&batch(fence, some(8), "d")).await.unwrap();
    assert_eq!(buffer.lease("a", Most::entries(100), LONG).await.unwrap().len(), 8);
}
