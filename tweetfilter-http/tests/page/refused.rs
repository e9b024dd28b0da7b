//! A token is refused while something is being written.

use serde_json::json;
use tweetfilter_sql::Scope;

use crate::browser::{Browser, ENTER};
use crate::served::Served;

const TEXT: &str = "document.querySelector('#filter-text')?.value";
const TERMS: &str = "document.querySelector('tf-sets [data-part=terms]')?.value";
const CONTENT: &str = "document.querySelector('tf-exchange [data-part=content]')?.value";
const SCROLLED: &str = "document.querySelector('tf-exchange [data-part=rows]')?.scrollTop";

async fn revoke_all(served: &Served) {
    for token in served.house.database.tokens().await.unwrap() {
        served.house.database.revoke_token(token.id).await.unwrap();
    }
}

async fn sign_in(browser: &Browser, token: &str) {
    browser.until("document.activeElement.id === 'token'").await;
    browser.keys(&format!("{token}{ENTER}")).await;
    browser.until("!document.querySelector('#house').hidden").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_waits_for_the_same_account_and_nobody_else() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let rain = served.house.filter(served.ann, "rain").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;

    // A list that is imported, read half; a set; a filter, by the form.
    browser.run("location.hash = '#/exchange'").await;
    browser.until(&format!("{CONTENT} === ''")).await;
    let lines: Vec<_> = (0..80).map(|n| format!("storm{n}")).collect();
    browser.run("document.querySelector('tf-exchange [data-part=content]').focus()").await;
    browser.run(&format!("document.execCommand('insertText', false, {})", json!(lines.join("\n")))).await;
    browser.sees("80 would be added").await;
    browser.run("document.querySelector('tf-exchange [data-part=rows]').scrollTop = 300").await;
    // The page hears of it with the next frame.
    assert_eq!(browser.still(SCROLLED).await, json!(300));
    browser.run("location.hash = '#/sets'").await;
    browser.press("tf-sets [data-do=set-new]").await;
    browser.until("document.activeElement.dataset.part === 'name'").await;
    browser.keys("teams\trosenborg").await;
    browser.until(&format!("{TERMS} === 'rosenborg'")).await;
    browser.run(&format!("location.hash = '#/filters/{rain}'")).await;
    browser.until(&format!("{TEXT} === 'rain'")).await;
    browser.press("tf-editor [data-do=form]").await;
    browser.until("document.activeElement.name === 'all'").await;
    browser.keys("\thail, ").await;
    browser.until(&format!("{TEXT} === 'rain hail'")).await;

    revoke_all(&served).await;
    browser.sees("Your access has ended").await;
    browser.sees("What you wrote as ann and did not save waits in this tab").await;
    browser.picture("refused").await;
    let shown = browser.run("return document.body.innerText").await;
    assert!(!shown.as_str().unwrap().contains("storm"), "{shown}");
    // Only in memory.
    let stored = "return JSON.stringify([{...localStorage}, {...sessionStorage}])";
    assert!(!browser.run(stored).await.as_str().unwrap().contains("hail"));

    let token = served.house.token(served.ann, Scope::Write).await;
    sign_in(&browser, &token).await;
    browser.until(&format!("{TEXT} === 'rain hail'")).await;
    browser.until("!document.querySelector('tf-form').hidden").await;
    let any = "return document.querySelector('tf-form [name=any]').value";
    assert_eq!(browser.run(any).await, json!("hail, "), "to the letter");
    browser.until("document.querySelector('tf-editor [data-do=form]').ariaExpanded === 'true'").await;
    browser.run("location.hash = '#/sets'").await;
    browser.until(&format!("{TERMS} === 'rosenborg'")).await;
    browser.until("document.querySelector('tf-sets [data-part=name]').value === 'teams'").await;
    browser.run("location.hash = '#/exchange'").await;
    browser.until(&format!("{CONTENT}?.startsWith('storm0')")).await;
    browser.until(&format!("{SCROLLED} === 300")).await;
    // It can be saved as if nothing had been.
    browser.run(&format!("location.hash = '#/filters/{rain}'")).await;
    browser.press("tf-editor [type=submit]").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = served.house.get(&token, &format!("/filters/{rain}")).await.ok().clone();
    assert_eq!(kept["text"], json!("rain hail"));

    // Somebody else signs in: nothing of it is there, nor for whoever comes next.
    revoke_all(&served).await;
    browser.sees("What you wrote as ann and did not save waits in this tab").await;
    let (_, other) = served.house.account("bea", Scope::Write).await;
    sign_in(&browser, &other).await;
    browser.run("location.hash = '#/exchange'").await;
    browser.until(&format!("{CONTENT} === ''")).await;
    browser.run("location.hash = '#/sets'").await;
    browser.until("document.querySelector('tf-sets [data-part=editing]')?.hidden").await;
    let model = "import('/page/model/index.js').then(({model}) => model.isUnsaved())";
    assert_eq!(browser.wait(model).await, json!(false));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_another_account_asks_before_what_was_written_is_lost() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (_, other) = served.house.account("bea", Scope::Write).await;
    let own = served.house.token(served.ann, Scope::Write).await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === ''")).await;
    browser.keys("hail").await;
    browser.until(&format!("{TEXT} === 'hail'")).await;
    browser
        .run("window.asked = []; window.says = false; window.confirm = (text) => { asked.push(text); return says; }")
        .await;
    let model = |what: &str| format!("import('/page/model/index.js').then(({{model}}) => model.{what})");
    // Who says no stays, with what was written.
    browser.run(&format!("location.hash = '#token={other}'")).await;
    browser.until("asked.length === 1").await;
    assert!(browser.run("return asked[0]").await.as_str().unwrap().contains("What you wrote as ann"));
    browser.sees("Everything").await;
    assert_eq!(browser.run("return location.hash").await, json!(""));
    assert_eq!(browser.wait(&model("me.name")).await, json!("ann"));
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === 'hail'")).await;
    // Another token of the same account loses nothing, and asks nothing.
    browser.run(&format!("location.hash = '#token={own}'")).await;
    browser.until("location.hash === '' && !document.querySelector('#house').hidden").await;
    browser.until(&format!("sessionStorage.getItem('tweetfilter.token') === {}", json!(own))).await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === 'hail'")).await;
    assert_eq!(browser.run("return asked.length").await, json!(1));
    // Who says yes is somebody else.
    browser.run(&format!("window.says = true; location.hash = '#token={other}'")).await;
    browser.until("document.querySelector('#house .account').textContent === 'bea'").await;
    assert_eq!(browser.wait(&model("isUnsaved()")).await, json!(false));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_taken_out_of_what_was_pasted_and_what_can_be_none_is_said() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&format!("http://{}/", served.address)).await;
    let paste = async |text: &str| {
        let script = format!(
            "document.querySelector('#token').value = {};
             document.querySelector('#sign-in').requestSubmit()",
            json!(text)
        );
        browser.run(&script).await;
    };
    browser.until("document.activeElement.id === 'token'").await;
    paste("tf_höß").await;
    browser.sees("This is no token: one looks like tf_ and 64 digits").await;
    let (head, tail) = served.token.split_at(20);
    paste(&format!("“Bearer {head}\u{200b} {tail}”")).await;
    browser.until("!document.querySelector('#house').hidden").await;
    let kept = "sessionStorage.getItem('tweetfilter.token')";
    assert_eq!(browser.run(&format!("return {kept}")).await, json!(served.token));

    // A link that has none loses nothing that was not saved.
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === ''")).await;
    browser.keys("hail").await;
    browser.until(&format!("{TEXT} === 'hail'")).await;
    browser.run("location.hash = '#token=tf_h%C3%B6%C3%9F'").await;
    browser.sees("This is no token").await;
    browser.sees("What you wrote as ann and did not save waits in this tab").await;
    sign_in(&browser, &served.token).await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === 'hail'")).await;
    browser.was_clean().await;
    browser.end().await;
}
