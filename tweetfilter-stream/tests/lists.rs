//! What lists of messages take, whatever stands in them: memory by their length.

#[path = "support/read.rs"]
mod read;

use read::{event, post};
use tweetfilter_core::Post;
use tweetfilter_core::post::Entities;
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::Reason;

/// So many items, or strings of text, one after the other.
fn many(item: &str, count: usize, between: &str) -> String {
    vec![item; count].join(between)
}

/// Bytes that the items of a post's lists take, without their texts.
fn kept(post: &Post) -> usize {
    let Entities { hashtags, cashtags, mentions, links, media, other_links } = &post.entities;
    size_of_val(hashtags.as_slice())
        + size_of_val(cashtags.as_slice())
        + size_of_val(mentions.as_slice())
        + size_of_val(links.as_slice())
        + size_of_val(media.as_slice())
        + size_of_val(other_links.as_slice())
        + size_of_val(post.author.bio_links.as_slice())
        + size_of_val(post.annotations.as_slice())
}

/// What a message has in place of one more field.
const MORE: &str = r#""more":LIST"#;

/// A message of each wire, with an object at `LIST` or a text at `TEXT`.
const V1: &str = r#"{"id_str":"1","text":"a","user":{"id_str":"7"},"entities":LIST}"#;
const V1_BIO: &str = r#"{"id_str":"1","text":"a","user":{"id_str":"7","description":"d","entities":{"description":LIST}},"entities":{}}"#;
const V2: &str = r#"{"data":{"id":"1","author_id":"7","text":"a","entities":LIST}}"#;
const GNIP: &str = r#"{"id":"t:1","verb":"post","body":"a","actor":{"id":"t:7"},"twitter_entities":LIST}"#;
const BLUESKY: &str = r#"{"$type":"app.bsky.feed.post","text":"a","more":LIST}"#;
const MASTODON: &str = r#"{"id":"1","uri":"https://m.example/1","content":"TEXT","account":{"id":"7","acct":"ann","note":""},"more":LIST}"#;

