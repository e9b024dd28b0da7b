//! A tab that another one's stream left behind.

use serde_json::json;

use crate::browser::Browser;
use crate::served::{Seen, Served};

/// The texts of the first column, newest first.
const TEXTS: &str =
    "document.querySelector('tf-column')?.column.rows.flatMap(({post}) => (post ? [post.content.text] : []))";

/// Has the page's own stream broken off, and not come about again while `down` is true.
const BROKEN: &str = "
    window.down = false;
    window.cutter = new AbortController();
    const fetched = window.fetch;
    window.fetch = (address, options = {}) => {
        if (!String(address).includes('/live')) return fetched(address, options);
        if (window.down) return Promise.reject(new TypeError('Failed to fetch'));
        return fetched(address, {...options, signal: AbortSignal.any([options.signal, window.cutter.signal])});
    };";

fn texts(expected: &serde_json::Value) -> String {
    format!("JSON.stringify({TEXTS}) === {}", json!(expected.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_misses_nothing_where_another_takes_the_stream_over_from_further_on() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Before")]).await;
    served.prepared(&browser, BROKEN).await;
    browser.until(&texts(&json!(["Before"]))).await;
    browser.run("window.down = true; window.cutter.abort()").await;
    browser.until("!document.querySelector('#trouble').hidden").await;
    served.posts(&[Seen::new(2, "Between")]).await;

    // A tab that is opened now begins behind what the first one lacks.
    let first = browser.tab().await;
    browser.open(&served.link()).await;
    browser.until(&texts(&json!(["Between", "Before"]))).await;
    served.posts(&[Seen::new(3, "After")]).await;
    let all = texts(&json!(["After", "Between", "Before"]));
    browser.until(&all).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(browser.run(&format!("return {all}")).await, json!(true), "nothing came twice");
    browser.close_tab(first).await;
    browser.run("window.down = false; window.cutter = new AbortController()").await;
    browser.until(&all).await;
    browser.was_clean().await;
    browser.end().await;
}
