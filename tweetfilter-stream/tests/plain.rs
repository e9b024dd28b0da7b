//! Texts of no network, and fields of one's own beside posts of any.

use tweetfilter_core::Post;
use tweetfilter_core::post::{Attribute, AttributeValue};
use tweetfilter_stream::{Event, shrunk};

#[path = "support/read.rs"]
mod read;

use read::{event, matches, post};

#[test]
fn a_text_is_a_post_whatever_else_stands_beside_it() {
    for beside in [
        r#""meta":{"level":3}"#,
        r#""errors":[]"#,
        r#""errors":[{"message":"x"}],"meta":{}"#,
        r#""title":"x","status":404"#,
        r#""event":"click""#,
        r#""event":{"kind":"click"}"#,
        r#""limit":10"#,
        r#""warning":"hot""#,
        r#""delete":false"#,
        r#""control":{}"#,
        r#""friends":[1]"#,
        r#""sender":"ann""#,
        r#""verb":"GET""#,
        r#""post":7"#,
        r#""error":{"message":"x"}"#,
        r#""statuses":3"#,
        r#""statuses":[{"text":"x"}]"#,
        r#""data":[]"#,
        r#""data":{"a":1}"#,
        r#""payload":"x""#,
        r#""sender":{"a":1}"#,
        r#""direct_message":{"a":1}"#,
        r#""username":"b","public_metrics":{}"#,
        r#""did":"x","kind":"y""#,
        r#""message":"m","for_user":"7""#,
        r#""account":"a","content":"c""#,
    ] {
        for line in [format!(r#"{{"text":"snow",{beside}}}"#), format!(r#"{{{beside},"text":"snow"}}"#)] {
            let post = post(&line);
            assert_eq!((post.text.as_str(), post.network.as_str()), ("snow", ""), "{line}");
        }
    }
    // What has no text says what it said.
    assert!(matches!(event(r#"{"errors":[{"message":"x"}]}"#), Event::Failure { .. }));
    assert!(matches!(event(r#"{"meta":{"result_count":0}}"#), Event::Several(_)));
    let message = r#"{"id":1,"text":"x","sender":{"id":2,"screen_name":"a"},"recipient":{"id":3}}"#;
    assert!(matches!(event(message), Event::DirectMessage { .. }));
}

#[test]
fn fields_of_ones_own_are_read_beside_posts_of_every_network() {
    let attr = r#""attr":{"host":"db-1","load":3.5}"#;
    for post_with in [
        r#""text":"snow""#,
        r#""text":"snow","id":"7","lang":"en""#,
        r#""text":"snow","created_at":"2021-01-01T00:00:00Z""#,
        r#""text":"snow","id_str":"7""#,
        r#""text":"snow","entities":{}"#,
        r#""text":"snow","author":"ann""#,
        r#""text":"snow","author_id":"7""#,
        r#""text":"snow","user":{"id_str":"1","screen_name":"ann"},"id_str":"7","edit_history":{"initial_tweet_id":"6"}"#,
        r#""full_text":"snow","withheld_in_countries":["DE"],"id_str":"7""#,
        r#""data":{"id":"7","text":"snow"}"#,
        r#""$type":"app.bsky.feed.post","text":"snow","createdAt":"2024-01-01T00:00:00Z""#,
        r#""id":"7","account":{"id":"1","acct":"ann"},"content":"<p>snow</p>""#,
        r#""verb":"post","objectType":"activity","id":"tag:x:7","body":"snow","actor":{"id":"id:x:1"}"#,
        r#""text":"RT @ann: snow","id_str":"8","retweeted_status":{"id_str":"7","text":"snow"}"#,
    ] {
        for line in [format!("{{{post_with},{attr}}}"), format!("{{{attr},{post_with}}}")] {
            let (with, without) = (post(&line), post(&format!("{{{post_with}}}")));
            assert!(matches(&with, "snow attr.host:db-1 attr.load:>3 attr.load:3.5"), "{line}: {with:?}");
            assert_ne!(with, without);
            let mut bare = with;
            bare.attributes.clear();
            if let Some(original) = bare.retweet_of.as_mut().and_then(|original| original.post.as_mut()) {
                original.attributes.clear();
            }
            assert_eq!(bare, without, "{line}");
        }
    }
    let page = format!(r#"{{"data":[{{"id":"7","text":"snow",{attr}}},{{"id":"8","text":"snow"}}]}}"#);
    let Event::Several(posts) = event(&page) else { panic!("no page") };
    let found = |event: &Event| matches!(event, Event::Post(post) if matches(post, "attr.load:>3"));
    assert_eq!(posts.iter().map(found).collect::<Vec<_>>(), [true, false]);
    let status = format!(r#"{{"id":"7","account":{{"id":"1","acct":"ann"}},"content":"snow",{attr}}}"#);
    for server in ["", r#""server":"m.example","#] {
        let payload = serde_json::to_string(&status).expect("a text");
        let sent = post(&format!(r#"{{"event":"update",{server}"payload":{payload}}}"#));
        assert!(matches(&sent, "attr.load:>3"), "{server}");
    }
    let viewed = format!(r#"{{"for_user":"1","message":{{"text":"snow",{attr}}}}}"#);
    let Event::ForUser { event, .. } = event(&viewed) else { panic!("no envelope") };
    let Event::Post(post) = *event else { panic!("no post") };
    assert!(matches(&post, "attr.host:db-1"));
}

#[test]
fn numbers_of_ones_own_are_compared_however_they_are_written() {
    let of = |value: &str| post(&format!(r#"{{"text":"x","attr":{{"http.n":{value}}}}}"#));
    for (value, filter) in [
        ("7", "attr.http.n:>6 attr.http.n:=7 attr.http.n:7 attr.http.n:6..8"),
        ("\"7\"", "attr.http.n:>6 attr.http.n:=7 attr.http.n:7"),
        ("\" -7.50 \"", "attr.http.n:<-7 attr.http.n:=-7.5 attr.HTTP.N:\"7.50\""),
        ("1e3", "attr.http.n:=1000 attr.http.n:1k..1k attr.http.n:1e3"),
        ("\"1e3\"", "attr.http.n:=1000 attr.http.n:1e3"),
        ("1e400", "attr.http.n:>1000000m attr.http.n:1e400"),
        ("-1e400", "attr.http.n:<-1000000m"),
        ("1".repeat(400).as_str(), "attr.http.n:>1000000m"),
    ] {
        let post = of(value);
        for part in filter.split(' ') {
            assert!(matches(&post, part), "{value}: {part}: {:?}", post.attributes);
        }
        assert!(!matches(&post, "attr.n:>0 OR attr.n:<=0 OR attr.http:>0 OR attr.http.n:x"));
        let kept = shrunk::from_slice(&shrunk::to_vec(&post).expect("all of it can be kept")).expect("kept");
        assert_eq!(kept, post);
    }
    for word in ["\"inf\"", "\"NaN\"", "\"7 cats\"", "\"0x7\"", "\"\"", "\"2021-01-01\"", "true"] {
        let numbers = |post: &Post| {
            let is_number = |field: &&Attribute| matches!(field.value, AttributeValue::Number(_));
            post.attributes.iter().filter(is_number).count()
        };
        assert_eq!(numbers(&of(word)), 0, "{word}");
    }
}
