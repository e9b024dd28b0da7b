//! X: API v2, and control messages.

use super::*;

#[test]
fn v2_with_includes() {
    let post = post(V2);
    assert_eq!((post.network.as_str(), post.id.as_str()), ("x", "20"));
    assert_eq!(post.text, "so & @bo #x https://t.co/q https://t.co/m");
    let at = |span: Option<tweetfilter_core::Span>| &post.text[span.expect("a span").range()];
    assert_eq!(at(post.entities.mentions[0].span), "@bo");
    assert_eq!(at(post.entities.hashtags[0].span), "#x");
    assert!(post.entities.links.iter().all(|link| link.quote));
    assert_eq!((post.entities.links.len(), post.entities.other_links.len()), (1, 1));
    let media: Vec<_> = post.entities.media.iter().map(|m| (m.kind, m.alt.as_deref())).collect();
    assert_eq!(media, [(MediaKind::Image, Some("a dog")), (MediaKind::Gif, None)]);
    assert_eq!(
        (post.author.account.handle.as_str(), post.author.followers, post.author.verified),
        ("al", Some(5), true)
    );
    assert_eq!(post.author.bio_links[0].span.map(|s| s.range()), Some(4..18));
    let reply = post.reply_to.as_ref().expect("a reply");
    assert_eq!((reply.id.as_str(), reply.account.handle.as_str()), ("11", "bo"));
    let quote = post.quote_of.as_ref().expect("a quote");
    assert_eq!((quote.id(), quote.account().handle.as_str()), ("4", "bo"));
    assert_eq!(post.place.as_ref().and_then(|p| p.center).map(|c| c.lon), Some(10.5));
    assert_eq!(post.coordinates.map(|c| c.lat), Some(59.5));
    assert!(post.flags.edited && post.flags.poll && post.flags.sensitive && !post.flags.self_thread);
    assert_eq!(post.annotations[0].domain, "46");
    assert_eq!((post.annotations[1].domain.as_str(), post.annotations[1].name.as_str()), ("", "Oslo"));
    assert_eq!(post.counts.likes, Some(3));
}

