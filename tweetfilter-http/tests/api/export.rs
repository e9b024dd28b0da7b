//! What goes out says what it leaves unsaid, and comes back as it was.

use axum::http::Method;
use serde_json::{Value, json};
use tweetfilter_sql::Scope;

use crate::exchange::states;
use crate::house::House;

#[tokio::test]
async fn what_is_exported_is_imported_again_as_it_was() {
    let house = House::new().await;
    let (_, ann) = house.account("ann", Scope::Write).await;
    let (_, ben) = house.account("ben", Scope::Write).await;
    for filter in [
        json!({"text": "snow -rain", "name": "weather", "action": "hide", "expires_at": "2100-01-01T00:00:00Z"}),
        json!({"text": "cat has:images", "dialect": "x"}),
        json!({"text": "\"new york\" OR nyc OR contains:\"<3\"", "action": "hide"}),
        json!({"text": "contains:\"'; DROP TABLE filter; --\" \u{1f600}", "name": "\"<b>'\\"}),
    ] {
        house.ask(Method::POST, &ann, "/filters", filter).await.ok();
    }
    let got = house.get(&ann, "/export").await;
    let content = got.ok()["content"].clone();
    house.ask(Method::POST, &ben, "/import", json!({"content": content, "apply": true})).await.ok();
    let without = |mut filters: Value| {
        for filter in filters.as_array_mut().unwrap() {
            filter["id"] = Value::Null;
            filter["revision"] = Value::Null;
        }
        filters
    };
    let (of_ann, of_ben) = (house.get(&ann, "/filters").await, house.get(&ben, "/filters").await);
    assert_eq!(without(of_ann.ok().clone()), without(of_ben.ok().clone()));

    let got = house.get(&ann, "/export?format=mastodon").await;
    assert_eq!(got.ok()["left_out"].as_array().unwrap().len(), 3);
    let written: Value = serde_json::from_str(got.ok()["content"].as_str().unwrap()).unwrap();
    assert_eq!(written[0]["keywords"][1], json!({"keyword": "nyc", "whole_word": true}));
    assert_eq!(written[0]["keywords"][2], json!({"keyword": "<3", "whole_word": false}));
    let got = house.ask(Method::POST, &ben, "/import", json!({"content": got.ok()["content"]})).await;
    assert_eq!(
        (&got.ok()["format"], &got.ok()["filters"][0]["action"]),
        (&json!("mastodon"), &json!("hide"))
    );
    let got = house.get(&ann, "/export?format=words").await;
    assert_eq!(got.ok()["content"], "new york\nnyc\n<3\n");
    let got = house.get(&ann, "/export?format=x").await;
    let again = house.ask(Method::POST, &ben, "/import", json!({"content": got.ok()["content"]})).await;
    assert_eq!((&again.ok()["format"], &again.ok()["filters"][0]["dialect"]), (&json!("x"), &json!("x")));
}

