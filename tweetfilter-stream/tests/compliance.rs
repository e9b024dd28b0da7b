//! What X's compliance and enterprise streams say beside posts, deletes and accounts.

#[path = "support/read.rs"]
mod read;

use read::event;
use tweetfilter_core::post::Account;
use tweetfilter_stream::Event;
use tweetfilter_stream::wire::{Reason, decode};

fn other(kind: &str) -> Event {
    Event::Other { kind: kind.to_owned() }
}

#[test]
fn posts_that_are_dropped_and_edited_are_not_shown_as_they_were() {
    let at = Some(1_671_798_896_789);
    let author = Account { id: "7".to_owned(), handle: String::new() };
    let dropped = Event::Delete { network: "x".into(), id: "12".into(), author, at };
    let deleted =
        |id: &str| Event::Delete { network: "x".into(), id: id.into(), author: Account::default(), at: None };
    for (kind, expected) in [("drop", dropped), ("undrop", other("undrop"))] {
        let v1 = format!(
            r#"{{"{kind}":{{"status":{{"id":12,"id_str":"12","user_id":7,"user_id_str":"7"}},"timestamp_ms":"1671798896789"}}}}"#
        );
        let v2 = format!(
            r#"{{"data":{{"{kind}":{{"tweet":{{"id":"12","author_id":"7"}},"event_at":"2022-12-23T12:34:56.789Z"}}}}}}"#
        );
        assert_eq!((event(&v1), event(&v2)), (expected.clone(), expected), "{kind}");
        // Of no post it would be said of all of whom no id is known.
        assert_eq!(event(&format!(r#"{{"{kind}":{{}}}}"#)), other(kind));
    }
    for json in [
        r#"{"tweet_edit":{"id":"12","initial_tweet_id":"10","edit_tweet_ids":["10","11","12"],"timestamp_ms":"5"}}"#,
        r#"{"data":{"tweet_edit":{"tweet":{"id":"12"},"initial_tweet_id":"10","edit_tweet_ids":["10","11","12"],"event_at":"2022-12-23T12:34:56.789Z"}}}"#,
    ] {
        assert_eq!(event(json), Event::Several(vec![deleted("10"), deleted("11")]), "{json}");
    }
}

#[test]
fn what_needs_nothing_done_is_counted_under_its_name() {
    for (json, expected) in [
        (r#"{"status_undelete":{"status":{"id":1,"user_id":2}}}"#, other("status_undelete")),
        (
            r#"{"data":{"user_profile_modification":{"user":{"id":"7"},"profile_field":"profile.name","new_value":"Al"}}}"#,
            other("user_profile_modification"),
        ),
        (
            r#"{"delete":{"favorite":{"tweet_id":1,"user_id":2},"timestamp_ms":"5"}}"#,
            other("delete of a favorite"),
        ),
        (
            r#"{"info":{"message":"Replay Request Completed","sent":"2012","activity_count":3}}"#,
            other("info"),
        ),
        (
            r#"{"error":{"message":"Forced Disconnect: too many","sent":"2017"}}"#,
            Event::Failure { message: "Forced Disconnect: too many".into() },
        ),
        (
            r#"{"warn":{"message":"slow","sent":"2017"}}"#,
            Event::Warning { code: String::new(), message: "slow".into(), percent_full: None },
        ),
        // An activity about an account of which nobody knows what it is.
        (r#"{"verb":"user_praise","object":{"id":"id:twitter.com:7"}}"#, other("user_praise")),
        (r#"{"verb":"user_delete","object":{}}"#, other("user_delete")),
    ] {
        assert_eq!(event(json), expected, "{json}");
    }
    // Others have such keys, too.
    for json in [r#"{"error":"no"}"#, r#"{"info":{"a":1}}"#, r#"{"drop":true}"#] {
        assert_eq!(decode(json.as_bytes()).expect_err(json).reason, Reason::UnknownMessage);
    }
    assert!(matches!(event(r#"{"text":"snow","info":{"message":"m"}}"#), Event::Post(_)));
}
