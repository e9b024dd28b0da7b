//! What broke off is gone on with, though nothing else is the matter.

use serde_json::json;
use tweetfilter_sql::Scope;
use tweetfilter_stream::store::{DeadLetter, Outcome, Store};

use crate::browser::Browser;
use crate::served::{Seen, Served};

/// Answers what is asked under a path, with more in its address, by the statuses of `fails` one after the other.
const FAILING: &str = "
    window.fails = [];
    window.failed = 0;
    const fetched = window.fetch;
    window.fetch = async (address, options = {}) => {
        const {pathname, search} = new URL(address, location.href);
        if (window.fails.length === 0 || !(pathname + search).includes(window.fails_of)) return fetched(address, options);
        window.failed++;
        const status = window.fails.shift();
        if (status === 502) return new Response('<h1>Bad Gateway</h1>', {status});
        const error = {code: 'too_many_requests', message: 'This token asks too often', span: null, fixes: []};
        return Response.json({data: null, summary: {text: ''}, error}, {status, headers: {'retry-after': '1'}});
    };";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_anew_comes_to_the_last_post_though_some_of_it_is_not_answered_at_once() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    // Each in a commit of its own: they are forgotten so.
    for n in 0..3 {
        let posts: Vec<_> = (0..90).map(|m| Seen::new(n * 90 + m, &format!("Post {n} {m}"))).collect();
        served.posts(&posts).await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    served.prepared(&browser, FAILING).await;
    browser.sees("100 posts so far").await;
    let all = "import('/page/model/index.js').then(async ({model}) => {
        window.model = model;
        while (model.columns[0].hasMore) await model.columns[0].more();
        return model.columns[0].counts.all;
    })";
    assert_eq!(browser.wait(all).await, json!(270));
    // The first page is answered, what comes before it is not.
    browser.run("window.fails_of = '&before='; window.fails = [429, 502, 429, 429]").await;
    let second = served.house.database.received_at(95).await.unwrap().unwrap();
    let now = tweetfilter_http::parts::now();
    let keep = std::time::Duration::from_millis((now - second).cast_unsigned());
    served.house.database.clone().with_clock(move || now).forget_older(keep).await.unwrap();
    browser.until("window.failed === 4").await;
    browser.until("model.columns[0].counts.all === 180").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_did_not_come_are_asked_for_again() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let letter = DeadLetter {
        entry: vec![b'x'],
        source: "people".into(),
        reason: "the store refuses it".into(),
        at: tweetfilter_http::parts::now(),
    };
    let outcome = Outcome { dead: vec![letter], ..Outcome::default() };
    served.house.database.commit(&outcome, &[]).await.unwrap();
    let admin = served.house.token(served.ann, Scope::Admin).await;
    browser.open(&format!("http://{}/", served.address)).await;
    browser.run(FAILING).await;
    browser.run("window.fails_of = '/dead-letters'; window.fails = [502]").await;
    let sign_in = format!("model.signIn({}).then(() => 1)", json!(admin));
    browser.wait(&format!("import('/page/model/index.js').then(({{model}}) => {sign_in})")).await;
    browser.run("location.hash = '#/status'").await;
    browser.until("document.querySelectorAll('tf-status .letters > li').length === 1").await;
    assert_eq!(browser.run("return window.failed").await, json!(1));
    browser.was_clean().await;
    browser.end().await;
}
