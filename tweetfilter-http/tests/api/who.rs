//! Posts of a network whose stream gives people by id alone.

use std::collections::BTreeSet;

use axum::http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tweetfilter_core::Post;
use tweetfilter_core::post::{Account, Author, Reference, ReplyTo};
use tweetfilter_http::parts::now;
use tweetfilter_sql::{NamedIn, Naming, Scope};
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};

use crate::feeds::read;
use crate::house::{House, patient, request};
use crate::live::Events;

const NETWORK: &str = "bluesky";
const CARLA: &str = "did:plc:carla";
const DORA: &str = "did:plc:dora";

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
        place: None,
        public: false,
        deliveries: vec![delivery],
        strangers: 0,
        stored: None,
    };
    let outcome = Outcome { at: now(), posts: vec![evaluated], ..Outcome::default() };
    house.database.commit(&outcome, &[]).await.unwrap();
}

/// Lets it be known whose a handle is that an account names.
async fn is_whose(house: &House, account: i64, handle: &str, id: &str) {
    is_answered(house, account, handle, Some(id)).await;
}

/// Asks for a handle that an account names, and is told whose it is, or that it is nobody's.
async fn is_answered(house: &House, account: i64, handle: &str, id: Option<&str>) {
    let named = NamedIn { handles: BTreeSet::from([handle.to_owned()]), ..NamedIn::default() };
    house.database.name_handles(NETWORK, &Naming::Account(account), &named).await.unwrap();
    let answers = [(handle.to_owned(), id.map(str::to_owned))];
    house.database.handles_answered(NETWORK, &answers).await.unwrap();
}

/// Handles as they are told of which it is not known whose they are, and that are nobody's.
fn told(handles: &[&str], nobodys: &[&str]) -> Value {
    json!({"handles": handles, "more": 0, "nobodys": nobodys, "more_nobodys": 0})
}

#[tokio::test]
async fn a_handle_costs_to_the_api_what_it_costs_to_workers() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    house.filter(ann, "-from:carla.example OR snow").await;
    let (before, _) = house.database.owner_price(ann).await.unwrap();
    is_whose(&house, ann, "carla.example", CARLA).await;
    let (after, _) = house.database.owner_price(ann).await.unwrap();
    assert!(after > before, "{after:?} {before:?}");
    // Enough for it when it was saved, and too little now.
    let strict = House::over(house.database.clone().with_owner_budget(before), patient());
    let got = strict.get(&token, "/filters").await;
    assert_eq!(got.ok()[0]["unused"]["code"], "over_budget", "{got:?}");
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
    is_whose(&house, ann, "carla.example", CARLA).await;
    for text in ["from:Carla.example", "from:{friends}", "from:dora.example OR from:carla.example"] {
        assert_eq!(found(text).await, (true, 1, 1), "{text}");
    }
    assert_eq!(found("from:dora.example").await, (false, 0, 0));
    let body = json!({"post": post, "filter": filter});
    let got = house.ask(Method::POST, &token, "/explain", body).await;
    assert_eq!(got.ok()["matched"], true, "{got:?}");
}

#[tokio::test]
async fn a_preview_says_which_handles_stand_for_nobody_yet() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    house.database.set_named(Some(ann), "friends", "carla.example\ndora.example\nbob").await.unwrap();
    let preview = async |text: &str| house.ask(Method::POST, &token, "/preview", json!({"text": text})).await;
    let unknown = async |text: &str| preview(text).await.ok()["unknown_handles"].clone();
    // Elsewhere nobody is looked up, whatever looks like a handle.
    house.post("1", "Snow", false, &[(ann, &[])]).await;
    assert_eq!(unknown("from:carla.example").await, Value::Null);

    store(&house, by(CARLA, "1"), ann, &[]).await;
    let named = |handles: &[&str]| told(handles, &[]);
    assert_eq!(unknown("-from:Carla.example @bob").await, named(&["carla.example"]));
    assert_eq!(unknown("from:{friends}").await, named(&["carla.example", "dora.example"]));
    for text in ["snow", "from:bob", "from:did:plc:carla"] {
        assert_eq!(unknown(text).await, Value::Null, "{text}");
    }
    let got = preview("from:carla.example").await;
    let said = "; no post is known to be by carla.example: it is not known whose handle on Bluesky that is";
    assert!(got.json["summary"]["text"].as_str().unwrap().ends_with(said), "{got:?}");

    is_whose(&house, ann, "carla.example", CARLA).await;
    assert_eq!(unknown("from:carla.example").await, Value::Null);
    assert_eq!(unknown("from:{friends}").await, named(&["dora.example"]));
    // It was asked for: that is another reason.
    is_answered(&house, ann, "dora.example", None).await;
    assert_eq!(unknown("from:{friends}").await, told(&[], &["dora.example"]));
    let got = preview("from:dora.example").await;
    let said = "; there is no post by dora.example: nobody on Bluesky has this handle";
    assert!(got.json["summary"]["text"].as_str().unwrap().ends_with(said), "{got:?}");
    assert_eq!(
        unknown("from:{friends} OR from:eve.example").await,
        told(&["eve.example"], &["dora.example"])
    );
}

