//! Whose ids and names Mastodon's statuses tell, what they quote and boost, and what they take.

use serde_json::{Value, json};
use tweetfilter_core::post::{Account, Post};
use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, Identity, OwnerId};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::decode;

fn event(message: &Value) -> Event {
    decode(message.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {message}"))
}

fn post(message: &Value) -> Post {
    match event(message) {
        Event::Post(post) | Event::Edit(post) => *post,
        other => panic!("not a post: {other:?}"),
    }
}

/// A line of a stream of a server.
fn streamed(kind: &str, status: &Value, server: &str) -> Value {
    json!({"event": kind, "payload": status.to_string(), "server": server})
}

/// A post by ann of far.example, as another server tells of it.
fn by_ann(more: Value) -> Value {
    let mut status = json!({
        "id": "5", "uri": "https://far.example/users/ann/statuses/900", "content": "<p>Snow</p>",
        "account": {"id": "99", "acct": "ann@far.example", "url": "https://far.example/@ann"},
    });
    status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    status
}

fn account(id: &str, handle: &str) -> Account {
    Account { id: id.into(), handle: handle.into() }
}

/// Whether a filter matches for the owner who is known by an id, or a handle, on a network.
fn matches(post: &Post, filter: &str, network: &str, account: Account) -> bool {
    let mut builder = FilterSetBuilder::new();
    builder.owner(OwnerId(1), vec![Identity { network: network.into(), account }]);
    builder.add_expression(FilterId(1), Some(OwnerId(1)), Expression::parse(filter).unwrap()).unwrap();
    !builder.build().matches(post).is_empty()
}

/// The same for a filter that needs no owner.
fn finds(post: &Post, filter: &str) -> bool {
    matches(post, filter, "", account("", ""))
}

#[test]
fn ids_and_names_without_a_host_are_of_the_server_that_was_read() {
    let bob = json!({"id": "43", "acct": "bob", "url": "https://home.example/@bob"});
    let more = json!({
        "content": "<p><a href=\"https://home.example/@bob\" class=\"u-url mention\">@bob</a> snow</p>",
        "mentions": [bob], "in_reply_to_id": "4", "in_reply_to_account_id": "43",
    });
    let status = by_ann(more);
    // The status itself tells it by an account of the server; a stream tells it always.
    for message in [status.clone(), streamed("update", &status, "Home.Example")] {
        let post = post(&message);
        assert_eq!((post.network.as_str(), post.id.as_str()), ("home.example", "5"));
        assert_eq!(post.author.account, account("99", "ann@far.example"));
        assert_eq!(post.entities.mentions[0].account, account("43", "bob@home.example"));
        assert_eq!(post.reply_to.as_ref().map(|to| &to.account), Some(&account("43", "bob@home.example")));
        for filter in ["@me", "to:me"] {
            assert!(matches(&post, filter, "home.example", account("43", "")), "{filter}");
            assert!(!matches(&post, filter, "far.example", account("43", "")), "{filter}");
        }
        assert!(finds(&post, "@bob@home.example to:bob") && !finds(&post, "@bob@far.example"));
    }
}

#[test]
fn who_is_carried_tells_the_server_too() {
    let local = json!({"id": "7", "uri": "https://home.example/7", "content": "<p>q</p>",
        "account": {"id": "1", "acct": "cy"}});
    for more in [
        json!({"reblog": local}),
        json!({"quote": {"state": "accepted", "quoted_status": local}}),
        json!({"quote": local}),
    ] {
        let post = post(&by_ann(more.clone()));
        assert_eq!((post.network.as_str(), post.author.account.id.as_str()), ("home.example", "99"));
        let carried = post.retweet_of.as_ref().or(post.quote_of.as_ref()).expect("carried");
        let carried = carried.post.as_ref().expect("its post");
        assert_eq!(carried.network, "home.example", "{more}");
        assert_eq!(carried.author.account, account("1", "cy@home.example"));
    }
}

#[test]
fn where_no_server_is_told_nobody_has_an_id() {
    let more = json!({
        "mentions": [{"id": "43", "acct": "bo@o.example", "url": "https://o.example/@bo"}, {"id": "8", "acct": "44"}],
        "in_reply_to_id": "4", "in_reply_to_account_id": "43",
    });
    let known = post(&by_ann(more));
    // The post keeps the id by which it was known.
    assert_eq!((known.network.as_str(), known.id.as_str()), ("far.example", "5"));
    assert_eq!(known.author.account, account("", "ann@far.example"));
    let mentioned: Vec<_> = known.entities.mentions.iter().map(|mention| &mention.account).collect();
    assert_eq!(mentioned, [&account("", "bo@o.example"), &account("", "")]);
    assert_eq!(known.reply_to.as_ref().map(|to| &to.account), Some(&account("", "bo@o.example")));
    for id in ["99", "43", "44", "8"] {
        assert!(!matches(&known, "from:me OR to:me OR @me", "far.example", account(id, "")), "{id}");
    }
    assert!(matches(&known, "from:me", "far.example", account("", "ann@far.example")));
    let unknown = post(&by_ann(json!({"in_reply_to_id": "4", "in_reply_to_account_id": "43"})));
    assert_eq!(unknown.reply_to.map(|to| (to.id, to.account)), Some(("4".into(), account("", ""))));
    // That a post goes on its author's own thread shows all the same.
    assert!(post(&by_ann(json!({"in_reply_to_id": "4", "in_reply_to_account_id": "99"}))).flags.self_thread);
}

#[test]
fn a_name_that_is_only_shown_is_nobodys_id() {
    let content = "<p><a href=\"https://far.example/x\" class=\"mention\">@43</a></p>";
    let post = post(&streamed("update", &by_ann(json!({"content": content})), "home.example"));
    assert_eq!(post.entities.mentions[0].account, account("", "43@far.example"));
    assert!(!matches(&post, "@me", "home.example", account("43", "")) && finds(&post, "@43"));
}

#[test]
fn a_host_that_is_called_as_a_network_is_none() {
    for host in ["x", "Bluesky", "", "a b", &"a".repeat(254)] {
        let account = json!({"id": "12", "acct": "eve", "url": format!("https://{host}/@eve")});
        let status =
            json!({"id": "5", "uri": format!("https://{host}/5"), "content": "s", "account": account});
        let post = post(&status);
        assert_eq!((post.network.as_str(), post.author.account.id.as_str()), ("", ""), "{host}");
    }
}

#[test]
fn a_post_its_versions_and_its_delete_of_a_stream_meet() {
    let status = by_ann(json!({"edited_at": "2024-05-06T08:08:09.000Z"}));
    let new = post(&streamed("update", &status, "home.example"));
    let edit = event(&streamed("status.update", &status, "home.example"));
    assert!(matches!(&edit, Event::Edit(post) if post.network == new.network && post.id == new.id));
    assert_eq!((new.network.as_str(), new.author.account.id.as_str()), ("home.example", "99"));
    // No server deletes what another gave this id.
    for (server, told) in [(json!("home.example"), "home.example"), (json!(null), "")] {
        let delete = event(&json!({"event": "delete", "payload": "5", "server": server}));
        assert!(matches!(&delete, Event::Delete { network, id, .. } if (&**network, &**id) == (told, "5")));
    }
}

#[test]
fn the_fallback_of_a_quote_is_neither_text_nor_a_link_of_the_authors() {
    let quoted = json!({"id": "7", "uri": "https://far.example/users/cy/7", "url": "https://far.example/@cy/7",
        "content": "<p>q</p>", "account": {"id": "3", "acct": "cy@far.example"}});
    let link = "<a href=\"https://far.example/@cy/7\">https://far.example/@cy/7</a>";
    let fallback = format!("<p class=\"quote-inline\">RE: {link}</p><p>Snow</p>");
    let quote = post(&by_ann(json!({"content": fallback, "quote": {"quoted_status": quoted}})));
    assert_eq!(quote.content().text, "Snow");
    assert!(finds(&quote, "domain:far.example url:cy is:quote links:0 -has:links -re length:4"));
    let pending = post(&by_ann(json!({"content": fallback, "quote": {"state": "pending"}})));
    assert!(pending.text == "Snow" && pending.entities.links[0].quote);
    // Elsewhere in the text the address stays, and is the quote's all the same.
    let inside = format!("<p>{link} Snow <a href=\"https://b.example\">https://b.example</a></p>");
    let inside = post(&by_ann(json!({"content": inside, "quote": {"quoted_status": quoted}})));
    assert_eq!(inside.entities.links.iter().map(|link| link.quote).collect::<Vec<_>>(), [true, false]);
    assert!(inside.text.starts_with("https://far.example/@cy/7 Snow"));
    // Without a quote, it is all that there is.
    let plain = post(&by_ann(json!({"content": fallback, "quote": null})));
    assert_eq!(plain.text, "RE: https://far.example/@cy/7\n\nSnow");
    assert!(finds(&plain, "re has:links links:1"));
    let empty = post(&by_ann(json!({"content": "<p><a href=\"\">Snow</a></p>"})));
    assert!(!empty.entities.links[0].quote);
}

#[test]
fn a_quote_that_is_announced_and_not_carried_is_one_of_which_nothing_is_known() {
    let states = ["pending", "rejected", "revoked", "deleted", "unauthorized"];
    let hidden = ["blocked_account", "blocked_domain", "muted_account"];
    for state in states.into_iter().chain(hidden) {
        let quote = post(&by_ann(json!({"quote": {"state": state, "quoted_status": null}})));
        assert!(finds(&quote, "is:quote") && !finds(&quote, "-is:quote"), "{state}");
        assert!(!finds(&quote, "in:quote(spam) OR -in:quote(spam)"), "{state}");
    }
    // A quote in a quote tells the id, if any may know it.
    let shallow = |id: Value| post(&by_ann(json!({"quote": {"state": "accepted", "quoted_status_id": id}})));
    assert!(finds(&shallow(json!("7")), "is:quote quotes_of_tweet_id:7"));
    assert!(finds(&shallow(json!(null)), "is:quote") && !finds(&shallow(json!(null)), "-in:quote(spam)"));
    for none in [json!({}), json!({"quote": null}), json!({"quote": "7"})] {
        assert!(finds(&post(&by_ann(none)), "-is:quote -in:quote(spam)"));
    }
}

#[test]
fn a_boost_of_a_boost_has_the_text_of_the_one_at_the_bottom() {
    let status = |id: &str, by: &str, content: &str| {
        json!({"id": id, "uri": format!("https://m.example/{id}"), "content": content, "language": "en",
            "account": {"id": id, "acct": by}})
    };
    let (mut boost, mut again) = (status("2", "bo", ""), status("3", "cy", ""));
    boost["reblog"] = status("1", "al", "<p>Snow</p>");
    again["reblog"] = boost;
    let post = post(&again);
    assert_eq!((post.content().text.as_str(), post.content().id.as_str()), ("Snow", "1"));
    assert!(finds(&post, "snow from:cy retweets_of:al retweets_of_tweet_id:\"1\""));
}

#[test]
fn what_is_kept_of_a_status_grows_with_its_length() {
    let kept = |post: &Post| -> usize {
        let mentions = post.entities.mentions.iter().map(|mention| &mention.account);
        mentions.map(|account| account.id.len() + account.handle.len()).sum()
    };
    let host = "h".repeat(50_000);
    let many: Vec<_> = (0..1_000).map(|id| json!({"id": id.to_string(), "acct": "b"})).collect();
    let long_host = json!({"id": "5", "uri": format!("https://{host}/5"), "content": "s",
        "account": {"id": "1", "acct": "a"}, "mentions": many});
    let long_name = json!({"id": "5", "uri": "https://m.example/5", "account": {"id": "1", "acct": "a"},
        "content": "<a href=\"u\" class=\"mention\">@b</a>".repeat(1_000),
        "mentions": [{"id": "i".repeat(50_000), "acct": "b".repeat(50_000), "url": "u"}]});
    for status in [long_host, long_name] {
        let (line, post) = (status.to_string().len(), post(&status));
        assert_eq!(post.entities.mentions.len(), 1_000);
        assert!(kept(&post) < line, "{} of {line}", kept(&post));
    }
}
