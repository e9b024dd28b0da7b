//! Every line of the sets of posts in the data folder decodes, or is counted with a reason that is right.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tweetfilter_core::Post;
use tweetfilter_stream::Event;
use tweetfilter_stream::files::{Block, Reader};

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
        Event::Post(_) => "post",
        Event::Edit(_) => "edit",
        Event::ForUser { .. } => "for_user",
        Event::Several(_) => "several",
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

/// Decodes a file; every post that comes out is looked at.
fn decode(folder: &std::path::Path, file: &str, tally: &mut Tally, look: &mut dyn FnMut(&Post)) {
    let mut reader = Reader::open(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mut block = Block::default();
    while reader.read(&mut block).expect("reads") {
        for line in block.lines() {
            let word = match line.decode() {
                Ok(event) => {
                    let word = kind(&event);
                    let mut posts = 0;
                    for (_, post) in event.into_posts() {
                        posts += 1;
                        look(&post);
                        check(&post);
                    }
                    if posts > 0 && word != "post" {
                        *tally.entry("posts inside".to_owned()).or_default() += posts;
                    }
                    word.to_owned()
                }
                Err(error) => format!("line {}: {error}", line.number),
            };
            *tally.entry(word).or_default() += 1;
        }
    }
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
    for (file, expected) in [
        ("v1_stream_2021.ndjson.gz", &[("post", 3173), ("delete", 307)][..]),
        ("v1_client_fixtures.ndjson.gz", &[("post", 1310)]),
        ("v1_btc.ndjson.gz", &[("post", 1500)]),
        ("v1_control_messages.ndjson", &[]),
        ("simdjson/twitter.json", &[]),
        ("simdjson/twitter_timeline.json", &[]),
        ("simdjson/twitterescaped.json", &[]),
        ("v2_twarc_csv/brexit.jsonl", &[]),
        ("v2_twarc_csv/kpop.jsonl", &[]),
        ("v2_twarc_csv/noflat.jsonl", &[]),
        ("v2_twarc_csv/quoted_edit.jsonl", &[]),
        ("v2_twarc_csv/streaming_output_with_error.jsonl", &[]),
        ("v2_twarc_csv/users.jsonl", &[]),
        ("as_gnip.ndjson.gz", &[("post", 231)]),
        ("bluesky/jetstream_events.ndjson", &[]),
        ("bluesky/bluesky_fixtures.ndjson", &[("post", 80)]),
        ("mastodon.ndjson", &[("post", 331)]),
        ("text_crisislex_t6.ndjson.gz", &[("post", 60_082)]),
        ("text_umsab_noneng.ndjson.gz", &[("post", 12_000)]),
    ] {
        let mut tally = Tally::new();
        let (mut unplaced, mut timeless, mut nameless, mut textless) = (0, 0, 0, 0);
        decode(&folder, file, &mut tally, &mut |post| {
            unplaced += usize::from(
                post.entities.links.iter().any(|l| l.span.is_none())
                    || post.entities.hashtags.iter().any(|l| l.span.is_none())
                    || post.entities.mentions.iter().any(|l| l.span.is_none()),
            );
            timeless += usize::from(post.created_at.is_none());
            nameless += usize::from(post.author.account.handle.is_empty());
            textless += usize::from(post.content().text.is_empty());
        });
        println!(
            "{file}: {tally:?} unplaced {unplaced} timeless {timeless} nameless {nameless} textless {textless}"
        );
        let expected: Tally = expected.iter().map(|&(word, n)| (word.to_owned(), n)).collect();
        if !expected.is_empty() {
            assert_eq!(tally, expected, "{file}");
        }
    }
}