/// A message with a list of one item again and again in its object.
fn within(message: &str, list: &str, item: &str, count: usize) -> String {
    message.replace("LIST", &format!(r#"{{"{list}":[{}]}}"#, many(item, count, ",")))
}

/// The same beside what else it has.
fn beside(message: &str, list: &str, item: &str, count: usize) -> String {
    message.replace(MORE, &format!(r#""{list}":[{}]"#, many(item, count, ",")))
}

#[test]
fn items_of_lists_take_memory_by_the_length_of_their_message() {
    const COUNT: usize = 30_000;
    let embed = r#"{"$type":"app.bsky.embed.images","more":LIST}"#;
    let embed = format!(r#""embed":{}"#, beside(embed, "images", "{}", COUNT));
    let linked = many("<a>b</a>", COUNT, "");
    let alone = MASTODON.replace(MORE, r#""more":[]"#);
    for json in [
        within(V1, "urls", "{}", COUNT),
        within(V1, "media", "{}", COUNT),
        within(V1, "user_mentions", r#"{"id":1}"#, COUNT),
        within(V1_BIO, "urls", "{}", COUNT),
        within(V2, "urls", "{}", COUNT),
        within(V2, "annotations", "{}", COUNT),
        within(GNIP, "urls", "{}", COUNT),
        BLUESKY.replace(MORE, &embed),
        beside(BLUESKY, "tags", r#""a""#, COUNT),
        beside(
            BLUESKY,
            "facets",
            r##"{"features":[{"$type":"#link"},{"$type":"#link"},{"$type":"#link"}]}"##,
            COUNT,
        ),
        beside(MASTODON, "media_attachments", "{}", COUNT),
        alone.replace("TEXT", &linked),
        alone.replace(r#""note":"""#, &format!(r#""note":"{linked}""#)),
    ] {
        let kept = kept(&post(&json));
        let (begin, length) = (&json[..100], json.len());
        assert!(kept <= 5 * length + 1024, "{kept} bytes of {length}: {begin}");
        assert!(kept > length / 2, "{kept} bytes of {length}: {begin}");
    }
}

#[test]
fn what_networks_write_is_kept_to_the_last() {
    const COUNT: usize = 5_000;
    let counts = |post: &Post| {
        let of = &post.entities;
        [of.hashtags.len(), of.mentions.len(), of.links.len(), of.media.len()]
    };
    let url = r#"{"url":"https://t.co/a","expanded_url":"https://a.b","display_url":"a.b","indices":[0,14]}"#;
    for (message, list, item, expected) in [
        (V1, "urls", url, [0, 0, COUNT, 0]),
        (V1, "hashtags", r#"{"text":"a","indices":[0,2]}"#, [COUNT, 0, 0, 0]),
        (
            V1,
            "user_mentions",
            r#"{"screen_name":"a","name":"a","id":1,"id_str":"1","indices":[0,2]}"#,
            [0, COUNT, 0, 0],
        ),
        (
            V1,
            "media",
            r#"{"id":1,"id_str":"1","indices":[0,2],"url":"https://t.co/a","type":"photo"}"#,
            [0, 0, 0, COUNT],
        ),
        (V2, "mentions", r#"{"start":0,"end":2,"username":"a","id":"1"}"#, [0, COUNT, 0, 0]),
        (V2, "hashtags", r#"{"start":0,"end":2,"tag":"a"}"#, [COUNT, 0, 0, 0]),
        (GNIP, "urls", url, [0, 0, COUNT, 0]),
    ] {
        assert_eq!(counts(&post(&within(message, list, item, COUNT))), expected, "{list}: {message}");
    }
    let link = r#"{"index":{"byteStart":0,"byteEnd":1},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"a.b"}]}"#;
    assert_eq!(counts(&post(&beside(BLUESKY, "facets", link, COUNT))), [0, 0, COUNT, 0]);
    // One after the other, all in one text: a tag, a mention, a link.
    let anchors = r#"<a href=\"https://m.b/tags/a\" class=\"hashtag\">#a</a><a href=\"https://m.b/@a\" class=\"mention\">@a</a><a href=\"https://a.b\">a.b</a>"#;
    let status = MASTODON.replace("TEXT", &many(anchors, COUNT, " ")).replace("LIST", "[]");
    assert_eq!(counts(&post(&status)), [COUNT, COUNT, COUNT, 0]);
}

/// How many messages there are in one, and why the last can't be read.
fn inside(event: &Event) -> (usize, Option<Reason>) {
    match event {
        Event::Several(events) => {
            let count = events.iter().map(|event| inside(event).0).sum();
            (count, events.last().and_then(|last| inside(last).1))
        }
        Event::ForUser { event, .. } => inside(event),
        Event::Unreadable(error) => (1, Some(error.reason)),
        _ => (1, None),
    }
}

#[test]
fn messages_in_one_take_memory_by_its_length_and_what_follows_is_told() {
    const COUNT: usize = 2_000_000;
    let numbers = many("1", COUNT, ",");
    for json in [
        format!("[{numbers}]"),
        format!("[[{numbers}],[{numbers}]]"),
        format!(r#"{{"for_user":"7","message":[{numbers}]}}"#),
        format!(r#"{{"statuses":[{numbers}]}}"#),
        format!(r#"{{"data":[{}]}}"#, many("{}", COUNT, ",")),
    ] {
        let (count, last) = inside(&event(&json));
        assert!(count * size_of::<Event>() <= 16 * json.len() + (33 << 20), "{count}: {}", &json[..40]);
        assert_eq!(last, Some(Reason::TooMany), "{}", &json[..40]);
    }
    assert_eq!(Reason::TooMany.to_string(), "too many messages in one");
    let tweet = r#"{"id":"1","author_id":"7","text":"snow"}"#;
    let page = |list: &str| format!(r#"{{"{list}":[{}]}}"#, many(tweet, 20_000, ","));
    for list in ["data", "statuses"] {
        assert_eq!(inside(&event(&page(list))), (20_000, None), "{list}");
    }
}

#[test]
fn ids_in_a_list_take_memory_by_its_length() {
    let of = |list: &str| match event(list) {
        Event::Friends { ids } => ids,
        Event::StatusWithheld { countries, .. } => countries,
        Event::PostAnd { also, .. } => match also.into_iter().next() {
            Some(Event::StatusWithheld { countries, .. }) => countries,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let (numbers, letters) = (many("1", 50_000, ","), many(r#""A""#, 50_000, ","));
    for list in [
        format!(r#"{{"friends":[{numbers}]}}"#),
        format!(r#"{{"status_withheld":{{"id":1,"user_id":7,"withheld_in_countries":[{letters}]}}}}"#),
        format!(r#"{{"id_str":"1","text":"a","user":{{"id_str":"7"}},"withheld_in_countries":[{letters}]}}"#),
    ] {
        let ids = of(&list);
        assert!(size_of_val(ids.as_slice()) <= 5 * list.len() + 1024, "{}: {}", ids.len(), &list[..40]);
        assert!(ids.len() > 1_000, "{}: {}", ids.len(), &list[..40]);
    }
    let friends: Vec<_> = (12_345..112_345).map(|id: u32| id.to_string()).collect();
    assert_eq!(of(&format!(r#"{{"friends":[{}]}}"#, friends.join(","))), friends);
}
