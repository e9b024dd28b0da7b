//! Tweets of API v1.1, made up for these tests.

#[path = "support/read.rs"]
mod read;

use read::post;
use tweetfilter_core::post::MediaKind;
use tweetfilter_core::{Part, Parts};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::{Reason, decode, decode_parts};

#[test]
fn a_tweet_with_everything() {
    let post = post(
        r##"{"created_at":"Fri Jan 01 07:29:00 +0000 2021","id":12,"id_str":"12",
        "text":"caf\u00e9 &amp; \ud83d\ude00 #b\u00fccher @Al $TSLA https:\/\/t.co\/a https:\/\/t.co\/m",
        "source":"\u003ca href=\"http:\/\/x.example\/\"\u003eMy &amp; Client\u003c\/a\u003e","truncated":false,
        "in_reply_to_status_id":11,"in_reply_to_status_id_str":"11","in_reply_to_user_id":7,
        "in_reply_to_user_id_str":"7","in_reply_to_screen_name":"al",
        "user":{"id":7,"id_str":"7","name":"Al","screen_name":"al","location":"Oslo","description":"R&amp;D https://t.co/b",
            "entities":{"description":{"urls":[{"url":"https://t.co/b","expanded_url":"https://b.example/","indices":[8,22]}]}},
            "followers_count":5,"friends_count":"6","statuses_count":7,"listed_count":null,"verified":true,"protected":false,
            "created_at":"Tue Dec 29 15:57:44 +0000 2020",
            "derived":{"locations":[{"country":"Norway","country_code":"NO","region":"Oslo","locality":"Oslo"}]}},
        "geo":{"type":"Point","coordinates":[59.9,10.7]},
        "place":{"id":"p1","name":"Oslo","full_name":"Oslo, Norway","country":"Norge","country_code":"NO",
            "bounding_box":{"type":"Polygon","coordinates":[[[10,59],[11,59],[11,60],[10,60]]]}},
        "entities":{"hashtags":[{"text":"b\u00fccher","indices":[13,20]}],"symbols":[{"text":"TSLA","indices":[25,30]}],
            "user_mentions":[{"screen_name":"Al","name":"Al","id":7,"id_str":"7","indices":[21,24]}],
            "urls":[{"url":"https://t.co/a","expanded_url":"https://a.example/x","indices":[31,45],
                "unwound":{"url":"https://c.example","status":200,"title":"T","description":"D"}}],
            "media":[{"url":"https://t.co/m","type":"photo","indices":[46,60]}]},
        "extended_entities":{"media":[{"url":"https://t.co/m","type":"video","indices":[46,60],"ext_alt_text":"a dog"}]},
        "possibly_sensitive":true,"lang":"de","timestamp_ms":"1609486140664",
        "favorite_count":1,"retweet_count":2,"reply_count":3,"quote_count":4}"##,
    );
    assert_eq!((post.network.as_str(), post.id.as_str()), ("x", "12"));
    assert_eq!(post.created_at, Some(1_609_486_140_664));
    assert_eq!(post.text, "café & 😀 #bücher @Al $TSLA https://t.co/a https://t.co/m");
    let at = |span: Option<tweetfilter_core::Span>| &post.text[span.expect("span").range()];
    assert_eq!(at(post.entities.hashtags[0].span), "#bücher");
    assert_eq!(at(post.entities.cashtags[0].span), "$TSLA");
    assert_eq!(at(post.entities.mentions[0].span), "@Al");
    assert_eq!(post.entities.mentions[0].account.id, "7");
    let link = &post.entities.links[0];
    assert_eq!(at(link.span), "https://t.co/a");
    assert_eq!(link.expanded.as_deref(), Some("https://a.example/x"));
    assert_eq!((link.unwound.as_deref(), link.title.as_deref()), (Some("https://c.example"), Some("T")));
    assert_eq!(post.entities.media.len(), 1);
    assert_eq!(post.entities.media[0].kind, MediaKind::Video);
    assert_eq!(post.entities.media[0].alt.as_deref(), Some("a dog"));
    assert_eq!(at(Some(post.entities.other_links[0])), "https://t.co/m");
    assert_eq!(post.source.as_deref(), Some("My & Client"));
    assert_eq!(post.coordinates.map(|p| (p.lon, p.lat)), Some((10.7, 59.9)));
    let place = post.place.as_ref().expect("place");
    assert_eq!(place.names, ["Oslo", "Oslo, Norway"]);
    assert_eq!(place.center.map(|p| (p.lon, p.lat)), Some((10.5, 59.5)));
    assert_eq!(post.author.bio.as_deref(), Some("R&amp;D https://t.co/b"));
    assert_eq!(post.author.bio_links[0].span.map(|s| s.range()), Some(8..22));
    assert_eq!((post.author.followers, post.author.following, post.author.listed), (Some(5), Some(6), None));
    assert!(post.author.verified && post.flags.sensitive && post.flags.self_thread);
    assert_eq!(post.author.profile_geo.as_ref().and_then(|g| g.country_code.as_deref()), Some("NO"));
    assert_eq!(post.counts.quotes, Some(4));
    assert_eq!(post.reply_to.as_ref().map(|r| r.id.as_str()), Some("11"));
}

