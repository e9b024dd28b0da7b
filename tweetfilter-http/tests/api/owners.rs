//! Files that have filters of several owners.

use axum::http::Method;
use serde_json::{Value, json};
use tweetfilter_sql::Scope;

use crate::exchange::states;
use crate::house::House;

#[tokio::test]
async fn an_import_says_which_filters_are_of_others_and_can_leave_them_out() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let file = concat!(
        "{\"id\":\"1\",\"filter\":\"snow\",\"owner\":\"ann\"}\n",
        "{\"id\":\"2\",\"filter\":\"rain\",\"owner\":\"bob\"}\n",
        "{\"id\":\"3\",\"filter\":\"ice\"}\n",
        "{\"id\":\"4\",\"filter\":\"(hail\",\"owner\":\"eve\"}\n",
    );
    let import = async |body: Value| house.ask(Method::POST, &token, "/import", body).await;
    let got = import(json!({"content": file})).await;
    assert_eq!((&got.ok()["of_others"], &got.ok()["left_out"]), (&json!(1), &json!(0)));
    assert_eq!(
        got.json["summary"]["text"],
        "3 would be added, 0 would be changed, 0 there already, 1 invalid; 1 is of another owner, bob, and taken as yours"
    );
    assert_eq!(
        (&got.ok()["filters"][1]["owner"], &got.ok()["filters"][2]["owner"]),
        (&json!("bob"), &json!(null))
    );
    let got = import(json!({"content": file, "owner": "bob", "apply": true})).await;
    assert_eq!((states(got.ok()), &got.ok()["left_out"]), (vec!["new"], &json!(3)));
    // Those who were left out can be chosen the next time.
    let owners = ["ann", "bob", "eve"].map(|name| json!({"name": name, "filters": 1}));
    assert_eq!(got.ok()["owners"], json!(owners));
    let said = got.json["summary"]["text"].as_str().unwrap();
    assert!(said.ends_with("; 3 left out, which the file does not say are of bob"), "{said}");
    assert_eq!(house.get(&token, "/filters").await.ok()[0]["text"], "rain");
    // One's own are taken without a word.
    let got = import(json!({"content": file, "owner": "ann"})).await;
    assert_eq!((states(got.ok()), &got.ok()["of_others"]), (vec!["new"], &json!(0)));
}

#[tokio::test]
async fn of_a_file_that_is_too_large_those_of_one_owner_come_in() {
    let house = House::new().await;
    let (_, token) = house.account("ann", Scope::Write).await;
    let line = |n: usize, owner: &str| {
        format!("{}\n", json!({"id": n.to_string(), "filter": "snow", "owner": owner}))
    };
    let file: String = (0..1_100).map(|n| line(n, if n < 3 { "ann" } else { "bob" })).collect();
    let import = async |body: Value| house.ask(Method::POST, &token, "/import", body).await;
    for owner in [Value::Null, json!("bob")] {
        let got = import(json!({"content": file, "owner": owner})).await;
        assert_eq!((&got.ok()["filters"], &got.ok()["left_out"]), (&json!([]), &json!(1_100)));
        let owners = json!([{"name": "ann", "filters": 3}, {"name": "bob", "filters": 1_097}]);
        assert_eq!(got.ok()["owners"], owners);
        let said = got.json["summary"]["text"].as_str().unwrap();
        assert!(said.contains("at most 1000 filters") && said.contains("one owner"), "{said}");
        let got = import(json!({"content": file, "owner": owner, "apply": true})).await;
        assert_eq!(got.error(), "bad_request");
    }
    let got = import(json!({"content": file, "owner": "ann", "apply": true})).await;
    assert_eq!((states(got.ok()), &got.ok()["left_out"]), (vec!["new"; 3], &json!(1_097)));
}
