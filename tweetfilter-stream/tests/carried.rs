//! What sources are said never to carry, held against what is decoded of messages that are as full as they get.

use std::collections::BTreeSet;

use tweetfilter_core::syntax::spellings;
use tweetfilter_core::{FilterSet, FilterSetBuilder, Post};
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::{Carrier, decode};

/// Operators with an expression that holds of the full messages, wherever they carry what it reads. `{a}` is their
/// author, `{b}` whom they answer, quote and retweet; `{reply}`, `{quote}`, `{retweet}`, `{conversation}` are ids.
const PROBES: &[(&str, &str)] = &[
    ("contains", "contains:\"now in\""),
    ("from", "from:{a}"),
    ("to", "to:{b}"),
    ("retweets_of", "retweets_of:{b}"),
    ("quotes_of", "quotes_of:{b}"),
    ("bio", "bio:painter"),
    ("bio_name", "bio_name:ann"),
    ("bio_location", "bio_location:oslo"),
    ("url", "url:example"),
    ("url_contains", "url_contains:\"example\""),
    ("domain", "domain:news.example"),
    ("url_title", "url_title:weather"),
    ("url_description", "url_description:forecast"),
    ("alt", "alt:cat"),
    ("cw", "cw:spoiler"),
    ("in_reply_to_tweet_id", "in_reply_to_tweet_id:\"{reply}\""),
    ("retweets_of_tweet_id", "retweets_of_tweet_id:\"{retweet}\""),
    ("quotes_of_tweet_id", "quotes_of_tweet_id:\"{quote}\""),
    ("conversation_id", "conversation_id:\"{conversation}\""),
    ("since_id", "since_id:1"),
    ("max_id", "max_id:999999999999"),
    ("is:retweet", "is:retweet"),
    ("is:reply", "is:reply"),
    ("is:quote", "is:quote"),
    ("is:verified", "is:verified"),
    ("is:sensitive", "is:sensitive"),
    ("is:edited", "is:edited"),
    ("is:self_thread", "is:self_thread"),
    ("is:bot", "is:bot"),
    ("is:protected", "is:protected"),
    ("is:nullcast", "is:nullcast"),
    ("has:links", "has:links"),
    ("has:media", "has:media"),
    ("has:images", "has:images"),
    ("has:videos", "has:videos"),
    ("has:gifs", "has:gifs"),
    ("has:hashtags", "has:hashtags"),
    ("has:mentions", "has:mentions"),
    ("has:cashtags", "has:cashtags"),
    ("has:geo", "has:geo"),
    ("has:profile_geo", "has:profile_geo"),
    ("has:polls", "has:polls"),
    ("has:alt", "has:alt"),
    ("has:lang", "has:lang"),
    ("lang", "lang:en"),
    ("source", "source:web"),
    ("place", "place:oslo"),
    ("place_country", "place_country:no"),
    ("point_radius", "point_radius:[10.7 59.9 40km]"),
    ("bounding_box", "bounding_box:[10 59 12 61]"),
    ("profile_country", "profile_country:no"),
    ("profile_region", "profile_region:viken"),
    ("profile_locality", "profile_locality:oslo"),
    ("followers", "followers:>=0"),
    ("following", "following:>=0"),
    ("posts", "posts:>=0"),
    ("listed", "listed:>=0"),
    ("likes", "likes:>=0"),
    ("retweets", "retweets:>=0"),
    ("replies", "replies:>=0"),
    ("quotes", "quotes:>=0"),
    ("length", "length:>0"),
    ("hashtags", "hashtags:>0"),
    ("mentions", "mentions:>0"),
    ("links", "links:>0"),
    ("emoji", "emoji:>0"),
    ("caps", "caps:>0"),
    ("since", "since:2020-01-01"),
    ("until", "until:2030-01-01"),
    ("account_age", "account_age:>1d"),
    ("context", "context:11.22"),
    ("entity", "entity:\"weather\""),
    ("sample", "sample:100"),
];

