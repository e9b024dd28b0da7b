//! Lists of rows: long ones, high ones, and where there is little room.

use serde_json::json;

use crate::browser::Browser;
use crate::served::{Seen, Served};

const PAGE_UP: &str = "\u{E00E}";
const PAGE_DOWN: &str = "\u{E00F}";

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_higher_than_what_is_seen_is_read_to_its_end_by_keys() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served
        .posts(&[Seen::new(1, "Below"), Seen::new(2, &"A long one. ".repeat(250)), Seen::new(3, "Above")])
        .await;
    browser.looks(420, 460, "light").await;
    browser.open(&served.link()).await;
    browser.sees("3 posts").await;
    browser.run("document.querySelector('tf-column tf-list').go(1)").await;
    browser.until("document.activeElement.ariaPosInSet === '2'").await;
    // Where the row that has the focus begins and ends, counted from the upper edge of what is seen, and how high that is.
    let place = "(() => {
        const list = document.querySelector('tf-column tf-list').getBoundingClientRect();
        const row = document.activeElement.getBoundingClientRect();
        return [document.activeElement.ariaPosInSet, ...[row.top - list.top, row.bottom - list.top, list.height].map(Math.round)];
    })()";
    let still = async || browser.still(&format!("JSON.stringify({place})")).await;
    let at = async || -> (String, i64, i64, i64) {
        serde_json::from_str(still().await.as_str().unwrap()).unwrap()
    };
    let (row, mut top, mut bottom, high) = at().await;
    assert!(row == "2" && top == 0 && bottom > 3 * high, "{row} {top} {bottom} {high}");
    while bottom > high + 1 {
        browser.keys(PAGE_DOWN).await;
        let (row, now, end, _) = at().await;
        assert!(row == "2" && now < top && top - now <= high, "{row} {top} {now}");
        (top, bottom) = (now, end);
    }
    browser.keys(PAGE_DOWN).await;
    assert_eq!(at().await.0, "3");
    // And back: from its end to its beginning.
    browser.keys(PAGE_UP).await;
    let (row, _, bottom, high) = at().await;
    assert!(row == "2" && (bottom - high).abs() <= 1, "{row} {bottom} {high}");
    let mut presses = 0;
    while at().await.1 < 0 {
        browser.keys(PAGE_UP).await;
        assert_eq!(at().await.0, "2");
        presses += 1;
        assert!(presses < 50);
    }
    browser.keys(PAGE_UP).await;
    assert_eq!(at().await.0, "1");
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_gone_are_forgotten() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    // What is guessed of a row is what the others have: nothing is known any more of any.
    let guessed = browser
        .wait(
            "import('/page/views/heights.js').then(({Heights}) => {
                const heights = new Heights();
                const keys = Array.from({length: 3_000}, (_, n) => `row ${n}`);
                heights.set(keys);
                keys.forEach((key, at) => heights.learn(at, key, 10));
                const few = (heights.set(keys.slice(0, 2_500)), heights.top(2_500));
                heights.set(['another']);
                return [few, heights.top(1)];
            })",
        )
        .await;
    assert_eq!(guessed, json!([25_000, 120]));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_little_room_nothing_lies_over_the_rows() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let posts: Vec<_> = (0..40)
        .map(|n| Seen { name: "\u{202E}Bob".to_owned(), ..Seen::new(n, "A post of some words.") })
        .collect();
    served.posts(&posts).await;
    browser.looks(320, 256, "light").await;
    browser.open(&served.link()).await;
    browser.sees("A post").await;
    assert_eq!(browser.run("return document.querySelector('.initial').textContent").await, json!("B"));
    browser.press("tf-column [data-do=read]").await;
    browser.until("document.querySelector('#announcer').textContent.includes('Marked as read')").await;
    served.posts(&(100..140).map(|n| Seen::new(n, "A later one.")).collect::<Vec<_>>()).await;
    browser.sees("A later one.").await;
    browser.run("document.querySelector('tf-column tf-list').scrollTop = 0").await;
    browser.until("!document.querySelector('tf-column [data-do=back]').hidden").await;
    let over = "(() => {
        const [button, list] = ['[data-do=back]', 'tf-list'].map((one) =>
            document.querySelector(`tf-column ${one}`).getBoundingClientRect());
        return JSON.stringify([button.top >= list.bottom - 1, list.height > 100]);
    })()";
    assert_eq!(browser.still(over).await, json!("[true,true]"));
    browser.picture("narrow-back").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_narrow_window_what_stands_behind_an_entry_of_the_bar_has_room() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.looks(320, 568, "light").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    for view in ["filters", "status"] {
        browser.run(&format!("location.hash = '#/{view}'")).await;
        let sub = format!("document.querySelector('.sub[data-group={view}]')");
        browser.until(&format!("{sub}.checkVisibility()")).await;
        let fits = format!("{sub}.scrollWidth <= {sub}.clientWidth");
        assert_eq!(browser.run(&format!("return {fits}")).await, json!(true), "{view}");
        browser.picture(&format!("narrow-{view}")).await;
    }
    browser.was_clean().await;
    browser.end().await;
}
