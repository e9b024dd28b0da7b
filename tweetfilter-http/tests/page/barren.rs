//! A column of which nearly all is hidden, or more than it holds, stops and asks.

use serde_json::json;

use crate::browser::Browser;
use crate::served::{Seen, Served};

/// Counts what is asked for of the timeline.
const COUNTED: &str = "
    window.pages = 0;
    const fetched = window.fetch;
    window.fetch = (address, options) => {
        if (String(address).includes('/timeline')) window.pages++;
        return fetched(address, options);
    };";

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_hidden_posts_stops_until_somebody_wants_more() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let hide = served.house.filter(served.ann, "spoiler").await;
    let hidden = |n: usize| Seen { filters: vec![hide], hidden: true, ..Seen::new(n, "A spoiler") };
    served.posts(&(0..1_450).map(hidden).collect::<Vec<_>>()).await;
    served.prepared(&browser, COUNTED).await;
    browser.sees("Look further back").await;
    browser.sees("500 posts so far, 500 hidden").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(browser.run("return pages").await, json!(5));
    browser.picture("barren").await;
    browser.press("tf-column [data-do=further]").await;
    browser.sees("1,000 posts so far").await;
    browser.sees("Look further back").await;
    browser.press("tf-column [data-do=further]").await;
    browser.sees("That is everything that is kept.").await;
    browser.sees("1,450 posts, 1,450 hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

/// A column of a store without an end, whose end is always in sight.
const ENDLESS: &str = "(async () => {
    const {Column} = await import('/page/model/columns.js');
    let [number, asked] = [1_000_000, 0];
    const received_at = '2026-01-01T00:00:00Z';
    const post = (n) => ({number: n, commit: n, hidden: false, place: `${n}-${n}`, filters: [], received_at, content: {text: ''}});
    const model = {
        gaps: [], withdrawals: {now: 0, since: () => false}, called: () => '', filter: () => null, readUpTo: () => null,
        ask: async (_, path) => {
            asked++;
            const before = new URLSearchParams(path.split('?')[1]).get('before');
            const from = before ? Number(before.split('-')[0]) : number;
            const data = Array.from({length: 100}, (_, n) => post(from - 1 - n));
            return {data, summary: {commit: number, next: data.at(-1).place}};
        },
    };
    const column = new Column(model, null);
    const looked = async () => {
        for (let again = 0; again < 300; again++) await column.ahead();
        return [asked, column.counts.all, column.rows.at(-1).state];
    };
    await column.load();
    const seen = [await looked()];
    // What comes in lets go of the oldest, which is not loaded again by itself.
    for (let batch = 0; batch < 30; batch++) column.arrive(Array.from({length: 100}, () => post(++number)));
    seen.push(await looked());
    await column.more();
    seen.push(await looked());
    return seen;
})()";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_column_let_go_of_is_loaded_again_only_for_who_asks() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    let seen = browser.wait(ENDLESS).await;
    println!("{seen}");
    assert_eq!(seen[0], json!([200, 20_000, "paused"]));
    assert_eq!(seen[1][0], json!(200));
    assert!(seen[1][1].as_i64().unwrap() <= 21_000, "{seen}");
    assert_eq!(seen[2][2], json!("paused"));
    assert!(seen[2][0].as_i64().unwrap() > 200, "{seen}");
    assert!(seen[2][1].as_i64().unwrap() > seen[1][1].as_i64().unwrap(), "{seen}");
    browser.was_clean().await;
    browser.end().await;
}
