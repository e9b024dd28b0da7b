//! What is changed elsewhere while it is removed, replaced or moved here is not lost without a word.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::browser::{Browser, CONTROL, ENTER};
use crate::served::{Seen, Served};

/// What removes, replaces or orders something.
const CHANGES: &str = "method === 'PUT' || method === 'DELETE'";

const NOT_REMOVED: &str = "It was not removed, since it was changed elsewhere meanwhile.";

async fn nothing_is_refused(browser: &Browser) {
    let refused = browser.run("return document.body.innerText.includes('Nothing was changed here')").await;
    assert_eq!(refused, json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_was_changed_elsewhere_is_not_removed_before_that_was_seen() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let filter = house.filter(served.ann, "rain").await;
    let path = format!("/filters/{filter}");
    let text = |value: &str| format!("document.querySelector('#filter-text').value === {}", json!(value));
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.holds(CHANGES).await;
    let remove = async |from: &str, to: &str| {
        browser.run(&format!("location.hash = '#/filters/{filter}'")).await;
        browser.until(&text(from)).await;
        browser.run("hold()").await;
        browser.press("tf-editor [data-do=remove]").await;
        browser.press("tf-editor [data-close=yes]").await;
        browser.until("sent === 1").await;
        house.ask(Method::PATCH, token, &path, json!({"text": to})).await.ok();
        browser.run("let_go()").await;
        browser.sees(NOT_REMOVED).await;
        assert_eq!(house.get(token, &path).await.ok()["text"], json!(to));
    };
    remove("rain", "rain OR storm").await;
    // It is shown as it is now, where nothing was written.
    browser.until(&text("rain OR storm")).await;
    // Where something was, it is said.
    browser.run("document.querySelector('#filter-text').focus()").await;
    browser.keys(" -drizzle").await;
    remove("rain OR storm -drizzle", "rain OR hail").await;
    browser.sees("It was changed elsewhere meanwhile, to: rain OR hail").await;
    browser.until(&text("rain OR storm -drizzle")).await;
    browser.picture("not-removed").await;
    browser.press("tf-editor [data-do=remove]").await;
    browser.press("tf-editor [data-close=yes]").await;
    browser.until("location.hash === '#/filters'").await;
    assert_eq!(house.get(token, &path).await.status, StatusCode::NOT_FOUND);
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_of_the_filters_that_were_seen() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let rain = house.filter(served.ann, "rain").await;
    house.filter(served.ann, "snow").await;
    let texts = async || {
        let got = house.get(token, "/filters").await.ok().clone();
        got.as_array().unwrap().iter().map(|filter| filter["text"].clone()).collect::<Value>()
    };
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    let down = format!(".filter[data-row=\"{rain}\"] [data-do=move][data-by=\"1\"]");
    browser
        .until(&format!(
            "document.querySelectorAll('.filter').length === 2 && !!document.querySelector('{down}')"
        ))
        .await;
    browser.holds(CHANGES).await;
    browser.press(&down).await;
    browser.until("sent === 1").await;
    house.filter(served.ann, "hail").await;
    browser.run("let_go()").await;
    browser.sees("Nothing was changed here, since filters were changed elsewhere meanwhile.").await;
    browser.until("document.querySelectorAll('.filter').length === 3").await;
    assert_eq!(texts().await, json!(["rain", "snow", "hail"]));
    // Two at once: the second begins where the first ended.
    browser.run("hold()").await;
    browser.run(&format!("document.querySelector('{down}').click()")).await;
    let row = format!(".filter[data-row=\"{rain}\"]");
    browser
        .run(&format!(
            "document.querySelector('{row}').dispatchEvent(new KeyboardEvent('keydown',
                 {{key: 'ArrowDown', altKey: true, bubbles: true, cancelable: true}}))"
        ))
        .await;
    browser.until("sent === 1").await;
    browser.run("let_go()").await;
    browser.until(&format!("document.querySelector('{row} .place').textContent === '3'")).await;
    assert_eq!(texts().await, json!(["snow", "hail", "rain"]));
    nothing_is_refused(&browser).await;
    browser.was_clean().await;
    browser.end().await;
}

