//! Messages of X's API v2, which has what posts refer to once: how far that is followed, and what it may take.

#[path = "support/read.rs"]
mod read;

use read::{event, matches, post};
use tweetfilter_core::post::{MediaKind, Post};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::{Reason, decode};

/// A quote of posts that quote one another, with so many references each, and the kind of these.
fn quotes(kinds: &[&str], times: usize, text: &str) -> String {
    let references: Vec<_> = kinds.iter().map(|kind| format!(r#"{{"type":"{kind}","id":"1"}}"#)).collect();
    let references = vec![references.join(","); times].join(",");
    let tweet = |id: u32, text: &str| {
        format!(
            r#"{{"id":"{id}","author_id":"7","text":"{text}","entities":{{}},"withheld":{{"country_codes":["DE"]}},
            "referenced_tweets":[{references}]}}"#
        )
    };
    format!(r#"{{"data":{},"includes":{{"tweets":[{}]}}}}"#, tweet(2, "snow"), tweet(1, text))
}

#[test]
fn each_post_is_read_as_often_as_it_is_kept() {
    // Each post that is read says that it is withheld.
    let read = |times| match event(&quotes(&["quoted"], times, "q")) {
        Event::PostAnd { also, .. } => also.len(),
        other => panic!("nothing is said: {other:?}"),
    };
    assert_eq!((read(1), read(6)), (5, 5));
    let last = post(
        r#"{"data":{"id":"2","author_id":"7","text":"snow","referenced_tweets":[{"type":"quoted","id":"8"},{"type":"quoted","id":"9"}]},
        "includes":{"tweets":[{"id":"8","text":"eight"},{"id":"9","text":"nine"}]}}"#,
    );
    assert_eq!(last.quote_of.and_then(|quote| quote.post).map(|post| post.text).as_deref(), Some("nine"));
}

