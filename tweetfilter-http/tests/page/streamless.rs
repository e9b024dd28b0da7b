//! The stream of what is new is refused, and nothing else is.

use serde_json::json;
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Outcome, Said, Store};

use crate::browser::Browser;
use crate::served::{Seen, Served};

/// Refuses streams with a status as long as there is one, and notes what the page says of whether it is live.
const REFUSED: &str = "
    window.refuses = 504;
    const fetched = window.fetch;
    window.fetch = async (address, options = {}) => {
        if (!new URL(address, location.href).pathname.endsWith('/live') || !window.refuses) return fetched(address, options);
        if (window.refuses === 504) return new Response('<h1>Gateway Time-out</h1>', {status: 504});
        const message = 'This token has 8 live streams open already; close one';
        const error = {code: 'too_many_streams', message, span: null, fixes: []};
        return Response.json({data: null, summary: {text: message}, error}, {status: 429});
    };
    window.said = [];
    const chip = document.querySelector('#live');
    new MutationObserver(() => window.said.push(chip.innerText.trim()))
        .observe(chip, {childList: true, subtree: true, characterData: true});";

const CHIP: &str = "document.querySelector('#live').innerText.trim()";
const TROUBLE: &str = "document.querySelector('#trouble').innerText";

#[tokio::test(flavor = "multi_thread")]
async fn while_streams_are_refused_that_is_said_and_what_is_new_is_asked_for() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Before the stream")]).await;
    served.prepared(&browser, REFUSED).await;
    browser.sees("Before the stream").await;
    browser
        .until(&format!("{CHIP} === 'Waiting' && {TROUBLE}.includes('asked for every two seconds')"))
        .await;
    assert_eq!(browser.run(&format!("return {TROUBLE}.includes('store')")).await, json!(false));
    browser.picture("streamless").await;
    // More than a page comes meanwhile, and there is no hole in it.
    let many: Vec<_> = (2..=151).map(|n| Seen::new(n, &format!("Without it {n}"))).collect();
    served.posts(&many).await;
    browser.sees("151 posts").await;
    browser.run("window.refuses = 429").await;
    browser.until(&format!("{TROUBLE}.includes('8 live streams')")).await;
    served.posts(&[Seen::new(152, "One too many")]).await;
    browser.sees("One too many").await;
    browser.run("location.hash = '#/filters'").await;
    served.house.filter(served.ann, "snow").await;
    browser.until("document.querySelector('tf-filters tf-list').innerText.includes('snow')").await;
    assert_eq!(browser.run("return said.includes('Live')").await, json!(false));

    // Once one is open it tells all of that again, which is known.
    browser.run("window.refuses = 0").await;
    browser.until(&format!("{CHIP} === 'Live' && document.querySelector('#trouble').hidden")).await;
    browser.run("location.hash = '#/timeline'").await;
    served.posts(&[Seen::new(153, "By the stream")]).await;
    browser.sees("By the stream").await;
    browser.sees("153 posts").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_streams_are_refused_what_is_deleted_goes_wherever_it_is_shown() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let text = |n| if n == 30 { "An avalanche long ago".to_owned() } else { format!("Post {n}") };
    let posts: Vec<_> = (0..250).map(|n| Seen::new(n, &text(n))).collect();
    served.posts(&posts).await;
    served.prepared(&browser, REFUSED).await;
    browser.sees("100 posts so far").await;
    browser.until(&format!("{TROUBLE}.includes('asked for every two seconds')")).await;
    // It stands far below, was found, and is a sample.
    let look = "import('/page/model/index.js').then(async ({model}) => {
        window.model = model;
        while (model.columns[0].hasMore) await model.columns[0].more();
        await model.search.begin('avalanche');
        return model.columns[0].counts.all;
    })";
    assert_eq!(browser.wait(look).await, json!(250));
    browser.run("location.hash = '#/search'").await;
    browser.until("document.querySelectorAll('tf-search .post').length === 1").await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("avalanche").await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 1").await;
    let change = Change::Delete { network: "x".into(), id: "30".into() };
    let outcome = Outcome { changes: vec![Said { at: 0, change }], ..Outcome::default() };
    served.house.database.commit(&outcome, &[]).await.unwrap();
    browser.until("document.querySelectorAll('tf-preview .post').length === 0").await;
    browser.until("model.search.posts.length === 0").await;
    browser.until("model.columns[0].counts.all === 249").await;
    browser.was_clean().await;
    browser.end().await;
}
