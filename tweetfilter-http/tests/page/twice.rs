//! What is pressed twice is done once, and what is made twice replaces nothing.

use axum::http::Method;
use serde_json::json;

use crate::browser::{Browser, CONTROL, ENTER};
use crate::served::Served;

/// Counts the requests that change something, by path.
const COUNTED: &str = "
    window.changes = {};
    const fetched = window.fetch;
    window.fetch = (address, options = {}) => {
        const path = new URL(address, location.href).pathname.replace('/api/v1', '');
        const isChange = options.method === 'POST' && (path !== '/import' || JSON.parse(options.body).apply);
        if (isChange) window.changes[path] = (window.changes[path] ?? 0) + 1;
        return fetched(address, options);
    };";

#[tokio::test(flavor = "multi_thread")]
async fn two_presses_make_one_import_one_token_and_one_feed() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(COUNTED).await;
    let twice = async |selector: &str| {
        browser
            .run(&format!(
                "const one = document.querySelector({}); one.click(); one.click()",
                json!(selector)
            ))
            .await;
    };

    browser.keys("x").await;
    browser.until("!!document.querySelector('tf-exchange [data-part=content]')").await;
    browser.run("document.querySelector('tf-exchange [data-part=content]').focus()").await;
    browser.run("document.execCommand('insertText', false, 'snow\\nrain')").await;
    browser.sees("2 would be added").await;
    twice("tf-exchange [data-do=apply]").await;
    browser.sees("2 added, 0 changed").await;

    browser.run("location.hash = '#/access'").await;
    browser.until("document.querySelectorAll('tf-access [data-part=tokens] .row-line').length === 1").await;
    twice("tf-access form [type=submit]").await;
    browser.until("!!document.querySelector('tf-access [data-part=token]').value").await;
    browser.until("document.querySelectorAll('tf-access [data-part=tokens] .row-line').length === 2").await;

    let filters = house.get(token, "/filters").await.ok().clone();
    assert_eq!(filters.as_array().unwrap().len(), 2);
    browser.run(&format!("location.hash = '#/filters/{}'", filters[0]["id"])).await;
    browser.until("!!document.querySelector('tf-editor tf-feeds')").await;
    browser.run("document.querySelector('tf-editor details').open = true").await;
    twice("tf-editor [data-do=feed-make]").await;
    browser.until("!!document.querySelector('tf-editor [data-part=atom]').value").await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let changes = browser.run("return [changes['/import'], changes['/tokens'], changes['/feeds']]").await;
    assert_eq!(changes, json!([1, 1, 1]));
    assert_eq!(house.get(token, "/tokens").await.ok().as_array().unwrap().len(), 2);
    // Once that is done it can be done again.
    twice("tf-editor [data-do=feed-make]").await;
    browser.until("changes['/feeds'] === 2").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_set_does_not_replace_one_that_was_made_at_the_same_moment() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.holds("method === 'PUT' && path.startsWith('/sets/')").await;
    browser.keys("l").await;
    browser.press("tf-sets [data-do=set-new]").await;
    browser.until("document.activeElement.dataset.part === 'name'").await;
    browser.keys("teams\tmolde").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("sent === 1").await;
    house.ask(Method::PUT, token, "/sets/teams", json!({"terms": ["rosenborg"]})).await.ok();
    browser.run("let_go()").await;
    browser.sees("There is a set of this name already.").await;
    assert_eq!(house.get(token, "/sets/teams").await.ok()["terms"], json!(["rosenborg"]));
    // What was written stays as not saved.
    browser.until("document.querySelector('tf-sets [data-part=terms]').value === 'molde'").await;
    browser.was_clean().await;
    browser.end().await;
}
