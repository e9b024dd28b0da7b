//! People whom posts give by id alone.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tweetfilter_core::Post;
use tweetfilter_core::post::{Account, Author};
use tweetfilter_stream::store::Verdict;

use crate::browser::{Browser, ENTER};
use crate::served::Served;
use crate::unnoticed::GATE;

const NETWORK: &str = "bluesky";
const CARLA: &str = "did:plc:carla";
const DORA: &str = "did:plc:dora";

fn by(author: &str, id: &str) -> Post {
    let mut post = Post { network: NETWORK.into(), id: id.into(), ..Post::from_text("Snow in Oslo") };
    post.author.account.id = author.into();
    post
}

async fn is_known(served: &Served, id: &str, handle: &str, name: &str) {
    let database = &served.house.database;
    database.want_profiles(NETWORK).await.unwrap();
    let account = Account { id: id.into(), handle: handle.into() };
    let found = Author { account, name: Some(name.into()), ..Author::default() };
    database.profiles_answered(NETWORK, &[id.to_owned()], &[found]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_called_by_the_id_until_it_is_known_who_they_are() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Nothing has come yet").await;
    let label = "document.querySelector('tf-column article')?.getAttribute('aria-label')";
    let notify = Verdict { notify: true, ..Verdict::default() };
    served.keep(vec![(by(CARLA, "1"), Vec::new(), notify)]).await;
    browser.until(&format!("{label} === 'did:plc:carla: Snow in Oslo'")).await;
    browser.soon("document.querySelector('#announcer').textContent.includes('did:plc:carla: Snow')").await;
    is_known(&served, CARLA, "carla.example", "Carla").await;
    browser.until(&format!("{label} === 'Carla: Snow in Oslo'")).await;
    browser.sees("@carla.example").await;
    browser.was_clean().await;
    browser.end().await;
}

/// A stream that is taken up knows nothing of those whom the one before told by id alone.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_while_the_stream_is_away_or_soon_after_is_named() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.prepared(&browser, GATE).await;
    browser.sees("Nothing has come yet").await;
    let is_called = async |name: &str| {
        let label = json!(format!("{name}: Snow in Oslo"));
        let newest = "document.querySelector('tf-column article')?.getAttribute('aria-label')";
        browser.until(&format!("{newest} === {label}")).await;
    };
    let breaks_off = async || {
        browser.run("cut()").await;
        browser.until("!document.querySelector('#trouble').hidden").await;
    };
    served.keep(vec![(by(CARLA, "1"), Vec::new(), Verdict::default())]).await;
    is_called(CARLA).await;
    breaks_off().await;
    is_known(&served, CARLA, "carla.example", "Carla").await;
    browser.run("open_gate()").await;
    is_called("Carla").await;

    served.keep(vec![(by(DORA, "2"), Vec::new(), Verdict::default())]).await;
    is_called(DORA).await;
    breaks_off().await;
    browser.run("open_gate()").await;
    browser.until("document.querySelector('#trouble').hidden").await;
    // Whoever is asked for as the stream begins is not known yet.
    tokio::time::sleep(Duration::from_secs(1)).await;
    is_known(&served, DORA, "dora.example", "Dora").await;
    is_called("Dora").await;
    browser.was_clean().await;
    browser.end().await;
}

/// What a page loads itself is asked for again while its authors may be looked up still.
#[tokio::test(flavor = "multi_thread")]
async fn what_just_came_when_a_page_was_opened_is_named_a_little_later() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.keep(vec![(by(CARLA, "1"), Vec::new(), Verdict::default())]).await;
    browser.open(&served.link()).await;
    browser.sees("did:plc:carla").await;
    is_known(&served, CARLA, "carla.example", "Carla").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    browser.soon(&format!("document.body.textContent.includes({})", json!("@carla.example"))).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_written_says_by_whom_it_finds_nothing_yet() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.keep(vec![(by(CARLA, "1"), Vec::new(), Verdict::default())]).await;
    browser.begins_a_filter(&served.link()).await;
    browser.keys("from:carla.example").await;
    browser
        .sees("It is not known yet whose handle on Bluesky carla.example is, so nothing is found by it here.")
        .await;
    browser.picture("unknown-handle").await;
    let database = &served.house.database;
    let handle = "carla.example".to_owned();
    database.name_handles(NETWORK, &BTreeSet::from([handle.clone()])).await.unwrap();
    database.handles_answered(NETWORK, &[(handle, Some(CARLA.to_owned()))]).await.unwrap();
    // It is looked for again as something is written.
    browser.keys(" snow").await;
    browser.until("document.querySelector('tf-preview .figures dd').textContent === '1'").await;
    browser.until("!document.querySelector('tf-preview').innerText.includes('It is not known yet')").await;
    // Of one that was asked for it is known that nobody has it.
    database.name_handles(NETWORK, &BTreeSet::from(["dora.example".to_owned()])).await.unwrap();
    database.handles_answered(NETWORK, &[("dora.example".to_owned(), None)]).await.unwrap();
    browser.keys(" -from:dora.example").await;
    browser.sees("Nobody on Bluesky has the handle dora.example, so nothing is found by it.").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_by_whom_it_finds_nothing() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.keep(vec![(by(CARLA, "1"), Vec::new(), Verdict::default())]).await;
    let database = &served.house.database;
    database.name_handles(NETWORK, &BTreeSet::from(["dora.example".to_owned()])).await.unwrap();
    database.handles_answered(NETWORK, &[("dora.example".to_owned(), None)]).await.unwrap();
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("/").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys(&format!("from:carla.example OR from:dora.example{ENTER}")).await;
    let carla =
        "It is not known yet whose handle on Bluesky carla.example is, so nothing is found by it here.";
    let dora = "Nobody on Bluesky has the handle dora.example, so nothing is found by it.";
    for said in [carla, dora] {
        browser.sees(said).await;
    }
    browser.picture("search-unknown-handles").await;
    // The next one has another answer.
    browser.run("document.querySelector('#search-text').value = ''").await;
    browser.keys(&format!("snow{ENTER}")).await;
    browser.until("document.querySelector('tf-search .counts').innerText.startsWith('1 post in all')").await;
    browser.until("!document.querySelector('tf-search').innerText.includes('on Bluesky')").await;
    browser.was_clean().await;
    browser.end().await;
}
