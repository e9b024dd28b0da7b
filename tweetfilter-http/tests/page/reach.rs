//! Every place is reached: by an address, by going back, by the keyboard alone, in large letters.

use serde_json::json;

use crate::browser::{Browser, ENTER, TAB};
use crate::served::{Seen, Served};

const TEXT: &str = "document.querySelector('#filter-text')?.value";

#[tokio::test(flavor = "multi_thread")]
async fn an_address_leads_through_signing_in_and_back_goes_back() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let id = served.house.filter(served.ann, "snow").await;
    browser.open(&format!("http://{}/#/filters/{id}", served.address)).await;
    browser.until("document.activeElement.id === 'token'").await;
    browser.keys(&format!("{}{ENTER}", served.token)).await;
    browser.until(&format!("{TEXT} === 'snow'")).await;
    browser.run("location.hash = '#/status'").await;
    browser.until("!!document.querySelector('tf-status:not([hidden])')").await;
    browser.run("history.back()").await;
    browser.until(&format!("location.hash === '#/filters/{id}' && {TEXT} === 'snow'")).await;
    browser.until("!document.querySelector('tf-filters').hidden").await;
    // Of what is not there is said so.
    browser.run("location.hash = '#/filters/999'").await;
    browser.sees("There is no such filter").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tabulator_leaves_a_list_of_any_length() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "snow").await;
    let posts: Vec<_> =
        (0..90).map(|n| Seen { filters: vec![filter], ..Seen::new(n, "Snow in Oslo") }).collect();
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.until("document.querySelectorAll('tf-column .post').length > 5").await;
    browser.run("document.querySelector('tf-column tf-list').go(2)").await;
    browser.until("document.activeElement.ariaPosInSet === '3'").await;
    // Its time, its filter, and then on.
    browser.keys(&TAB.to_string()).await;
    browser.until("document.activeElement.closest('[data-row]')?.ariaPosInSet === '3'").await;
    browser.keys(&TAB.to_string()).await;
    browser.until("document.activeElement.dataset.do === 'why'").await;
    browser.until("document.activeElement.closest('[data-row]')?.ariaPosInSet === '3'").await;
    browser.keys(&TAB.to_string()).await;
    browser.until("!document.activeElement.closest('tf-list')").await;
    // What is scrolled can be scrolled by the keyboard.
    browser.run(&format!("location.hash = '#/filters/{filter}'")).await;
    browser.until("!!document.querySelector('tf-preview mark')").await;
    browser.run("document.querySelector('tf-preview [data-part=samples]').focus()").await;
    browser.until("document.activeElement.dataset.part === 'samples'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_as_large_as_the_browser_is_told_and_a_page_at_twice_its_size_fits() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow in Oslo")]).await;
    browser.open(&served.link()).await;
    browser.sees("Snow in Oslo").await;
    // A window of 1280 by 860 at 200 %.
    browser.looks(640, 430, "light").await;
    for view in ["timeline", "search", "filters", "filters/new", "status", "access"] {
        browser.run(&format!("location.hash = '#/{view}'")).await;
        let name = view.split('/').next().unwrap();
        browser.until(&format!("document.querySelector('tf-{name}')?.hidden === false")).await;
        assert_eq!(browser.wider().await, json!([]), "{view}");
    }
    let size = "getComputedStyle(document.body).fontSize";
    assert_eq!(browser.run(&format!("return {size}")).await, json!("15px"));
    browser.run("document.documentElement.style.fontSize = '32px'").await;
    browser.until(&format!("{size} === '30px'")).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_the_editor_is_within_the_smallest_window() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let id = served.house.filter(served.ann, "snow (oslo OR bergen)").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    // A window of 1280 by 1024 at 400 %.
    browser.looks(320, 256, "light").await;
    for (view, text) in [("filters/new", ""), (&format!("filters/{id}")[..], "snow (oslo OR bergen)")] {
        browser.run(&format!("location.hash = '#/{view}'")).await;
        browser.until(&format!("{TEXT} === '{text}'")).await;
        // With what is folded away.
        browser
            .run("for (const one of document.querySelectorAll('tf-editor details')) one.open = true")
            .await;
        let ends = "[...document.querySelectorAll('tf-editor [data-do=until]')]";
        browser.until(&format!("{ends}.filter((end) => end.checkVisibility()).length === 4")).await;
        assert_eq!(browser.wider().await, json!([]), "{view}");
        // One that is shown smaller to have room for all would be wide enough for anything.
        assert_eq!(browser.run("return [innerWidth, visualViewport.scale]").await, json!([320, 1]), "{view}");
    }
    browser.picture("editor-smallest").await;
    browser.was_clean().await;
    browser.end().await;
}
