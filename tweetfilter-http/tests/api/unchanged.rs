//! What is not sent again: an answer that says what it said, whatever happens to others meanwhile.

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use tweetfilter_core::Post;
use tweetfilter_core::post::Reference;
use tweetfilter_http::parts::now;
use tweetfilter_sql::Scope;
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Said, Store, Verdict};

use crate::house::{House, request};

/// An account with a filter of which there is a feed, and the addresses of what it says.
struct Told {
    house: House,
    account: i64,
    filter: i64,
    token: String,
    paths: Vec<String>,
}

impl Told {
    async fn new() -> Self {
        let house = House::new().await;
        let (account, token) = house.account("ann", Scope::Write).await;
        let filter = house.filter(account, "snow").await;
        let feed = house.ask(Method::POST, &token, "/feeds", json!({"filter": filter})).await;
        let mut paths = vec![
            "/timeline".to_owned(),
            format!("/timeline?filter={filter}"),
            "/timeline?public=true".to_owned(),
            "/timeline?highlights=true&hidden=true".to_owned(),
        ];
        paths.extend(["atom", "json"].map(|form| feed.ok()[form].as_str().unwrap().to_owned()));
        Self { house, account, filter, token, paths }
    }

    async fn ask(&self, path: &str, tag: Option<&str>) -> (StatusCode, HeaderMap) {
        let mut asked = request(Method::GET, path, &self.token, None);
        if path.starts_with("/feeds") {
            *asked.uri_mut() = path.parse().unwrap();
        }
        if let Some(tag) = tag {
            asked.headers_mut().insert("if-none-match", tag.parse().unwrap());
        }
        let got = self.house.send(asked).await;
        (got.status, got.headers)
    }

    /// The tags of all that it says.
    async fn tags(&self) -> Vec<String> {
        let mut tags = Vec::new();
        for path in &self.paths {
            let (status, headers) = self.ask(path, None).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            tags.push(headers["etag"].to_str().unwrap().to_owned());
        }
        tags
    }

    /// Nothing of it is sent again.
    async fn is_unchanged(&self, tags: &[String], why: &str) {
        for (path, tag) in self.paths.iter().zip(tags) {
            let (status, headers) = self.ask(path, Some(tag)).await;
            assert_eq!(status, StatusCode::NOT_MODIFIED, "{path}: {why}");
            // By the tag that it would have if it were.
            let (_, whole) = self.ask(path, None).await;
            assert_eq!(headers["etag"], whole["etag"], "{path}: {why}");
        }
    }

    /// All of it is sent again; gives the tags of that.
    async fn is_changed(&self, tags: &[String], why: &str) -> Vec<String> {
        for (path, tag) in self.paths.iter().zip(tags) {
            let (status, _) = self.ask(path, Some(tag)).await;
            assert_eq!(status, StatusCode::OK, "{path}: {why}");
        }
        self.tags().await
    }

    async fn store(&self, post: Post, version: i64, at: i64) {
        let delivery = Delivery {
            account: self.account,
            verdict: Verdict::default(),
            filters: vec![self.filter],
            seen: true,
        };
        let evaluated = Evaluated {
            post,
            version,
            source: "test".into(),
            at,
            place: None,
            public: false,
            deliveries: vec![delivery],
            strangers: 0,
            stored: None,
        };
        let outcome = Outcome { at, posts: vec![evaluated], ..Outcome::default() };
        self.house.database.commit(&outcome, &[]).await.unwrap();
    }

    async fn change(&self, change: Change) {
        let changes = vec![Said { change, at: now() }];
        self.house.database.commit(&Outcome { changes, ..Outcome::default() }, &[]).await.unwrap();
    }
}

fn post(id: &str, text: &str) -> Post {
    let mut post = Post { network: "x".into(), id: id.into(), ..Post::from_text(text) };
    post.author.account.handle = "bob".into();
    post
}

