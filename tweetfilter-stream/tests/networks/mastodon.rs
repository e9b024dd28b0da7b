//! Mastodon.

use super::*;

#[test]
fn mastodon_statuses() {
    let post = post(
        r##"{"id":"9","uri":"https://m.example/users/al/statuses/9","created_at":"2026-08-01T13:49:42.878Z","edited_at":"2026-08-01T14:00:00.000Z",
        "spoiler_text":"food","sensitive":true,"language":"en","in_reply_to_id":"8","in_reply_to_account_id":"2",
        "content":"<p>Hi <a href=\"https://o.example/@bo\" class=\"u-url mention\">@<span>bo</span></a> <a href=\"https://m.example/tags/x\" class=\"mention hashtag\">#<span>X</span></a></p><p><a href=\"https://p.example/a\">https://p.example/a</a></p>",
        "account":{"id":"1","acct":"al","display_name":"Al","note":"<p>see <a href=\"https://b.example\">https://b.example</a></p>","bot":true,"locked":true,"followers_count":3},
        "mentions":[{"id":"2","acct":"bo@o.example","url":"https://o.example/@bo"}],"tags":[{"name":"x"},{"name":"beside"}],
        "media_attachments":[{"type":"gifv","description":"a dog"}],"poll":{"id":"1"},"application":{"name":"Ivory"},
        "card":{"url":"https://p.example/a","title":"T","description":"D"},"favourites_count":2,
        "quote":{"state":"accepted","quoted_status":{"id":"7","uri":"https://m.example/7","content":"<p>q</p>","account":{"id":"3","acct":"cy@n.example"}}}}"##,
    );
    assert_eq!(
        (post.network.as_str(), post.id.as_str(), post.warning.as_deref()),
        ("m.example", "9", Some("food"))
    );
    assert_eq!(post.text, "Hi @bo #X\n\nhttps://p.example/a");
    assert_eq!(post.author.account.handle, "al@m.example");
    assert_eq!(post.author.bio.as_deref(), Some("see https://b.example"));
    assert_eq!(post.author.bio_links.len(), 1);
    assert_eq!(post.entities.mentions[0].account.handle, "bo@o.example");
    let tags: Vec<_> = post.entities.hashtags.iter().map(|t| (t.text.as_str(), t.span.is_some())).collect();
    assert_eq!(tags, [("X", true), ("beside", false)]);
    assert_eq!(post.entities.links[0].description.as_deref(), Some("D"));
    assert_eq!(post.entities.media[0].kind, MediaKind::Gif);
    assert_eq!(post.reply_to.as_ref().map(|r| r.account.handle.as_str()), Some("bo@o.example"));
    assert_eq!(post.quote_of.as_ref().and_then(|q| q.post.as_ref()).map(|q| q.text.as_str()), Some("q"));
    assert!(post.flags.edited && post.flags.poll && post.author.bot && post.author.protected);
    let status =
        r#"{\"id\":\"9\",\"uri\":\"https://m.example/9\",\"content\":\"x\",\"account\":{\"id\":\"1\"}}"#;
    let of = |kind: &str, payload: &str| event(&format!(r#"{{"event":"{kind}","payload":"{payload}"}}"#));
    assert!(matches!(of("update", status), Event::Post(_)));
    assert!(matches!(of("status.update", status), Event::Edit(_)));
    assert!(matches!(of("delete", "9"), Event::Delete { id, .. } if id == "9"));
    assert!(matches!(of("filters_changed", ""), Event::Other { .. }));
}
