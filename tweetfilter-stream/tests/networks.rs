//! Messages of every other wire, made up for these tests.

#[path = "support/read.rs"]
mod read;

use proptest::prelude::*;
use read::{event, matches, post};
use tweetfilter_core::post::{Account, MediaKind, Post};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::{Reason, decode};

const V2: &str = r##"{"data":{"id":"20","author_id":"7","text":"so &amp; @bo #x https://t.co/q https://t.co/m","lang":"en",
    "created_at":"2022-10-03T18:00:23.000Z","conversation_id":"11","possibly_sensitive":true,"source":"Web",
    "in_reply_to_user_id":"8","edit_history_tweet_ids":["19","20"],
    "referenced_tweets":[{"type":"quoted","id":"4"},{"type":"replied_to","id":"11"}],
    "public_metrics":{"retweet_count":1,"reply_count":2,"like_count":3,"quote_count":4},
    "attachments":{"media_keys":["3_1","16_2"],"poll_ids":["p"]},"geo":{"place_id":"pl","coordinates":{"type":"Point","coordinates":[10.5,59.5]}},
    "context_annotations":[{"domain":{"id":"46","name":"Brand"},"entity":{"id":"781","name":"Acme"}}],
    "entities":{"mentions":[{"start":9,"end":12,"username":"bo","id":"8"}],"hashtags":[{"start":13,"end":15,"tag":"x"}],
        "annotations":[{"start":0,"end":1,"type":"Place","normalized_text":"Oslo"}],
        "urls":[{"start":16,"end":30,"url":"https://t.co/q","expanded_url":"https://twitter.com/cy/status/4","title":"T"},
            {"start":31,"end":45,"url":"https://t.co/m","expanded_url":"https://twitter.com/al/status/20/photo/1","media_key":"3_1"}]}},
    "includes":{"users":[{"id":"7","username":"al","name":"Al","description":"see https://t.co/b","verified_type":"blue","protected":false,
            "entities":{"description":{"urls":[{"start":4,"end":18,"url":"https://t.co/b","expanded_url":"https://b.example"}]}},
            "public_metrics":{"followers_count":5,"following_count":6,"tweet_count":7,"listed_count":8}},
            {"id":"8","username":"bo","name":"Bo"}],
        "tweets":[{"id":"4","author_id":"8","text":"original"}],
        "media":[{"media_key":"3_1","type":"photo","alt_text":"a dog"}],
        "places":[{"id":"pl","name":"Oslo","full_name":"Oslo, Norway","country_code":"NO","geo":{"bbox":[10,59,11,60]}}]},
    "matching_rules":[{"id":"1"}]}"##;

#[test]
fn v2_with_includes() {
    let post = post(V2);
    assert_eq!((post.network.as_str(), post.id.as_str()), ("x", "20"));
    assert_eq!(post.text, "so & @bo #x https://t.co/q https://t.co/m");
    let at = |span: Option<tweetfilter_core::Span>| &post.text[span.expect("a span").range()];
    assert_eq!(at(post.entities.mentions[0].span), "@bo");
    assert_eq!(at(post.entities.hashtags[0].span), "#x");
    assert!(post.entities.links.iter().all(|link| link.quote));
    assert_eq!((post.entities.links.len(), post.entities.other_links.len()), (1, 1));
    let media: Vec<_> = post.entities.media.iter().map(|m| (m.kind, m.alt.as_deref())).collect();
    assert_eq!(media, [(MediaKind::Image, Some("a dog")), (MediaKind::Gif, None)]);
    assert_eq!(
        (post.author.account.handle.as_str(), post.author.followers, post.author.verified),
        ("al", Some(5), true)
    );
    assert_eq!(post.author.bio_links[0].span.map(|s| s.range()), Some(4..18));
    let reply = post.reply_to.as_ref().expect("a reply");
    assert_eq!((reply.id.as_str(), reply.account.handle.as_str()), ("11", "bo"));
    let quote = post.quote_of.as_ref().expect("a quote");
    assert_eq!((quote.id(), quote.account().handle.as_str()), ("4", "bo"));
    assert_eq!(post.place.as_ref().and_then(|p| p.center).map(|c| c.lon), Some(10.5));
    assert_eq!(post.coordinates.map(|c| c.lat), Some(59.5));
    assert!(post.flags.edited && post.flags.poll && post.flags.sensitive && !post.flags.self_thread);
    assert_eq!(post.annotations[0].domain, "46");
    assert_eq!((post.annotations[1].domain.as_str(), post.annotations[1].name.as_str()), ("", "Oslo"));
    assert_eq!(post.counts.likes, Some(3));
}

