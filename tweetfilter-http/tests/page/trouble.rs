//! The server goes away and comes back; a token is revoked; a list is long.

use serde_json::json;

use tweetfilter_http::api::Options;
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Outcome, Store};

use crate::browser::{Browser, ENTER};
use crate::house::{House, patient};
use crate::maria::Maria;
use crate::served::{Seen, Served};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_server_is_said_what_is_shown_stays_and_it_goes_on_by_itself() {
    let Some(browser) = Browser::start().await else { return };
    let mut served = Served::new().await;
    served.posts(&[Seen::new(1, "Before the trouble")]).await;
    browser.open(&served.link()).await;
    browser.sees("Before the trouble").await;
    served.end().await;
    browser.sees("The server cannot be reached since").await;
    browser.sees("Before the trouble").await;
    browser.picture("trouble").await;
    browser.keys("n").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("snow").await;
    browser
        .until("document.querySelector('tf-editor .verdict').innerText.includes('cannot be reached')")
        .await;
    // What comes meanwhile is missed by nobody.
    served.posts(&[Seen::new(2, "During the trouble")]).await;
    served.begin().await;
    browser.until("document.querySelector('#trouble').hidden").await;
    browser.sees("✓ Valid").await;
    browser.run("location.hash = '#/timeline'").await;
    browser.sees("During the trouble").await;
    served.posts(&[Seen::new(3, "After the trouble")]).await;
    browser.sees("After the trouble").await;
    browser.sees("3 posts").await;

    let number = served.house.database.tokens().await.unwrap()[0].id;
    served.house.database.revoke_token(number).await.unwrap();
    browser.sees("This token was revoked").await;
    assert_eq!(browser.run("return document.body.innerText.includes('the trouble')").await, json!(false));
    assert_eq!(browser.run("return sessionStorage.length").await, json!(0));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_said_with_since_when() {
    let Some(server) = Maria::start() else {
        println!("skipped: no mariadbd");
        return;
    };
    let Some(browser) = Browser::start().await else { return };
    let database = server.database("page").await;
    // One that is away is said to be within a second.
    let options = Options { rate: 1_000.0, burst: 1_000.0, ..Options::default() };
    let served = Served::with(House::over(database, options.clone()), options).await;
    served.posts(&[Seen::new(1, "Kept well")]).await;
    browser.open(&served.link()).await;
    browser.sees("Kept well").await;
    // It takes connections, and never answers.
    server.signal("STOP");
    browser.sees("The store is away since").await;
    browser.keys("s").await;
    browser.until("document.querySelector('tf-status')?.innerText.includes('The store is away')").await;
    browser.run("location.hash = '#/timeline'").await;
    browser.sees("Kept well").await;
    server.signal("CONT");
    browser.until("document.querySelector('#trouble').hidden").await;
    served.posts(&[Seen::new(2, "Back again")]).await;
    browser.sees("Back again").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_share_one_stream_and_each_takes_it_over() {
    let Some(mut browser) = Browser::start().await else { return };
    // A second stream of the token would be refused.
    let options = Options { streams: 1, ..patient() };
    let served = Served::with(House::new().await, options).await;
    browser.open(&served.link()).await;
    browser.sees("Nothing has come yet").await;
    let first = browser.tab().await;
    browser.open(&served.link()).await;
    browser.sees("Nothing has come yet").await;
    served.posts(&[Seen::new(1, "For both tabs")]).await;
    browser.sees("For both tabs").await;
    browser.close_tab(first).await;
    browser.sees("For both tabs").await;
    served.posts(&[Seen::new(2, "For the one that is left")]).await;
    browser.sees("For the one that is left").await;
    browser.sees("2 posts").await;
    browser.until("document.querySelector('#trouble').hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_posts_come_back_on_demand_and_arrivals_do_not_move_what_is_read() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let hide = served.house.filter(served.ann, "spoiler").await;
    let mut posts: Vec<_> = (0..40).map(|n| Seen::new(n, &format!("Post number {n}"))).collect();
    for id in [98, 99] {
        posts.push(Seen { filters: vec![hide], hidden: true, ..Seen::new(id, "A spoiler") });
    }
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("42 posts, 2 hidden").await;
    browser.sees("2 hidden posts").await;
    assert_eq!(browser.run("return document.body.innerText.includes('A spoiler')").await, json!(false));
    browser.press("[data-do=reveal]").await;
    browser.sees("A spoiler").await;
    browser.press("[data-do=conceal]").await;
    browser.sees("1 hidden post").await;

    // Somebody reads further down, and new posts come.
    browser.run("document.querySelector('tf-column tf-list').scrollTop = 1500").await;
    let place = "(() => {
        const list = document.querySelector('tf-column tf-list');
        const edge = list.getBoundingClientRect().top;
        const row = [...list.querySelectorAll('.post')].find((row) => row.getBoundingClientRect().bottom > edge + 20);
        return row && `${row.dataset.row} ${Math.round(row.getBoundingClientRect().top)}`;
    })()";
    let before = browser.still(place).await;
    served.posts(&[Seen::new(200, "Fresh one"), Seen::new(201, "Fresh two")]).await;
    browser.sees("2 new posts").await;
    assert_eq!(browser.still(place).await, before);
    browser.press("[data-do=top]").await;
    browser.sees("Fresh two").await;

    // What is deleted does not stay in an open page.
    let delete = Change::Delete { network: "x".into(), id: "201".into() };
    let outcome = Outcome {
        changes: vec![tweetfilter_stream::store::Said { at: 0, change: delete }],
        ..Outcome::default()
    };
    served.house.database.commit(&outcome, &[]).await.unwrap();
    browser.until("!document.body.innerText.includes('Fresh two')").await;
    browser.sees("43 posts, 2 hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_posts_scroll_with_few_of_them_in_the_document() {
    const MANY: usize = 10_000;
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let posts: Vec<_> =
        (0..MANY).map(|n| Seen::new(n, &"A post of some words. ".repeat(n % 7 + 1))).collect();
    for some in posts.chunks(2_000) {
        served.posts(some).await;
    }
    browser.open(&served.link()).await;
    browser.sees("posts").await;
    let all = browser
        .wait(
            "(async () => {
                const {model} = await import('/page/model/index.js');
                const [column] = model.columns;
                while (column.hasMore || column.state === 'loading') {
                    await column.more();
                    await new Promise((done) => setTimeout(done));
                }
                return column.counts.all;
            })()",
        )
        .await;
    assert_eq!(all, json!(MANY));
    browser.sees("10,000 posts").await;
    // Through all of it, a jump a frame: in each there is something to see, and never much in the document.
    let went = browser
        .wait(
            "(async () => {
                const list = document.querySelector('tf-column tf-list');
                let [most, blank] = [0, 0];
                const times = [];
                for (let step = 0; step <= 150; step++) {
                    const begin = performance.now();
                    list.scrollTop = (list.scrollHeight - list.clientHeight) * step / 150;
                    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                    times.push(performance.now() - begin);
                    const {left, top, height} = list.getBoundingClientRect();
                    const middle = document.elementFromPoint(left + 90, top + height / 2);
                    if (!middle?.closest('[data-row]')) blank++;
                    most = Math.max(most, list.querySelectorAll('[data-row]').length);
                }
                times.sort((a, b) => a - b);
                const last = [...list.querySelectorAll('[data-row]')].at(-1).textContent;
                return {most, blank, median: times[75], last};
            })()",
        )
        .await;
    println!("{went}");
    assert!(went["most"].as_i64().unwrap() < 60, "{went}");
    assert_eq!(went["blank"], 0, "{went}");
    assert!(went["median"].as_f64().unwrap() < 2_500.0, "{went}");
    assert!(went["last"].as_str().unwrap().contains("everything"), "{went}");
    // The keyboard reaches both ends, and the count that is read aloud is the rows'.
    browser.run("document.querySelector('tf-column tf-list').go(0)").await;
    browser.until("document.activeElement.ariaPosInSet === '1'").await;
    browser.keys("\u{E010}").await;
    browser.until("document.activeElement.ariaPosInSet === '10001'").await;
    assert_eq!(browser.run("return document.activeElement.ariaSetSize").await, json!("10001"));
    browser.was_clean().await;
    browser.end().await;
}