/// Spellings that are read as another operator, a shape around others, or fields that no wire has.
const OTHERS: &[&str] =
    &["filter", "in", "min_faves", "min_followers", "min_retweets", "min_replies", "attr"];

fn messages(carrier: Carrier) -> Vec<String> {
    let commit = |operation: &str, record: &str| {
        format!(
            r#"{{"did":"did:plc:a","time_us":1700000000000000,"kind":"commit","commit":{{"rev":"1","operation":"{operation}","collection":"app.bsky.feed.post","rkey":"k","cid":"c","record":{{"$type":"app.bsky.feed.post","createdAt":"2024-05-06T07:08:09Z",{record}}}}}}}"#
        )
    };
    match carrier {
        Carrier::Jetstream => vec![
            commit(
                "create",
                r##""text":"Snow in #oslo 😀 @bob news.example","langs":["en"],"labels":{"values":[{"val":"porn"}]},"facets":[{"index":{"byteStart":8,"byteEnd":13},"features":[{"$type":"app.bsky.richtext.facet#tag","tag":"oslo"}]},{"index":{"byteStart":19,"byteEnd":23},"features":[{"$type":"app.bsky.richtext.facet#mention","did":"did:plc:b"}]},{"index":{"byteStart":24,"byteEnd":36},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"https://news.example/a"}]}],"embed":{"$type":"app.bsky.embed.external","external":{"uri":"https://news.example/a","title":"Weather","description":"Forecast"}},"reply":{"parent":{"uri":"at://did:plc:b/app.bsky.feed.post/r"},"root":{"uri":"at://did:plc:b/app.bsky.feed.post/root"}}"##,
            ),
            commit(
                "update",
                r#""text":"$SNOW","reply":{"parent":{"uri":"at://did:plc:a/app.bsky.feed.post/s"}},"embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"record":{"uri":"at://did:plc:b/app.bsky.feed.post/q"}},"media":{"$type":"app.bsky.embed.images","images":[{"alt":"a cat"}]}}"#,
            ),
            commit("create", r#""text":"c","embed":{"$type":"app.bsky.embed.video","alt":"a cat"}"#),
        ],
        Carrier::XV1 => vec![
            r##"{"id":100,"id_str":"100","created_at":"Mon May 06 07:08:09 +0000 2024","text":"Snow in #oslo 😀 @bob $SNOW https://t.co/a","lang":"en","source":"<a href=\"x\">Web</a>","in_reply_to_status_id_str":"2","in_reply_to_user_id_str":"78","conversation_id_str":"3","conversation_id":3,"possibly_sensitive":true,"edit_history":{"edit_tweet_ids":["99","100"]},"scopes":{"followers":false},"user":{"id_str":"77","screen_name":"ann","name":"Ann","description":"painter","location":"Oslo","followers_count":1,"friends_count":1,"statuses_count":1,"listed_count":1,"created_at":"Thu Mar 04 05:06:07 +0000 2010","verified":true,"protected":true,"derived":{"locations":[{"country":"Norway","country_code":"NO","region":"Viken","locality":"Oslo"}]}},"entities":{"hashtags":[{"text":"oslo","indices":[8,13]}],"symbols":[{"text":"SNOW","indices":[21,26]}],"user_mentions":[{"id_str":"78","screen_name":"bob","indices":[16,20]}],"urls":[{"url":"https://t.co/a","expanded_url":"https://news.example/a","indices":[27,41],"unwound":{"url":"https://news.example/a","title":"Weather","description":"Forecast"}}],"polls":[{"options":[]}]},"extended_entities":{"media":[{"type":"photo","ext_alt_text":"a cat"},{"type":"video"},{"type":"animated_gif"}]},"coordinates":{"type":"Point","coordinates":[10.7,59.9]},"place":{"id":"p","name":"Oslo","full_name":"Oslo, Norway","country":"Norway","country_code":"NO"},"favorite_count":0,"retweet_count":0,"reply_count":0,"quote_count":0,"quoted_status":{"id_str":"4","text":"q","user":{"id_str":"78","screen_name":"bob"}}}"##.to_owned(),
            r#"{"id_str":"101","text":"s","in_reply_to_status_id_str":"100","in_reply_to_user_id_str":"77","user":{"id_str":"77","screen_name":"ann"}}"#.to_owned(),
            r#"{"id_str":"102","text":"RT @bob: r","user":{"id_str":"77","screen_name":"ann"},"retweeted_status":{"id_str":"5","text":"r","user":{"id_str":"78","screen_name":"bob"}}}"#.to_owned(),
        ],
        Carrier::XV2 => vec![
            r##"{"data":{"id":"100","author_id":"77","created_at":"2024-05-06T07:08:09.000Z","text":"Snow in #oslo 😀 @bob $SNOW https://t.co/a","lang":"en","source":"Web","conversation_id":"3","in_reply_to_user_id":"78","possibly_sensitive":true,"nullcast":true,"edit_history_tweet_ids":["99","100"],"referenced_tweets":[{"type":"replied_to","id":"2"},{"type":"quoted","id":"4"}],"attachments":{"media_keys":["3_1","7_1","16_1"],"poll_ids":["9"]},"entities":{"hashtags":[{"start":8,"end":13,"tag":"oslo"}],"cashtags":[{"start":21,"end":26,"tag":"SNOW"}],"mentions":[{"start":16,"end":20,"username":"bob","id":"78"}],"urls":[{"start":27,"end":41,"url":"https://t.co/a","expanded_url":"https://news.example/a","unwound_url":"https://news.example/a","title":"Weather","description":"Forecast"}]},"context_annotations":[{"domain":{"id":"11"},"entity":{"id":"22","name":"Weather"}}],"geo":{"place_id":"p","coordinates":{"type":"Point","coordinates":[10.7,59.9]}},"public_metrics":{"retweet_count":0,"reply_count":0,"like_count":0,"quote_count":0}},"includes":{"users":[{"id":"77","username":"ann","name":"Ann","description":"painter","location":"Oslo","created_at":"2010-03-04T05:06:07.000Z","verified":true,"protected":true,"public_metrics":{"followers_count":1,"following_count":1,"tweet_count":1,"listed_count":1}},{"id":"78","username":"bob"}],"tweets":[{"id":"4","author_id":"78","text":"q"}],"media":[{"media_key":"3_1","type":"photo","alt_text":"a cat"},{"media_key":"7_1","type":"video"},{"media_key":"16_1","type":"animated_gif"}],"places":[{"id":"p","name":"Oslo","full_name":"Oslo, Norway","country":"Norway","country_code":"NO"}]}}"##.to_owned(),
            r#"{"data":{"id":"101","author_id":"77","text":"s","in_reply_to_user_id":"77","referenced_tweets":[{"type":"replied_to","id":"100"}]}}"#.to_owned(),
            r#"{"data":{"id":"102","author_id":"77","text":"RT @bob: r","referenced_tweets":[{"type":"retweeted","id":"5"}]},"includes":{"users":[{"id":"78","username":"bob"}],"tweets":[{"id":"5","author_id":"78","text":"r"}]}}"#.to_owned(),
        ],
        Carrier::Mastodon => {
            let ann = r#""account":{"id":"77","acct":"ann","display_name":"Ann","note":"<p>painter</p>","followers_count":1,"following_count":1,"statuses_count":1,"created_at":"2010-03-04T05:06:07.000Z","locked":true,"bot":true}"#;
            let bob = r#""account":{"id":"78","acct":"bob"}"#;
            vec![
                format!(r##"{{"id":"100","uri":"https://m.example/100","created_at":"2024-05-06T07:08:09.000Z","edited_at":"2024-05-06T08:08:09.000Z","content":"<p>Snow in <a href=\"https://m.example/tags/oslo\" class=\"mention hashtag\">#<span>oslo</span></a> 😀 <a href=\"https://m.example/@bob\" class=\"u-url mention\">@bob</a> $SNOW <a href=\"https://news.example/a\">news.example/a</a></p>","spoiler_text":"spoiler","language":"en","sensitive":true,"application":{{"name":"Web"}},"in_reply_to_id":"2","in_reply_to_account_id":"78","mentions":[{{"id":"78","acct":"bob","url":"https://m.example/@bob"}}],"media_attachments":[{{"type":"image","description":"a cat"}},{{"type":"video"}},{{"type":"gifv"}}],"poll":{{"id":"9"}},"card":{{"url":"https://news.example/a","title":"Weather","description":"Forecast"}},"favourites_count":0,"reblogs_count":0,"replies_count":0,"quotes_count":0,"quote":{{"state":"accepted","quoted_status":{{"id":"4","uri":"https://m.example/4","content":"<p>q</p>",{bob}}}}},{ann}}}"##),
                format!(r#"{{"id":"101","uri":"https://m.example/101","content":"<p>s</p>","in_reply_to_id":"100","in_reply_to_account_id":"77",{ann}}}"#),
                format!(r#"{{"id":"102","uri":"https://m.example/102","content":"","reblog":{{"id":"5","uri":"https://m.example/5","content":"<p>r</p>",{bob}}},{ann}}}"#),
            ]
        }
        other => panic!("no messages of {other:?}"),
    }
}

fn posts(carrier: Carrier) -> Vec<Post> {
    let decoded = messages(carrier).into_iter().map(|line| decode(line.as_bytes()).expect("a message"));
    decoded
        .flat_map(|event| match event {
            Event::Post(post) | Event::Edit(post) | Event::PostAnd { post, .. } => vec![*post],
            other => panic!("{other:?}"),
        })
        .collect()
}

fn filter(carrier: Carrier, probe: &str) -> FilterSet {
    let bluesky = |id: &str| format!("at://did:plc:b/app.bsky.feed.post/{id}");
    let is_bluesky = carrier == Carrier::Jetstream;
    let id = |there: &str, elsewhere: &str| if is_bluesky { bluesky(there) } else { elsewhere.to_owned() };
    let probe = probe
        .replace("{a}", if is_bluesky { "did:plc:a" } else { "77" })
        .replace("{b}", if is_bluesky { "did:plc:b" } else { "78" })
        .replace("{reply}", &id("r", "2"))
        .replace("{quote}", &id("q", "4"))
        .replace("{retweet}", &id("t", "5"))
        .replace("{conversation}", &id("root", "3"));
    let mut builder = FilterSetBuilder::new();
    builder.add(tweetfilter_core::FilterId(1), &probe).unwrap_or_else(|error| panic!("{probe}: {error}"));
    builder.build()
}

#[test]
fn what_is_never_carried_is_in_no_message_and_all_else_is_in_one() {
    let mut wrong = Vec::new();
    for carrier in Carrier::ALL {
        let posts = posts(carrier);
        for (operator, probe) in PROBES {
            let set = filter(carrier, probe);
            let carried = posts.iter().any(|post| !set.matches(post).is_empty());
            if carried == carrier.never().contains(operator) {
                wrong.push(format!("{} {operator}: carried {carried}", carrier.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_operator_is_tried() {
    let mut known = BTreeSet::new();
    for operator in spellings().filter(|operator| !OTHERS.contains(&operator.name)) {
        match operator.name {
            name @ ("is" | "has") => {
                let values = operator.values.iter().filter(|value| **value != "symbols");
                known.extend(values.map(|value| format!("{name}:{value}")));
            }
            name => drop(known.insert(name.to_owned())),
        }
    }
    let tried: BTreeSet<String> = PROBES.iter().map(|probe| probe.0.to_owned()).collect();
    assert_eq!(known, tried);
    for carrier in Carrier::ALL {
        for operator in carrier.never() {
            assert!(tried.contains(*operator), "{operator}");
        }
    }
}
