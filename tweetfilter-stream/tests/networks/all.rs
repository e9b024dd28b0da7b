//! What holds of every network.

use super::*;

#[test]
fn what_is_unreadable_in_a_list_keeps_nobody_out() {
    for list in [
        r#"[{"text":"one"},{"odd":1},3,{"text":"two"}]"#,
        r#"{"statuses":[{"text":"one"},{"odd":1},3,{"text":"two"}]}"#,
    ] {
        let Event::Several(events) = event(list) else { panic!("a list") };
        assert_eq!(events.len(), 4, "{list}");
        let reasons = events.iter().filter_map(|event| match event {
            Event::Unreadable(error) => Some(error.reason),
            _ => None,
        });
        assert_eq!(reasons.collect::<Vec<_>>(), [Reason::UnknownMessage; 2], "{list}");
        let texts: Vec<_> = event(list).into_posts().map(|(_, post)| post.text).collect();
        assert_eq!(texts, ["one", "two"]);
    }
}

#[test]
fn the_version_of_an_edit_is_when_it_was_made_and_not_when_it_came() {
    let edited = |json: &str| match event(json) {
        Event::Post(post) | Event::Edit(post) => post.edited_at,
        other => panic!("{other:?}"),
    };
    let update = |rev: &str| {
        format!(
            r#"{{"did":"did:plc:a","time_us":1783175999000000,"kind":"commit","commit":{{"operation":"update",{rev}
            "collection":"app.bsky.feed.post","rkey":"k","record":{{"$type":"app.bsky.feed.post","text":"Snow"}}}}}}"#
        )
    };
    // Each server of the stream has a time of its own, and the same revision.
    assert_eq!(edited(&update(r#""rev":"3mptbyq5chu2b","#)), Some(1_783_175_888_085));
    for rev in [
        "",
        r#""rev":"","#,
        r#""rev":"zzzzzzzzzzzzz","#,
        r#""rev":"3mptbyq5chu2b2","#,
        r#""rev":"1000000000000","#,
    ] {
        assert_eq!(edited(&update(rev)), Some(1_783_175_999_000), "{rev}");
    }
    let status = |at: &str| {
        format!(
            r#"{{\"id\":\"9\",\"uri\":\"https://m.example/9\",\"content\":\"x\",\"account\":{{\"id\":\"1\"}}{at}}}"#
        )
    };
    let of = |kind: &str, at: &str| edited(&format!(r#"{{"event":"{kind}","payload":"{}"}}"#, status(at)));
    let times = r#",\"created_at\":\"2022-11-23T22:36:10.123Z\",\"edited_at\":\"2022-11-23T22:40:10.124Z\""#;
    assert_eq!(of("status.update", times), Some(1_669_243_210_124));
    assert_eq!(of("update", times), Some(1_669_243_210_124));
    // An update that is no edit leaves the first version, and is the same from every server.
    let poll = times.replace(r#"\"2022-11-23T22:40:10.124Z\""#, "null");
    assert_eq!((of("status.update", &poll), of("update", &poll)), (Some(1_669_242_970_123), None));
    assert_eq!(of("status.update", ""), None);
}

#[test]
fn many_in_one_and_none_in_one() {
    let tweet = r#"{"id_str":"1","text":"t","user":{"id":3}}"#;
    for json in
        [format!("[{tweet},{tweet}]"), format!(r#"{{"statuses":[{tweet},{tweet}],"search_metadata":{{}}}}"#)]
    {
        assert_eq!(event(&json).into_posts().count(), 2);
    }
    for (json, reason) in [
        ("{}", Reason::UnknownMessage),
        (r#"{"hello":"world"}"#, Reason::UnknownMessage),
        (r#"{"for_user":1,"message":7}"#, Reason::UnknownMessage),
        (r#"{"verb":"post","body":"x" "y"}"#, Reason::NotJson),
        (r#"{"text":"\x"}"#, Reason::NotJson),
        (r#"{"id_str":"1","text":"\x","user":{"id":3}}"#, Reason::NotJson),
    ] {
        assert_eq!(decode(json.as_bytes()).expect_err(json).reason, reason, "{json}");
    }
}

#[test]
fn nesting_has_an_end() {
    for (open, close) in [
        ("[", "]"),
        ("{\"for_user\":1,\"message\":", "}"),
        ("{\"text\":\"a\",\"user\":{},\"retweeted_status\":", "}"),
        ("{\"a\":", "}"),
    ] {
        let json = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        // An answer, whichever.
        let _ = decode(json.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Cut, doubled and overwritten messages are read or refused.
    #[test]
    fn nothing_panics(which in 0..3_usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8), 1..6)) {
        let long = r#"{"id_str":"1","text":"caf\u00e9 \ud83d\ude00 #x","user":{"id":3,"description":"d"},"entities":{"hashtags":[{"text":"x","indices":[7,9]}]},"retweeted_status":{"id":2,"text":"t","user":{}},"quoted_status":{"text":"q"}}"#;
        let mut bytes = [V2, long, "{\"event\":\"update\",\"payload\":\"{}\"}"][which].as_bytes().to_vec();
        for (at, other, kind) in edits {
            if bytes.is_empty() { break; }
            let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
            match kind {
                0 => bytes.truncate(at),
                1 => bytes[at] = bytes[other],
                2 => { bytes.remove(at); }
                _ => { let part = bytes[at.min(other)..at.max(other)].to_vec(); bytes.splice(at..at, part); }
            }
        }
        let _ = decode(&bytes);
    }
}
