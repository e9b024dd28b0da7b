//! People whom posts give by id alone.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tweetfilter_core::Post;
use tweetfilter_core::post::{Account, Author};
use tweetfilter_sql::{NamedIn, Naming};
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

/// Asks for a handle that ann names, and is told whose it is, or that it is nobody's.
async fn is_answered(served: &Served, handle: &str, id: Option<&str>) {
    let database = &served.house.database;
    let named = NamedIn { handles: BTreeSet::from([handle.to_owned()]), ..NamedIn::default() };
    database.name_handles(NETWORK, &Naming::Account(served.ann), &named).await.unwrap();
    database.handles_answered(NETWORK, &[(handle.to_owned(), id.map(str::to_owned))]).await.unwrap();
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
        .sees(
            "It is not known yet whose handle on Bluesky carla.example is, so no post is known to be by it.",
        )
        .await;
    browser.picture("unknown-handle").await;
    // What is found out meanwhile is seen without anything being written.
    is_answered(&served, "carla.example", None).await;
    browser.sees("Nobody on Bluesky has the handle carla.example, so there is no post by it.").await;
    is_answered(&served, "carla.example", Some(CARLA)).await;
    browser.until("document.querySelector('tf-preview .figures dd').textContent === '1'").await;
    browser.until("!document.querySelector('tf-preview').innerText.includes('on Bluesky')").await;
    is_answered(&served, "dora.example", None).await;
    browser.keys(" -from:dora.example").await;
    browser.sees("Nobody on Bluesky has the handle dora.example, so there is no post by it.").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_by_whom_it_finds_nothing() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let posts = (1..=60).map(|id| (by(CARLA, &id.to_string()), Vec::new(), Verdict::default()));
    served.keep(posts.collect()).await;
    is_answered(&served, "dora.example", None).await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("/").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys(&format!("from:carla.example OR from:dora.example{ENTER}")).await;
    let carla =
        "It is not known yet whose handle on Bluesky carla.example is, so no post is known to be by it.";
    let dora = "Nobody on Bluesky has the handle dora.example, so there is no post by it.";
    for said in [carla, dora] {
        browser.sees(said).await;
    }
    browser.picture("search-unknown-handles").await;
    // The next one has another answer, and what is known by a later slice is said no longer.
    browser.run("document.querySelector('#search-text').value = ''").await;
    browser.keys(&format!("snow OR from:eve.example{ENTER}")).await;
    browser.sees("whose handle on Bluesky eve.example is").await;
    browser.until("!document.querySelector('tf-search').innerText.includes('dora.example, so')").await;
    is_answered(&served, "eve.example", Some(DORA)).await;
    // It stands at the end of the list.
    let is_there =
        "(list => { list.scrollTop = list.scrollHeight; return !!list.querySelector('[data-do=more]'); })";
    browser.until(&format!("{is_there}(document.querySelector('tf-search tf-list'))")).await;
    browser.press("tf-search [data-do=more]").await;
    browser
        .until("document.querySelector('tf-search .counts').innerText.startsWith('60 posts in all')")
        .await;
    browser.until("!document.querySelector('tf-search').innerText.includes('on Bluesky')").await;
    browser.was_clean().await;
    browser.end().await;
}
