//! Every line of the sets of posts in the data folder decodes, or is counted with a reason that is right.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tweetfilter_core::{Parts, Post};
use tweetfilter_stream::Event;
use tweetfilter_stream::files::{Block, Line, Reader};

/// What a file's lines are.
type Tally = BTreeMap<String, usize>;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("TWEETFILTER_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: no data");
    }
    folder
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Post(_) | Event::PostAnd { .. } => "post",
        Event::Edit(_) => "edit",
        Event::ForUser { .. } => "for_user",
        Event::Several(_) => "several",
        Event::Unreadable(_) => "unreadable",
        Event::Delete { .. } => "delete",
        Event::DeleteMessage { .. } => "delete_message",
        Event::ScrubGeo { .. } => "scrub_geo",
        Event::StatusWithheld { .. } => "status_withheld",
        Event::UserWithheld { .. } => "user_withheld",
        Event::Limit { .. } => "limit",
        Event::Disconnect { .. } => "disconnect",
        Event::Warning { .. } => "warning",
        Event::Friends { .. } => "friends",
        Event::Activity { .. } => "activity",
        Event::DirectMessage { .. } => "direct_message",
        Event::Control { .. } => "control",
        Event::AccountStatus { .. } => "account_status",
        Event::Identity { .. } => "identity",
        Event::Failure { .. } => "failure",
        Event::Other { .. } => "other",
        _ => "new",
    }
}

/// Decodes a file; the spans of every post that comes out are looked at.
fn decode(folder: &std::path::Path, file: &str, tally: &mut Tally) {
    let mut reader = Reader::open(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut block = Block::default();
    while reader.read(&mut block).expect("reads") {
        for line in block.lines() {
            leaving_out_is_no_other_reading(&line);
            let word = match line.decode() {
                Ok(event) => {
                    let word = kind(&event);
                    let mut posts = 0;
                    for (_, post) in event.into_posts() {
                        posts += 1;
                        check(&post);
                    }
                    if posts > 0 && word != "post" {
                        *tally.entry("posts inside".to_owned()).or_default() += posts;
                    }
                    word.to_owned()
                }
                Err(error) => format!("line {}: {}", line.number, error.reason),
            };
            *tally.entry(word).or_default() += 1;
        }
    }
}

/// What is left out of posts is all that differs where fewer parts are kept.
fn leaving_out_is_no_other_reading(line: &Line<'_>) {
    let posts = |parts: Parts| -> Result<Vec<_>, _> {
        let posts = line.decode_parts(parts).map(|event| event.into_posts());
        posts.map(|posts| posts.map(|(viewer, post)| (viewer, less(post))).collect())
    };
    assert_eq!(posts(Parts::NONE), posts(Parts::ALL), "line {}", line.number);
}

/// A post without the parts that may be left out.
fn less(mut post: Post) -> Post {
    let author = &mut post.author;
    (author.name, author.bio, author.location, author.created_at, post.source) = Default::default();
    author.bio_links.clear();
    for carried in [&mut post.retweet_of, &mut post.quote_of].into_iter().flatten() {
        carried.post = carried.post.take().map(less);
    }
    post
}

/// Spans are of the text, and what they hold is what they say.
fn check(post: &Post) {
    let entities = &post.entities;
    for tag in &entities.hashtags {
        if let Some(span) = tag.span {
            assert!(post.text[span.range()].starts_with(['#', '＃']), "{:?} in {}", tag, post.text);
        }
    }
    for mention in &entities.mentions {
        if let Some(span) = mention.span {
            assert!(post.text[span.range()].starts_with(['@', '＠']), "{:?} in {}", mention, post.text);
        }
    }
    for span in entities.links.iter().filter_map(|link| link.span).chain(entities.other_links.iter().copied())
    {
        assert!(post.text.get(span.range()).is_some_and(|t| !t.is_empty()), "{span:?} in {}", post.text);
    }
    for reference in [&post.retweet_of, &post.quote_of].into_iter().flatten() {
        reference.post.iter().for_each(check);
    }
}

#[test]
fn every_line_of_every_file() {
    let Some(folder) = folder() else { return };
    let page = |posts| [("several", 1), ("posts inside", posts)];
    for (file, expected) in [
        ("v1_stream_2021.ndjson.gz", &[("post", 3173), ("delete", 307)][..]),
        ("v1_client_fixtures.ndjson.gz", &[("post", 1310)]),
        ("v1_btc.ndjson.gz", &[("post", 1500)]),
        (
            "v1_control_messages.ndjson",
            &[
                ("account_status", 2),
                ("activity", 14),
                ("control", 1),
                ("delete", 12),
                ("delete_message", 2),
                ("direct_message", 9),
                ("disconnect", 3),
                ("for_user", 10),
                ("posts inside", 1),
                ("friends", 8),
                ("limit", 5),
                ("scrub_geo", 3),
                ("status_withheld", 3),
                ("user_withheld", 3),
                ("warning", 3),
            ],
        ),
        ("simdjson/twitter.json", &[("post", 100)]),
        ("simdjson/twitter_timeline.json", &[("post", 20)]),
        ("simdjson/twitterescaped.json", &[("post", 100)]),
        ("v2_twarc_csv/brexit.jsonl", &page(100)),
        ("v2_twarc_csv/kpop.jsonl", &page(100)),
        ("v2_twarc_csv/noflat.jsonl", &page(100)),
        ("v2_twarc_csv/quoted_edit.jsonl", &page(1)),
        // The last line is cut off.
        ("v2_twarc_csv/streaming_output_with_error.jsonl", &[("post", 7), ("line 8: not JSON", 1)]),
        // A page of users.
        ("v2_twarc_csv/users.jsonl", &[("several", 1)]),
        ("as_gnip.ndjson.gz", &[("post", 231)]),
        (
            "bluesky/jetstream_events.ndjson",
            &[("account_status", 2), ("delete", 1), ("identity", 2), ("other", 139), ("post", 18)],
        ),
        ("bluesky/bluesky_fixtures.ndjson", &[("post", 80)]),
        ("mastodon.ndjson", &[("post", 331)]),
        ("text_crisislex_t6.ndjson.gz", &[("post", 60_082)]),
        ("text_umsab_noneng.ndjson.gz", &[("post", 12_000)]),
    ] {
        let mut tally = Tally::new();
        decode(&folder, file, &mut tally);
        let expected: Tally = expected.iter().map(|&(word, n)| (word.to_owned(), n)).collect();
        assert_eq!(tally, expected, "{file}");
    }
}
