//! What the editor of a filter asks for, and what it does not let through.

use std::time::Duration;

use serde_json::json;
use tweetfilter_sql::NewFilter;

use crate::browser::{BACKSPACE, Browser, CONTROL, ENTER};
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_into_the_text_can_be_undone_as_what_is_typed() {
    let text = |text: &str| format!("document.querySelector('#filter-text').value === {}", json!(text));
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.keys("(snow").await;
    browser.press("tf-editor [data-do=fix]").await;
    browser.until(&text("(snow)")).await;
    browser.chord(CONTROL, 'z').await;
    browser.until(&text("(snow")).await;
    browser.keys(" AND rain)").await;
    browser.until(&text("(snow AND rain)")).await;
    browser
        .until("document.querySelector('tf-editor [data-do=canonical]').textContent.includes('snow rain')")
        .await;
    browser.press("tf-editor [data-do=canonical]").await;
    browser.until(&text("snow rain")).await;
    browser.chord(CONTROL, 'z').await;
    browser.until(&text("(snow AND rain)")).await;
    // What is saved is what stands there.
    browser.sees("✓ Valid").await;
    browser.press("tf-editor [type=submit]:not(:disabled)").await;
    browser.until("location.hash === '#/filters'").await;
    assert_eq!(served.house.get(&served.token, "/filters").await.ok()[0]["text"], json!("(snow AND rain)"));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_has_passed_is_said_at_the_field_and_not_saved() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let database = &served.house.database;
    let hail = NewFilter { text: "hail".into(), expires_at: Some(1_000), ..NewFilter::default() };
    let ended = database.add_filter(served.ann, &hail).await.unwrap();
    database.change_filter(ended, None, &hail, Some(false)).await.unwrap();
    browser.begins_a_filter(&served.link()).await;
    browser.keys("snow").await;
    let until = async |time: &str| {
        let script = format!(
            "const field = document.querySelector('#filter-expires');
             field.value = '{time}';
             field.dispatchEvent(new Event('input', {{bubbles: true}}))"
        );
        browser.run(&script).await;
    };
    until("2020-01-01T10:00").await;
    browser.sees("This time has passed: the filter would be switched off at once.").await;
    browser.until("document.querySelector('#filter-expires').ariaInvalid === 'true'").await;
    browser.until("document.querySelector('tf-editor [type=submit]').disabled").await;
    browser.picture("expiry-over").await;
    until("2100-01-01T10:00").await;
    browser.until("document.querySelector('#filter-over').hidden").await;
    // The hour counts, however far it is.
    browser.sees("It is switched off Jan 1, 2100, 10:00").await;
    browser.press("tf-editor [type=submit]:not(:disabled)").await;
    browser.until("location.hash === '#/filters'").await;

    // One that has ended can be renamed, and is switched on only with another end.
    browser.run(&format!("location.hash = '#/filters/{ended}'")).await;
    browser.sees("It was switched off").await;
    browser.press("tf-editor [name=enabled]").await;
    browser.sees("This time has passed").await;
    browser.press("tf-editor [data-do=until][data-days='0']").await;
    browser.press("tf-editor [type=submit]:not(:disabled)").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = served.house.get(&served.token, &format!("/filters/{ended}")).await.ok().clone();
    assert_eq!((&kept["enabled"], &kept["expires_at"]), (&json!(true), &json!(null)));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_written_in_part_is_said_at_the_field_and_not_saved() {
    const HALF: &str = "This time is written only in part";
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let hail = NewFilter { text: "hail".into(), expires_at: Some(4_102_444_800_000), ..NewFilter::default() };
    let id = served.house.database.add_filter(served.ann, &hail).await.unwrap();
    let filters = async || served.house.get(&served.token, "/filters").await.ok().clone();
    browser.begins_a_filter(&served.link()).await;
    browser.keys("snow").await;
    // A day without an hour is no mistake as long as it is written on, and not saved.
    browser.run("document.querySelector('#filter-expires').focus()").await;
    browser.keys("12312100").await;
    browser.until("document.querySelector('#filter-expires').validity.badInput").await;
    browser.until("document.querySelector('tf-editor [type=submit]').disabled").await;
    assert_eq!(browser.run("return document.querySelector('#filter-over').hidden").await, json!(true));
    browser.chord(CONTROL, ENTER).await;
    browser.sees(HALF).await;
    browser.until("document.querySelector('#filter-expires').ariaInvalid === 'true'").await;
    browser.picture("expiry-half").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(filters().await.as_array().unwrap().len(), 1);
    browser.press("tf-editor [data-do=until][data-days='0']").await;
    browser.until("document.querySelector('#filter-over').hidden").await;
    browser.until("!document.querySelector('#filter-expires').validity.badInput").await;
    browser.press("tf-editor [type=submit]:not(:disabled)").await;
    browser.until("location.hash === '#/filters'").await;

    // An end of which a part was taken away is not lifted by that; it is said when the field is left.
    browser.run(&format!("location.hash = '#/filters/{id}'")).await;
    browser.until("document.querySelector('#filter-text')?.value === 'hail'").await;
    browser.run("document.querySelector('#filter-expires').focus()").await;
    browser.keys(&BACKSPACE.to_string()).await;
    browser.until("document.querySelector('#filter-expires').validity.badInput").await;
    browser.run("document.querySelector('#filter-text').focus()").await;
    browser.sees(HALF).await;
    browser.keys(" -rain").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("document.activeElement.id === 'filter-expires'").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let kept = filters().await;
    assert_eq!((&kept[0]["text"], &kept[0]["expires_at"]), (&json!("hail"), &json!("2100-01-01T00:00:00Z")));
    browser.press("tf-editor [data-do=undo]").await;
    browser.until("document.querySelector('#filter-expires').value.startsWith('2')").await;
    browser.until("document.querySelector('#filter-over').hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_longer_than_a_filter_may_be_is_said_to_be_and_not_asked_about() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.run(COUNTED).await;
    let write = async |text: &str| {
        let script = format!(
            "const field = document.querySelector('#filter-text');
             field.value = {text};
             field.dispatchEvent(new Event('input', {{bubbles: true}}))"
        );
        browser.run(&script).await;
    };
    // Bytes count, and not what they are shown as.
    for (text, bytes) in [("'snow '.repeat(200_000)", "1,000,000"), ("'é'.repeat(40_000)", "80,000")] {
        write(text).await;
        browser.sees(&format!("A filter has at most 65,536 bytes, and this has {bytes}.")).await;
        browser.until("document.querySelector('#filter-text').ariaInvalid === 'true'").await;
        browser.until("document.querySelector('tf-editor [type=submit]').disabled").await;
        browser.sees("As soon as the filter is valid.").await;
        let under = "return document.querySelector('tf-editor [data-part=under]').textContent.length";
        assert_eq!(browser.run(under).await, json!(1), "{bytes}");
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(browser.run("return [asked['/check'], asked['/preview']]").await, json!([null, null]));
    }
    browser.picture("too-long").await;
    write("'snow'").await;
    browser.sees("✓ Valid").await;
    assert_eq!(browser.run("return asked['/check']").await, json!(1));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_longer_than_a_filter_may_be_is_not_searched_for() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow in Oslo")]).await;
    browser.open(&served.link()).await;
    browser.sees("Snow in Oslo").await;
    browser.run("location.hash = '#/search'").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.run(COUNTED).await;
    let search = async |text: &str| {
        let script = format!(
            "const field = document.querySelector('#search-text');
             field.value = {text};
             field.form.requestSubmit()"
        );
        browser.run(&script).await;
    };
    search("'snow '.repeat(80_000)").await;
    browser.sees("A filter has at most 65,536 bytes, and this has 400,000.").await;
    browser.until("document.querySelector('#search-text').ariaInvalid === 'true'").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(browser.run("return asked['/search'] ?? 0").await, json!(0));
    search("'snow'").await;
    browser.until("document.querySelector('tf-search mark')?.textContent === 'Snow'").await;
    browser.until("document.querySelector('#search-text').ariaInvalid === 'false'").await;
    assert_eq!(
        browser.run("return document.querySelector('#search-findings').childElementCount").await,
        json!(0)
    );
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_has_ended_is_used_again_with_another_end() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let database = &served.house.database;
    let hail = NewFilter { text: "hail".into(), expires_at: Some(1_000), ..NewFilter::default() };
    let ended = database.add_filter(served.ann, &hail).await.unwrap();
    database.change_filter(ended, None, &hail, Some(false)).await.unwrap();
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    browser.press(&format!("tf-filters [data-row='{ended}'] [data-do=toggle]")).await;
    browser.sees("hail has ended: open it and choose a later end, or none").await;
    browser.picture("ended-toggle").await;
    browser.run(&format!("location.hash = '#/filters/{ended}'")).await;
    browser.sees("It was switched off").await;
    browser.press("tf-editor [data-do=until][data-days='1']").await;
    browser.sees("It is switched on again, until").await;
    // Who does not want that is told where to switch it on.
    browser.press("tf-editor [name=enabled]").await;
    browser.sees("It is off until you switch it on").await;
    browser.press("tf-editor [data-do=until][data-days='7']").await;
    browser.sees("It is switched on again, until").await;
    browser.picture("ended-again").await;
    browser.press("tf-editor [type=submit]:not(:disabled)").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = served.house.get(&served.token, &format!("/filters/{ended}")).await.ok().clone();
    assert!(kept["enabled"] == json!(true) && kept["expires_at"].is_string(), "{kept}");
    browser.was_clean().await;
    browser.end().await;
}
