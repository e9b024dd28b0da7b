//! What is changed and not answered: it is said until somebody does something else, and nothing is there twice.

use serde_json::json;

use crate::browser::{Browser, CONTROL, ENTER};
use crate::served::{Seen, Served};

/// Cuts off requests by their method and path, `before` they are sent or `after` they were answered, as `cut` says; counts them.
const CUT: &str = "
    [window.cut, window.sent] = [{}, {}];
    const fetched = window.fetch;
    window.fetch = async (address, options = {}) => {
        const path = new URL(address, location.href).pathname.replace('/api/v1', '');
        const which = `${options.method ?? 'GET'} ${path}`;
        sent[which] = (sent[which] ?? 0) + 1;
        if (cut[which] === 'before') throw new TypeError('cut off');
        const answer = await fetched(address, options);
        if (cut[which] === 'after') throw new TypeError('cut off');
        return answer;
    };";

/// Reads something, after which all is well as far as reads can tell; gives what is said of the store.
const READ: &str = "import('/page/model/index.js').then(async ({model}) => {
    await model.ask('GET', '/status');
    await new Promise((done) => setTimeout(done, 300));
    return model.store.state;
})";

const UNREACHABLE: &str = "The server cannot be reached";

async fn says(browser: &Browser, view: &str) {
    let error = format!(
        "[...document.querySelectorAll('{view} .error')].some((one) => one.checkVisibility() && \
         one.textContent.includes('{UNREACHABLE}'))"
    );
    browser.until(&error).await;
    assert_eq!(browser.wait(READ).await, json!("fine"));
    assert_eq!(browser.run(&format!("return {error}")).await, json!(true), "{view}");
}

