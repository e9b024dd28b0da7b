//! Where the keyboard goes on, and which keys are whose.

use axum::http::Method;
use serde_json::json;

use crate::browser::{Browser, CONTROL, DOWN, ENTER, ESCAPE, TAB};
use crate::served::{Seen, Served};

const TEXT: &str = "document.querySelector('#filter-text')?.value";

/// Presses what has the focus, as a key would.
async fn press_focused(browser: &Browser, selector: &str) {
    let selector = json!(selector);
    browser.until(&format!("!!document.querySelector({selector})")).await;
    browser
        .run(&format!("const pressed = document.querySelector({selector}); pressed.focus(); pressed.click()"))
        .await;
}

/// Named sets are given only when they are asked for again.
const SETS_AGAIN: &str = "
    const fetched = window.fetch;
    let left = 1;
    window.fetch = (address, options) => {
        if (left === 0 || !String(address).endsWith('/sets')) return fetched(address, options);
        left--;
        const error = {code: 'internal', message: 'It broke', span: null, fixes: []};
        return Promise.resolve(Response.json({data: null, error}, {status: 500}));
    };";

async fn add_column(browser: &Browser, filter: i64) {
    let add = format!("import('/page/model/index.js').then(({{model}}) => model.addColumn({filter}))");
    browser.wait(&add).await;
    browser.until("document.querySelectorAll('tf-column').length === 2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_hidden_or_closed_leaves_the_keyboard_beside_it() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "post").await;
    let posts: Vec<_> =
        (1..=5).map(|n| Seen { hidden: n == 3, ..Seen::new(n, &format!("Post {n}")) }).collect();
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("5 posts, 1 hidden").await;
    browser.run("document.querySelector('tf-column tf-list').go(2)").await;
    browser.until("document.activeElement.classList.contains('hidden-row')").await;
    browser.keys(&ENTER.to_string()).await;
    browser.until("document.activeElement.matches('.post.is-hidden')").await;
    press_focused(&browser, "tf-column [data-do=conceal]:not([hidden])").await;
    browser.until("document.activeElement.classList.contains('hidden-row')").await;

    add_column(&browser, filter).await;
    press_focused(&browser, "tf-column [data-do=close]").await;
    browser.until("document.querySelectorAll('tf-column').length === 1").await;
    browser.until("document.activeElement.closest('tf-column')").await;

    // An example search goes on in what is searched for.
    browser.run("location.hash = '#/search'").await;
    press_focused(&browser, "tf-search [data-do=try]").await;
    browser.until("document.querySelector('tf-search .empty').hidden").await;
    browser.until("document.activeElement.id === 'search-text'").await;

    // And what stands in the place of a text in the text.
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.keys("((snow))").await;
    press_focused(&browser, "tf-editor [data-do=canonical]:not([hidden])").await;
    browser.until(&format!("{TEXT} !== '((snow))' && document.activeElement.id === 'filter-text'")).await;
    press_focused(&browser, "tf-editor [data-do=undo]:not([hidden])").await;
    browser.until(&format!("{TEXT} === '' && document.activeElement.id === 'filter-text'")).await;

    // Where no view says where it goes on, it does beside what is gone.
    browser.run(SETS_AGAIN).await;
    browser.run("location.hash = '#/sets'").await;
    browser.sees("It broke").await;
    press_focused(&browser, "tf-sets [data-do=retry]:not([hidden])").await;
    browser.until("document.querySelector('tf-sets [data-do=retry]').closest('p').hidden").await;
    browser.until("document.activeElement.dataset.do === 'set-new'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_drawn_anew_keeps_the_keyboard_and_one_that_goes_hands_it_on() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let put = async |name: &str| {
        let path = format!("/sets/{name}");
        house.ask(Method::PUT, token, &path, json!({"terms": ["oslo"]})).await.ok();
    };
    put("birds").await;
    put("teams").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/sets'").await;
    browser.until("document.querySelectorAll('tf-sets .row-line').length === 2").await;
    browser.run("document.querySelector('tf-sets [data-name=teams]').focus()").await;
    // By somebody else.
    put("cities").await;
    browser.until("document.querySelectorAll('tf-sets .row-line').length === 3").await;
    browser.until("document.activeElement.dataset.name === 'teams'").await;
    house.ask(Method::DELETE, token, "/sets/teams", json!({})).await.ok();
    browser.until("document.querySelectorAll('tf-sets .row-line').length === 2").await;
    browser.until("document.activeElement.dataset.name === 'cities'").await;

    let make = async |name: &str| {
        house.ask(Method::POST, token, "/tokens", json!({"name": name, "scope": "read"})).await.ok();
    };
    make("tablet").await;
    browser.run("location.hash = '#/access'").await;
    let rows = "document.querySelectorAll('tf-access [data-part=tokens] .row-line').length";
    browser.until(&format!("{rows} === 2")).await;
    let revoke = "tf-access [data-part=tokens] .row-line:nth-child(2) [data-do=token-revoke]";
    browser.run(&format!("document.querySelector('{revoke}').focus()")).await;
    let id = browser.run("return document.activeElement.dataset.id").await;
    make("phone").await;
    browser.until(&format!("{rows} === 3")).await;
    browser.until(&format!("document.activeElement.dataset.id === {id}")).await;
    press_focused(&browser, revoke).await;
    browser.press("tf-access [data-close=yes]").await;
    browser.until(&format!("{rows} === 2")).await;
    browser.until("document.activeElement.dataset.do === 'token-revoke'").await;
    // What was made and is put away leaves it where another is made.
    browser.run("document.querySelector('tf-access [data-part=name]').focus()").await;
    browser.keys(&format!("laptop{ENTER}")).await;
    browser.until("document.querySelector('tf-access [data-part=token]').value").await;
    press_focused(&browser, "tf-access [data-do=token-seen]").await;
    browser.until("document.activeElement.matches('tf-access [data-part=name]')").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_a_dialog_and_keys_with_others_are_not_taken() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "post").await;
    served.posts(&[Seen { filters: vec![filter], ..Seen::new(1, "A post") }]).await;
    browser.open(&served.link()).await;
    browser.sees("A post").await;
    add_column(&browser, filter).await;
    browser.until("document.querySelectorAll('tf-column .post').length === 2").await;
    browser.run("document.querySelectorAll('tf-column tf-list')[1].go(0)").await;
    // Back is the browser's.
    let taken = async |modifiers: &str| {
        let script = format!(
            "const pressed = new KeyboardEvent('keydown',
                 {{key: 'ArrowLeft', bubbles: true, cancelable: true, {modifiers}}});
             document.activeElement.dispatchEvent(pressed);
             return pressed.defaultPrevented"
        );
        browser.run(&script).await
    };
    for modifiers in ["altKey: true", "ctrlKey: true", "metaKey: true"] {
        assert_eq!(taken(modifiers).await, json!(false), "{modifiers}");
    }
    assert_eq!(taken("").await, json!(true));

    browser.run(&format!("location.hash = '#/filters/{filter}'")).await;
    press_focused(&browser, "tf-editor [data-do=remove]").await;
    browser.until("document.querySelector('tf-editor dialog').open").await;
    browser.keys(&ESCAPE.to_string()).await;
    browser.until("!document.querySelector('tf-editor dialog').open").await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(browser.run("return location.hash").await, json!(format!("#/filters/{filter}")));
    browser.until("document.activeElement.dataset.do === 'remove'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tabulator_leaves_the_text_as_it_is_and_a_completion_takes_the_whole_word() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.keys("snow in").await;
    browser.until("!document.querySelector('#completions').hidden").await;
    browser.keys(&TAB.to_string()).await;
    browser.until("document.activeElement.id !== 'filter-text'").await;
    assert_eq!(browser.run(&format!("return {TEXT}")).await, json!("snow in"));

    // A value that was begun is meant.
    browser.run("document.querySelector('#filter-text').focus()").await;
    browser.run("document.querySelector('#filter-text').setSelectionRange(7, 7)").await;
    browser.keys(" is:re").await;
    browser.until("!document.querySelector('#completions').hidden").await;
    browser.keys(&TAB.to_string()).await;
    browser.until(&format!("/^snow in is:re[a-z]{{2,}}$/.test({TEXT})")).await;
    browser.until("document.activeElement.id === 'filter-text'").await;

    browser
        .run(
            "const text = document.querySelector('#filter-text');
             text.value = 'is:reply rain';
             text.dispatchEvent(new Event('input', {bubbles: true}));
             text.setSelectionRange(3, 3)",
        )
        .await;
    browser.chord(CONTROL, ' ').await;
    let second = "document.querySelectorAll('#completions code')[1]?.textContent";
    let second = browser.until(second).await;
    browser.keys(&format!("{DOWN}{ENTER}")).await;
    let whole = json!(format!("is:{} rain", second.as_str().unwrap()));
    browser.until(&format!("{TEXT} === {whole}")).await;

    // Who left the text for a moment finds what is completed since.
    browser
        .run(
            "const text = document.querySelector('#filter-text');
             text.blur();
             text.focus();
             text.value = 'snow in';
             text.setSelectionRange(7, 7);
             text.dispatchEvent(new Event('input', {bubbles: true}))",
        )
        .await;
    browser.wait("new Promise((done) => setTimeout(() => done(1), 300))").await;
    assert_eq!(browser.run("return document.querySelector('#completions').hidden").await, json!(false));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_the_list_work_where_nothing_has_the_focus() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let posts: Vec<_> = (0..60).map(|n| Seen::new(n, &format!("Post {n}"))).collect();
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("60 posts").await;
    browser.until("document.activeElement === document.body").await;
    for place in ["'1'", "'2'"] {
        browser.keys("j").await;
        browser.until(&format!("document.activeElement.ariaPosInSet === {place}")).await;
    }
    // After scrolling with the mouse it goes on with what is seen.
    browser.run("document.activeElement.blur()").await;
    browser.run("document.querySelector('tf-column tf-list').scrollTop = 1500").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    browser.keys("j").await;
    browser.until("Number(document.activeElement.ariaPosInSet) > 4").await;
    browser.run("document.activeElement.blur()").await;
    browser.keys(".").await;
    browser.until("document.activeElement.ariaPosInSet === '1'").await;
    browser.until("document.querySelector('tf-column tf-list').scrollTop === 0").await;
    // A link takes none of these either.
    browser.run("document.querySelector('nav a').focus()").await;
    browser.keys("j").await;
    browser.until("document.activeElement.ariaPosInSet === '1'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_moved_from_anywhere_in_its_row() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let first = served.house.filter(served.ann, "rain").await;
    served.house.filter(served.ann, "snow").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    let row = format!(".filter[data-row=\"{first}\"]");
    browser.until(&format!("document.querySelector('{row} .place')?.textContent === '1'")).await;
    browser.run(&format!("document.querySelector('{row} [data-do=toggle]').focus()")).await;
    browser.chord(crate::browser::ALT, DOWN).await;
    browser.until(&format!("document.querySelector('{row} .place')?.textContent === '2'")).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_filter_was_not_saved_is_in_sight() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "rain").await;
    browser.looks(1280, 800, "light").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(&format!("location.hash = '#/filters/{filter}'")).await;
    browser.until(&format!("{TEXT} === 'rain'")).await;
    browser.keys(" -drizzle").await;
    let path = format!("/filters/{filter}");
    served.house.ask(Method::PATCH, &served.token, &path, json!({"text": "rain OR storm"})).await.ok();
    browser.until("!document.querySelector('tf-editor .conflict').hidden").await;
    browser.run("document.querySelector('.filters-main').scrollTop = 0").await;
    browser.chord(CONTROL, ENTER).await;
    let seen = "(({top, bottom}) => bottom > top && top >= 0 && bottom <= innerHeight)(
        document.querySelector('tf-editor .conflict').getBoundingClientRect())";
    browser.until(seen).await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.picture("not-saved").await;
    press_focused(&browser, "tf-editor [data-do=theirs]").await;
    browser
        .until(&format!("{TEXT} === 'rain OR storm' && document.activeElement.id === 'filter-text'"))
        .await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tabulator_comes_to_the_first_post_that_is_seen_and_keys_go_on_from_there() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "post").await;
    let post = |n| Seen { filters: vec![filter], ..Seen::new(n, &format!("Post {n}")) };
    let posts: Vec<_> = (0..250).map(post).collect();
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("100 posts so far").await;
    browser.until("document.activeElement === document.body").await;
    let comes = async |place: &str| {
        browser.until(&format!("document.activeElement.ariaPosInSet === {}", json!(place))).await;
    };
    let tabs = async || {
        for _ in 0..30 {
            browser.keys(&TAB.to_string()).await;
            if browser.run("return !!document.activeElement.closest('tf-list')").await == json!(true) {
                return;
            }
        }
        panic!("it does not come to the list");
    };
    tabs().await;
    comes("1").await;
    browser.keys(&DOWN.to_string()).await;
    comes("2").await;
    assert_eq!(browser.run("return document.querySelector('tf-column tf-list').scrollTop").await, json!(0));
    browser.keys("w").await;
    browser.until("document.querySelector('tf-why dialog').open").await;
    browser.keys(&ESCAPE.to_string()).await;
    comes("2").await;

    // Whoever scrolled on with the mouse does not come back to what is out of sight.
    browser.run("document.querySelector('header.top a').focus()").await;
    browser.run("document.querySelector('tf-column tf-list').scrollTop = 3000").await;
    let reached = "(() => {
        const list = document.querySelector('tf-column tf-list');
        const [row, ...more] = [...list.querySelectorAll('[data-row]')].filter(({tabIndex}) => tabIndex === 0);
        if (!row || more.length > 0) return false;
        const [{top, bottom}, seen] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
        return bottom > seen.top && top < seen.bottom && Number(row.ariaPosInSet) > 5;
    })()";
    browser.until(reached).await;
    let before = browser.still("document.querySelector('tf-column tf-list').scrollTop").await;
    tabs().await;
    browser.keys(&DOWN.to_string()).await;
    let after = browser.still("document.querySelector('tf-column tf-list').scrollTop").await;
    assert!((after.as_f64().unwrap() - before.as_f64().unwrap()).abs() < 400.0, "{before} {after}");
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_at_the_end_of_a_list_goes_on_with_what_comes_in_its_place() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let posts: Vec<_> = (0..250).map(|n| Seen::new(n, &format!("Post {n}"))).collect();
    served.posts(&posts).await;
    browser.open(&format!("http://{}/", served.address)).await;
    browser.holds("path === '/timeline'").await;
    let sign_in = format!("model.signIn({}).then(() => 1)", json!(served.token));
    browser.wait(&format!("import('/page/model/index.js').then(({{model}}) => {sign_in})")).await;
    browser.until("window.sent === 1").await;
    browser.run("document.querySelector('tf-column tf-list').go(0)").await;
    browser.until("document.activeElement.dataset.row === 'end'").await;
    browser.run("let_go()").await;
    browser
        .until("document.activeElement.matches('.post') && document.activeElement.ariaPosInSet === '1'")
        .await;
    let top = "document.querySelector('tf-column tf-list').scrollTop";
    assert_eq!(browser.run(&format!("return {top}")).await, json!(0));
    browser.was_clean().await;
    browser.end().await;
}
