//! Gnip's activities, made up for these tests: what is said around a post and not in it.

#[path = "support/read.rs"]
mod read;

use read::{matches, post};

/// An activity of the user `name`; `rest` follows its text.
fn activity(id: u32, verb: &str, name: &str, body: &str, rest: &str) -> String {
    format!(
        r#"{{"id":"tag:search.twitter.com,2005:{id}","objectType":"activity","verb":"{verb}","body":"{body}",
        "actor":{{"id":"id:twitter.com:{id}00","preferredUsername":"{name}"}}{rest}}}"#
    )
}

/// What was found behind links: an address, where it leads, and the title there.
fn found(pages: &[(&str, &str, &str)]) -> String {
    let page = |(url, to, title): &(&str, &str, &str)| {
        format!(
            r#"{{"url":"http://t.co/{url}","expanded_url":"https://{to}","expanded_url_title":"{title}","expanded_url_description":"About {title}"}}"#
        )
    };
    let pages: Vec<_> = pages.iter().map(page).collect();
    format!(r#","gnip":{{"urls":[{}]}}"#, pages.join(","))
}

const LINK: &str = r#","twitter_entities":{"urls":[{"url":"http://t.co/a","expanded_url":"http://short.example/a","indices":[4,17]}]}"#;

#[test]
fn of_a_share_what_is_behind_links_is_told_beside_what_is_shared() {
    let snow = found(&[("a", "long.example/x", "Snow"), ("m", "media.example", "Rain")]);
    for entities in [LINK, ""] {
        let inner = activity(1, "post", "ann", "see http://t.co/a", entities);
        let once = activity(2, "share", "bo", "RT @ann: see", &format!(",\"object\":{inner}{LINK}{snow}"));
        let twice = activity(2, "share", "bo", "RT", &format!(",\"object\":{inner}"));
        let twice = activity(3, "share", "cy", "RT", &format!(",\"object\":{twice}{snow}"));
        let own = activity(1, "post", "ann", "see http://t.co/a", &format!("{entities}{snow}"));
        for json in [once, twice, own] {
            let post = post(&json);
            for filter in
                ["domain:long.example", "url:x", "url_title:snow", "url_description:about", "links:1"]
            {
                assert!(matches(&post, filter), "{filter}: {json}");
            }
            for filter in ["domain:media.example", "url_title:rain"] {
                assert!(!matches(&post, filter), "{filter}: {json}");
            }
        }
    }
}

#[test]
fn the_language_that_gnip_found_is_that_of_what_is_shared() {
    let shared = |lang: &str| {
        let inner = activity(1, "post", "ann", "snow", lang);
        let around = format!(",\"object\":{inner},\"gnip\":{{\"language\":{{\"value\":\"no\"}}}}");
        post(&activity(2, "share", "bo", "RT @ann: snow", &around))
    };
    assert!(matches(&shared(""), "lang:no"));
    assert!(matches(&shared(r#","twitter_lang":"sv""#), "lang:sv"));
}

#[test]
fn what_a_shared_activity_says_itself_goes_before() {
    let quoted = |id, text| {
        let inner = activity(id, "post", "quinn", text, "");
        format!(",\"twitter_quoted_status\":{inner}")
    };
    let pages = found(&[("a", "near.example", "Near")]);
    let inner = activity(
        1,
        "post",
        "ann",
        "see http://t.co/a http://t.co/b",
        &format!("{pages}{}", quoted(8, "snow")),
    );
    let pages = found(&[("a", "far.example", "Far"), ("b", "beside.example", "Beside")]);
    let outer = format!(",\"object\":{inner}{pages}{}", quoted(9, "rain"));
    let post = post(&activity(2, "share", "bo", "RT", &outer));
    for filter in ["domain:near.example", "url_title:near", "domain:beside.example", "in:quote(snow)"] {
        assert!(matches(&post, filter), "{filter}");
    }
    for filter in ["domain:far.example", "url_title:far", "in:quote(rain)"] {
        assert!(!matches(&post, filter), "{filter}");
    }
}

#[test]
fn a_share_of_a_quote_has_the_quote_wherever_it_stands() {
    let quoted = activity(1, "post", "quinn", "snow", "");
    let quoted = format!(",\"twitter_quoted_status\":{quoted}");
    let link = r#","twitter_entities":{"urls":[{"url":"http://t.co/q","expanded_url":"https://twitter.com/quinn/status/1","indices":[4,17]}]}"#;
    let shared = |within: &str, around: &str| {
        let inner = activity(2, "post", "ann", "see http://t.co/q", &format!("{link}{within}"));
        activity(3, "share", "bo", "RT @ann: see", &format!(",\"object\":{inner}{around}"))
    };
    let announced = activity(
        3,
        "share",
        "bo",
        "RT @ann: see http://t.co/q",
        &format!(",\"object\":{{\"id\":\"t:2\"}}{quoted}"),
    );
    for json in [shared(&quoted, ""), shared("", &quoted), shared(&quoted, &quoted), announced] {
        let post = post(&json);
        for filter in ["is:quote", "in:quote(snow)", "quotes_of:quinn", "quotes_of_tweet_id:1", "is:retweet"]
        {
            assert!(matches(&post, filter), "{filter}: {json}");
        }
        // It is what is shared that quotes.
        assert!(!matches(&post, "in:retweet(-is:quote)"), "{json}");
    }
    // The quote's link is no link of the author's, told of before the quote or not.
    for json in [shared(&quoted, ""), shared("", &quoted)] {
        assert!(!matches(&post(&json), "has:links"), "{json}");
    }
    assert!(!matches(&post(&shared("", "")), "is:quote"));
}

#[test]
fn a_share_of_a_share_is_one_of_what_stands_at_the_bottom() {
    let shared = |times: u32| {
        let bottom = activity(1, "post", "ann", "snow", r#","twitter_lang":"en""#);
        (0..times).fold(bottom, |inner, n| {
            activity(n + 2, "share", &format!("p{n}"), "RT @ann: sn…", &format!(",\"object\":{inner}"))
        })
    };
    for times in 1..=4 {
        let post = post(&shared(times));
        assert_eq!((post.content().text.as_str(), post.text.as_str()), ("snow", ""), "{times} times");
        let by = format!("from:p{}", times - 1);
        for filter in
            [by.as_str(), "retweets_of:ann", "lang:en", "in:retweet(from:ann)", "retweets_of_tweet_id:1"]
        {
            assert!(matches(&post, filter), "{filter} {times} times");
        }
    }
    // Not for ever: what is shared still deeper is announced by what its sharer repeats of it.
    let deep = post(&shared(9));
    assert!(deep.content().text.starts_with("sn"), "{deep:?}");
}
