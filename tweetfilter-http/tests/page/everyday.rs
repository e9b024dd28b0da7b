//! What is met every day: many filters on a post, what comes in hidden, a search that is loaded anew, a clock that is off.

use axum::http::Method;
use serde_json::json;
use tweetfilter_sql::Scope;

use crate::browser::{Browser, ENTER, ESCAPE};
use crate::served::{Seen, Served};

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_hidden_is_not_told_as_new_and_many_filters_of_a_post_are_folded() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let mut filters = Vec::new();
    for n in 0..40 {
        filters.push(served.house.filter(served.ann, &format!("word{n}")).await);
    }
    let mut posts: Vec<_> = (0..40).map(|n| Seen::new(n, &format!("Post {n}"))).collect();
    posts.push(Seen { filters: filters.clone(), ..Seen::new(99, "Matched by all") });
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("and 34 more").await;
    let chips =
        "[...document.querySelectorAll('.post [data-do=why]')].filter((one) => one.checkVisibility()).length";
    assert_eq!(browser.run(&format!("return {chips}")).await, json!(6));
    browser.picture("many-filters-folded").await;
    browser.press("tf-column .post summary").await;
    browser.until(&format!("{chips} === 40")).await;
    browser.picture("many-filters").await;
    // What is unfolded stays so when filters are changed elsewhere, and when it comes into sight again.
    let rename = async |name: &str| {
        let path = format!("/filters/{}", filters[0]);
        served.house.ask(Method::PATCH, &served.token, &path, json!({"name": name})).await.ok();
        browser.sees(name).await;
    };
    rename("Renamed").await;
    assert_eq!(browser.run(&format!("return {chips}")).await, json!(40));
    let scroll = async |to: u32, gone: bool| {
        browser.run(&format!("document.querySelector('tf-column tf-list').scrollTop = {to}")).await;
        browser
            .until(&format!("document.querySelector('tf-column .post summary') === null === {gone}"))
            .await;
    };
    scroll(20_000, true).await;
    scroll(0, false).await;
    browser.until(&format!("{chips} === 40")).await;
    // And what is folded again, too.
    browser.press("tf-column .post summary").await;
    browser.until(&format!("{chips} === 6")).await;
    rename("Once more").await;
    assert_eq!(browser.run(&format!("return {chips}")).await, json!(6));

    browser.run("document.querySelector('tf-column tf-list').scrollTop = 1500").await;
    browser.still("document.querySelector('tf-column tf-list').scrollTop").await;
    let hidden = |n| Seen { filters: vec![filters[0]], hidden: true, ..Seen::new(n, "A spoiler") };
    served.posts(&(200..205).map(hidden).collect::<Vec<_>>()).await;
    browser.sees("46 posts, 5 hidden").await;
    let news = "return document.querySelector('tf-column [data-part=news]').innerText";
    assert_eq!(browser.run(news).await, json!(""));
    served.posts(&[Seen::new(300, "In sight"), hidden(301)]).await;
    browser.sees("1 new post").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_stands_in_the_address_and_is_there_when_the_page_is_loaded_anew() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow & 100% ice/hail"), Seen::new(2, "Rain")]).await;
    browser.open(&served.link()).await;
    browser.sees("2 posts").await;
    browser.run("location.hash = '#/search'").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys("\"ice/hail\"\u{E007}").await;
    let found = "document.querySelectorAll('tf-search .post').length === 1";
    browser.until(found).await;
    // Elsewhere and back it is the same.
    browser.run("location.hash = '#/filters'").await;
    browser.until("!document.querySelector('tf-search').checkVisibility()").await;
    browser.run("location.hash = '#/search'").await;
    browser.until("location.hash.length > '#/search/'.length").await;
    browser.run("location.reload()").await;
    browser.until(found).await;
    assert_eq!(
        browser.run("return document.querySelector('#search-text').value").await,
        json!("\"ice/hail\"")
    );
    // It is not left for whoever signs in next.
    browser.press("#sign-out").await;
    browser.until("!document.querySelector('#gate').hidden").await;
    assert_eq!(browser.run("return location.hash").await, json!("#/search"));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_leads_past_each_search_that_was_run() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow at last"), Seen::new(2, "Rain"), Seen::new(3, "Rain again")]).await;
    browser.open(&served.link()).await;
    browser.sees("3 posts").await;
    let shows = async |text: &str, posts: u32| {
        browser
            .until(&format!(
                "document.querySelector('#search-text')?.value === {} &&
                 document.querySelectorAll('tf-search .post').length === {posts}",
                json!(text)
            ))
            .await;
    };
    browser.run("location.hash = '#/search'").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys("snow\u{E007}").await;
    shows("snow", 1).await;
    browser.run("document.querySelector('#search-text').select()").await;
    browser.keys("rain\u{E007}").await;
    shows("rain", 2).await;
    browser.run("history.back()").await;
    shows("snow", 1).await;
    browser.run("history.forward()").await;
    shows("rain", 2).await;
    // Each has one, and where nothing was searched for has none.
    browser.run("history.go(-2)").await;
    browser.until("document.querySelector('tf-timeline')?.checkVisibility()").await;
    browser.run("history.go(2)").await;
    shows("rain", 2).await;

    // Percent signs that somebody writes into the address are what they are.
    browser.run("location.hash = '#/search/rain%20OR%20\"100%\"'").await;
    shows("rain OR \"100%\"", 2).await;
    browser.run("location.hash = '#/search/100%'").await;
    browser.until("document.querySelector('tf-search')?.checkVisibility()").await;
    browser.until("document.querySelector('#search-text').value === '100%'").await;

    // They are not shown to whoever signs in next.
    browser.press("#sign-out").await;
    browser.until("!document.querySelector('#gate').hidden").await;
    let (_, bob) = served.house.account("bob", Scope::Write).await;
    browser.run(&format!("location.hash = '#token={bob}'")).await;
    browser.until("document.querySelector('#house')?.hidden === false").await;
    browser.run("history.go(-2)").await;
    browser.until("document.querySelector('tf-search')?.checkVisibility()").await;
    assert_eq!(
        browser.run("return [document.querySelector('#search-text').value, location.hash]").await,
        json!(["", "#/search"])
    );
    browser.was_clean().await;
    browser.end().await;
}

