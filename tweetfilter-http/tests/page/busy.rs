//! A store that is there, but does not come to what it is asked.

use serde_json::json;

use crate::browser::Browser;
use crate::served::{Seen, Served};

/// Answers the first of some requests as a busy store does, and notes whether the timeline said that it failed.
const BUSY: &str = "
    window.busy = {'GET /timeline': 2, 'POST /check': 1, 'PATCH /filters/1': 1, 'PUT /reading/timeline': 1};
    const message = 'The store is busy: it answers, but this took too long. Try again in a moment';
    const fetched = window.fetch;
    window.fetch = async (address, options = {}) => {
        const path = new URL(address, location.href).pathname.replace('/api/v1', '');
        const asked = `${options.method ?? 'GET'} ${path}`;
        if (!(window.busy[asked] > 0)) return fetched(address, options);
        window.busy[asked]--;
        const error = {code: 'store_busy', message, span: null, fixes: []};
        return Response.json({data: null, summary: {text: message}, error}, {status: 503, headers: {'retry-after': '1'}});
    };
    window.failed = false;
    new MutationObserver(() => {
        window.failed ||= document.querySelector('tf-column .end .error') !== null;
    }).observe(document, {childList: true, subtree: true});";

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_store_is_asked_again_for_what_is_read_and_said_where_something_was_to_change() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    assert_eq!(served.house.filter(served.ann, "snow").await, 1);
    served.posts(&[Seen::new(1, "Snow in Oslo")]).await;
    served.prepared(&browser, BUSY).await;
    browser.sees("Snow in Oslo").await;
    assert_eq!(browser.run("return busy['GET /timeline']").await, json!(0));
    assert_eq!(browser.run("return failed").await, json!(false));

    // The line is not kept, which is said where it was asked for; then it is.
    let trouble = "document.querySelector('tf-column .column-trouble')";
    browser.run("document.querySelector('tf-column tf-list').go(0)").await;
    browser.keys("m").await;
    browser.until(&format!("{trouble}.innerText.includes('The store is busy')")).await;
    browser.picture("busy").await;
    browser.keys("m").await;
    browser.until(&format!("{trouble}.hidden")).await;

    browser.run("location.hash = '#/filters'").await;
    browser.press("tf-filters [data-do=toggle]").await;
    browser
        .until("document.querySelector('tf-filters [data-part=trouble]').innerText.includes('busy')")
        .await;
    assert_eq!(served.house.get(&served.token, "/filters/1").await.ok()["enabled"], json!(true), "not twice");
    browser.press("tf-filters [data-do=toggle]").await;
    browser.until("document.querySelector('tf-filters [role=switch]').ariaChecked === 'false'").await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("snow").await;
    browser.sees("✓ Valid").await;
    assert_eq!(browser.run("return busy['POST /check']").await, json!(0));
    browser.was_clean().await;
    browser.end().await;
}
