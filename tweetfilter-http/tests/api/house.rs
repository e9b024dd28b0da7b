//! A store in a folder of its own, and an API over it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;
use tweetfilter_core::Post;
use tweetfilter_http::api::{Api, Options, app, digest, new_secret};
use tweetfilter_http::parts::Stop;
use tweetfilter_sql::{Database, NewFilter, Scope};
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};

pub struct House {
    pub app: Router,
    pub api: Api,
    pub database: Database,
    folder: PathBuf,
    pub stop: watch::Sender<bool>,
}

/// Options of an API that waits for its store, and looks to the end: a machine that has much else to do holds up a file, too,
/// for longer than anybody is to wait for an answer. Who tries how long that is takes those that are the API's own.
pub fn patient() -> Options {
    let time = Duration::from_secs(30);
    Options { store_time: time, slice: time, preview: time, ..Options::default() }
}

/// What was answered.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Drop for House {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl House {
    pub async fn new() -> Self {
        Self::with(patient()).await
    }

    pub async fn with(options: Options) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tweetfilter-api-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        // A process that had this number before may have left something.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let database = Database::open(&folder.join("a.db").to_string_lossy()).await.unwrap();
        let mut house = Self::over(database, options);
        house.folder = folder;
        house
    }

    /// Where its store is.
    pub fn file(&self) -> String {
        self.folder.join("a.db").to_string_lossy().into_owned()
    }

    /// A house over a store that somebody else keeps.
    pub fn over(database: Database, options: Options) -> Self {
        let (stop, told) = Stop::new();
        let api = Api::new(database.clone(), options, told);
        Self { app: app(&api), api, database, folder: PathBuf::new(), stop }
    }

    /// An account, and a token of it.
    pub async fn account(&self, name: &str, scope: Scope) -> (i64, String) {
        let account = self.database.add_account(name, &[]).await.unwrap();
        (account, self.token(account, scope).await)
    }

    pub async fn token(&self, account: i64, scope: Scope) -> String {
        let secret = new_secret("tf_").unwrap();
        self.database.add_token(account, "test", &digest(&secret), scope).await.unwrap();
        secret
    }

    pub async fn filter(&self, account: i64, text: &str) -> i64 {
        let new = NewFilter { text: text.into(), ..NewFilter::default() };
        self.database.add_filter(account, &new).await.unwrap()
    }

    /// Stores a post of a public source, or of those who saw it; returns the commit.
    pub async fn post(&self, id: &str, text: &str, public: bool, seen: &[(i64, &[i64])]) -> i64 {
        self.posts(&[id.to_owned()], text, public, seen).await
    }

    /// Stores several that say the same, in one commit.
    pub async fn posts(&self, ids: &[String], text: &str, public: bool, seen: &[(i64, &[i64])]) -> i64 {
        Self::posts_in(&self.database, ids, text, public, seen).await
    }

    /// The same by another way to the store.
    pub async fn posts_in(
        database: &Database,
        ids: &[String],
        text: &str,
        public: bool,
        seen: &[(i64, &[i64])],
    ) -> i64 {
        let delivery = |(account, filters): &(i64, &[i64])| Delivery {
            account: *account,
            verdict: Verdict { highlighted: !filters.is_empty(), ..Verdict::default() },
            filters: filters.to_vec(),
            seen: !public,
        };
        let deliveries: Vec<_> = seen.iter().map(delivery).collect();
        Self::stored(database, ids, text, public, &deliveries).await
    }

    /// Posts that an account saw, of which its filters said all the same.
    pub async fn decided(&self, ids: &[String], verdict: Verdict, account: i64) -> i64 {
        let delivery = Delivery { account, verdict, filters: Vec::new(), seen: true };
        Self::stored(&self.database, ids, "Snow", false, &[delivery]).await
    }

    pub async fn stored(
        database: &Database,
        ids: &[String],
        text: &str,
        public: bool,
        deliveries: &[Delivery],
    ) -> i64 {
        let evaluated = |id: &String| {
            let mut post = Post::from_text(text);
            (post.network, post.id) = ("x".into(), id.clone());
            post.author.account.handle = "bob".into();
            Evaluated {
                post,
                version: 0,
                source: "test".into(),
                at: tweetfilter_http::parts::now(),
                place: None,
                public,
                deliveries: deliveries.to_vec(),
                strangers: 0,
                stored: None,
            }
        };
        let posts = ids.iter().map(evaluated).collect();
        let outcome = Outcome { at: tweetfilter_http::parts::now(), posts, ..Outcome::default() };
        database.commit(&outcome, &[]).await.unwrap().number
    }

    pub async fn send(&self, request: Request<Body>) -> Got {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 16 << 20).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Got { status, headers, json }
    }

    pub async fn get(&self, token: &str, path: &str) -> Got {
        self.send(request(Method::GET, path, token, None)).await
    }

    pub async fn ask(&self, method: Method, token: &str, path: &str, body: Value) -> Got {
        self.send(request(method, path, token, Some(body))).await
    }
}

pub fn request(method: Method, path: &str, token: &str, body: Option<Value>) -> Request<Body> {
    let path = if path.starts_with("/health") { path.to_owned() } else { format!("/api/v1{path}") };
    let builder = Request::builder().method(method).uri(path);
    let builder = builder.header("authorization", format!("Bearer {token}"));
    match body {
        Some(body) => {
            builder.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
        }
        None => builder.body(Body::empty()).unwrap(),
    }
}

impl Got {
    pub fn ok(&self) -> &Value {
        assert!(self.status.is_success(), "{self:?}");
        assert_eq!(self.json["error"], Value::Null, "{self:?}");
        assert!(self.json["summary"]["text"].is_string(), "{self:?}");
        &self.json["data"]
    }

    /// The code of the error, which is as every error is.
    pub fn error(&self) -> &str {
        assert!(!self.status.is_success(), "{self:?}");
        assert_eq!(self.json["data"], json!(null));
        assert!(self.json["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        assert!(self.json["error"]["fixes"].is_array(), "{self:?}");
        self.json["error"]["code"].as_str().unwrap()
    }
}
