//! Texts that would be scripts, if anything took them for markup.

use axum::http::Method;
use serde_json::json;
use tweetfilter_core::Span;
use tweetfilter_core::post::Link;
use tweetfilter_sql::NewFilter;
use tweetfilter_stream::store::Verdict;

use crate::browser::{Browser, ENTER};
use crate::served::{Seen, Served};

const TEXTS: [&str; 7] = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror=\"window.pwned = 1\">",
    "\"><svg onload=\"window.pwned = 1\">",
    "</textarea></template><iframe srcdoc=\"<script>parent.pwned = 1</script>\">",
    "javascript:window.pwned=1",
    "<a href=\"javascript:window.pwned=1\">snow</a>",
    "{{constructor.constructor('window.pwned=1')()}} <style>body{display:none}</style>",
];

/// A text within a path.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_names_and_filters_stay_text() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let mut posts = Vec::new();
    let mut first = None;
    for (number, text) in TEXTS.iter().enumerate() {
        let quoted = text.replace('\\', "").replace('"', "\\\"");
        let filter = NewFilter {
            name: (*text).to_owned(),
            text: format!("contains:\"{quoted}\""),
            ..NewFilter::default()
        };
        let id = served.house.database.add_filter(served.ann, &filter).await.unwrap();
        first = first.or(Some(id));
        posts.push(Seen { name: (*text).to_owned(), filters: vec![id], ..Seen::new(number, text) });
    }
    served.posts(&posts).await;
    // A link whose address is a script.
    let mut post = Seen::new("link", "click here").post();
    let script = || Link { url: "javascript:window.pwned=1".to_owned(), ..Link::default() };
    post.entities.links.push(script());
    post.entities.links.push(Link { span: Some(Span::new(6, 10)), ..script() });
    served.keep(vec![(post, Vec::new(), Verdict::default())]).await;

    browser.open(&served.link()).await;
    browser.sees("8 posts").await;
    for text in TEXTS {
        browser
            .until(&format!("document.querySelector('tf-timeline').textContent.includes({})", json!(text)))
            .await;
    }
    // It is a text, beside the post and within it.
    let post = "[...document.querySelectorAll('tf-column .post')]
        .find((post) => post.querySelector('.text').textContent === 'click here')";
    browser
        .until(&format!("{post}?.querySelector('.links li')?.textContent === 'javascript:window.pwned=1'"))
        .await;
    let links = browser.run(&format!("return {post}.querySelectorAll('.text a, .links a').length")).await;
    assert_eq!(links, json!(0));
    // Marked as the filters found them.
    browser.until("document.querySelectorAll('tf-column mark').length >= 5").await;
    browser.press("tf-column [data-do=why]").await;
    browser.sees("What it took").await;
    browser.press("tf-why [data-part=close]").await;
    browser.run(&format!("location.hash = '#/filters/{}'", first.unwrap())).await;
    browser.until("!!document.querySelector('tf-preview mark')").await;
    for text in TEXTS {
        browser
            .until(&format!("document.querySelector('tf-filters').textContent.includes({})", json!(text)))
            .await;
    }
    // And in every other view: names of sets and tokens, terms, what is searched for.
    let (house, token) = (&served.house, &served.token);
    for text in TEXTS {
        let path = format!("/sets/{}", percent(text));
        house.ask(Method::PUT, token, &path, json!({"terms": [text]})).await;
        house.ask(Method::POST, token, "/tokens", json!({"name": text, "scope": "read"})).await.ok();
    }
    house
        .ask(
            Method::PUT,
            token,
            "/sets/plain",
            json!({"terms": ["\"<img src=x onerror=window.pwned=1>\"", "\"</textarea><script>\""]}),
        )
        .await
        .ok();
    house.ask(Method::POST, token, "/feeds", json!({"filter": first.unwrap()})).await.ok();
    browser.run("location.hash = '#/access'").await;
    browser.until("document.querySelectorAll('tf-access [data-part=tokens] .row-line').length === 8").await;
    browser.until("document.querySelectorAll('tf-access tf-feeds .row-line').length === 1").await;
    for text in TEXTS {
        browser
            .until(&format!("document.querySelector('tf-access').textContent.includes({})", json!(text)))
            .await;
    }
    browser.press("tf-access [data-part=tokens] .row-line:nth-child(3) [data-do=token-revoke]").await;
    browser.press("tf-access [data-close=no]").await;
    browser.run("location.hash = '#/sets'").await;
    browser.press("tf-sets [data-name=plain]").await;
    browser.until("document.querySelector('tf-sets [data-part=terms]').value.includes('onerror')").await;
    browser.run("location.hash = '#/search'").await;
    for text in TEXTS {
        browser.until("document.activeElement.id === 'search-text'").await;
        browser.run(&format!("document.activeElement.value = {}", json!(text))).await;
        browser.keys(&ENTER.to_string()).await;
        browser.until("!!document.querySelector('tf-search .finding, tf-search .end')").await;
    }
    browser.run("document.querySelector('#search-text').value = 'window OR pwned OR snow OR body'").await;
    browser.keys(&ENTER.to_string()).await;
    browser.until("document.querySelectorAll('tf-search .post').length >= 5").await;
    browser.run("location.hash = '#/exchange'").await;
    browser.press("[data-do=write]").await;
    browser.until("document.querySelector('[data-part=written]').value.includes('onerror')").await;
    for link in
        ["#views a[href^=javascript]", "#views a[href$=\"#\"]", "iframe", "#views script", "#views img"]
    {
        let found = browser.run(&format!("return document.querySelectorAll('{link}').length")).await;
        assert_eq!(found, json!(0), "{link}");
    }
    assert_eq!(browser.run("return window.pwned ?? null").await, json!(null));
    browser.was_clean().await;

    // And the policy would have held: what it forbids is refused, and told.
    let refused = browser
        .run("try { document.body.innerHTML = '<b>'; return 'taken' } catch (error) { return error.name }")
        .await;
    assert_eq!(refused, json!("TypeError"));
    browser.until("seen.violations.length > 0").await;
    browser.end().await;
}
