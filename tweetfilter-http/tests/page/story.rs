//! Somebody signs in, writes a filter, and watches it work.

use axum::http::Method;
use serde_json::json;

use crate::browser::{ALT, Browser, CONTROL, DOWN, ENTER};
use crate::served::{Seen, Served};

const FEED: &str = "document.querySelector('tf-column tf-list').innerText";

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_written_mended_previewed_saved_and_its_match_explained() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Snow in Oslo"), Seen::new(2, "Rain in Rome")]).await;

    // By hand, with a token that is none first.
    browser.open(&format!("http://{}/", served.address)).await;
    browser.until("document.activeElement.id === 'token'").await;
    browser.keys("nonsense").await;
    browser.keys(&ENTER.to_string()).await;
    browser.sees("This token is unknown or was revoked").await;
    browser.keys(&served.token).await;
    browser.keys(&ENTER.to_string()).await;
    browser.sees("Rain in Rome").await;
    browser.sees("2 posts").await;

    // A mistake, and its fix by the keyboard.
    browser.keys("n").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("snow (oslo OR ber").await;
    browser.sees("This parenthesis is never closed").await;
    browser.until("document.querySelector('.carets').textContent.trim() === '^'").await;
    browser.until("document.querySelector('.wave-error')?.textContent === '('").await;
    browser.chord(CONTROL, '.').await;
    browser.until("document.querySelector('#filter-text').value === 'snow (oslo OR ber)'").await;
    browser.sees("✓ Valid").await;

    // Completion, and the preview beside it.
    browser.keys(" -is:ret").await;
    browser.until("!document.querySelector('#completions').hidden").await;
    browser.keys(&format!("{DOWN}{ENTER}")).await;
    browser.until("document.querySelector('#filter-text').value === 'snow (oslo OR ber) -is:retweet'").await;
    browser.sees("of 2 posts").await;
    browser.until("document.querySelector('tf-preview mark')?.textContent === 'Snow'").await;
    browser.picture("story-editor").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("location.hash === '#/filters'").await;
    browser.sees("1 filter").await;
    browser.until("document.querySelectorAll('tf-filters [role=listitem]').length === 1").await;
    let kept = served.house.get(&served.token, "/filters").await.ok().clone();
    assert_eq!(kept[0]["text"], "snow (oslo OR ber) -is:retweet");

    // What it matches arrives, is marked, and says why.
    let id = kept[0]["id"].as_i64().unwrap();
    browser.keys("t").await;
    served.posts(&[Seen { filters: vec![id], ..Seen::new(3, "More snow, here in Oslo") }]).await;
    browser.until(&format!("{FEED}.includes('More snow, here in Oslo')")).await;
    browser.until("document.querySelector('tf-column .is-highlighted mark')?.textContent === 'snow'").await;
    browser.press("tf-column [data-do=why]").await;
    browser.sees("It matches.").await;
    browser.sees("What it took:").await;
    // The post stands above what may be a long list, and the verdict alone is read out.
    let places = "['lead', 'post', 'reasons'].map((name) => document.querySelector(`tf-why .${
        {lead: 'explained-lead', post: 'explained-post', reasons: 'reasons'}[name]}`).getBoundingClientRect().top)";
    browser.until(&format!("(([lead, post, reasons]) => lead < post && post < reasons)({places})")).await;
    let live = "[...document.querySelectorAll('tf-why [aria-live]')].map((one) => one.innerText).join()";
    assert_eq!(browser.run(&format!("return {live}")).await, json!("It matches."));
    browser.sees("Found “Oslo” in the text").await;
    browser.picture("story-why").await;
    browser.press("tf-why [data-part=close]").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_from_elsewhere_show_soon_and_what_is_typed_is_not_lost() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let id = house.filter(served.ann, "snow").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    assert_eq!(browser.run("return location.hash").await, json!(""), "the token is gone from the address");
    browser.keys("f").await;
    browser.until("document.querySelectorAll('tf-filters [role=listitem]').length === 1").await;

    house.ask(Method::POST, token, "/filters", json!({"text": "rain", "name": "wet"})).await.ok();
    browser.soon("document.querySelector('tf-filters').innerText.includes('wet')").await;
    browser.sees("2 filters").await;
    assert_eq!(
        browser.run("return document.querySelectorAll('tf-filters [role=listitem]').length").await,
        json!(2)
    );

    // Somebody else changes what is being changed here.
    browser.run(&format!("location.hash = '#/filters/{id}'")).await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys(" oslo").await;
    house.ask(Method::PATCH, token, &format!("/filters/{id}"), json!({"text": "hail"})).await.ok();
    browser.sees("It was changed elsewhere meanwhile, to: hail").await;
    assert_eq!(browser.run("return document.querySelector('#filter-text').value").await, json!("snow oslo"));
    browser.press("[data-do=overwrite]").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = house.get(token, &format!("/filters/{id}")).await.ok().clone();
    assert_eq!(kept["text"], "snow oslo");

    // Order and switch, by the keyboard.
    browser.keys("t").await;
    browser.until("location.hash === '#/timeline'").await;
    browser.keys("f").await;
    browser
        .until("document.activeElement.closest('tf-filters') && document.activeElement.ariaPosInSet === '1'")
        .await;
    browser.chord(ALT, DOWN).await;
    browser.until("document.querySelector('tf-filters [role=listitem]').innerText.includes('wet')").await;
    browser.run("document.querySelector('tf-filters tf-list').go(0)").await;
    browser.keys(" ").await;
    browser.until("document.querySelector('tf-filters [role=switch]').ariaChecked === 'false'").await;
    let kept = house.get(token, "/filters").await.ok().clone();
    assert_eq!((&kept[0]["name"], &kept[0]["enabled"]), (&json!("wet"), &json!(false)));

    // A form writes one.
    browser.run("location.hash = '#/filters/new'").await;
    browser.press("[data-do=form]").await;
    browser.until("document.activeElement.name === 'all'").await;
    browser.keys("snow, new year\u{E004}oslo, bergen\u{E004}rain").await;
    let text = "document.querySelector('#filter-text').value";
    browser.until(&format!("{text} === 'snow \"new year\" (oslo OR bergen) -rain'")).await;
    browser.press("[name=action][value=hide]").await;
    browser.press("[data-do=until][data-days='7']").await;
    browser.sees("It is switched off").await;
    browser.press("tf-editor [type=submit]").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = house.get(token, "/filters").await.ok()[2].clone();
    assert_eq!(
        (&kept["action"], &kept["text"]),
        (&json!("hide"), &json!("snow \"new year\" (oslo OR bergen) -rain"))
    );
    assert!(kept["expires_at"].is_string(), "{kept}");

    // What a filter wants to be told of is told to those who do not look.
    served.posts(&[Seen { notify: true, ..Seen::new(9, "Told aloud") }]).await;
    browser.until("document.querySelector('#announcer').textContent === 'Bob: Told aloud'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_imported_and_exported() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.house.filter(served.ann, "snow").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("x").await;
    browser.until("!!document.querySelector('[data-part=content]')").await;
    browser.run("document.querySelector('[data-part=content]').focus()").await;
    browser.run("document.execCommand('insertText', false, 'snow\\nrain OR hail\\n(bad')").await;
    browser.sees("1 would be added, 0 would be changed, 1 there already, 1 invalid").await;
    browser.sees("This parenthesis is never closed").await;
    browser.press("[data-do=apply]").await;
    browser.sees("1 added, 0 changed").await;
    assert_eq!(served.house.get(&served.token, "/filters").await.ok().as_array().unwrap().len(), 2);
    browser.press("[data-do=write]").await;
    browser.until("document.querySelector('[data-part=written]').value.includes('rain OR hail')").await;
    browser.was_clean().await;
    browser.end().await;
}