/// The stream tells of the first move, too, so that the filters are asked for again before they came.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_move_begins_where_the_first_ended_however_often_filters_are_asked_for() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let rain = house.filter(served.ann, "rain").await;
    for text in ["snow", "hail"] {
        house.filter(served.ann, text).await;
    }
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    let row = format!(".filter[data-row=\"{rain}\"]");
    let down = format!("{row} [data-do=move][data-by=\"1\"]");
    browser
        .until(&format!(
            "document.querySelectorAll('.filter').length === 3 && !!document.querySelector('{down}')"
        ))
        .await;
    browser.holds("method === 'GET' && path === '/filters'").await;
    browser
        .run(&format!(
            "document.querySelector('{down}').click();
             document.querySelector('{row}').dispatchEvent(new KeyboardEvent('keydown',
                 {{key: 'ArrowDown', altKey: true, bubbles: true, cancelable: true}}))"
        ))
        .await;
    // Who moved it asks, and who heard of it; and once more since something else is another.
    browser.until("sent >= 2").await;
    house.ask(Method::PUT, token, "/sets/teams", json!({"terms": ["lyn"]})).await.ok();
    browser.until("sent >= 3").await;
    // Those that a newer one overtook are answered first: nobody goes on by what they say, or do not.
    browser.run("let_go(2)").await;
    browser.until("answered === 2").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    browser.run("let_go()").await;
    browser.until(&format!("document.querySelector('{row} .place').textContent === '3'")).await;
    nothing_is_refused(&browser).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_was_changed_elsewhere_is_not_replaced_or_removed_before_that_was_seen() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let put = async |term: &str| {
        house.ask(Method::PUT, token, "/sets/teams", json!({"terms": [term]})).await.ok();
    };
    let kept = async || house.get(token, "/sets/teams").await.ok()["terms"].clone();
    let terms = |value: &str| {
        format!("document.querySelector('tf-sets [data-part=terms]').value === {}", json!(value))
    };
    put("rosenborg").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("l").await;
    browser.press("tf-sets .row-open[data-name=teams]").await;
    browser.until(&terms("rosenborg")).await;
    browser.holds(CHANGES).await;
    browser.until("document.activeElement.dataset.part === 'terms'").await;
    browser.keys("\nbrann").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("sent === 1").await;
    put("molde").await;
    browser.run("let_go()").await;
    browser.sees("It was changed elsewhere meanwhile. Saved, yours takes its place.").await;
    assert_eq!(kept().await, json!(["molde"]));
    browser.until(&terms("rosenborg\nbrann")).await;
    // Whoever saves it now means that.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("document.querySelector('tf-sets [data-part=editing]').hidden").await;
    assert_eq!(kept().await, json!(["rosenborg", "brann"]));

    browser.press("tf-sets .row-open[data-name=teams]").await;
    browser.until(&terms("rosenborg\nbrann")).await;
    browser.run("hold()").await;
    browser.press("tf-sets [data-do=set-remove]").await;
    browser.press("tf-sets [data-close=yes]").await;
    browser.until("sent === 1").await;
    put("lyn").await;
    browser.run("let_go()").await;
    browser.sees(NOT_REMOVED).await;
    browser.until(&terms("lyn")).await;
    assert_eq!(kept().await, json!(["lyn"]));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    browser.press("tf-sets [data-do=set-remove]").await;
    browser.press("tf-sets [data-close=yes]").await;
    browser.until("document.querySelectorAll('tf-sets .row-line').length === 0").await;
    assert_eq!(house.get(token, "/sets/teams").await.status, StatusCode::NOT_FOUND);
    browser.was_clean().await;
    browser.end().await;
}