fn delete(id: &str) -> Change {
    Change::Delete { network: "x".into(), id: id.into() }
}

#[tokio::test]
async fn what_others_get_lose_and_change_is_no_reason_to_send_something_again() {
    let told = Told::new().await;
    let house = &told.house;
    let (bob, bobs) = house.account("bob", Scope::Write).await;
    told.store(post("1", "Snow"), 0, now()).await;
    let tags = told.tags().await;
    told.is_unchanged(&tags, "nothing happened").await;
    let of_bob = house.filter(bob, "rain").await;
    told.is_unchanged(&tags, "somebody else has a filter more").await;
    house.post("2", "Rain", false, &[(bob, &[of_bob])]).await;
    told.is_unchanged(&tags, "somebody else got a post").await;
    house.ask(Method::POST, &bobs, "/filters", json!({"text": "hail"})).await.ok();
    house.post("3", "Hail", false, &[(bob, &[])]).await;
    told.change(delete("2")).await;
    told.is_unchanged(&tags, "somebody else lost a post").await;
    told.change(delete("404")).await;
    told.is_unchanged(&tags, "what nobody has was deleted").await;
}

#[tokio::test]
async fn whatever_is_said_otherwise_is_sent_again() {
    let told = Told::new().await;
    let house = &told.house;
    let tags = told.tags().await;
    told.store(post("1", "Snow"), 0, now()).await;
    let tags = told.is_changed(&tags, "a post").await;
    let mut outer = post("2", "More snow");
    outer.author.account.id = "200".into();
    let quoted = Some(post("9", "Quoted"));
    outer.quote_of = Some(Box::new(Reference { id: "9".into(), post: quoted, ..Reference::default() }));
    told.store(outer, 0, now()).await;
    let tags = told.is_changed(&tags, "another one").await;
    told.store(post("1", "Snow, edited"), 1, now()).await;
    let tags = told.is_changed(&tags, "an edit").await;
    // What a feed says of a post that quotes is the same without what it quotes.
    let (of_posts, of_feeds) = (&tags[..4], &tags[4..]);
    told.change(delete("9")).await;
    for (path, tag) in told.paths.iter().zip(of_posts) {
        assert_eq!(told.ask(path, Some(tag)).await.0, StatusCode::OK, "{path}: what it quotes is gone");
    }
    for (path, tag) in told.paths.iter().skip(4).zip(of_feeds) {
        assert_eq!(told.ask(path, Some(tag)).await.0, StatusCode::NOT_MODIFIED, "{path}");
    }
    let tags = told.tags().await;
    let withheld = |countries: &[&str]| Change::StatusWithheld {
        network: "x".into(),
        id: "1".into(),
        countries: countries.iter().map(ToString::to_string).collect(),
    };
    told.change(withheld(&["DE"])).await;
    let tags = told.is_changed(&tags, "it is withheld").await;
    told.change(withheld(&[])).await;
    let tags = told.is_changed(&tags, "it is shown again").await;
    let inactive = |active| Change::AccountStatus {
        network: "x".into(),
        author: "200".into(),
        active,
        status: "suspended".into(),
    };
    told.change(inactive(false)).await;
    let tags = told.is_changed(&tags, "the author is not shown").await;
    told.change(inactive(true)).await;
    let tags = told.is_changed(&tags, "the author is shown again").await;
    told.change(delete("1")).await;
    let tags = told.is_changed(&tags, "it is deleted").await;
    // A feed has the name of its filter.
    let path = format!("/filters/{}", told.filter);
    house.ask(Method::PATCH, &told.token, &path, json!({"name": "Winter"})).await.ok();
    for (path, tag) in told.paths.iter().zip(&tags).skip(4) {
        assert_eq!(told.ask(path, Some(tag)).await.0, StatusCode::OK, "{path}");
    }
    house.database.forget_oldest().await.unwrap();
    told.is_changed(&tags, "all of it is forgotten").await;
}