#[tokio::test]
async fn a_search_says_which_handles_stand_for_nobody() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let search = async |body: Value| house.ask(Method::POST, &token, "/search", body).await;
    let unknown = async |text: &str| {
        let got = search(json!({"text": text})).await;
        got.ok();
        got.json["summary"].get("unknown_handles").cloned()
    };
    // Elsewhere nobody is looked up, whatever looks like a handle.
    house.post("1", "Snow", false, &[(ann, &[])]).await;
    assert_eq!(unknown("from:carla.example").await, None);

    store(&house, by(CARLA, "1"), ann, &[]).await;
    is_answered(&house, ann, "dora.example", None).await;
    assert_eq!(unknown("from:bob OR snow").await, None);
    let both = told(&["carla.example"], &["dora.example"]);
    assert_eq!(unknown("from:Carla.example OR from:dora.example").await, Some(both));
    let got = search(json!({"text": "from:dora.example"})).await;
    let said = "; there is no post by dora.example: nobody on Bluesky has this handle";
    assert!(got.json["summary"]["text"].as_str().unwrap().ends_with(said), "{got:?}");
    // Also where something is found, and there is more.
    let first = search(json!({"text": "snow OR from:carla.example", "limit": 1})).await;
    assert_eq!(first.ok()[0]["network"], NETWORK);
    assert_eq!(first.json["summary"]["unknown_handles"], told(&["carla.example"], &[]));

    is_whose(&house, ann, "carla.example", CARLA).await;
    assert_eq!(unknown("from:carla.example").await, None);
}

/// What others name, and whose that is, is nobody else's business: all that an account is told depends on what it names itself.
#[tokio::test]
async fn what_others_name_says_nothing_to_an_account() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let (ben, others) = house.account("ben", Scope::Write).await;
    for account in [ann, ben] {
        store(&house, by(CARLA, &account.to_string()), account, &[]).await;
    }
    let text = "from:carla.example OR from:dora.example OR from:eve.example";
    let all_told = async |token: &str| {
        let mut told = Vec::new();
        for path in ["/search", "/preview", "/check"] {
            let got = house.ask(Method::POST, token, path, json!({"text": text})).await;
            let (data, summary) = (got.ok(), &got.json["summary"]);
            told.push((data["matched"].clone(), summary["count"].clone(), summary["text"].clone()));
            let unknown = data.get("unknown_handles").unwrap_or(&summary["unknown_handles"]);
            told.push((unknown.clone(), Value::Null, Value::Null));
        }
        told
    };
    let before = all_told(&token).await;
    is_whose(&house, ben, "carla.example", CARLA).await;
    is_answered(&house, ben, "dora.example", None).await;
    let list = NamedIn { handles: BTreeSet::from(["dora.example".to_owned()]), ..NamedIn::default() };
    house.database.name_handles(NETWORK, &Naming::List("people".into()), &list).await.unwrap();
    assert_ne!(all_told(&others).await, before, "ben knows");
    assert_eq!(all_told(&token).await, before, "ann does not");
    // A list of all tells those whose filters name it.
    let list = NamedIn { lists: BTreeSet::from(["people".to_owned()]), ..NamedIn::default() };
    house.database.name_handles(NETWORK, &Naming::Account(ann), &list).await.unwrap();
    let unknown = house.ask(Method::POST, &token, "/check", json!({"text": text})).await;
    let told = told(&["carla.example", "eve.example"], &["dora.example"]);
    assert_eq!(unknown.ok()["unknown_handles"], told);
    // What she names once ben does, she knows at once.
    let carla = NamedIn { handles: BTreeSet::from(["carla.example".to_owned()]), ..NamedIn::default() };
    house.database.name_handles(NETWORK, &Naming::Account(ann), &carla).await.unwrap();
    let found = house.ask(Method::POST, &token, "/search", json!({"text": text})).await;
    assert_eq!(found.ok().as_array().unwrap().len(), 1, "{found:?}");
}

