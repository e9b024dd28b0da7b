//! The page begins: also where a part of it is missing, nothing may be kept, or the store is away.

use serde_json::json;

use crate::browser::{Browser, ENTER};
use crate::served::{Seen, Served};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_load_says_so() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.blocks(&["*/page/model/rows.js"]).await;
    browser.open(&served.link()).await;
    let said = "[...document.querySelectorAll('#unloaded')].some((one) =>
        one.checkVisibility({checkVisibilityCSS: true}) && one.textContent.includes('could not be loaded'))";
    browser.until(said).await;
    browser.picture("unloaded").await;
    // The link that signs in stands in the address still.
    browser.blocks(&[]).await;
    browser.run("location.reload()").await;
    browser.sees("Everything").await;
    assert_eq!(browser.run("return document.querySelector('#unloaded')").await, json!(null));
    browser.was_clean().await;
    browser.end().await;
}

/// As a browser is that is told to keep nothing.
const DENIED: &str = "
    const denied = () => { throw new DOMException('Access is denied for this document.', 'SecurityError'); };
    for (const name of ['sessionStorage', 'localStorage']) Object.defineProperty(window, name, {get: denied});
    window.asked = 0;
    for (const name of ['request', 'query']) {
        navigator.locks[name] = async () => {
            window.asked++;
            denied();
        };
    }";

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_may_be_kept_the_page_goes_on() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.house.filter(served.ann, "snow").await;
    browser.before(DENIED).await;
    browser.open(&format!("http://{}/", served.address)).await;
    browser.until("document.activeElement.id === 'token'").await;
    browser.keys(&format!("{}{ENTER}", served.token)).await;
    browser.sees("Nothing has come yet").await;
    served.posts(&[Seen::new(1, "It comes live")]).await;
    browser.sees("It comes live").await;
    browser.until("document.querySelector('#live').classList.contains('is-live')").await;
    browser.run("document.querySelector('[data-part=add]').value = document.querySelector('[data-part=add]').options[1].value").await;
    browser.run("document.querySelector('[data-part=add]').dispatchEvent(new Event('change'))").await;
    browser.until("document.querySelectorAll('tf-column').length === 2").await;
    browser.run("location.hash = '#/access'").await;
    browser.sees("Notifications").await;
    let asked = browser.run("return asked").await;
    assert!(asked.as_i64().unwrap() < 20, "{asked}");
    browser.press("#sign-out").await;
    browser.until("!document.querySelector('#gate').hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

/// The store is away as long as `away` says so.
const AWAY: &str = "
    window.away = true;
    const fetched = window.fetch;
    const error = {code: 'store_away', message: 'The store is away; try again', span: null, fixes: []};
    const answer = () => Response.json({data: null, error}, {status: 503});
    window.fetch = async (address, options) => (window.away ? answer() : fetched(address, options));";

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_signs_in_outlives_a_reload_while_the_store_is_away() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.before(AWAY).await;
    browser.open(&served.link()).await;
    browser.sees("The store is away; try again. It is tried again until it answers.").await;
    browser.picture("begins-away").await;
    browser.run("window.before = true; location.reload()").await;
    browser.until("!window.before && document.body.innerText.includes('It is tried again')").await;
    browser.run("away = false").await;
    browser.sees("Everything").await;
    // One that is refused is not kept.
    browser.open("about:blank").await;
    browser.open(&format!("http://{}/#token=tf_nobody", served.address)).await;
    browser.sees("It is tried again").await;
    browser.run("away = false").await;
    browser.until("!document.querySelector('#gate .error').hidden").await;
    assert_eq!(browser.run("return sessionStorage.length").await, json!(0));
    browser.was_clean().await;
    browser.end().await;
}
