//! Bluesky's views, made up for these tests: what they say beside the record.

#[path = "support/read.rs"]
mod read;

use read::{matches, post};

/// A view by `name`; `rest` follows the text in its record, `beside` the record.
fn view(name: &str, rest: &str, beside: &str) -> String {
    format!(
        r#"{{"uri":"at://did:plc:{name}/app.bsky.feed.post/k","author":{{"did":"did:plc:{name}","handle":"{name}.example"}},
        "record":{{"$type":"app.bsky.feed.post","text":"snow"{rest}}}{beside}}}"#
    )
}

#[test]
fn labels_are_read_in_the_record_and_in_the_view() {
    let labels = |rest: &str| {
        format!(r#","labels":[{{"src":"did:plc:l","val":"spam"}},{{"src":"did:plc:l",{rest}}}]"#)
    };
    for (json, sensitive) in [
        (view("a", "", &labels(r#""val":"porn""#)), true),
        (view("a", r#","labels":{"values":[{"val":"porn"}]}"#, ""), true),
        (view("a", r#","labels":{"values":[{"val":"porn"}]}"#, r#","labels":[]"#), true),
        (view("a", "", &labels(r#""val":"!no-unauthenticated""#)), false),
        (view("a", "", &labels(r#""val":"porn","neg":true"#)), false),
        (view("a", "", ""), false),
    ] {
        assert_eq!(matches(&post(&json), "is:sensitive"), sensitive, "{json}");
        let entry = format!(r#"{{"post":{json}}}"#);
        assert_eq!(matches(&post(&entry), "is:sensitive"), sensitive, "{entry}");
    }
    // Those of a quoted post are its own.
    let uri = "at://did:plc:q/app.bsky.feed.post/9";
    let quote = format!(r#","embed":{{"$type":"app.bsky.embed.record","record":{{"uri":"{uri}"}}}}"#);
    let shown = format!(
        r#","embed":{{"$type":"app.bsky.embed.record#view","record":{{"uri":"{uri}","author":{{"did":"did:plc:q"}},"value":{{"text":"rain"}}{}}}}}"#,
        labels(r#""val":"nudity""#)
    );
    let quoting = post(&view("a", &quote, &shown));
    assert!(matches(&quoting, "in:quote(rain is:sensitive) -is:sensitive"), "{quoting:?}");
}

#[test]
fn whom_a_reply_in_a_feed_answers_has_a_handle() {
    let parent = "at://did:plc:z/app.bsky.feed.post/0";
    let reply = format!(r#","reply":{{"parent":{{"uri":"{parent}"}},"root":{{"uri":"{parent}"}}}}"#);
    let entry = |did: &str| {
        let author = format!(r#"{{"did":"{did}","handle":"zoe.example"}}"#);
        let of = view("a", &reply, "");
        post(&format!(r#"{{"post":{of},"reply":{{"parent":{{"uri":"{parent}","author":{author}}}}}}}"#))
    };
    let answered = entry("did:plc:z");
    assert!(matches(&answered, "to:zoe.example") && matches(&answered, "to:did:plc:z"), "{answered:?}");
    // The feed may tell of another post than the record does.
    let other = entry("did:plc:other");
    assert!(!matches(&other, "to:zoe.example") && matches(&other, "to:did:plc:z"), "{other:?}");
}