#[test]
fn v2_pages_errors_and_flattened_tweets() {
    let page = event(
        r#"{"data":[{"id":"1","text":"RT @bo: orig…","author_id":"7","referenced_tweets":[{"type":"retweeted","id":"2"}]},
        {"id":"3","text":"RT @cy: lost…","author_id":"7","referenced_tweets":[{"type":"retweeted","id":"9"}]}],
        "includes":{"tweets":[{"id":"2","text":"original","author_id":"8"}],"users":[{"id":"8","username":"bo"}]},
        "errors":[{"detail":"gone"}],"meta":{"result_count":2}}"#,
    );
    let posts: Vec<_> = page.into_posts().map(|(_, post)| post).collect();
    assert_eq!(posts[0].content().text, "original");
    assert_eq!(posts[0].text, "");
    let announced = posts[1].retweet_of.as_ref().expect("announced");
    assert!(announced.post.is_none() && announced.id == "9");
    assert_eq!((posts[1].text.as_str(), announced.account.handle.as_str()), ("lost…", "cy"));
    assert_eq!(
        event(r#"{"errors":[{"title":"operational-disconnect","detail":"bye"}]}"#),
        Event::Failure { message: "bye".to_owned() }
    );
    for (problem, message) in [
        (
            r#"{"title":"ConnectionException","detail":"at the limit","connection_issue":"TooManyConnections","type":"https://api.twitter.com/2/problems/streaming-connection"}"#,
            "at the limit",
        ),
        (r#"{"title":"ConnectionException","connection_issue":"TooManyConnections"}"#, "ConnectionException"),
        (r#"{"title":"Unauthorized","status":401}"#, "Unauthorized"),
        (r#"{"title":"Forbidden","type":"about:blank"}"#, "Forbidden"),
    ] {
        assert_eq!(event(problem), Event::Failure { message: message.to_owned() }, "{problem}");
    }
    // Others have titles, too.
    assert_eq!(post(r#"{"title":"Snow","status":404,"text":"snow"}"#).text, "snow");
    for other in [r#"{"title":"Snow","status":200}"#, r#"{"title":"Snow","detail":"deep","type":"book"}"#] {
        assert!(decode(other.as_bytes()).is_err(), "{other}");
    }
    assert_eq!(event(r#"{"meta":{"result_count":0}}"#), Event::Several(vec![]));
    let flat = post(
        r#"{"id":"5","text":"hi","author_id":"7","author":{"id":"7","username":"al","public_metrics":{"followers_count":1}},
        "attachments":{"media":[{"type":"video","media_key":"7_1"}]},"in_reply_to_user":{"id":"7","username":"al"},"in_reply_to_user_id":"7",
        "geo":{"id":"pl","full_name":"Oslo, Norway","geo":{"bbox":[10,59,11,60]}},
        "referenced_tweets":[{"type":"replied_to","id":"4"},{"type":"quoted","id":"6","text":"q","author":{"id":"9","username":"cy"}}]}"#,
    );
    assert_eq!(flat.entities.media[0].kind, MediaKind::Video);
    assert_eq!(flat.quote_of.as_ref().map(|q| q.account().handle.as_str()), Some("cy"));
    assert!(flat.flags.self_thread && flat.place.is_some());
}

#[test]
fn of_a_retweet_without_its_original_the_text_is_the_originals() {
    for json in [
        r#"{"data":{"id":"5","text":"RT @bob: hi @al #snow","author_id":"9","referenced_tweets":[{"type":"retweeted","id":"4"}]}}"#,
        r##"{"data":{"id":"5","text":"RT @bob: hi @al #snow","author_id":"9","referenced_tweets":[{"type":"retweeted","id":"4"}],
            "entities":{"mentions":[{"start":3,"end":7,"username":"bob"},{"start":12,"end":15,"username":"al"}],
                "hashtags":[{"start":16,"end":21,"tag":"snow"}]}}}"##,
        r#"{"id_str":"5","text":"RT @bob: hi @al #snow","user":{"id_str":"9"},"retweeted_status":{"id_str":"4"}}"#,
        r#"{"id":"tag:search.twitter.com,2005:5","verb":"share","body":"RT @bob: hi @al #snow","object":{"id":"tag:search.twitter.com,2005:4"}}"#,
    ] {
        let post = post(json);
        let original = post.retweet_of.as_ref().expect("announced");
        assert!(original.post.is_none() && original.id == "4", "{json}");
        assert_eq!(original.account.handle, "bob", "{json}");
        assert_eq!(post.text, "hi @al #snow", "{json}");
        let at = |span: Option<tweetfilter_core::Span>| span.map(|span| &post.text[span.range()]);
        let mentions: Vec<_> = post.entities.mentions.iter().map(|m| at(m.span)).collect();
        assert_eq!(mentions, [Some("@al")], "{json}");
        assert_eq!(at(post.entities.hashtags[0].span), Some("#snow"), "{json}");
    }
    let own = post(r#"{"id_str":"5","text":"RT @bob: hi","user":{"id_str":"9"},"retweeted_status":{}}"#);
    assert!(own.retweet_of.is_none() && own.text == "RT @bob: hi");
}

#[test]
fn what_is_unreadable_in_a_list_keeps_nobody_out() {
    for list in [
        r#"[{"text":"one"},{"odd":1},3,{"text":"two"}]"#,
        r#"{"statuses":[{"text":"one"},{"odd":1},3,{"text":"two"}]}"#,
    ] {
        let Event::Several(events) = event(list) else { panic!("a list") };
        assert_eq!(events.len(), 4, "{list}");
        let reasons = events.iter().filter_map(|event| match event {
            Event::Unreadable(error) => Some(error.reason),
            _ => None,
        });
        assert_eq!(reasons.collect::<Vec<_>>(), [Reason::UnknownMessage; 2], "{list}");
        let texts: Vec<_> = event(list).into_posts().map(|(_, post)| post.text).collect();
        assert_eq!(texts, ["one", "two"]);
    }
}

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
fn the_version_of_an_edit_is_when_it_was_made_and_not_when_it_came() {
    let edited = |json: &str| match event(json) {
        Event::Post(post) | Event::Edit(post) => post.edited_at,
        other => panic!("{other:?}"),
    };
    let update = |rev: &str| {
        format!(
            r#"{{"did":"did:plc:a","time_us":1783175999000000,"kind":"commit","commit":{{"operation":"update",{rev}
            "collection":"app.bsky.feed.post","rkey":"k","record":{{"$type":"app.bsky.feed.post","text":"Snow"}}}}}}"#
        )
    };
    // Each server of the stream has a time of its own, and the same revision.
    assert_eq!(edited(&update(r#""rev":"3mptbyq5chu2b","#)), Some(1_783_175_888_085));
    for rev in [
        "",
        r#""rev":"","#,
        r#""rev":"zzzzzzzzzzzzz","#,
        r#""rev":"3mptbyq5chu2b2","#,
        r#""rev":"1000000000000","#,
    ] {
        assert_eq!(edited(&update(rev)), Some(1_783_175_999_000), "{rev}");
    }
    let status = |at: &str| {
        format!(
            r#"{{\"id\":\"9\",\"uri\":\"https://m.example/9\",\"content\":\"x\",\"account\":{{\"id\":\"1\"}}{at}}}"#
        )
    };
    let of = |kind: &str, at: &str| edited(&format!(r#"{{"event":"{kind}","payload":"{}"}}"#, status(at)));
    let times = r#",\"created_at\":\"2022-11-23T22:36:10.123Z\",\"edited_at\":\"2022-11-23T22:40:10.124Z\""#;
    assert_eq!(of("status.update", times), Some(1_669_243_210_124));
    assert_eq!(of("update", times), Some(1_669_243_210_124));
    // An update that is no edit leaves the first version, and is the same from every server.
    let poll = times.replace(r#"\"2022-11-23T22:40:10.124Z\""#, "null");
    assert_eq!((of("status.update", &poll), of("update", &poll)), (Some(1_669_242_970_123), None));
    assert_eq!(of("status.update", ""), None);
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

#[test]
fn gnip_activities() {
    let post = post(
        r#"{"id":"tag:search.twitter.com,2005:12","objectType":"activity","verb":"post","postedTime":"2014-06-17T22:38:47.000Z",
        "body":"R&amp;D #x http://t.co/a","generator":{"displayName":"TweetDeck"},"favoritesCount":2,"retweetCount":3,
        "actor":{"id":"id:twitter.com:7","preferredUsername":"al","displayName":"Al","summary":"bio","followersCount":5,"friendsCount":6,
            "statusesCount":7,"listedCount":8,"location":{"displayName":"Oslo"},"postedTime":"2008-12-18T17:50:00.000Z"},
        "twitter_entities":{"hashtags":[{"text":"x","indices":[8,10]}],"urls":[{"url":"http://t.co/a","expanded_url":"http://a.example","indices":[11,24]}]},
        "gnip":{"language":{"value":"en"},"urls":[{"url":"http://t.co/a","expanded_url":"http://b.example","expanded_url_title":"T"}],
            "profileLocations":[{"address":{"country":"Norway","countryCode":"NO","locality":"Oslo"}}]},
        "inReplyTo":{"link":"http://twitter.com/Al/statuses/11"},"geo":{"type":"Point","coordinates":[59.5,10.5]},
        "location":{"displayName":"Oslo, Norway","name":"Oslo","twitter_country_code":"NO","link":"https://api.twitter.com/1.1/geo/id/62c.json",
            "geo":{"type":"Polygon","coordinates":[[[10,59],[11,59],[11,60],[10,60]]]}}}"#,
    );
    assert_eq!(
        (post.id.as_str(), post.author.account.id.as_str(), post.text.as_str()),
        ("12", "7", "R&D #x http://t.co/a")
    );
    assert_eq!(post.entities.links[0].unwound.as_deref(), Some("http://b.example"));
    assert_eq!(post.entities.links[0].title.as_deref(), Some("T"));
    assert_eq!(post.coordinates.map(|c| (c.lon, c.lat)), Some((10.5, 59.5)));
    assert_eq!(post.place.as_ref().map(|p| p.id.as_str()), Some("62c"));
    assert_eq!(post.author.profile_geo.as_ref().and_then(|g| g.locality.as_deref()), Some("Oslo"));
    assert!(post.flags.self_thread && post.lang.as_deref() == Some("en"));
    let shared = self::post(
        r#"{"id":"tag:x:2","verb":"share","body":"RT @bo: whole…","actor":{"id":"id:x:1"},
        "object":{"id":"tag:x:1","verb":"post","body":"who…","actor":{"id":"id:x:8","preferredUsername":"bo"},"long_object":{"body":"whole text"}}}"#,
    );
    assert_eq!((shared.text.as_str(), shared.content().text.as_str()), ("", "whole text"));
}

#[test]
fn what_enterprise_streams_say_of_posts_and_users_is_read() {
    let at = Some(1_409_183_381_839);
    let said = |json: &str| event(&json.replace('@', r#""timestampMs":"2014-08-27T23:49:41.839+00:00""#));
    let account = |id: &str| Account { id: id.to_owned(), handle: String::new() };
    let countries = || vec!["XY".to_owned()];
    let deleted = Event::Delete { network: "x".into(), id: "12".into(), author: account("7"), at };
    let scrubbed = Event::ScrubGeo { author: account("7"), up_to: "12".into() };
    let status = Event::StatusWithheld { id: "12".into(), author: account("7"), countries: countries(), at };
    let user = Event::UserWithheld { author: account("7"), countries: countries(), at };
    for (json, expected) in [
        (
            r#"{"objectType":"activity","verb":"delete","object":{"id":"tag:search.twitter.com,2005:12"},"actor":{"id":"id:twitter.com:7"},@}"#,
            &deleted,
        ),
        (
            r#"{"objectType":"activity","verb":"scrub_geo","actor":{"id":"id:twitter.com:7"},"target":{"up_to_id":"tag:search.twitter.com,2005:12"},@}"#,
            &scrubbed,
        ),
        (
            r#"{"verb":"status_withheld","object":{"id":"tag:search.twitter.com,2005:12","user_id":"tag:search.twitter.com,2012:user\/7","withheld_in_countries":["XY"]},@}"#,
            &status,
        ),
        (
            r#"{"verb":"user_withheld","object":{"id":"tag:search.twitter.com,2012:user\/7"},"withheld_in_countries":["XY"],@}"#,
            &user,
        ),
        // The same in the format of API v1.1.
        (
            r#"{"status_withheld":{"status":{"id":12,"id_str":"12","user_id":7,"user_id_str":"7"},"withheld_in_countries":["XY"],"timestamp_ms":"1409183381839"}}"#,
            &status,
        ),
        (r#"{"user_withheld":{"user":{"id":7,"id_str":"7"},"withheld_in_countries":["XY"],@}}"#, &user),
    ] {
        assert_eq!(said(json), *expected, "{json}");
    }
    // An edit takes the place of the versions before it, within another too.
    let edit = r#"{"id":"tag:search.twitter.com,2005:12","verb":"post","body":"snow","actor":{"id":"id:twitter.com:7"},"edit_history":{"initial_tweet_id":"11","edit_tweet_ids":["11","12"]}}"#;
    let shared = format!(
        r#"{{"id":"tag:search.twitter.com,2005:20","verb":"share","body":"RT","actor":{{"id":"id:twitter.com:8"}},"object":{edit}}}"#
    );
    for json in [edit, shared.as_str()] {
        let Event::PostAnd { post, also } = event(json) else { panic!("no edit: {json}") };
        assert!(post.content().flags.edited && post.content().text == "snow", "{json}");
        assert_eq!(
            also,
            [Event::Delete { network: "x".into(), id: "11".into(), author: account("7"), at: None }]
        );
    }
}

#[test]
fn what_compliance_streams_say_of_accounts_is_read_in_each_format() {
    let at = Some(1_432_228_153_548);
    for (kind, active, status) in [
        ("user_delete", false, "deleted"),
        ("user_undelete", true, "deleted"),
        ("user_protect", false, "protected"),
        ("user_unprotect", true, "protected"),
        ("user_suspend", false, "suspended"),
        ("user_unsuspend", true, "suspended"),
    ] {
        let state = |at| Event::AccountStatus {
            network: "x".into(),
            account: Account { id: "7".into(), handle: String::new() },
            active,
            status: status.into(),
            at,
        };
        for (json, expected) in [
            (format!(r#"{{"{kind}":{{"id":7,"timestamp_ms":"1432228153548"}}}}"#), state(at)),
            (format!(r#"{{"{kind}":{{"id":9,"user_id":7,"timestamp_ms":"1432228153548"}}}}"#), state(at)),
            (
                format!(
                    r#"{{"{kind}":{{"user":{{"id":7,"id_str":"7"}},"timestampMs":"2015-05-21T17:09:13.548Z"}}}}"#
                ),
                state(at),
            ),
            (
                format!(
                    r#"{{"data":{{"{kind}":{{"user":{{"id":"7"}},"event_at":"2015-05-21T17:09:13.548+00:00"}}}}}}"#
                ),
                state(at),
            ),
            (
                format!(
                    r#"{{"event":"{kind}","target":7,"source":7,"target_object":"client_application","created_at":"Thu May 21 17:09:13 +0000 2015"}}"#
                ),
                state(Some(1_432_228_153_000)),
            ),
            (
                format!(
                    r#"{{"objectType":"activity","verb":"{kind}","object":{{"id":"id:twitter.com:7"}},"timestampMs":"2015-05-21T17:09:13.548+00:00"}}"#
                ),
                state(at),
            ),
            (format!(r#"{{"{kind}":{{"id":7}}}}"#), state(None)),
        ] {
            assert_eq!(event(&json), expected, "{json}");
        }
        // Of nobody, it would be said of all of whom no id is known.
        let nobody = format!(r#"{{"{kind}":{{"timestamp_ms":"5"}}}}"#);
        assert_eq!(decode(nobody.as_bytes()).expect_err(kind).reason, Reason::UnknownMessage);
    }
}

#[test]
fn what_compliance_streams_of_v2_say_of_posts_and_users_is_read() {
    let at = Some(1_671_798_896_789);
    let said = |json: &str| event(&json.replace('@', r#""event_at":"2022-12-23T12:34:56.789Z""#));
    let account = |id: &str| Account { id: id.to_owned(), handle: String::new() };
    let countries = || vec!["XY".to_owned()];
    let other = |kind: &str| Event::Other { kind: kind.to_owned() };
    for (json, expected) in [
        (
            r#"{"data":{"delete":{"tweet":{"id":"12","author_id":"7"},@}}}"#,
            Event::Delete { network: "x".into(), id: "12".into(), author: account("7"), at },
        ),
        (
            r#"{"data":{"withheld":{"tweet":{"id":"12","author_id":"7"},"withheld_in_countries":["XY"],@}}}"#,
            Event::StatusWithheld { id: "12".into(), author: account("7"), countries: countries(), at },
        ),
        (
            r#"{"data":{"user_withheld":{"user":{"id":"7"},"withheld_in_countries":["XY"],@}}}"#,
            Event::UserWithheld { author: account("7"), countries: countries(), at },
        ),
        (
            r#"{"data":{"scrub_geo":{"user":{"id":"7"},"up_to_tweet_id":"12",@}}}"#,
            Event::ScrubGeo { author: account("7"), up_to: "12".into() },
        ),
        // Beside the delete itself, for each post that quoted it.
        (
            r#"{"data":{"delete":{"tweet":{"id":"12","author_id":"7"},"quote_tweet_id":"13",@}}}"#,
            other("delete"),
        ),
        // A user who is withheld is no message.
        (r#"{"data":{"id":"7","username":"al","withheld":{"country_codes":["XY"]}}}"#, other("user")),
    ] {
        assert_eq!(said(json), expected, "{json}");
    }
}

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

#[test]
fn control_messages() {
    let text = |json: &str| format!("{:?}", event(json));
    for (json, expected) in [
        (
            r#"{"delete":{"status":{"id":1,"id_str":"1","user_id":3},"timestamp_ms":"5"}}"#,
            r#"Delete { network: "x", id: "1", author: Account { id: "3", handle: "" }, at: Some(5) }"#,
        ),
        (r#"{"delete":{"direct_message":{"id":1,"user_id":3}}}"#, r#"DeleteMessage { id: "1""#),
        (
            r#"{"scrub_geo":{"user_id":3,"up_to_status_id_str":"9"}}"#,
            r#"ScrubGeo { author: Account { id: "3", handle: "" }, up_to: "9" }"#,
        ),
        (
            r#"{"status_withheld":{"id":1,"user_id":3,"withheld_in_countries":["DE"]}}"#,
            r#"StatusWithheld { id: "1""#,
        ),
        (r#"{"user_withheld":{"id":3,"withheld_in_countries":["DE","AR"]}}"#, r#"countries: ["DE", "AR"]"#),
        (r#"{"limit":{"track":12}}"#, "Limit { undelivered: 12 }"),
        (r#"{"disconnect":{"code":4,"stream_name":"s","reason":"r"}}"#, "Disconnect { code: 4"),
        (
            r#"{"warning":{"code":"FALLING_BEHIND","message":"m","percent_full":60}}"#,
            "percent_full: Some(60)",
        ),
        (r#"{"friends":[1,"2"]}"#, r#"Friends { ids: ["1", "2"] }"#),
        (r#"{"friends_str":["3"]}"#, r#"Friends { ids: ["3"] }"#),
        (r#"{"control":{"control_uri":"/1"}}"#, r#"Control { uri: "/1" }"#),
        (
            r#"{"event":"follow","source":{"id":1,"screen_name":"a"},"target":2,"created_at":"Fri Jan 01 07:29:00 +0000 2021"}"#,
            "at: Some(1609486140000)",
        ),
        (
            r#"{"event":"favorite","source":1,"target":2,"target_object":{"id_str":"5","text":"t","user":{"id":2}}}"#,
            "post: Some(Post",
        ),
        (
            r#"{"event":{"type":"message_create","id":"1","message_create":{"sender_id":"2","target":{"recipient_id":"3"}}}}"#,
            r#"DirectMessage { id: "1""#,
        ),
        (
            r#"{"direct_message":{"id":1,"text":"t","sender":{"id":2},"recipient":{"id":3}}}"#,
            r#"recipient: Account { id: "3""#,
        ),
        (r#"{"id":1,"text":"t","sender":{"id":2},"recipient":{"id":3}}"#, "DirectMessage"),
        (r#"{"for_user":7,"message":{"friends":[1]}}"#, r#"ForUser { user: "7", event: Friends"#),
        (
            r#"{"for_user":"99999999999","message":{"id_str":"5","text":"t","user":{"id":2}}}"#,
            r#"ForUser { user: "99999999999", event: Post"#,
        ),
    ] {
        let found = text(json);
        assert!(found.contains(expected), "{json}\n{found}");
    }
    let envelope = r#"{"for_user":7,"message":{"id_str":"1","text":"t","user":{"id":3}}}"#;
    let posts: Vec<_> = event(envelope).into_posts().collect();
    assert_eq!((posts[0].0.as_deref(), posts[0].1.id.as_str()), (Some("7"), "1"));
}

#[test]
fn many_in_one_and_none_in_one() {
    let tweet = r#"{"id_str":"1","text":"t","user":{"id":3}}"#;
    for json in
        [format!("[{tweet},{tweet}]"), format!(r#"{{"statuses":[{tweet},{tweet}],"search_metadata":{{}}}}"#)]
    {
        assert_eq!(event(&json).into_posts().count(), 2);
    }
    for (json, reason) in [
        ("{}", Reason::UnknownMessage),
        (r#"{"hello":"world"}"#, Reason::UnknownMessage),
        (r#"{"for_user":1,"message":7}"#, Reason::UnknownMessage),
        (r#"{"verb":"post","body":"x" "y"}"#, Reason::NotJson),
        (r#"{"text":"\x"}"#, Reason::NotJson),
        (r#"{"id_str":"1","text":"\x","user":{"id":3}}"#, Reason::NotJson),
    ] {
        assert_eq!(decode(json.as_bytes()).expect_err(json).reason, reason, "{json}");
    }
}

#[test]
fn nesting_has_an_end() {
    for (open, close) in [
        ("[", "]"),
        ("{\"for_user\":1,\"message\":", "}"),
        ("{\"text\":\"a\",\"user\":{},\"retweeted_status\":", "}"),
        ("{\"a\":", "}"),
    ] {
        let json = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        // An answer, whichever.
        let _ = decode(json.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Cut, doubled and overwritten messages are read or refused.
    #[test]
    fn nothing_panics(which in 0..3_usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8), 1..6)) {
        let long = r#"{"id_str":"1","text":"caf\u00e9 \ud83d\ude00 #x","user":{"id":3,"description":"d"},"entities":{"hashtags":[{"text":"x","indices":[7,9]}]},"retweeted_status":{"id":2,"text":"t","user":{}},"quoted_status":{"text":"q"}}"#;
        let mut bytes = [V2, long, "{\"event\":\"update\",\"payload\":\"{}\"}"][which].as_bytes().to_vec();
        for (at, other, kind) in edits {
            if bytes.is_empty() { break; }
            let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
            match kind {
                0 => bytes.truncate(at),
                1 => bytes[at] = bytes[other],
                2 => { bytes.remove(at); }
                _ => { let part = bytes[at.min(other)..at.max(other)].to_vec(); bytes.splice(at..at, part); }
            }
        }
        let _ = decode(&bytes);
    }
}
