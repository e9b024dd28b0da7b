//! What is said where something does not go as it was meant, and that it is said as it is.

use axum::http::Method;
use serde_json::json;
use tweetfilter_http::parts::now;
use tweetfilter_sql::{NewFilter, Scope};
use tweetfilter_stream::store::{DeadLetter, Outcome, Store};

use crate::browser::{Browser, CONTROL, ENTER};
use crate::served::{Seen, Served};

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_which_of_them_has_trouble() {
    let Some(browser) = Browser::start().await else { return };
    let mut served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/status'").await;
    let state = "document.querySelector('tf-status .state-line').innerText";
    browser.until("!!document.querySelector('tf-status .tiles')").await;
    served.end().await;
    browser.until(&format!("{state}.includes('The server cannot be reached')")).await;
    browser
        .run(
            "Object.defineProperty(navigator, 'onLine', {get: () => false, configurable: true});
             dispatchEvent(new Event('offline'))",
        )
        .await;
    browser.until(&format!("{state}.includes('You are offline')")).await;
    browser.run("delete navigator.onLine; dispatchEvent(new Event('online'))").await;
    browser.until(&format!("{state}.includes('The server cannot be reached')")).await;
    // One that is there, but refuses to be asked so often.
    browser
        .run(
            "const fetched = window.fetch;
             const error = {code: 'too_many_requests', message: 'Too often', span: null, fixes: []};
             const refused = () => Response.json({data: null, error}, {status: 429});
             window.fetch = (address, options) =>
                 String(address) === '/api/v1/status' ? Promise.resolve(refused()) : fetched(address, options)",
        )
        .await;
    served.begin().await;
    browser.until(&format!("{state}.includes('The server is busy')")).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_that_no_time_has_is_said_at_the_field() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.keys("snow").await;
    let until = async |time: &str| {
        let script = format!(
            "const field = document.querySelector('#filter-expires');
             field.value = '{time}';
             field.dispatchEvent(new Event('input', {{bubbles: true}}));
             return field.value"
        );
        browser.run(&script).await
    };
    let written = until("202755-01-01T10:00").await;
    assert_eq!(written, json!("202755-01-01T10:00"));
    browser.sees("No time is that late: write a year up to 9999").await;
    browser.until("document.querySelector('#filter-expires').ariaInvalid === 'true'").await;
    browser.until("document.querySelector('tf-editor [type=submit]').disabled").await;
    assert_eq!(browser.run("return document.querySelector('#filter-expires').value").await, written);
    let fits = async |time: &str| {
        assert_eq!(until(time).await, json!(time));
        browser.until("document.querySelector('#filter-over').hidden").await;
        browser.until("!document.querySelector('tf-editor [type=submit]').disabled").await;
    };
    fits("2100-01-01T10:00").await;
    // To the server it is of another year than here: the last time of all is of five digits there.
    browser.zone("America/New_York").await;
    fits("9999-12-31T10:00").await;
    until("9999-12-31T23:59").await;
    browser.until("!document.querySelector('#filter-over').hidden").await;
    browser.sees("No time is that late: write a year up to 9999").await;
    browser.until("document.querySelector('tf-editor [type=submit]').disabled").await;
    browser.was_clean().await;
    browser.end().await;
}

/// Has what a button says end when `over` is called and not in four seconds; `left()` is how many of these are to come.
const SAID: &str = "
    const [set, clear, later] = [window.setTimeout, window.clearTimeout, []];
    window.setTimeout = (act, after, ...more) => (after === 4_000 ? -later.push(act) : set(act, after, ...more));
    window.clearTimeout = (id) => (id < 0 ? delete later[-id - 1] : clear(id));
    window.left = () => Object.keys(later).length;
    window.over = () => later.splice(0).forEach((act) => act());";