#[tokio::test]
async fn an_export_says_what_a_form_lacks() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    house.ask(Method::PUT, &token, "/sets/fruit", json!({"terms": ["apple"]})).await.ok();
    for filter in [
        json!({"text": "2 of (storm, flood, fire)"}),
        json!({"text": "~viagra"}),
        json!({"text": "{fruit} pie"}),
        json!({"text": "spoiler", "action": "hide"}),
        json!({"text": "ice", "enabled": false}),
        json!({"text": "hail", "name": "h", "action": "notify", "expires_at": "2100-01-01T00:00:00Z"}),
        json!({"text": "snow OR #ski"}),
    ] {
        house.ask(Method::POST, &token, "/filters", filter).await.ok();
    }
    let list = |got: &crate::house::Got, list: &str, field: &str| -> Vec<(i64, String)> {
        let of = |one: &Value| (one["id"].as_i64().unwrap(), one[field].as_str().unwrap().to_owned());
        got.ok()[list].as_array().unwrap().iter().map(of).collect()
    };
    let filters = house.get(&token, "/filters").await;
    let ids: Vec<i64> =
        filters.ok().as_array().unwrap().iter().map(|filter| filter["id"].as_i64().unwrap()).collect();
    let has = |said: &[(i64, String)], expected: &[(usize, &str)]| {
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for ((id, text), (place, part)) in said.iter().zip(expected) {
            assert!(*id == ids[*place] && text.contains(part), "{said:?} {expected:?}");
        }
    };
    let got = house.get(&token, "/export?format=x").await;
    let left =
        [(0, "`N of (…)`"), (1, "look-alikes"), (2, "named sets"), (3, "it hides"), (4, "switched off")];
    has(&list(&got, "left_out", "why"), &left);
    has(&list(&got, "lost", "what"), &[(5, "its action, notify; that it ends at 2100-01-01T00:00:00Z")]);
    let content: Value = serde_json::from_str(got.ok()["content"].as_str().unwrap()).unwrap();
    assert_eq!(content, json!({"add": [{"value": "hail", "tag": "h"}, {"value": "snow OR #ski"}]}));

    let got = house.get(&token, "/export?format=plain").await;
    has(&list(&got, "left_out", "why"), &[]);
    let lost = [
        (2, "the set {fruit}"),
        (3, "its action, hide"),
        (4, "switched off"),
        (5, "its name, h; its action"),
    ];
    has(&list(&got, "lost", "what"), &lost);
    let got = house.get(&token, "/export?format=words").await;
    let lost = [(3, "hide"), (4, "switched off"), (5, "its name"), (6, "that its 2 lines are one filter")];
    has(&list(&got, "lost", "what"), &lost);
    let got = house.get(&token, "/export").await;
    has(&list(&got, "lost", "what"), &[(2, "/sets/fruit")]);
    let got = house.get(&token, "/export?format=mastodon").await;
    let content: Value = serde_json::from_str(got.ok()["content"].as_str().unwrap()).unwrap();
    assert_eq!(content.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_export_says_what_a_form_makes_another_of() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let (_, of_ben) = house.account("ben", Scope::Write).await;
    let long = (0..20).map(|n| format!("{}{n}", "snow".repeat(8))).collect::<Vec<_>>().join(" OR ");
    for text in ["contains:\"now\" OR snow", "contains:\"a\nb\"", "contains:\" cat \"", &long] {
        let filter = json!({"text": text, "action": "hide"});
        house.ask(Method::POST, &token, "/filters", filter).await.ok();
    }
    let said = |got: &crate::house::Got, list: &str, field: &str| -> Vec<String> {
        let all = got.ok()[list].as_array().unwrap();
        all.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
    };
    let got = house.get(&token, "/export?format=words").await;
    let lost = said(&got, "lost", "what");
    assert!(lost[0].ends_with("that it has contains:\"now\", which comes back as now"), "{lost:?}");
    assert!(lost[1].ends_with("that it has contains:\" cat \", which comes back as cat"), "{lost:?}");
    assert!(lost[0].contains("its 2 lines are one filter") && !lost[1].contains("one filter"), "{lost:?}");
    assert!(
        lost.len() == 3 && lost[2].starts_with("its action, hide; that its 20 lines are one filter"),
        "{lost:?}"
    );
    let left = said(&got, "left_out", "why");
    assert!(left.len() == 1 && left[0].contains("several lines"), "{left:?}");
    let got = house.get(&token, "/export?format=plain").await;
    let lost = said(&got, "lost", "what");
    assert!(lost[1].contains("line breaks within a text") && !lost[0].contains("line breaks"), "{lost:?}");
    let got = house.get(&token, "/export?format=mastodon").await;
    let lost = said(&got, "lost", "what");
    assert_eq!(lost, ["that it has contains:\" cat \", which comes back as contains:\"cat\""]);
    // What has no name, and a longer text than a name may be, is called by its beginning.
    let body = json!({"content": got.ok()["content"], "apply": true});
    let again = house.ask(Method::POST, &of_ben, "/import", body.clone()).await;
    assert_eq!(states(again.ok()), ["new"; 4]);
    assert_eq!(again.ok()["filters"][3]["name"].as_str().unwrap().chars().count(), 500);
    let again = house.ask(Method::POST, &token, "/import", body).await;
    assert_eq!(states(again.ok()), ["same"; 4]);
}

#[tokio::test]
async fn what_went_out_for_mastodon_is_there_already() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    for filter in [
        json!({"text": "snow", "action": "hide"}),
        json!({"text": "\"ice\" OR Hail", "action": "hide"}),
        json!({"text": "contains:\"<3\" OR #Ski", "action": "hide", "name": "odd"}),
        json!({"text": "snow", "action": "hide", "name": "snow"}),
        json!({"text": "\"new york\"", "action": "hide", "dialect": "x"}),
    ] {
        house.ask(Method::POST, &token, "/filters", filter).await.ok();
    }
    let before = house.get(&token, "/filters").await.ok().clone();
    let exported = house.get(&token, "/export?format=mastodon").await.ok().clone();
    let lost = json!([{"id": before[4]["id"], "what": "that it is of dialect x"}]);
    assert_eq!(exported["lost"], lost, "elsewhere it would come in as native");
    let body = json!({"content": exported["content"], "apply": true});
    let got = house.ask(Method::POST, &token, "/import", body).await;
    assert_eq!(states(got.ok()), ["same"; 5]);
    assert_eq!(house.get(&token, "/filters").await.ok(), &before);
}

#[tokio::test]
async fn that_a_filter_shows_what_a_later_one_hides_is_said_to_be_lost_at_mastodon() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    for filter in [
        json!({"text": "snow", "action": "hide"}),
        json!({"text": "from:ann", "action": "show", "enabled": false}),
        json!({"text": "rain", "action": "hide"}),
        json!({"text": "from:bob", "action": "show"}),
        json!({"text": "hail", "action": "hide"}),
    ] {
        house.ask(Method::POST, &token, "/filters", filter).await.ok();
    }
    let got = house.get(&token, "/export?format=mastodon").await;
    let filters = house.get(&token, "/filters").await;
    let id = |place: usize| filters.ok()[place]["id"].clone();
    let lost = got.ok()["lost"].as_array().unwrap();
    assert_eq!((lost.len(), &lost[0]["id"]), (1, &id(4)), "{lost:?}");
    let what = lost[0]["what"].as_str().unwrap();
    assert!(what.contains(&format!("what filter {} matches", id(3))), "{what}");
    assert_eq!(house.get(&token, "/export").await.ok()["lost"], json!([]));
}