async fn says_no_more(browser: &Browser, view: &str) {
    browser
        .until(&format!(
            "[...document.querySelectorAll('{view} .error')].every((one) => !one.checkVisibility())"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_failed_is_said_until_something_else_is_done() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let id = served.house.filter(served.ann, "hail").await;
    served.posts(&[Seen::new(1, "A post")]).await;
    served.prepared(&browser, CUT).await;
    browser.sees("A post").await;
    browser
        .run(&format!(
            "for (const which of ['POST /filters', 'PATCH /filters/{id}', 'PUT /sets/teams', 'PUT /reading/timeline', \
             'POST /import']) cut[which] = 'before'"
        ))
        .await;

    browser.press("tf-column [data-do=read]").await;
    says(&browser, "tf-column").await;
    browser.picture("unanswered-read").await;
    browser.press("tf-column [data-do=dismiss]").await;
    says_no_more(&browser, "tf-column").await;

    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("snow").await;
    browser.chord(CONTROL, ENTER).await;
    says(&browser, "tf-editor").await;
    browser.picture("unanswered-filter").await;
    browser.keys(" rain").await;
    says_no_more(&browser, "tf-editor").await;

    browser.press(&format!("tf-filters [data-row='{id}'] [data-do=toggle]")).await;
    says(&browser, ".filters-side").await;
    browser.picture("unanswered-toggle").await;
    browser.press(".filters-side [data-do=dismiss]").await;
    says_no_more(&browser, ".filters-side").await;

    browser.run("location.hash = '#/sets'").await;
    browser.press("tf-sets [data-do=set-new]").await;
    browser.until("document.activeElement.dataset.part === 'name'").await;
    browser.keys("teams\tmolde").await;
    browser.chord(CONTROL, ENTER).await;
    says(&browser, "tf-sets").await;
    browser.keys("\nbrann").await;
    says_no_more(&browser, "tf-sets").await;

    browser.run("cut['POST /import'] = null; location.hash = '#/exchange'").await;
    browser.until("!!document.querySelector('tf-exchange [data-part=content]')").await;
    browser.run("document.querySelector('tf-exchange [data-part=content]').focus()").await;
    browser.run("document.execCommand('insertText', false, 'sleet')").await;
    browser.sees("1 would be added").await;
    browser.run("cut['POST /import'] = 'before'").await;
    browser.press("tf-exchange [data-do=apply]").await;
    browser.run("cut['POST /import'] = null").await;
    says(&browser, "tf-exchange").await;
    browser.run("document.execCommand('insertText', false, ' fog')").await;
    browser.sees("1 would be added").await;
    says_no_more(&browser, "tf-exchange").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_added_without_an_answer_is_found_and_not_added_again() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filters = async || served.house.get(&served.token, "/filters").await.ok().clone();
    browser.begins_a_filter(&served.link()).await;
    browser.run(CUT).await;
    browser.run("cut['POST /filters'] = 'after'").await;
    browser.keys("snow").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("location.hash === '#/filters'").await;
    assert_eq!(filters().await.as_array().unwrap().len(), 1);

    // Where it can't be looked for, it is not sent again either.
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("rain").await;
    browser.run("cut['GET /filters'] = 'before'").await;
    browser.chord(CONTROL, ENTER).await;
    browser.sees("It may have been added all the same").await;
    browser.picture("unanswered-maybe").await;
    browser.keys(" fog").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("sent['GET /filters'] >= 2").await;
    browser.sees("It may have been added all the same").await;
    assert_eq!(browser.run("return sent['POST /filters']").await, json!(2));
    // Found without a press, it is a saved one, and what stands there by now a change of it.
    browser.run("cut = {}").await;
    browser.until("/^#.filters.[0-9]+$/.test(location.hash)").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("location.hash === '#/filters'").await;
    let kept = filters().await;
    assert_eq!((kept.as_array().unwrap().len(), &kept[1]["text"]), (2, &json!("rain fog")));

    // One that is not there is sent once more.
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("sleet").await;
    browser.run("cut['POST /filters'] = 'before'").await;
    browser.chord(CONTROL, ENTER).await;
    browser.sees("It may have been added all the same").await;
    browser.run("cut = {}").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("location.hash === '#/filters'").await;
    let texts: Vec<_> = filters().await.as_array().unwrap().iter().map(|one| one["text"].clone()).collect();
    assert_eq!(json!(texts), json!(["snow", "rain fog", "sleet"]));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_or_feed_that_is_made_without_an_answer_is_not_made_twice() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let id = served.house.filter(served.ann, "snow").await;
    let count = async |path: &str| served.house.get(&served.token, path).await.ok().as_array().unwrap().len();
    served.prepared(&browser, CUT).await;
    browser.sees("Everything").await;
    browser.run("cut['POST /tokens'] = cut['POST /feeds'] = 'after'").await;

    browser.run("location.hash = '#/access'").await;
    browser.until("document.querySelectorAll('tf-access [data-part=tokens] .row-line').length === 1").await;
    browser.run("document.querySelector('tf-access [data-part=name]').value = 'phone'").await;
    browser.press("tf-access form [type=submit]").await;
    says(&browser, "tf-access").await;
    browser.run("cut['POST /tokens'] = null").await;
    browser.press("tf-access form [type=submit]").await;
    let made = browser.until("document.querySelector('tf-access [data-part=token]').value").await;
    assert_eq!(count("/tokens").await, 2);
    served.house.get(made.as_str().unwrap(), "/me").await.ok();
    // The next of this name is another.
    browser.press("tf-access [data-do=token-seen]").await;
    browser.run("document.querySelector('tf-access [data-part=name]').value = 'phone'").await;
    browser.press("tf-access form [type=submit]").await;
    let next = format!("![{made}, ''].includes(document.querySelector('tf-access [data-part=token]').value)");
    browser.until(&next).await;
    assert_eq!(count("/tokens").await, 3);

    browser.run(&format!("location.hash = '#/filters/{id}'")).await;
    browser.until("!!document.querySelector('tf-editor tf-feeds')").await;
    browser.run("document.querySelector('tf-editor details').open = true").await;
    browser.press("tf-editor [data-do=feed-make]").await;
    says(&browser, "tf-editor").await;
    browser.run("cut['POST /feeds'] = null").await;
    browser.press("tf-editor [data-do=feed-make]").await;
    browser.until("!!document.querySelector('tf-editor [data-part=atom]').value").await;
    assert_eq!(count("/feeds").await, 1);
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_filter_that_is_not_used_yet_is_added_as_that() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.run(CUT).await;
    browser.keys("snow").await;
    browser.press("tf-editor [name=enabled]").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("location.hash === '#/filters'").await;
    let kept = served.house.get(&served.token, "/filters").await.ok().clone();
    assert_eq!((&kept[0]["text"], &kept[0]["enabled"]), (&json!("snow"), &json!(false)));
    let changes =
        browser.run("return Object.keys(sent).filter((which) => /^(PATCH|POST) .filters/.test(which))").await;
    assert_eq!(changes, json!(["POST /filters"]));
    browser.was_clean().await;
    browser.end().await;
}