#[tokio::test(flavor = "multi_thread")]
async fn whether_it_was_copied_is_said_and_a_file_that_is_too_large_is_not_read() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.house.filter(served.ann, "snow").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/exchange'").await;
    browser.press("tf-exchange [data-do=write]").await;
    browser.until("document.querySelector('[data-part=written]').value.includes('snow')").await;
    // As over plain HTTP, where there is no clipboard.
    browser.run("Object.defineProperty(navigator, 'clipboard', {value: undefined})").await;
    browser.run(SAID).await;
    let button = "document.querySelector('tf-exchange [data-do=copy]').innerText";
    for (went, said, told) in
        [(false, "Not copied: it is selected", "does not let it be copied"), (true, "Copied", "Copied")]
    {
        browser.run(&format!("document.execCommand = () => {went}")).await;
        browser.press("tf-exchange [data-do=copy]").await;
        let said = json!(said);
        browser.until(&format!("{button} === {said}")).await;
        browser.until(&format!("document.querySelector('#announcer').textContent.includes('{told}')")).await;
    }
    // The first was not to end while the second was said.
    assert_eq!(browser.run("return left()").await, json!(1));
    browser.run("over()").await;
    browser.until(&format!("{button} === 'Copy'")).await;

    let choose = async |content: &str, name: &str| {
        let script = format!(
            "const input = document.querySelector('tf-exchange [data-part=file]');
             const files = new DataTransfer();
             files.items.add(new File([{content}], {}));
             input.files = files.files;
             input.dispatchEvent(new Event('change', {{bubbles: true}}))",
            json!(name)
        );
        browser.run(&script).await;
    };
    // What its first bytes tell is read; Windows-1252 could be anything.
    choose("new Uint8Array([0xff, 0xfe, 0x6d, 0, 0xfc, 0, 0x6c, 0, 0x6c, 0])", "utf16.txt").await;
    browser.until("document.querySelector('tf-exchange [data-part=content]').value === 'müll'").await;
    browser.sees("Import 1 filter").await;
    choose("new Uint8Array([0x6d, 0xfc, 0x6c, 0x6c])", "ansi.txt").await;
    browser.sees("“ansi.txt” is not UTF-8 text. Save it as UTF-8, and choose it again.").await;
    browser.until("document.querySelector('tf-exchange [data-part=content]').value === ''").await;
    choose("'word\\n'.repeat(300000)", "words.txt").await;
    browser.sees("“words.txt” has 1.5 MB; at most 1.0 MB are imported at once").await;
    assert_eq!(
        browser.run("return document.querySelector('tf-exchange [data-part=content]').value").await,
        json!("")
    );
    // Once it is imported the keyboard is at what came of it.
    let content = "document.querySelector('tf-exchange [data-part=content]')";
    browser.run(&format!("{content}.focus()")).await;
    browser.keys("storm").await;
    browser.until("document.querySelector('tf-exchange .imported code')?.textContent === 'storm'").await;
    browser.run("document.querySelector('tf-exchange [data-do=apply]').focus()").await;
    browser.press("tf-exchange [data-do=apply]").await;
    browser.until("document.activeElement.matches('tf-exchange .imported')").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_dead_letters_are_reached_and_what_came_of_a_retry_stands_there() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let letter = |n: usize| DeadLetter {
        entry: format!("x{n}").into_bytes(),
        source: "people".into(),
        reason: "the store refuses it".into(),
        at: now(),
    };
    let outcome = Outcome { dead: (0..250).map(letter).collect(), ..Outcome::default() };
    served.house.database.commit(&outcome, &[]).await.unwrap();
    let admin = served.house.token(served.ann, Scope::Admin).await;
    browser.open(&format!("http://{}/#token={admin}", served.address)).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/status'").await;
    let shown = "document.querySelectorAll('.letters > li').length";
    browser.until(&format!("{shown} === 100")).await;
    browser.sees("The oldest 100 of 250 are shown.").await;
    browser.press("tf-status [data-do=letters-more]").await;
    browser.until(&format!("{shown} === 200")).await;

    let first = "document.querySelector('.letters [data-do=retry]')";
    let second = browser.run("return document.querySelectorAll('.letters [data-do=retry]')[1].value").await;
    browser.run(&format!("{first}.focus(); {first}.click()")).await;
    browser.sees("1 dead letter put back, to be tried again.").await;
    // The keyboard goes on at the next.
    browser.until(&format!("document.activeElement.value === {second}")).await;
    browser.press("tf-status [data-do='retry-all']").await;
    browser.sees("249 dead letters put back, to be tried again.").await;
    browser.until(&format!("{shown} === 0")).await;
    assert_eq!(served.house.database.count_dead_letters().await.unwrap(), 0);
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_press_asks_before_a_feed_is_revoked_is_heard() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "snow").await;
    served.house.ask(Method::POST, &served.token, "/feeds", json!({"filter": filter})).await.ok();
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/access'").await;
    let revoke = "document.querySelector('tf-access [data-do=feed-revoke]')";
    browser.until(&format!("!!{revoke}")).await;
    browser.run(&format!("{revoke}.focus(); {revoke}.click()")).await;
    browser.until("document.activeElement.classList.contains('is-sure')").await;
    browser.until("document.activeElement.ariaLabel.startsWith('Revoke for good? The feed of snow')").await;
    browser.until("document.querySelector('#announcer').textContent.includes('for good')").await;
    browser.run("document.activeElement.click()").await;
    browser.until(&format!("!{revoke}")).await;
    // With none left, at what they are called.
    browser.until("document.activeElement.textContent === 'Feeds'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nobody_sees_or_no_set_can_have() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = NewFilter { name: "\u{200b}\u{2060}".into(), text: "snow".into(), ..NewFilter::default() };
    served.house.database.add_filter(served.ann, &filter).await.unwrap();
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    browser.until("document.querySelector('tf-filters .filter-name')?.textContent === 'snow'").await;

    browser.run("location.hash = '#/sets'").await;
    browser.press("tf-sets [data-do=set-new]").await;
    browser.until("document.activeElement.dataset.part === 'name'").await;
    browser.keys("..\tbrann").await;
    browser.sees("A name has 1 to 64 of these").await;
    browser.until("document.querySelector('tf-sets [type=submit]').disabled").await;
    browser.chord(CONTROL, ENTER).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(browser.run("return document.body.innerText.includes('no such route')").await, json!(false));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_to_themselves_and_counts_of_narrow_columns_are_whole() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let mut filters = Vec::new();
    for text in ["rain", "snow"] {
        let name = format!("{text} name of a filter that is rather long");
        let filter = NewFilter { name, text: text.into(), ..NewFilter::default() };
        filters.push(served.house.database.add_filter(served.ann, &filter).await.unwrap());
    }
    let piled = format!("a{}", "\u{301}".repeat(300));
    let posts: Vec<_> = (0..150)
        .map(|n| Seen { filters: filters.clone(), hidden: n % 2 == 0, ..Seen::new(n, &piled) })
        .collect();
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("100 posts so far, 50 hidden").await;
    for filter in filters {
        let add = format!("import('/page/model/index.js').then(({{model}}) => model.addColumn({filter}))");
        browser.wait(&add).await;
    }
    let counts = "[...document.querySelectorAll('tf-column .counts')]";
    browser
        .until(&format!("{counts}.filter((one) => one.textContent.endsWith(', 50 hidden')).length === 3"))
        .await;
    browser.until(&format!("{counts}.every((one) => one.scrollWidth <= one.clientWidth)")).await;
    browser.until("getComputedStyle(document.querySelector('tf-column .post')).overflowY === 'clip'").await;
    browser.picture("piled").await;
    browser.was_clean().await;
    browser.end().await;
}