#[test]
fn what_takes_too_much_is_left_out_and_told() {
    const LONG: usize = 200_000;
    for (field, list, item) in [
        (r#""author_id":"1""#, "users", r#"{"id":"1","username":"al","description":"TEXT"}"#),
        (
            r#""attachments":{"media_keys":["3_1"]}"#,
            "media",
            r#"{"media_key":"3_1","type":"photo","alt_text":"TEXT"}"#,
        ),
        (
            r#""referenced_tweets":[{"type":"quoted","id":"1"}]"#,
            "tweets",
            r#"{"id":"1","text":"TEXT","entities":{}}"#,
        ),
    ] {
        let page = |posts: u32, length: usize| {
            let data: Vec<_> =
                (0..posts).map(|id| format!(r#"{{"id":"{id}","text":"snow",{field}}}"#)).collect();
            let item = item.replace("TEXT", &"a".repeat(length));
            format!(r#"{{"data":[{}],"includes":{{"{list}":[{item}]}}}}"#, data.join(","))
        };
        let read = |page: &str| {
            let Event::Several(events) = event(page) else { panic!("a page") };
            let (mut texts, mut left_out) = (Vec::new(), 0);
            for event in events {
                match event {
                    Event::Post(post) => {
                        assert_eq!(left_out, 0, "{list}: what is left out is at the end");
                        texts.push(included(&post));
                    }
                    Event::Unreadable(error) => {
                        assert_eq!(error.reason, Reason::TooLarge, "{list}");
                        left_out += 1;
                    }
                    other => panic!("{list}: {other:?}"),
                }
            }
            (texts, left_out)
        };
        let large = page(2_000, LONG);
        let (texts, left_out) = read(&large);
        assert!(texts.iter().all(|length| *length == LONG), "{list}: each post is whole");
        assert_eq!(texts.len() + left_out, 2_000, "{list}");
        let bytes: usize = texts.iter().sum();
        assert!((40 << 20..(64 << 20) + 16 * large.len()).contains(&bytes), "{list}: {bytes}");
        // What X sends is not near that, not even where all of a page repost one of the longest posts.
        assert_eq!(read(&page(500, 50_000)), (vec![50_000; 500], 0), "{list}");
    }
}

/// Bytes of what the post has from its page.
fn included(post: &Post) -> usize {
    let quoted = post.quote_of.as_ref().and_then(|quote| quote.post.as_ref()).map(|post| post.text.len());
    let alt = post.entities.media.iter().filter_map(|medium| medium.alt.as_ref()).map(String::len);
    quoted.into_iter().chain(alt).chain(post.author.bio.as_ref().map(String::len)).sum()
}

#[test]
fn a_post_that_takes_too_much_is_none() {
    let of = |length: usize| decode(quotes(&["retweeted", "quoted"], 1, &"a".repeat(length)).as_bytes());
    assert!(matches!(of(1_000), Ok(Event::PostAnd { .. })));
    let error = of(8_000_000).expect_err("thirty times its text");
    assert_eq!(error.reason.to_string(), "too large with what it refers to");
}

#[test]
fn media_that_are_named_again_are_the_same() {
    let keys = vec![r#""3_1","16_2""#; 1_000].join(",");
    let post = post(&format!(
        r#"{{"data":{{"id":"2","author_id":"7","text":"snow","attachments":{{"media_keys":[{keys}]}}}},
        "includes":{{"media":[{{"media_key":"3_1","type":"photo","alt_text":"a dog"}}]}}}}"#
    ));
    let media: Vec<_> = post.entities.media.iter().map(|m| (m.kind, m.alt.as_deref())).collect();
    assert_eq!(media, [(MediaKind::Image, Some("a dog")), (MediaKind::Gif, None)]);
}

#[test]
fn of_very_many_versions_the_newest_are_told() {
    let ids: Vec<_> = (1..=1_000).map(|id| format!(r#""{id}""#)).collect();
    let ids = ids.join(",");
    for json in [
        format!(
            r#"{{"data":{{"id":"1000","author_id":"7","text":"snow","edit_history_tweet_ids":[{ids}]}}}}"#
        ),
        format!(
            r#"{{"id_str":"1000","text":"snow","user":{{"id_str":"7"}},"edit_history":{{"edit_tweet_ids":[{ids}]}}}}"#
        ),
        format!(
            r#"{{"id":"tag:search.twitter.com,2005:1000","verb":"post","body":"snow","actor":{{"id":"id:twitter.com:7"}},
            "edit_history":{{"edit_tweet_ids":[{ids}]}}}}"#
        ),
    ] {
        let Event::PostAnd { post, also } = event(&json) else { panic!("an edit: {json}") };
        assert!(post.flags.edited, "{json}");
        let told = also.iter().map(|event| match event {
            Event::Delete { id, .. } => id.clone(),
            other => panic!("{other:?}"),
        });
        let newest: Vec<_> = (984..1_000).map(|id: u32| id.to_string()).collect();
        assert_eq!(told.collect::<Vec<_>>(), newest, "{json}");
    }
}

#[test]
fn a_retweet_of_a_retweet_is_one_of_the_original() {
    let mut tweets = vec![r#"{"id":"1","author_id":"10","text":"snow","lang":"en"}"#.to_owned()];
    for id in 2..6 {
        let retweet = format!(
            r#"{{"id":"{id}","author_id":"{id}0","text":"RT @a: s…","referenced_tweets":[{{"type":"retweeted","id":"{}"}}]}}"#,
            id - 1
        );
        let users = r#"{"id":"10","username":"al"},{"id":"20","username":"bo"}"#;
        let included = tweets.join(",");
        let post =
            post(&format!(r#"{{"data":{retweet},"includes":{{"tweets":[{included}],"users":[{users}]}}}}"#));
        let original = post.retweet_of.as_ref().expect("one is carried");
        assert_eq!((original.id(), original.account().handle.as_str()), ("1", "al"), "{id}");
        assert_eq!((post.id.as_str(), post.content().id.as_str()), (id.to_string().as_str(), "1"));
        for filter in
            ["snow", "lang:en", "retweets_of:al", "retweets_of_tweet_id:\"1\"", "in:retweet(from:al)"]
        {
            assert!(matches(&post, filter), "{id}: {filter}");
        }
        tweets.push(retweet);
    }
}
