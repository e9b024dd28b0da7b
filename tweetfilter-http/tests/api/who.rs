//! Posts of a network whose stream gives people by id alone.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::json;
use tweetfilter_core::Post;
use tweetfilter_http::parts::now;
use tweetfilter_sql::Scope;
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};

use crate::house::House;

const NETWORK: &str = "bluesky";
const CARLA: &str = "did:plc:carla";

/// A post of somebody, as the stream gives it.
fn by(author: &str, id: &str) -> Post {
    let mut post = Post { network: NETWORK.into(), id: id.into(), ..Post::from_text("Snow in Oslo") };
    post.author.account.id = author.into();
    post
}

/// Stores a post that an account saw.
async fn store(house: &House, post: Post, account: i64, filters: &[i64]) {
    let delivery = Delivery { account, verdict: Verdict::default(), filters: filters.to_vec(), seen: true };
    let evaluated = Evaluated {
        post,
        version: 0,
        source: "test".into(),
        at: now(),
        public: false,
        deliveries: vec![delivery],
        strangers: 0,
        stored: None,
    };
    let outcome = Outcome { at: now(), posts: vec![evaluated], ..Outcome::default() };
    house.database.commit(&outcome, &[]).await.unwrap();
}

#[tokio::test]
async fn a_handle_means_to_the_api_whom_it_means_to_workers() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    house.database.set_named(Some(ann), "friends", "carla.example").await.unwrap();
    let filter = house.filter(ann, "from:Carla.example").await;
    store(&house, by(CARLA, "1"), ann, &[filter]).await;
    store(&house, by("did:plc:other", "2"), ann, &[]).await;
    let post = house.get(&token, "/timeline").await.ok()[1]["number"].clone();
    let found = async |text: &str| {
        let got = house.ask(Method::POST, &token, "/explain", json!({"post": post, "text": text})).await;
        let explained = got.ok()["matched"].as_bool().unwrap();
        let got = house.ask(Method::POST, &token, "/preview", json!({"text": text})).await;
        let previewed = got.ok()["matched"].as_u64().unwrap();
        let got = house.ask(Method::POST, &token, "/search", json!({"text": text})).await;
        (explained, previewed, got.ok().as_array().unwrap().len())
    };
    assert_eq!(found("from:carla.example").await, (false, 0, 0));
    let named = BTreeSet::from(["carla.example".to_owned()]);
    house.database.name_handles(NETWORK, &named).await.unwrap();
    let answers = [("carla.example".to_owned(), Some(CARLA.to_owned()))];
    house.database.handles_answered(NETWORK, &answers).await.unwrap();
    for text in ["from:Carla.example", "from:{friends}", "from:dora.example OR from:carla.example"] {
        assert_eq!(found(text).await, (true, 1, 1), "{text}");
    }
    assert_eq!(found("from:dora.example").await, (false, 0, 0));
    let body = json!({"post": post, "filter": filter});
    let got = house.ask(Method::POST, &token, "/explain", body).await;
    assert_eq!(got.ok()["matched"], true, "{got:?}");
}