#[tokio::test]
async fn a_check_and_who_saves_a_filter_are_told_which_handles_stand_for_nobody() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let text = json!({"text": "from:carla.example OR from:dora.example"});
    let check = async || house.ask(Method::POST, &token, "/check", text.clone()).await;
    // Elsewhere nobody is looked up, whatever looks like a handle.
    assert_eq!(check().await.ok()["unknown_handles"], Value::Null);
    house.database.is_read(NETWORK).await.unwrap();
    is_answered(&house, ann, "dora.example", None).await;
    let both = told(&["carla.example"], &["dora.example"]);
    let said = "; no post is known to be by carla.example: it is not known whose handle on Bluesky that is; there is no post by \
                dora.example: nobody on Bluesky has this handle";
    let checked = check().await;
    assert_eq!(checked.ok()["unknown_handles"], both);
    assert_eq!(checked.json["summary"]["text"], format!("Valid{said}"));
    let added = house.ask(Method::POST, &token, "/filters", text.clone()).await;
    assert_eq!((added.status, &added.json["data"]["unknown_handles"]), (StatusCode::CREATED, &both));
    assert_eq!(added.json["summary"]["text"], format!("Added{said}"));
    let path = format!("/filters/{}", added.json["data"]["id"]);
    let changed = house.ask(Method::PATCH, &token, &path, json!({"name": "people"})).await;
    assert_eq!(changed.ok()["unknown_handles"], both);
    let changed = house.ask(Method::PATCH, &token, &path, json!({"text": "snow"})).await;
    assert_eq!(changed.ok()["unknown_handles"], Value::Null);
    assert_eq!(changed.json["summary"]["text"], "Changed");
}

#[tokio::test]
async fn of_me_is_said_that_nobody_has_the_handle() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let me = Account { id: String::new(), handle: "Ann.example".into() };
    house.database.add_identity(ann, &(NETWORK.into(), me)).await.unwrap();
    let unknown = async |text: &str| {
        let got = house.ask(Method::POST, &token, "/preview", json!({"text": text})).await;
        got.ok()["unknown_handles"].clone()
    };
    assert_eq!(unknown("snow").await, Value::Null);
    assert_eq!(unknown("from:me").await, told(&["ann.example"], &[]));
    is_answered(&house, ann, "ann.example", None).await;
    assert_eq!(unknown("@me OR snow").await, told(&[], &["ann.example"]));
    is_whose(&house, ann, "ann.example", "did:plc:ann").await;
    assert_eq!(unknown("from:me").await, Value::Null);
}

/// A slice that follows says what is so by then.
#[tokio::test]
async fn a_later_slice_says_what_is_known_by_then() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    for id in ["1", "2"] {
        store(&house, by(CARLA, id), ann, &[]).await;
    }
    let body =
        |before: Option<&Value>| json!({"text": "snow OR from:dora.example", "limit": 1, "before": before});
    let first = house.ask(Method::POST, &token, "/search", body(None)).await;
    first.ok();
    assert_eq!(first.json["summary"]["unknown_handles"], told(&["dora.example"], &[]));
    is_whose(&house, ann, "dora.example", DORA).await;
    let next = house.ask(Method::POST, &token, "/search", body(Some(&first.json["summary"]["next"]))).await;
    assert_eq!(next.ok().as_array().unwrap().len(), 1);
    assert_eq!(next.json["summary"].get("unknown_handles"), None);
}

/// Lets it be known who wrote something that is stored.
async fn is_known(house: &House, id: &str, handle: &str, name: &str) {
    house.database.want_profiles(NETWORK).await.unwrap();
    let account = Account { id: id.into(), handle: handle.into() };
    let found = Author { account, name: Some(name.into()), ..Author::default() };
    house.database.profiles_answered(NETWORK, &[id.to_owned()], &[found]).await.unwrap();
}

