//! Bluesky.

use super::*;

#[test]
fn bluesky_posts_count_bytes() {
    let json = r#"{"did":"did:plc:a","time_us":1783175888085434,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":"k",
        "record":{"$type":"app.bsky.feed.post","createdAt":"2026-07-04T14:38:06.240Z","langs":["ja","en"],"text":"日本 #東京 @bo.example see b.example/…",
            "tags":["extra"],"labels":{"values":[{"val":"nudity"}]},
            "facets":[{"index":{"byteStart":7,"byteEnd":14},"features":[{"$type":"app.bsky.richtext.facet#tag","tag":"東京"}]},
                {"index":{"byteStart":15,"byteEnd":26},"features":[{"$type":"app.bsky.richtext.facet#mention","did":"did:plc:b"}]},
                {"index":{"byteStart":31,"byteEnd":44},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"https://b.example/x"}]},
                {"index":{"byteStart":1,"byteEnd":900},"features":[{"$type":"app.bsky.richtext.facet#tag","tag":"off"}]}],
            "reply":{"parent":{"uri":"at://did:plc:a/app.bsky.feed.post/p"},"root":{"uri":"at://did:plc:c/app.bsky.feed.post/r"}},
            "embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"record":{"uri":"at://did:plc:d/app.bsky.feed.post/q"}},
                "media":{"$type":"app.bsky.embed.images","images":[{"alt":"a dog"}]}}}}}"#;
    let post = post(json);
    assert_eq!(post.id, "at://did:plc:a/app.bsky.feed.post/k");
    assert_eq!((post.network.as_str(), post.lang.as_deref()), ("bluesky", Some("ja")));
    let at = |span: Option<tweetfilter_core::Span>| span.map(|span| &post.text[span.range()]);
    let tags: Vec<_> = post.entities.hashtags.iter().map(|t| (t.text.as_str(), at(t.span))).collect();
    assert_eq!(tags, [("東京", Some("#東京")), ("off", None), ("extra", None)]);
    let mention = &post.entities.mentions[0];
    assert_eq!((mention.account.id.as_str(), mention.account.handle.as_str()), ("did:plc:b", "bo.example"));
    assert_eq!(at(post.entities.links[0].span), Some("b.example/…"));
    assert_eq!(post.entities.links[0].expanded.as_deref(), Some("https://b.example/x"));
    assert_eq!(post.entities.media[0].alt.as_deref(), Some("a dog"));
    assert_eq!(post.quote_of.as_ref().map(|q| q.id()), Some("at://did:plc:d/app.bsky.feed.post/q"));
    assert_eq!(post.conversation_id.as_deref(), Some("at://did:plc:c/app.bsky.feed.post/r"));
    assert!(post.flags.self_thread && post.flags.sensitive);
    let edit = json.replace(r#""operation":"create""#, r#""operation":"update""#);
    assert!(matches!(event(&edit), Event::Edit(post) if post.flags.edited));
}

#[test]
fn words_under_a_link_are_words_and_addresses_are_not() {
    let bluesky = |shown: &str| {
        let end = 5 + shown.len();
        post(&format!(
            r#"{{"did":"did:plc:a","time_us":1,"kind":"commit","commit":{{"operation":"create","collection":"app.bsky.feed.post","rkey":"k",
            "record":{{"$type":"app.bsky.feed.post","text":"read {shown} here","facets":[{{"index":{{"byteStart":5,"byteEnd":{end}}},
            "features":[{{"$type":"app.bsky.richtext.facet#link","uri":"https://www.snow.example/deep/1"}}]}}]}}}}}}"#
        ))
    };
    let mastodon = |shown: &str| {
        post(&format!(
            r#"{{"id":"1","uri":"https://m.example/1","created_at":"2024-01-01T00:00:00.000Z","account":{{"id":"7","acct":"a","url":"https://m.example/@a"}},
            "content":"<p>read <a href=\"https://www.snow.example/deep/1\">{shown}</a> here</p>"}}"#
        ))
    };
    for of in [&bluesky as &dyn Fn(&str) -> Post, &mastodon] {
        let words = of("snow storm");
        for filter in [
            "snow",
            "\"read snow storm here\"",
            "contains:\"w sto\"",
            "has:links",
            "domain:snow.example",
            "url:deep",
        ] {
            assert!(matches(&words, filter), "{filter}: {words:?}");
        }
        assert!(!matches(&words, "\"read here\"") && !matches(&words, "-snow"), "{words:?}");
        for shown in
            ["snow.example/deep…", "www.snow.example/deep/1", "https://snow.example", "Snow.example/de..."]
        {
            let address = of(shown);
            assert!(!matches(&address, "snow") && matches(&address, "domain:snow.example"), "{address:?}");
        }
    }
}

#[test]
fn bluesky_pages_deletes_and_accounts() {
    let post = post(
        r#"{"post":{"uri":"at://did:plc:a/app.bsky.feed.post/k","author":{"did":"did:plc:a","handle":"al.example","displayName":"Al"},"likeCount":3,
        "record":{"$type":"app.bsky.feed.post","text":"see","facets":[],"embed":{"$type":"app.bsky.embed.external","external":{"uri":"https://p.example","title":"T","description":"D"}}}}}"#,
    );
    assert_eq!((post.author.account.handle.as_str(), post.counts.likes), ("al.example", Some(3)));
    assert_eq!(post.entities.links[0].title.as_deref(), Some("T"));
    // The page on a card is a link of the post's, also where the text names it not.
    assert_eq!(post.entities.own_links().count(), 1);
    let of = |rest: &str| event(&format!(r#"{{"did":"did:plc:a","time_us":5000,{rest}}}"#));
    let deleted =
        of(r#""kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"k"}"#);
    assert!(
        matches!(deleted, Event::Delete { id, at: Some(5), .. } if id == "at://did:plc:a/app.bsky.feed.post/k")
    );
    let like = of(
        r#""kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.like","record":{}}"#,
    );
    assert_eq!(like, Event::Other { kind: "app.bsky.feed.like".to_owned() });
    let gone = of(r#""kind":"account","account":{"active":false,"status":"takendown"}"#);
    assert!(
        matches!(gone, Event::AccountStatus { network, active: false, status, .. } if (&*network, &*status) == ("bluesky", "takendown"))
    );
    let renamed = of(r#""kind":"identity","identity":{"handle":"new.example"}"#);
    assert!(matches!(renamed, Event::Identity { account, .. } if account.handle == "new.example"));
}