#[test]
fn the_whole_of_a_cut_text_and_of_a_retweet_is_read() {
    let post = post(
        r##"{"id_str":"3","text":"RT @bo: long \u2026","user":{"id_str":"1","screen_name":"al"},
        "retweeted_status":{"id_str":"2","text":"long \u2026 https://t.co/c","truncated":true,
            "user":{"id_str":"8","screen_name":"bo"},
            "entities":{"hashtags":[],"urls":[{"url":"https://t.co/c","expanded_url":"https://twitter.com/i/web/status/2","indices":[7,21]}],"user_mentions":[],"symbols":[]},
            "extended_tweet":{"full_text":"long text &lt;3 #tag","display_text_range":[0,20],
                "entities":{"hashtags":[{"text":"tag","indices":[16,20]}],"urls":[],"user_mentions":[],"symbols":[]}}},
        "entities":{"hashtags":[],"urls":[],"symbols":[],"user_mentions":[{"screen_name":"bo","id_str":"8","indices":[3,6]}]}}"##,
    );
    assert_eq!(post.text, "");
    assert!(post.entities.mentions.is_empty());
    assert_eq!(post.retweet_of.as_ref().map(|r| r.account().handle.as_str()), Some("bo"));
    let content = post.content();
    assert_eq!(content.text, "long text <3 #tag");
    assert_eq!(content.entities.hashtags[0].span.map(|s| s.range()), Some(13..17));
    assert!(content.entities.links.is_empty());
}

#[test]
fn quotes_are_carried_or_announced_and_their_link_is_not_the_authors() {
    let carried = post(
        r#"{"id_str":"5","text":"so https://t.co/q","user":{"id_str":"1"},"is_quote_status":true,"quoted_status_id":4,
        "quoted_status":{"id_str":"4","text":"yes","user":{"id_str":"9","screen_name":"cy"}},
        "entities":{"urls":[{"url":"https://t.co/q","expanded_url":"https://twitter.com/cy/status/4?s=20","indices":[3,17]}]}}"#,
    );
    assert_eq!(carried.quote_of.as_ref().map(|r| r.id()), Some("4"));
    assert!(carried.entities.own_links().next().is_none());
    assert!(carried.entities.links[0].quote);
    assert_eq!(carried.entities.links[0].span.map(|span| span.range()), Some(3..17));
    let announced = post(
        r#"{"id_str":"5","text":"so","user":{"id_str":"1"},"is_quote_status":true,"quoted_status_id_str":"4","entities":{}}"#,
    );
    let quote = announced.quote_of.expect("announced");
    assert!(quote.post.is_none());
    assert_eq!(quote.id, "4");
}

#[test]
fn a_retweet_of_a_quote_takes_the_quote_from_wherever_it_is() {
    for place in ["inner", "outer"] {
        let quote = r#""quoted_status":{"id_str":"1","text":"q","user":{"id_str":"3"}}"#;
        let (inner, outer) = if place == "inner" { (quote, r#""x":1"#) } else { (r#""x":1"#, quote) };
        let json = format!(
            r#"{{"id_str":"3","text":"RT","user":{{"id_str":"1"}},"retweeted_status":{{"id_str":"2","text":"t https://t.co/q","is_quote_status":true,"user":{{"id_str":"2"}},
            "entities":{{"urls":[{{"url":"https://t.co/q","expanded_url":"https://twitter.com/cy/status/1","indices":[2,16]}}]}},{inner}}},{outer}}}"#
        );
        let post = post(&json);
        assert!(post.quote_of.is_none(), "{place}");
        let quote = post.content().quote_of.as_ref().and_then(|q| q.post.as_ref()).expect(place);
        assert_eq!(quote.text, "q");
        assert_eq!(post.content().entities.own_links().count(), 0, "{place}");
    }
}