#[test]
fn v2_pages_errors_and_flattened_tweets() {
    let page = event(
        r#"{"data":[{"id":"1","text":"RT @bo: orig…","author_id":"7","referenced_tweets":[{"type":"retweeted","id":"2"}]},
        {"id":"3","text":"RT @cy: lost…","author_id":"7","referenced_tweets":[{"type":"retweeted","id":"9"}]}],
        "includes":{"tweets":[{"id":"2","text":"original","author_id":"8"}],"users":[{"id":"8","username":"bo"}]},
        "errors":[{"detail":"gone"}],"meta":{"result_count":2}}"#,
    );
    let posts: Vec<_> = page.into_posts().map(|(_, post)| post).collect();
    assert_eq!(posts[0].content().text, "original");
    assert_eq!(posts[0].text, "");
    let announced = posts[1].retweet_of.as_ref().expect("announced");
    assert!(announced.post.is_none() && announced.id == "9");
    assert_eq!((posts[1].text.as_str(), announced.account.handle.as_str()), ("lost…", "cy"));
    assert_eq!(
        event(r#"{"errors":[{"title":"operational-disconnect","detail":"bye"}]}"#),
        Event::Failure { message: "bye".to_owned() }
    );
    for (problem, message) in [
        (
            r#"{"title":"ConnectionException","detail":"at the limit","connection_issue":"TooManyConnections","type":"https://api.twitter.com/2/problems/streaming-connection"}"#,
            "at the limit",
        ),
        (r#"{"title":"ConnectionException","connection_issue":"TooManyConnections"}"#, "ConnectionException"),
        (r#"{"title":"Unauthorized","status":401}"#, "Unauthorized"),
        (r#"{"title":"Forbidden","type":"about:blank"}"#, "Forbidden"),
    ] {
        assert_eq!(event(problem), Event::Failure { message: message.to_owned() }, "{problem}");
    }
    // Others have titles, too.
    assert_eq!(post(r#"{"title":"Snow","status":404,"text":"snow"}"#).text, "snow");
    for other in [r#"{"title":"Snow","status":200}"#, r#"{"title":"Snow","detail":"deep","type":"book"}"#] {
        assert!(decode(other.as_bytes()).is_err(), "{other}");
    }
    assert_eq!(event(r#"{"meta":{"result_count":0}}"#), Event::Several(vec![]));
    let flat = post(
        r#"{"id":"5","text":"hi","author_id":"7","author":{"id":"7","username":"al","public_metrics":{"followers_count":1}},
        "attachments":{"media":[{"type":"video","media_key":"7_1"}]},"in_reply_to_user":{"id":"7","username":"al"},"in_reply_to_user_id":"7",
        "geo":{"id":"pl","full_name":"Oslo, Norway","geo":{"bbox":[10,59,11,60]}},
        "referenced_tweets":[{"type":"replied_to","id":"4"},{"type":"quoted","id":"6","text":"q","author":{"id":"9","username":"cy"}}]}"#,
    );
    assert_eq!(flat.entities.media[0].kind, MediaKind::Video);
    assert_eq!(flat.quote_of.as_ref().map(|q| q.account().handle.as_str()), Some("cy"));
    assert!(flat.flags.self_thread && flat.place.is_some());
}

#[test]
fn of_a_retweet_without_its_original_the_text_is_the_originals() {
    for json in [
        r#"{"data":{"id":"5","text":"RT @bob: hi @al #snow","author_id":"9","referenced_tweets":[{"type":"retweeted","id":"4"}]}}"#,
        r##"{"data":{"id":"5","text":"RT @bob: hi @al #snow","author_id":"9","referenced_tweets":[{"type":"retweeted","id":"4"}],
            "entities":{"mentions":[{"start":3,"end":7,"username":"bob"},{"start":12,"end":15,"username":"al"}],
                "hashtags":[{"start":16,"end":21,"tag":"snow"}]}}}"##,
        r#"{"id_str":"5","text":"RT @bob: hi @al #snow","user":{"id_str":"9"},"retweeted_status":{"id_str":"4"}}"#,
        r#"{"id":"tag:search.twitter.com,2005:5","verb":"share","body":"RT @bob: hi @al #snow","object":{"id":"tag:search.twitter.com,2005:4"}}"#,
    ] {
        let post = post(json);
        let original = post.retweet_of.as_ref().expect("announced");
        assert!(original.post.is_none() && original.id == "4", "{json}");
        assert_eq!(original.account.handle, "bob", "{json}");
        assert_eq!(post.text, "hi @al #snow", "{json}");
        let at = |span: Option<tweetfilter_core::Span>| span.map(|span| &post.text[span.range()]);
        let mentions: Vec<_> = post.entities.mentions.iter().map(|m| at(m.span)).collect();
        assert_eq!(mentions, [Some("@al")], "{json}");
        assert_eq!(at(post.entities.hashtags[0].span), Some("#snow"), "{json}");
    }
    let own = post(r#"{"id_str":"5","text":"RT @bob: hi","user":{"id_str":"9"},"retweeted_status":{}}"#);
    assert!(own.retweet_of.is_none() && own.text == "RT @bob: hi");
}

#[test]
fn control_messages() {
    let text = |json: &str| format!("{:?}", event(json));
    for (json, expected) in [
        (
            r#"{"delete":{"status":{"id":1,"id_str":"1","user_id":3},"timestamp_ms":"5"}}"#,
            r#"Delete { network: "x", id: "1", author: Account { id: "3", handle: "" }, at: Some(5) }"#,
        ),
        (r#"{"delete":{"direct_message":{"id":1,"user_id":3}}}"#, r#"DeleteMessage { id: "1""#),
        (
            r#"{"scrub_geo":{"user_id":3,"up_to_status_id_str":"9"}}"#,
            r#"ScrubGeo { author: Account { id: "3", handle: "" }, up_to: "9" }"#,
        ),
        (
            r#"{"status_withheld":{"id":1,"user_id":3,"withheld_in_countries":["DE"]}}"#,
            r#"StatusWithheld { id: "1""#,
        ),
        (r#"{"user_withheld":{"id":3,"withheld_in_countries":["DE","AR"]}}"#, r#"countries: ["DE", "AR"]"#),
        (r#"{"limit":{"track":12}}"#, "Limit { undelivered: 12 }"),
        (r#"{"disconnect":{"code":4,"stream_name":"s","reason":"r"}}"#, "Disconnect { code: 4"),
        (
            r#"{"warning":{"code":"FALLING_BEHIND","message":"m","percent_full":60}}"#,
            "percent_full: Some(60)",
        ),
        (r#"{"friends":[1,"2"]}"#, r#"Friends { ids: ["1", "2"] }"#),
        (r#"{"friends_str":["3"]}"#, r#"Friends { ids: ["3"] }"#),
        (r#"{"control":{"control_uri":"/1"}}"#, r#"Control { uri: "/1" }"#),
        (
            r#"{"event":"follow","source":{"id":1,"screen_name":"a"},"target":2,"created_at":"Fri Jan 01 07:29:00 +0000 2021"}"#,
            "at: Some(1609486140000)",
        ),
        (
            r#"{"event":"favorite","source":1,"target":2,"target_object":{"id_str":"5","text":"t","user":{"id":2}}}"#,
            "post: Some(Post",
        ),
        (
            r#"{"event":{"type":"message_create","id":"1","message_create":{"sender_id":"2","target":{"recipient_id":"3"}}}}"#,
            r#"DirectMessage { id: "1""#,
        ),
        (
            r#"{"direct_message":{"id":1,"text":"t","sender":{"id":2},"recipient":{"id":3}}}"#,
            r#"recipient: Account { id: "3""#,
        ),
        (r#"{"id":1,"text":"t","sender":{"id":2},"recipient":{"id":3}}"#, "DirectMessage"),
        (r#"{"for_user":7,"message":{"friends":[1]}}"#, r#"ForUser { user: "7", event: Friends"#),
        (
            r#"{"for_user":"99999999999","message":{"id_str":"5","text":"t","user":{"id":2}}}"#,
            r#"ForUser { user: "99999999999", event: Post"#,
        ),
    ] {
        let found = text(json);
        assert!(found.contains(expected), "{json}\n{found}");
    }
    let envelope = r#"{"for_user":7,"message":{"id_str":"1","text":"t","user":{"id":3}}}"#;
    let posts: Vec<_> = event(envelope).into_posts().collect();
    assert_eq!((posts[0].0.as_deref(), posts[0].1.id.as_str()), (Some("7"), "1"));
}