/// Exports fail as `window.fails` says, unless that is null.
const FAILS: &str = "
    const fetched = window.fetch;
    window.fetch = (address, options) => {
        if (!window.fails || !String(address).includes('/export')) return fetched(address, options);
        const error = {...window.fails, span: null, fixes: []};
        return Promise.resolve(Response.json({data: null, error}, {status: 503}));
    };";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_failed_export_goes_once_it_was_read_or_the_server_is_back() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.house.filter(served.ann, "snow").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(FAILS).await;
    browser.keys("x").await;
    let fails = async |code: &str| {
        browser.run(&format!("window.fails = {}", json!({"code": code, "message": "It broke"}))).await;
        browser.press("tf-exchange [data-do=write]").await;
        browser.sees("It broke").await;
    };
    let gone = "document.querySelector('tf-exchange [data-part=exported] [role=alert]').hidden";
    fails("internal").await;
    browser.run("location.hash = '#/filters'").await;
    browser.until("document.querySelector('tf-exchange').hidden").await;
    browser.run("location.hash = '#/exchange'").await;
    browser.until("!document.querySelector('tf-exchange').hidden").await;
    browser.until(gone).await;
    // The store is back as soon as something is answered.
    fails("store_away").await;
    browser
        .wait("import('/page/model/index.js').then(({model}) => model.ask('GET', '/me')).then(() => 1)")
        .await;
    browser.until(gone).await;
    // What is exported stays, whatever is imported beside it.
    browser.run("window.fails = null").await;
    browser.press("tf-exchange [data-do=write]").await;
    let content = "document.querySelector('tf-exchange [data-part=written]')";
    browser.until(&format!("{content}.value.includes('snow') && {content}.checkVisibility()")).await;
    browser.run("document.querySelector('tf-exchange [data-part=content]').focus()").await;
    browser.run("document.execCommand('insertText', false, 'rain')").await;
    browser.sees("1 would be added").await;
    assert_eq!(browser.run(&format!("return {content}.checkVisibility()")).await, json!(true));
    browser.sees("1 filter\n").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_left_out_says_why_in_the_list() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    house.ask(Method::PUT, token, "/sets/cities", json!({"terms": ["oslo"]})).await.ok();
    house.filter(served.ann, "{cities} snow").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    browser.until("document.querySelectorAll('tf-filters .filter').length === 1").await;
    browser.until("document.querySelector('tf-filters .filter .error').hidden").await;
    house.ask(Method::DELETE, token, "/sets/cities", json!({})).await.ok();
    browser.sees("not used: There is no set named cities").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_lists_what_is_not_well() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/status'").await;
    let state = "document.querySelector('tf-status .state-line').innerText";
    browser.until(&format!("{state}.includes('All is well')")).await;
    house.ask(Method::PUT, token, "/sets/cities", json!({"terms": ["oslo"]})).await.ok();
    house.filter(served.ann, "{cities} snow").await;
    house.ask(Method::DELETE, token, "/sets/cities", json!({})).await.ok();
    let (entry, source, reason) = (b"x".to_vec(), "people".to_owned(), "too long".to_owned());
    let dead = vec![DeadLetter { entry, source, reason, at: now() }];
    house.database.commit(&Outcome { dead, ..Outcome::default() }, &[]).await.unwrap();
    browser.until(&format!("{state}.includes('Not all is well')")).await;
    browser.sees("Some posts could not be stored").await;
    browser.sees("1 filter is switched on, but can't be used").await;
    browser.until("!document.querySelector('tf-status .state-card').classList.contains('is-fine')").await;
    browser.was_clean().await;
    browser.end().await;
}