#[tokio::test]
async fn people_are_shown_by_handle_and_name_as_soon_as_these_are_known() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let filter = house.filter(ann, "snow").await;
    store(&house, by(DORA, "1"), ann, &[]).await;
    let mut post = by(CARLA, "2");
    post.reply_to = Some(ReplyTo { id: "1".into(), account: by(DORA, "1").author.account });
    post.quote_of = Some(Box::new(Reference { post: Some(by(DORA, "1")), ..Reference::default() }));
    store(&house, post, ann, &[filter]).await;
    let again = async |tag: &HeaderValue| {
        let mut request = request(Method::GET, "/timeline", &token, None);
        request.headers_mut().insert("if-none-match", tag.clone());
        house.send(request).await
    };
    let bare = house.get(&token, "/timeline").await;
    assert_eq!(bare.ok()[0]["content"]["author"], json!({"id": CARLA, "handle": "", "name": null}));
    assert_eq!(again(&bare.headers["etag"]).await.status, StatusCode::NOT_MODIFIED);

    is_known(&house, CARLA, "carla.example", "Carla").await;
    is_known(&house, DORA, "dora.example", "Dora").await;
    let carla = json!({"id": CARLA, "handle": "carla.example", "name": "Carla"});
    let dora = json!({"id": DORA, "handle": "dora.example", "name": "Dora"});
    let is_named = |post: &Value| {
        let content = &post["content"];
        assert_eq!(content["author"], carla, "{post}");
        assert_eq!((&content["reply_to"]["author"], &content["quote"]["author"]), (&dora, &dora), "{post}");
    };
    let named = again(&bare.headers["etag"]).await;
    is_named(&named.ok()[0]);
    assert_eq!(named.ok()[1]["content"]["author"], dora);
    assert_eq!(again(&named.headers["etag"]).await.status, StatusCode::NOT_MODIFIED);
    is_named(&house.get(&token, &format!("/timeline?filter={filter}")).await.ok()[0]);
    is_named(&house.get(&token, "/timeline?public=true").await.ok()[0]);
    is_named(house.get(&token, &format!("/posts/{}", named.ok()[0]["number"])).await.ok());
    let ask = async |path: &str| house.ask(Method::POST, &token, path, json!({"text": "snow"})).await;
    is_named(&ask("/search").await.ok()[0]);
    is_named(&ask("/preview").await.ok()["samples"][0]);
    let feed = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
    let (_, _, xml) = read(&house, feed.ok()["atom"].as_str().unwrap()).await;
    assert!(xml.contains("<author><name>Carla</name></author>"), "{xml}");

    // Who is called otherwise since is shown so.
    is_known(&house, CARLA, "carla.new.example", "Carla").await;
    let renamed = again(&named.headers["etag"]).await;
    assert_eq!(renamed.ok()[0]["content"]["author"]["handle"], "carla.new.example");
}

#[tokio::test]
async fn a_feed_calls_by_the_id_whom_nobody_knows() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Write).await;
    let filter = house.filter(ann, "snow").await;
    store(&house, by(CARLA, "1"), ann, &[filter]).await;
    let feed = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
    let (_, _, xml) = read(&house, feed.ok()["atom"].as_str().unwrap()).await;
    assert!(xml.contains("<author><name>did:plc:carla</name></author>"), "{xml}");
}

#[tokio::test]
async fn a_stream_tells_who_people_are_once_that_is_known() {
    let house = House::new().await;
    let (ann, token) = house.account("ann", Scope::Read).await;
    let mut events = Events::open(&house, &token, "").await;
    events.until("commit").await;
    store(&house, by(CARLA, "1"), ann, &[]).await;
    assert_eq!(events.until("post").await.2["content"]["author"]["handle"], "");
    is_known(&house, CARLA, "carla.example", "Carla").await;
    let carla = json!({"network": NETWORK, "id": CARLA, "handle": "carla.example", "name": "Carla"});
    assert_eq!(events.until("authors").await.2, json!({"authors": [carla]}));
    store(&house, by(CARLA, "2"), ann, &[]).await;
    assert_eq!(events.until("post").await.2["content"]["author"]["name"], "Carla");
}