/// Its new tag comes with the answer, so it need not be got first.
#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_was_just_saved_can_be_saved_again_before_it_was_got() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    house.ask(Method::PUT, token, "/sets/teams", json!({"terms": ["rosenborg"]})).await.ok();
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("l").await;
    browser.press("tf-sets .row-open[data-name=teams]").await;
    let terms = "document.querySelector('tf-sets [data-part=terms]').value";
    browser.until(&format!("{terms} === 'rosenborg'")).await;
    browser.until("document.activeElement.dataset.part === 'terms'").await;
    browser.run("window.slow = true").await;
    browser.holds("path === '/sets/teams' && (method === 'GET' || window.slow)").await;
    browser.keys("\nbrann").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("sent === 1").await;
    browser.keys("\nmolde").await;
    browser.run("window.slow = false; let_go(1)").await;
    // More was written meanwhile, so it is got once it is saved, which takes long here.
    browser.until("sent >= 2").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("document.querySelector('tf-sets [data-part=editing]').hidden").await;
    let kept = house.get(token, "/sets/teams").await;
    assert_eq!(kept.ok()["terms"], json!(["rosenborg", "brann", "molde"]));
    browser.was_clean().await;
    browser.end().await;
}

/// Has the first answer to what a set is come when `let_go()` is called; `asked` counts them.
const LATE: &str = "
    const fetched = window.fetch;
    window.asked = 0;
    window.fetch = async (address, options = {}) => {
        const answer = await fetched(address, options);
        const path = new URL(address, location.href).pathname;
        if ((options.method ?? 'GET') === 'GET' && path === '/api/v1/sets/teams' && ++window.asked === 1) {
            await new Promise((go) => { window.let_go = go; });
            window.late = answer.clone().text();
        }
        return answer;
    };";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_set_was_is_not_taken_for_what_it_is_however_late_it_is_told() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let put = async |name: &str, term: &str| {
        let path = format!("/sets/{name}");
        served.house.ask(Method::PUT, &served.token, &path, json!({"terms": [term]})).await.ok();
    };
    let terms = "document.querySelector('tf-sets [data-part=terms]').value";
    put("teams", "rosenborg").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("l").await;
    browser.press("tf-sets .row-open[data-name=teams]").await;
    browser.until(&format!("{terms} === 'rosenborg'")).await;
    browser.run(LATE).await;
    // Something else changes: what this one is, is asked again.
    put("towns", "oslo").await;
    browser.until("asked >= 1").await;
    put("teams", "molde").await;
    browser.until(&format!("{terms} === 'molde'")).await;
    browser.run("let_go()").await;
    browser.until("window.late").await;
    browser.wait("late.then(() => new Promise((done) => setTimeout(() => done(1), 300)))").await;
    assert_eq!(browser.run(&format!("return {terms}")).await, json!("molde"));
    // Its tag is the newer one's, too.
    browser.until("document.activeElement.dataset.part === 'terms'").await;
    browser.keys("\nbrann").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("document.querySelector('tf-sets [data-part=editing]').hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_follows_the_sets_that_it_names() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Sun over Oslo")]).await;
    let put = async |term: &str| {
        let terms = json!({"terms": [term]});
        served.house.ask(Method::PUT, &served.token, "/sets/cities", terms).await.ok();
    };
    browser.begins_a_filter(&served.link()).await;
    browser.keys("sun {cities}").await;
    browser.sees("There is no set named cities").await;
    // A look at others does not end it.
    browser.run("location.hash = '#/sets'").await;
    browser.until("document.querySelector('tf-sets')?.checkVisibility()").await;
    put("oslo").await;
    browser.run("history.back()").await;
    browser.sees("✓ Valid").await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 1").await;
    put("bergen").await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 0").await;
    put("oslo").await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 1").await;
    served.house.ask(Method::DELETE, &served.token, "/sets/cities", json!({})).await.ok();
    browser.sees("There is no set named cities").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_checked_while_its_filter_is_removed_elsewhere_is_checked_as_a_new_one() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "rain").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(&format!("location.hash = '#/filters/{filter}'")).await;
    browser.sees("✓ Valid").await;
    browser.holds("path === '/filters'").await;
    let path = format!("/filters/{filter}");
    served.house.send(crate::house::request(Method::DELETE, &path, &served.token, None)).await.ok();
    browser.until("sent >= 1").await;
    browser.keys(" -drizzle").await;
    browser.until("document.querySelector('tf-editor .verdict .error').innerText.includes('filter')").await;
    browser.run("let_go()").await;
    browser.sees("This filter was removed elsewhere").await;
    browser.sees("✓ Valid").await;
    browser.was_clean().await;
    browser.end().await;
}
