//! A house whose API and page a browser reaches.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tweetfilter_core::Post;
use tweetfilter_core::post::Account;
use tweetfilter_http::api::{Api, Options, app, listen};
use tweetfilter_http::page;
use tweetfilter_http::parts::{Stop, now};
use tweetfilter_sql::Scope;
use tweetfilter_stream::store::{Delivery, Evaluated, Outcome, Store, Verdict};

use crate::browser::Browser;
use crate::house::{House, patient};

pub struct Served {
    pub house: House,
    pub address: SocketAddr,
    pub ann: i64,
    pub token: String,
    options: Options,
    running: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

/// A post, and what it is to who saw it.
#[derive(Default)]
pub struct Seen {
    pub id: String,
    pub text: String,
    pub name: String,
    pub filters: Vec<i64>,
    pub hidden: bool,
    pub notify: bool,
}

impl Seen {
    fn verdict(&self) -> Verdict {
        let highlighted = !self.filters.is_empty() && !self.hidden;
        Verdict { highlighted, hidden: self.hidden, notify: self.notify }
    }
}

impl Seen {
    pub fn new(id: impl ToString, text: &str) -> Self {
        Self { id: id.to_string(), text: text.to_owned(), name: "Bob".to_owned(), ..Self::default() }
    }

    pub fn post(&self) -> Post {
        let mut post = Post::from_text(&self.text);
        (post.network, post.id) = ("x".into(), self.id.clone());
        post.author.account = Account { id: "7".into(), handle: "bob".into() };
        post.author.name = Some(self.name.clone());
        post.created_at = Some(now());
        post
    }
}

impl Served {
    pub async fn new() -> Self {
        Self::over(House::new().await).await
    }

    pub async fn over(house: House) -> Self {
        Self::with(house, Options { rate: 1_000.0, burst: 1_000.0, ..patient() }).await
    }

    pub async fn with(house: House, options: Options) -> Self {
        let (ann, token) = house.account("ann", Scope::Write).await;
        let mut served =
            Self { house, address: ([127, 0, 0, 1], 0).into(), ann, token, options, running: None };
        served.begin().await;
        served
    }

    /// Serves, at the address as before.
    pub async fn begin(&mut self) {
        let (stop, told) = Stop::new();
        let api = Api::new(self.house.database.clone(), self.options.clone(), told.clone());
        let app = app(&api).merge(page::app());
        let serving = listen(&api, app, &self.address.to_string()).await.unwrap();
        self.address = serving.address().unwrap();
        let serving = Arc::new(serving);
        let task = tokio::spawn(async move { serving.run(told).await });
        self.running = Some((stop, task));
    }

    pub async fn end(&mut self) {
        let (stop, task) = self.running.take().unwrap();
        stop.send(true).unwrap();
        task.await.unwrap();
    }

    /// The address that signs in.
    pub fn link(&self) -> String {
        format!("http://{}/#token={}", self.address, self.token)
    }

    /// Signs in on a page in which a script ran before, so that it has a part in all that the page asks for.
    pub async fn prepared(&self, browser: &Browser, script: &str) {
        browser.open(&format!("http://{}/", self.address)).await;
        browser.run(script).await;
        let sign_in = format!("model.signIn({}).then(() => 1)", json!(self.token));
        browser.wait(&format!("import('/page/model/index.js').then(({{model}}) => {sign_in})")).await;
    }

    /// Stores posts that ann saw, in one commit.
    pub async fn posts(&self, seen: &[Seen]) {
        let of = |seen: &Seen| (seen.post(), seen.filters.clone(), seen.verdict());
        self.keep(seen.iter().map(of).collect()).await;
    }

    pub async fn keep(&self, posts: Vec<(Post, Vec<i64>, Verdict)>) {
        let evaluated = |(post, filters, verdict): (Post, Vec<i64>, Verdict)| Evaluated {
            post,
            version: 0,
            source: "test".into(),
            at: now(),
            place: None,
            public: false,
            deliveries: vec![Delivery { account: self.ann, verdict, filters, seen: true }],
            strangers: 0,
            stored: None,
        };
        let posts = posts.into_iter().map(evaluated).collect();
        let outcome = Outcome { at: now(), posts, ..Outcome::default() };
        self.house.database.commit(&outcome, &[]).await.unwrap();
    }
}
