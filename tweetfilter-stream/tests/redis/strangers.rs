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
    // At the last time there is room for more than anybody appends.
    server.say(&["XADD", "tf:{3}", "18446744073709551615-0", "entry", "{}"]);
    buffer.append(&batch(fence, some(8), "d")).await.unwrap();
    // Behind the first of these is room for half of what would come.
    for last in ["18446744073709551615-18446744073709551614", "18446744073709551615-18446744073709551615"] {
        server.say(&["XADD", "tf:{3}", last, "entry", "{}"]);
        for _ in 0..2 {
            let error = buffer.append(&batch(fence, some(8), "e")).await.unwrap_err();
            assert_eq!(to_be_removed(&error), "tf:{3}");
        }
        assert_eq!(server.say(&["XLEN", "tf:{0}"]).trim(), "4", "{last}");
    }
    // What stands in it is leased all the same.
    let leased = buffer.lease("a", Most::entries(100), LONG).await.unwrap();
    assert_eq!(leased.len(), 19);
    buffer.ack("a", &ids(&leased)).await.unwrap();
    server.say(&["DEL", "tf:{3}"]);
    buffer.append(&batch(fence, some(8), "e")).await.unwrap();
    assert_eq!(buffer.lease("a", Most::entries(100), LONG).await.unwrap().len(), 8);
}

/// None is a number to which something can be added.
#[tokio::test]
async fn what_strangers_wrote_in_place_of_numbers_stops_nothing_and_has_nothing_done_twice() {
    for wrong in ["x", "", "1e300", "9223372036854775807"] {
        let Some(server) = RedisServer::start(&FIT) else { return };
        let buffer = open(&server).await;
        let fence = filled(&buffer, 20).await;
        for p in 0..4 {
            for field in ["appended", "removed", "redelivered", "lost"] {
                server.say(&["HSET", &format!("tf:{{{p}}}:counts"), field, wrong]);
            }
        }
        for field in ["counts:entries", "gaps_dropped", "batch"] {
            server.say(&["HSET", "tf:source:s", field, wrong]);
        }
        let old = vec![r#"{"from":1,"to":1,"reason":"old","missing":null}"#; MOST_GAPS];
        for list in ["tf:gaps:s", "tf:losses"] {
            server.say(&[&["RPUSH", list][..], &old[..]].concat());
        }
        buffer.append(&with_a_gap(batch(fence, some(8), "d"))).await.unwrap();
        let stats = buffer.stats().await.unwrap();
        assert_eq!((stats.entries, stats.redelivered, stats.lost), (28, 0, 0), "{wrong}");
        let source = &buffer.sources().await.unwrap()[0];
        assert_eq!((source.counts.entries, source.gaps_dropped, source.gaps.len()), (8, 1, MOST_GAPS));
        // The layout is made anew, which is told.
        server.say(&["DEL", "tf:layout"]);
        server.say(&["HSET", "tf:layout", "gaps_dropped", wrong]);
        assert_eq!(buffer.stats().await.unwrap().lost, 28, "{wrong}");
        assert_eq!(buffer.losses_dropped().await.unwrap(), 1, "{wrong}");
        assert_eq!(buffer.lease("a", Most::entries(100), SHORT).await.unwrap().len(), 28);
        tokio::time::sleep(SHORT * 2).await;
        let again = buffer.lease("b", Most::entries(100), LONG).await.unwrap();
        buffer.ack("b", &ids(&again)).await.unwrap();
        let stats = buffer.stats().await.unwrap();
        assert_eq!((stats.entries, stats.redelivered, stats.lost), (0, 28, 28), "{wrong}");
    }
}

/// Redis takes any number for that of all entries that there ever were.
#[tokio::test]
async fn what_strangers_said_of_how_many_entries_there_were_is_believed_only_as_far_as_it_can_be() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 20).await;
    let last = "9999999999999-0";
    let say =
        |added: &str| server.say(&["XSETID", "tf:{0}", last, "ENTRIESADDED", added, "MAXDELETEDID", "0-0"]);
    for (added, lost) in [
        // All that were counted; and two more, which somebody added and removed.
        ("5", 0),
        ("7", 2),
        ("999999999999999", 999_999_999_999_994),
        // More than a number here holds exactly.
        ("1000000000000000", 0),
        ("9223372036854775807", 0),
    ] {
        assert!(say(added).contains("OK"), "{added}");
        let stats = buffer.stats().await.unwrap();
        assert_eq!((stats.entries, stats.lost), (20, lost), "{added}");
    }
}

/// Redis counts on from the first of these, and says less than 0.
#[tokio::test]
async fn what_strangers_claimed_with_any_number_of_attempts_is_leased() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 4).await;
    let held = buffer.lease("a", Most::entries(4), LONG).await.unwrap();
    let id = held.iter().find_map(|entry| entry.id.0.strip_prefix("0:")).unwrap();
    for attempts in [&["RETRYCOUNT", "9223372036854775807"][..], &[]] {
        let claim = ["XCLAIM", "tf:{0}", "tf", "stranger", "0", id, "IDLE", "600000"];
        server.say(&[&claim[..], attempts].concat());
        let leased = buffer.lease("b", Most::entries(4), LONG).await.unwrap();
        assert!(leased.len() == 1 && leased[0].attempts > 1_000_000, "{leased:?}");
    }
}

