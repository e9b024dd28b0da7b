//! People whom posts give by id alone.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tweetfilter_core::Post;
use tweetfilter_core::post::{Account, Author};
use tweetfilter_stream::store::Verdict;

use crate::browser::Browser;
use crate::served::Served;

const NETWORK: &str = "bluesky";
const CARLA: &str = "did:plc:carla";

fn by_carla(id: &str) -> Post {
    let mut post = Post { network: NETWORK.into(), id: id.into(), ..Post::from_text("Snow in Oslo") };
    post.author.account.id = CARLA.into();
    post
}

async fn is_known(served: &Served) {
    let database = &served.house.database;
    database.want_profiles(NETWORK).await.unwrap();
    let account = Account { id: CARLA.into(), handle: "carla.example".into() };
    let found = Author { account, name: Some("Carla".into()), ..Author::default() };
    database.profiles_answered(NETWORK, &[CARLA.to_owned()], &[found]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_called_by_the_id_until_it_is_known_who_they_are() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Nothing has come yet").await;
    let label = "document.querySelector('tf-column article')?.getAttribute('aria-label')";
    let notify = Verdict { notify: true, ..Verdict::default() };
    served.keep(vec![(by_carla("1"), Vec::new(), notify)]).await;
    browser.until(&format!("{label} === 'did:plc:carla: Snow in Oslo'")).await;
    browser.soon("document.querySelector('#announcer').textContent.includes('did:plc:carla: Snow')").await;
    is_known(&served).await;
    browser.until(&format!("{label} === 'Carla: Snow in Oslo'")).await;
    browser.sees("@carla.example").await;
    browser.was_clean().await;
    browser.end().await;
}

/// What a page loads itself is asked for again while its authors may be looked up still.
#[tokio::test(flavor = "multi_thread")]
async fn what_just_came_when_a_page_was_opened_is_named_a_little_later() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.keep(vec![(by_carla("1"), Vec::new(), Verdict::default())]).await;
    browser.open(&served.link()).await;
    browser.sees("did:plc:carla").await;
    is_known(&served).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    browser.soon(&format!("document.body.textContent.includes({})", json!("@carla.example"))).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_written_says_by_whom_it_finds_nothing_yet() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.keep(vec![(by_carla("1"), Vec::new(), Verdict::default())]).await;
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
    browser.was_clean().await;
    browser.end().await;
}
