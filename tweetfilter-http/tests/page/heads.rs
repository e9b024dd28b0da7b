//! Who wrote a post is said so that it can be read.

use serde_json::json;
use tweetfilter_stream::store::Verdict;

use crate::browser::Browser;
use crate::served::{Seen, Served};

#[tokio::test(flavor = "multi_thread")]
async fn a_long_name_leaves_the_handle_to_be_read() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    for (id, network) in [(1, "x"), (2, "mastodon.social")] {
        let mut post = Seen::new(id, "Snow").post();
        post.network = network.into();
        post.author.account.handle = "fifteen_letters".into();
        post.author.name = Some("A name that goes on and on ".repeat(8));
        served.keep(vec![(post, Vec::new(), Verdict::default())]).await;
    }
    browser.open(&served.link()).await;
    browser.until("document.querySelectorAll('tf-column .post').length === 2").await;
    for width in [1280, 360] {
        browser.looks(width, 740, "light").await;
        browser.until(&format!("innerWidth === {width}")).await;
        let heads = browser
            .run(
                "return [...document.querySelectorAll('tf-column .post-head')].map((head) => {
                    const [name, handle] = ['.name', '.handle'].map((part) => head.querySelector(part));
                    const end = head.getBoundingClientRect().right + 1;
                    return {
                        name: name.scrollWidth > name.clientWidth,
                        handle: handle.clientWidth > 60 && handle.scrollWidth <= handle.clientWidth + 1,
                        within: [...head.children].every((part) => part.getBoundingClientRect().right <= end),
                    };
                })",
            )
            .await;
        let all_is_well = json!({"name": true, "handle": true, "within": true});
        assert_eq!(heads, json!([all_is_well, all_is_well]), "{width}");
        browser.picture(&format!("long-name-{width}")).await;
    }
    browser.was_clean().await;
    browser.end().await;
}
