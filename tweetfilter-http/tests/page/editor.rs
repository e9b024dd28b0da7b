//! What the editor of a filter asks for, and what it does not let through.

use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::served::{Seen, Served};

/// Counts what the page asks for, by path.
const COUNTED: &str = "
    window.asked = {};
    const fetched = window.fetch;
    window.fetch = (address, options) => {
        const path = new URL(address, location.href).pathname.replace('/api/v1', '');
        window.asked[path] = (window.asked[path] ?? 0) + 1;
        return fetched(address, options);
    };";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_check_refused_is_not_looked_for() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow in Oslo")]).await;
    browser.open(&served.link()).await;
    browser.sees("Snow in Oslo").await;
    browser.run(COUNTED).await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("(snow").await;
    browser.sees("This parenthesis is never closed").await;
    browser.sees("As soon as the filter is valid.").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(browser.run("return asked['/check']").await.as_i64().unwrap() >= 1);
    assert_eq!(browser.run("return asked['/preview'] ?? 0").await, json!(0));
    // Once it is valid it is looked for.
    browser.keys(")").await;
    browser.until("document.querySelector('tf-preview mark')?.textContent === 'Snow'").await;
    assert_eq!(browser.run("return asked['/preview']").await, json!(1));
    browser.was_clean().await;
    browser.end().await;
}
