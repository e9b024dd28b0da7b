//! What changes without a commit, or while no stream is open, shows all the same.

use std::time::Duration;

use serde_json::json;
use tweetfilter_sql::{LookBack, NewFilter};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Action, Outcome, Store};

use crate::browser::Browser;
use crate::served::{Seen, Served};

/// The rows of the first column that hold posts: shown ones by their texts, hidden ones by how many they are.
const ROWS: &str = "document.querySelector('tf-column')?.column.rows
    .map(({post, numbers}) => post?.content.text ?? numbers?.length).filter((row) => row !== undefined)";

fn rows(expected: &serde_json::Value) -> String {
    format!("JSON.stringify({ROWS}) === {}", json!(expected.to_string()))
}

async fn look_back(served: &Served) {
    let database = &served.house.database;
    let mut reapply = database.reapply(LookBack::default()).await.unwrap();
    loop {
        let stepped = database.reapply_step(&mut reapply).await.unwrap();
        match stepped.wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None if stepped.done => break,
            None => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_anew_or_forgotten_shows_where_it_stands() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    // More than a page of them is held.
    for n in 0..3 {
        let posts: Vec<_> = (0..50).map(|post| Seen::new(n * 50 + post, &format!("Rain {n}"))).collect();
        served.posts(&posts).await;
    }
    served.posts(&[Seen::new(900, "Snow"), Seen::new(901, "Hail")]).await;
    browser.open(&served.link()).await;
    browser.sees("100 posts so far").await;
    browser.run("document.querySelector('tf-column').column.more()").await;
    browser.sees("152 posts").await;
    let hide = |text: &str| NewFilter { text: text.into(), action: Action::Hide, ..NewFilter::default() };
    served.house.database.add_filter(served.ann, &hide("rain OR snow")).await.unwrap();
    look_back(&served).await;
    browser.soon(&rows(&json!(["Hail", 151]))).await;
    browser.sees("152 posts, 151 hidden").await;
    served.posts(&[Seen::new(1_000, "Sleet")]).await;
    browser.soon(&rows(&json!(["Sleet", "Hail", 151]))).await;
    served.house.database.forget_oldest().await.unwrap();
    browser.soon(&rows(&json!([]))).await;
    browser.sees("Nothing has come yet").await;
    browser.was_clean().await;
    browser.end().await;
}

/// Has the page's stream go through a gate, and cuts it off.
pub const GATE: &str = "
    window.gate = Promise.resolve();
    window.cutter = new AbortController();
    const fetched = window.fetch;
    window.fetch = async (address, options) => {
        if (!String(address).includes('/live')) return fetched(address, options);
        await window.gate;
        return fetched(address, {...options, signal: AbortSignal.any([options.signal, window.cutter.signal])});
    };
    window.cut = () => {
        window.gate = new Promise((open) => { window.open_gate = open; });
        window.cutter.abort();
        window.cutter = new AbortController();
    };";

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_between_two_streams_shows_when_the_next_begins() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let database = &served.house.database;
    served.posts(&[Seen::new(1, "Before")]).await;
    served.prepared(&browser, GATE).await;
    let model = "import('/page/model/index.js').then(({model}) => model";
    browser.sees("Before").await;
    browser.keys("f").await;
    browser.sees("No filters yet").await;
    // It is over as soon as anything else is answered, so it is not waited for but noted.
    let note = "const trouble = document.querySelector('#trouble'); window.troubled = false; \
        new MutationObserver(() => { window.troubled ||= !trouble.hidden }).observe(trouble, {attributes: true})";
    browser.run(note).await;
    browser.run("cut()").await;
    browser.until("window.troubled").await;
    // The server is there for all else, so nothing is in trouble any more.
    browser.wait(&format!("{model}.ask('GET', '/me').then(() => 1))")).await;
    browser.until("document.querySelector('#trouble').hidden").await;
    let filter = NewFilter { name: "unnoticed".into(), text: "snow".into(), ..NewFilter::default() };
    database.add_filter(served.ann, &filter).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let at = tweetfilter_http::parts::now();
    tokio::time::sleep(Duration::from_millis(20)).await;
    served.posts(&[Seen::new(2, "After")]).await;
    browser.run("open_gate()").await;
    browser.soon("document.querySelector('tf-filters').innerText.includes('unnoticed')").await;
    browser.run("location.hash = '#/timeline'").await;
    browser.soon(&rows(&json!(["After", "Before"]))).await;

    // What is forgotten meanwhile, with the commits that the stream would go on from, is gone when it begins again.
    browser.run("cut()").await;
    served.posts(&[Seen::new(3, "At last")]).await;
    // All before that time, however long it is ago by now.
    let now = tweetfilter_http::parts::now();
    let keep = Duration::from_millis((now - at).cast_unsigned());
    database.clone().with_clock(move || now).forget_older(keep).await.unwrap();
    browser.run("open_gate()").await;
    browser.soon(&rows(&json!(["At last", "After"]))).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_withheld_any_more_is_back_where_it_was() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Rain"), Seen::new(2, "Snow"), Seen::new(3, "Hail")]).await;
    browser.open(&served.link()).await;
    browser.soon(&rows(&json!(["Hail", "Snow", "Rain"]))).await;
    let withheld = async |countries: &[&str]| {
        let countries = countries.iter().map(ToString::to_string).collect();
        let change = Change::StatusWithheld { network: "x".into(), id: "2".into(), countries };
        let outcome = Outcome {
            changes: vec![tweetfilter_stream::store::Said { at: 0, change }],
            ..Outcome::default()
        };
        served.house.database.commit(&outcome, &[]).await.unwrap();
    };
    withheld(&["DE"]).await;
    browser.soon(&rows(&json!(["Hail", "Rain"]))).await;
    withheld(&[]).await;
    browser.soon(&rows(&json!(["Hail", "Snow", "Rain"]))).await;
    browser.was_clean().await;
    browser.end().await;
}
