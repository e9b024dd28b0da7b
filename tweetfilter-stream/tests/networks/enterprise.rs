//! X's enterprise streams, and those of compliance.

use super::*;

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
