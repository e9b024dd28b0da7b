//! What stands beside the entries of sources.

use super::*;

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