#[test]
fn a_tweet_kept_from_followers_is_nullcast() {
    for (scopes, nullcast) in [
        (r#""scopes":{"followers":false}"#, true),
        (r#""scopes":{"followers":true}"#, false),
        (r#""scopes":{"place_ids":[]}"#, false),
        (r#""nullcast":true,"scopes":{}"#, true),
    ] {
        let post = post(&format!(r#"{{"id_str":"1","text":"t","user":{{"id_str":"1"}},{scopes}}}"#));
        assert_eq!(post.flags.nullcast, nullcast, "{scopes}");
    }
}

#[test]
fn odd_fields_cost_the_field_and_not_the_tweet() {
    let post = post(
        r#"{"id":"12","text":"a \ud83d\ude00 b","user":{"id":7,"screen_name":"al","followers_count":"many","name":{"x":[1]}},
        "place":"Oslo","coordinates":[1,2],"geo":{"coordinates":[1000,2]},"entities":{"hashtags":[{"text":"gone","indices":[90,95]},7,null],"urls":null},
        "created_at":"soon","lang":null,"lang":"en","retweeted_status":null,"quoted_status":[],"timestamp_ms":-5}"#,
    );
    assert_eq!((post.id.as_str(), post.author.account.id.as_str()), ("12", "7"));
    assert_eq!((post.author.followers, post.author.name.as_deref(), post.created_at), (None, None, None));
    assert_eq!((post.coordinates, post.place.is_none(), post.lang.as_deref()), (None, true, Some("en")));
    assert_eq!((post.entities.hashtags[0].text.as_str(), post.entities.hashtags[0].span), ("gone", None));
}

#[test]
fn text_alone_is_a_post_of_no_network() {
    let post = post(r#"{"text":"R&amp;D","lang":"en","id":5,"src":"x"}"#);
    assert_eq!((post.network.as_str(), post.id.as_str(), post.text.as_str()), ("", "5", "R&amp;D"));
    assert_eq!(post.lang.as_deref(), Some("en"));
}

#[test]
fn what_is_no_message_says_why() {
    for (line, reason) in [
        (&b"\xff"[..], "not UTF-8"),
        (b"{", "not JSON"),
        (b"{\"text\":\"a\"} x", "not JSON"),
        (b"7", "unknown message"),
    ] {
        assert_eq!(decode(line).expect_err("refused").reason.to_string(), reason);
    }
}

#[test]
fn entities_that_do_not_stand_where_they_are_said_to_are_sought_a_bounded_number_of_times() {
    let tags = |n| vec![r#"{"text":"cat","indices":[900,904]}"#; n].join(",");
    let urls = |n| vec![r#"{"url":"https://t.co/a","indices":[900,904]}"#; n].join(",");
    let found = |tag: usize, url: usize| {
        let (tags, urls) = (tags(tag), urls(url));
        let post = post(&format!(
            r##"{{"id_str":"1","text":"a #cat https://t.co/a","user":{{"id_str":"1"}},"entities":{{"hashtags":[{tags}],"urls":[{urls}]}}}}"##
        ));
        assert_eq!((post.entities.hashtags.len(), post.entities.links.len()), (tag, url));
        post.entities.hashtags.iter().filter(|tag| tag.span.is_some()).count()
            + post.entities.links.iter().filter(|link| link.span.is_some()).count()
    };
    assert_eq!((found(3, 2), found(1_000, 0), found(0, 1_000), found(60, 60)), (5, 100, 100, 100));
}

#[test]
fn repeats_of_a_key_and_of_a_span_are_no_more_names_and_links() {
    let names: String = (0..100).map(|n| format!(r#","name":"n{n}""#)).collect();
    let media: Vec<_> = (0..100).map(|n| format!(r#"{{"type":"photo","indices":[{},9]}}"#, n % 4)).collect();
    let media = media.join(",");
    let post = post(&format!(
        r#"{{"id_str":"1","text":"123456789","user":{{"id_str":"1"}},"place":{{"id":"p"{names}}},"entities":{{"media":[{media}]}}}}"#
    ));
    assert_eq!(post.place.expect("a place").names, ["n0", "n1"]);
    assert_eq!((post.entities.media.len(), post.entities.other_links.len()), (100, 4));
}

#[test]
fn a_field_that_nobody_reads_may_not_be_broken_either() {
    for (broken, fine) in [("[1,2}", "[1,2]"), ("{\"a\":[1}]", "{\"a\":[1]}"), ("[{]}", "[{}]")] {
        let line = |x: &str| format!(r#"{{"id_str":"1","text":"cat","user":{{"id":1}},"x":{x}}}"#);
        assert_eq!(post(&line(fine)).text, "cat");
        let error = decode(line(broken).as_bytes()).expect_err(broken);
        assert_eq!(error.reason, Reason::NotJson);
    }
}

#[test]
fn an_id_of_more_digits_than_a_number_holds_keeps_them_all() {
    const ID: &str = "184467440737095516160";
    for json in [
        format!(r#"{{"id":{ID},"text":"t","user":{{"id":{ID}}}}}"#),
        format!(r#"{{"id":{ID},"text":"t"}}"#),
        format!(r#"{{"data":{{"id":{ID},"text":"t","author_id":{ID}}}}}"#),
    ] {
        assert_eq!(post(&json).id, ID, "{json}");
    }
    // Where no id is expected it is what any other number is.
    let odd = format!(
        r#"{{"id":1,"text":"t","lang":{ID},"user":{{"id":{ID},"followers_count":{ID},"name":{ID}}},"place":{ID},
        "entities":{ID},"coordinates":{{"type":"Point","coordinates":[{ID},2]}},"retweeted_status":{ID},"timestamp_ms":{ID}}}"#
    );
    let post = post(&odd);
    assert_eq!((post.id.as_str(), post.author.account.id.as_str()), ("1", ID));
    assert_eq!((post.lang, post.author.followers, post.author.name), (None, None, None));
    assert_eq!((post.coordinates, post.retweet_of.is_none()), (None, true));
}

#[test]
fn a_retweet_of_a_retweet_is_one_of_the_original() {
    let mut tweet = r#"{"id_str":"1","text":"snow","user":{"id_str":"10"}}"#.to_owned();
    for id in 2..6 {
        tweet = format!(
            r#"{{"id_str":"{id}","text":"RT @a: s…","user":{{"id_str":"{id}0"}},"retweeted_status":{tweet}}}"#
        );
        let post = post(&tweet);
        let original = post.retweet_of.as_ref().expect("one is carried");
        assert_eq!((original.id(), post.content().text.as_str()), ("1", "snow"), "{tweet}");
        assert_eq!((post.id.clone(), post.content().author.account.id.as_str()), (id.to_string(), "10"));
    }
}

#[test]
fn parts_that_nobody_reads_are_left_out() {
    let tweet = |user: &str| {
        format!(
            r#"{{"id_str":"2","text":"RT @al: a","source":"<a>App</a>","user":{{"id_str":"8","screen_name":"bo"}},
            "retweeted_status":{{"id_str":"1","text":"a","source":"<a>App</a>","user":{{"id_str":"7","screen_name":"al",{user}}}}}}}"#
        )
    };
    let read = |line: &str, parts: Parts| match decode_parts(line.as_bytes(), parts) {
        Ok(Event::Post(post)) => Ok(*post),
        Ok(event) => panic!("{event:?}"),
        Err(error) => Err(error.reason),
    };
    let whole = tweet(
        r#""name":"A\u00e9","description":"b\/c","location":"d","created_at":"Tue Dec 29 15:57:44 +0000 2020""#,
    );
    assert_eq!(read(&whole, Parts::ALL), Ok(post(&whole)));
    let kept = read(&whole, Parts::NONE).expect("a post");
    assert_eq!((&kept.source, kept.author.account.handle.as_str()), (&None, "bo"));
    let author = &kept.content().author;
    assert_eq!((author.account.handle.as_str(), kept.content().text.as_str()), ("al", "a"));
    assert_eq!((&author.name, &author.bio, &author.location, author.created_at), (&None, &None, &None, None));
    let some = read(&whole, Parts::NONE.with(Part::Bio).with(Part::Source)).expect("a post");
    assert_eq!((some.source.as_deref(), some.content().author.bio.as_deref()), (Some("App"), Some("b/c")));
    assert_eq!(some.content().author.name, None);
    // Whatever is kept, the same can't be read.
    for user in [
        r#""name":"\x""#,
        r#""description":"\u12g4""#,
        r#""location":"\u123""#,
        r#""created_at":"\ud83d\u""#,
        r#""name":07x"#,
        r#""name":tru"#,
        r#""description":{"a":[}"#,
        r#""url":"a"#,
    ] {
        let line = tweet(user);
        assert_eq!(read(&line, Parts::NONE), Err(Reason::NotJson), "{line}");
        assert_eq!(read(&line, Parts::ALL), Err(Reason::NotJson), "{line}");
    }
    for user in
        [r#""name":"\ud83d","description":["\x"]"#, r#""name":7,"location":null,"description":"\"\\""#]
    {
        let line = tweet(user);
        assert_eq!(read(&line, Parts::NONE).map(drop), Ok(()), "{line}");
        assert_eq!(read(&line, Parts::ALL).map(drop), Ok(()), "{line}");
    }
}

#[test]
fn fields_are_taken_whatever_stands_around_them() {
    // Fields of the same lengths and first letters as those that are taken, and keys as no network writes them.
    let line = r#"{"pd":1,"id_stu":{"a":"}"},"":"","teyt":"no","id_str" : "5","t\u0065xt":"yes","user":{"namf":"no","n\u0061me":"Al",
        "screen_name":"al","description_":"no","desertation":"no"},"sourcf":"no"}"#;
    let post = post(line);
    assert_eq!((post.id.as_str(), post.text.as_str()), ("5", "yes"));
    assert_eq!((post.author.name.as_deref(), post.author.account.handle.as_str()), (Some("Al"), "al"));
    assert_eq!((post.author.bio, post.source), (None, None));
}