/// The clock of the browser is a hundred years ahead.
const AHEAD: &str = "
    const OwnDate = Date;
    const off = 100 * 365.25 * 86_400_000;
    window.Date = class extends OwnDate {
        constructor(...said) { super(...(said.length > 0 ? said : [OwnDate.now() + off])); }
        static now() { return OwnDate.now() + off; }
    };";

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_goes_by_the_clock_of_the_server() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = json!({"text": "snow", "name": "Winter", "expires_at": "2095-01-01T00:00:00Z"});
    served.house.ask(Method::POST, &served.token, "/filters", filter).await.ok();
    browser.before(AHEAD).await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    browser.until("document.querySelector('.filter-meta')?.innerText.includes('Until')").await;
    browser.run("location.hash = document.querySelector('.filter-link').hash").await;
    browser.until("document.querySelector('#filter-text')?.value === 'snow'").await;
    browser.run("document.querySelector('tf-editor [data-part=name]').focus()").await;
    browser.keys(" and ice").await;
    browser.until("!document.querySelector('tf-editor [type=submit]').disabled").await;
    browser.press("tf-editor [type=submit]").await;
    browser.sees("Winter and ice").await;
    browser.until("location.hash === '#/filters'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_moved_to_the_first_and_the_last_place_at_once() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let mut ids = Vec::new();
    for text in ["one", "two", "three", "four"] {
        ids.push(served.house.filter(served.ann, text).await);
    }
    // As at twice the size of letters: the keys can be looked up there, too.
    browser.looks(640, 430, "light").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.until("document.querySelector('#keys-open').checkVisibility()").await;
    assert_eq!(browser.wider().await, json!([]));
    browser.picture("twice-as-large").await;
    browser.run("location.hash = '#/filters'").await;
    browser.until("document.querySelectorAll('tf-filters .filter').length === 4").await;
    let order =
        "[...document.querySelectorAll('tf-filters .filter')].map((row) => Number(row.dataset.row)).join()";
    let is = async |wanted: [usize; 4]| {
        let wanted = wanted.map(|n| ids[n].to_string()).join(",");
        browser.until(&format!("{order} === '{wanted}'")).await;
    };
    is([0, 1, 2, 3]).await;
    let press = async |row: usize, key: &str| {
        let id = ids[row];
        let script = format!(
            "const row = document.querySelector('tf-filters [data-row=\"{id}\"]');
             row.focus();
             row.dispatchEvent(new KeyboardEvent('keydown',
                 {{key: '{key}', altKey: true, shiftKey: true, bubbles: true, cancelable: true}}))"
        );
        browser.run(&script).await;
    };
    press(3, "ArrowUp").await;
    is([3, 0, 1, 2]).await;
    press(0, "ArrowDown").await;
    is([3, 1, 2, 0]).await;
    // With the mouse.
    let up = format!(
        "document.querySelector('tf-filters [data-row=\"{}\"] [data-by=\"-1\"]')
             .dispatchEvent(new MouseEvent('click', {{shiftKey: true, bubbles: true}}))",
        ids[2]
    );
    browser.run(&up).await;
    is([2, 3, 1, 0]).await;
    // Without a key to hold, on a narrow screen.
    browser.looks(360, 740, "light").await;
    let place = |n: usize| format!("tf-filters [data-row=\"{}\"] [data-do=place]", ids[n]);
    let shown = "document.querySelector('tf-filters [data-part=moving]').open";
    let at = async |n: usize| {
        browser.until(&format!("document.activeElement === document.querySelector('{}')", place(n))).await;
    };
    let size = format!(
        "(({{width, height}}) => width >= 24 && height >= 34)(document.querySelector('{}').getBoundingClientRect())",
        place(1)
    );
    browser.until(&size).await;
    let label = format!("return document.querySelector('{}').ariaLabel", place(1));
    assert_eq!(browser.run(&label).await, json!("3 of 4, the place of two: move it to the first or last"));
    browser.press(&place(1)).await;
    browser.until(shown).await;
    assert_eq!(browser.wider().await, json!([]));
    browser.picture("moved-far").await;
    browser.press("tf-filters [data-close=first]").await;
    is([1, 2, 3, 0]).await;
    browser.until(&format!("!{shown}")).await;
    at(1).await;
    // By the keyboard.
    browser.keys(&ENTER.to_string()).await;
    browser.until(shown).await;
    browser.until("document.activeElement.dataset.close === 'last'").await;
    browser.keys(&ENTER.to_string()).await;
    is([2, 3, 0, 1]).await;
    at(1).await;
    browser.keys(&ENTER.to_string()).await;
    browser.until(shown).await;
    browser.keys(&ESCAPE.to_string()).await;
    browser.until(&format!("!{shown}")).await;
    at(1).await;
    is([2, 3, 0, 1]).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_the_server_are_written_as_those_beside_them() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/exchange'").await;
    browser.until("!!document.querySelector('tf-exchange [data-part=content]')").await;
    browser
        .run(
            "const content = document.querySelector('tf-exchange [data-part=content]');
             content.value = Array.from({length: 1000}, (_, n) => `word${n}`).join('\\n');
             content.dispatchEvent(new Event('input', {bubbles: true}))",
        )
        .await;
    browser.sees("Import 1,000 filters").await;
    browser.sees("1,000 would be added").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_saved_while_nothing_was_reached_is_not_said_for_ever() {
    let Some(browser) = Browser::start().await else { return };
    let mut served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow")]).await;
    browser.begins_a_filter(&served.link()).await;
    browser.keys("snow").await;
    browser.sees("✓ Valid").await;
    served.end().await;
    browser.press("tf-editor [type=submit]").await;
    let said = "[...document.querySelectorAll('tf-editor [role=alert]:not([hidden])')].some((one) => one.innerText.includes('cannot be reached'))";
    browser.until(said).await;
    served.begin().await;
    browser.until("document.querySelector('#trouble').hidden").await;
    browser.until(&format!("!({said})")).await;
    browser.until("!document.querySelector('tf-editor [type=submit]').disabled").await;
    browser.was_clean().await;
    browser.end().await;
}