/// Has answers to searches begin and never end, unless they are stopped.
const ENDLESS: &str = "
    window.begun = 0;
    const fetched = window.fetch;
    window.fetch = (address, options = {}) => {
        if (!String(address).endsWith('/search')) return fetched(address, options);
        window.begun++;
        const start = (body) => options.signal.addEventListener('abort', () => body.error(options.signal.reason));
        return Promise.resolve(new Response(new ReadableStream({start}), {status: 200}));
    };";

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_is_stopped_is_no_trouble() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(ENDLESS).await;
    let stores = "import('/page/model/index.js').then(({model}) => {
        window.stores = [];
        model.addEventListener('store', () => stores.push(model.store.state));
        return 1;
    })";
    browser.wait(stores).await;
    browser.run("location.hash = '#/search'").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys(&format!("snow{ENTER}")).await;
    browser.until("begun === 1").await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    browser.press("tf-search [data-do=stop]").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(browser.run("return stores").await, json!([]));
    browser.until("document.querySelector('#trouble').hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_and_an_import_go_on_once_the_server_is_back() {
    let Some(browser) = Browser::start().await else { return };
    let mut served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow in Oslo")]).await;
    browser.open(&served.link()).await;
    browser.sees("Snow in Oslo").await;
    for view in ["exchange", "search"] {
        browser.run(&format!("location.hash = '#/{view}'")).await;
        browser.until(&format!("document.querySelector('tf-{view}')?.hidden === false")).await;
    }
    served.end().await;
    browser.sees("The server cannot be reached since").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys(&format!("snow{ENTER}")).await;
    let error = |view: &str| {
        format!(
            "document.querySelector('tf-{view} .error:not([hidden])')?.textContent.includes('cannot be reached')"
        )
    };
    browser.until(&error("search")).await;
    browser.run("location.hash = '#/exchange'").await;
    browser.run("document.querySelector('tf-exchange [data-part=content]').focus()").await;
    browser.run("document.execCommand('insertText', false, 'hail')").await;
    browser.until(&error("exchange")).await;
    served.begin().await;
    browser.sees("1 would be added").await;
    browser.until(&format!("!{}", error("exchange"))).await;
    browser.run("location.hash = '#/search'").await;
    browser
        .until("document.querySelector('tf-search .counts').innerText === '1 post in all that is kept'")
        .await;
    browser.until(&format!("!{}", error("search"))).await;
    browser.was_clean().await;
    browser.end().await;
}