/// As many as are looked at together, the last of which Redis refuses to look on behind.
#[tokio::test]
async fn what_a_predecessor_held_is_inherited_up_to_the_last_id_that_there_can_be() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let one = async || {
        let options = Options { partitions: 1, ..Options::default() };
        RedisBuffer::open(&server.url(), options).await.unwrap()
    };
    let buffer = one().await;
    filled(&buffer, 999).await;
    server.say(&["XADD", "tf:{0}", "18446744073709551615-18446744073709551615", "entry", "{}"]);
    for buffer in [buffer, one().await] {
        assert_eq!(buffer.lease("a", Most::entries(1_000), LONG).await.unwrap().len(), 1_000);
    }
}

#[tokio::test]
async fn what_strangers_wrote_of_who_has_a_source_and_up_to_where_holds_no_claim_up() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    let mut fence = filled(&buffer, 3).await;
    let write = r"return redis.call('HSET', 'tf:source:s', 'holder', 'two\255', 'cursor', 'c\255')";
    for till in ["x", "inf", "nan", "9e300", "-1", "99999999999999999999"] {
        server.say(&["EVAL", write, "0"]);
        if till == "x" {
            let taken = buffer.claim("s", "one", LONG).await.unwrap_err();
            let BufferError::Taken { holder, cursor, .. } = &taken else { panic!("{taken:?}") };
            assert_eq!((&holder[..], cursor.as_deref()), ("two\u{fffd}", Some("c\u{fffd}")));
        }
        // At none of these times could a claim end, nor is one a fence.
        server.say(&["HSET", "tf:source:s", "till", till, "fence", till]);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let claim = buffer.claim("s", "one", LONG).await.unwrap();
        assert_eq!(claim.cursor.as_deref(), Some("c\u{fffd}"), "{till}");
        assert!(claim.fence > fence, "{till}: {claim:?}");
        fence = claim.fence;
    }
    buffer.append(&batch(fence, some(3), "d")).await.unwrap();
    assert_eq!(buffer.claim("s", "one", LONG).await.unwrap().cursor.as_deref(), Some("d"));
}

#[tokio::test]
async fn what_strangers_wrote_of_who_has_a_name_and_of_the_layout_is_none_of_an_answer() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    filled(&buffer, 3).await;
    server.say(&["EVAL", r"return redis.call('SET', 'tf:worker:a', '\255', 'PX', 60000)", "0"]);
    let named = buffer.lease("a", Most::entries(9), LONG).await.unwrap_err();
    assert!(matches!(named, BufferError::Named { .. }), "{named:?}");
    assert_eq!(buffer.lease("a", Most::entries(9), LONG).await.unwrap().len(), 3);
    server.say(&["EVAL", r"return redis.call('HSET', 'tf:layout', 'id', '\255')", "0"]);
    assert_eq!(buffer.stats().await.unwrap().entries, 3);
    for partitions in ["x", "3"] {
        server.say(&["HSET", "tf:layout", "partitions", partitions]);
        let error = buffer.probe().await.unwrap_err();
        assert_eq!(to_be_removed(&error), "tf:layout");
    }
}

#[tokio::test]
async fn a_list_of_gaps_that_is_none_is_named_and_the_others_are_told() {
    let Some(server) = RedisServer::start(&FIT) else { return };
    let buffer = open(&server).await;
    for source in ["a", "b"] {
        let fence = buffer.claim(source, "one", LONG).await.unwrap().fence;
        let told = Batch { source: source.into(), ..batch(fence, Vec::new(), "c") };
        buffer.append(&with_a_gap(told)).await.unwrap();
    }
    server.say(&["SET", "tf:gaps:a", "x"]);
    server.say(&["RPUSH", "tf:losses", r#"{"from":1,"to":1,"reason":"old","missing":null}"#]);
    let mut noted = buffer.noted_gaps().await.unwrap();
    noted.sort_by_key(|noted| noted.source.clone());
    let told: Vec<_> = noted
        .iter()
        .map(|noted| (noted.source.as_deref(), noted.gaps.len(), noted.unfit.as_ref().map(to_be_removed)))
        .collect();
    assert_eq!(told, [(None, 1, None), (Some("a"), 0, Some("tf:gaps:a")), (Some("b"), 1, None)]);
    // What else is known of sources is told too.
    server.say(&["DEL", "tf:source:b"]);
    server.say(&["SET", "tf:source:b", "x"]);
    let sources = buffer.sources().await.unwrap();
    let told: Vec<_> = sources
        .iter()
        .map(|s| (&*s.name, s.cursor.as_deref(), s.gaps.len(), s.unfit.as_ref().map(to_be_removed)))
        .collect();
    assert_eq!(told, [("a", Some("c"), 0, Some("tf:gaps:a")), ("b", None, 1, Some("tf:source:b"))]);
}
