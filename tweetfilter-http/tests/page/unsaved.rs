//! What is written is not lost by looking elsewhere, and where the keyboard goes on.

use axum::http::Method;
use serde_json::json;

use crate::browser::{Browser, CONTROL, ENTER};
use crate::served::{Seen, Served};

const TEXT: &str = "document.querySelector('#filter-text')?.value";
/// What changes a filter.
const CHANGES: &str = "path.startsWith('/filters') && (method === 'POST' || method === 'PATCH')";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_and_not_saved_is_there_again() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (rain, snow) =
        (served.house.filter(served.ann, "rain").await, served.house.filter(served.ann, "snow").await);
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(&format!("location.hash = '#/filters/{rain}'")).await;
    browser.until(&format!("{TEXT} === 'rain'")).await;
    browser.keys(" -drizzle").await;
    browser.until(&format!("{TEXT} === 'rain -drizzle'")).await;
    // Another filter, a new one, another view.
    browser.run(&format!("location.hash = '#/filters/{snow}'")).await;
    browser.until(&format!("{TEXT} === 'snow'")).await;
    browser.until("document.querySelectorAll('.filter .unsaved:not([hidden])').length === 1").await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === ''")).await;
    browser.keys("hail").await;
    browser.run("location.hash = '#/timeline'").await;
    browser.run("location.hash = '#/filters'").await;
    browser.sees("Unsaved filter").await;
    browser.picture("unsaved").await;
    // Whoever closes the tab is asked.
    let asked = "(() => { const event = new Event('beforeunload', {cancelable: true}); \
        dispatchEvent(event); return event.defaultPrevented })()";
    assert_eq!(browser.run(&format!("return {asked}")).await, json!(true));

    // Another text takes the place of the new one, which can be had back.
    browser.run("location.hash = '#/search'").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys(&format!("sleet{ENTER}")).await;
    browser.press("tf-search [data-do=save]").await;
    browser.until(&format!("{TEXT} === 'sleet'")).await;
    browser.sees("This stood here before and was not saved: hail").await;
    browser.press("tf-editor [data-do=before]").await;
    browser.until(&format!("{TEXT} === 'hail'")).await;
    browser.sees("This stood here before and was not saved: sleet").await;
    browser.press("tf-editor [data-do=before]").await;

    // Changed elsewhere meanwhile: nothing is overwritten without a word.
    let path = format!("/filters/{rain}");
    served.house.ask(Method::PATCH, &served.token, &path, json!({"text": "rain OR storm"})).await.ok();
    browser.run(&format!("location.hash = '#/filters/{rain}'")).await;
    browser.until(&format!("{TEXT} === 'rain -drizzle'")).await;
    browser.sees("It was changed elsewhere meanwhile, to: rain OR storm").await;
    browser.press("tf-editor [data-do=overwrite]").await;
    browser.until(&format!("document.activeElement.dataset.row === '{rain}'")).await;
    browser.until("document.querySelectorAll('.filter .unsaved:not([hidden])').length === 0").await;
    let kept = served.house.get(&served.token, &path).await.ok().clone();
    assert_eq!(kept["text"], json!("rain -drizzle"));

    // A new filter is saved, and the keyboard goes on at its row.
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === 'sleet'")).await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("document.activeElement.querySelector?.('.filter-name')?.textContent === 'sleet'").await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === ''")).await;
    assert_eq!(browser.run(&format!("return {asked}")).await, json!(false));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_have_the_same_columns_and_a_removed_filter_is_not_taken_for_another() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (rain, snow) =
        (served.house.filter(served.ann, "rain").await, served.house.filter(served.ann, "snow").await);
    served.posts(&[Seen { filters: vec![rain], ..Seen::new(1, "Rain on snow") }]).await;
    browser.open(&served.link()).await;
    browser.sees("Rain on snow").await;
    let first = browser.tab().await;
    browser.open(&served.link()).await;
    browser.sees("Rain on snow").await;
    browser
        .wait(&format!("import('/page/model/index.js').then(({{model}}) => model.addColumn({snow}))"))
        .await;
    browser.close_tab(first).await;
    browser.until("document.querySelectorAll('tf-column').length === 2").await;

    served.house.ask(Method::DELETE, &served.token, &format!("/filters/{rain}"), json!(null)).await;
    browser.sees(&format!("filter {rain}, removed")).await;
    browser.press("tf-column [data-do=why]").await;
    browser.until("document.querySelector('tf-why dialog').open").await;
    browser
        .until(&format!(
            "document.querySelector('tf-why select').selectedOptions[0].text === 'filter {rain}, removed'"
        ))
        .await;
    browser.until("document.querySelector('tf-why .explained-lead').textContent.includes('no filter')").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_at_once_is_read_aloud_together() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let notify = |n: usize, text: &str| Seen { notify: true, ..Seen::new(n, text) };
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    served.posts(&[notify(1, "A storm"), notify(2, "A flood")]).await;
    browser.until("document.querySelector('#announcer').textContent === 'Bob: A storm · Bob: A flood'").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_takes_no_other_ones_place_and_each_keeps_what_is_not_saved() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    for (name, term) in [("teams", "rosenborg"), ("cities", "oslo")] {
        house.ask(Method::PUT, token, &format!("/sets/{name}"), json!({"terms": [term]})).await.ok();
    }
    let terms = |value: &str| {
        format!("document.querySelector('tf-sets [data-part=terms]').value === {}", json!(value))
    };
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("l").await;
    browser.until("document.querySelectorAll('tf-sets .row-open').length === 2").await;

    // A new one of a name that is taken is not kept, and leads to the other.
    browser.press("tf-sets [data-do=set-new]").await;
    browser.until("document.activeElement.dataset.part === 'name'").await;
    browser.keys("teams\tmolde").await;
    browser.chord(CONTROL, ENTER).await;
    browser.sees("There is a set of this name already.").await;
    browser.until("document.activeElement.dataset.part === 'name'").await;
    assert_eq!(house.get(token, "/sets/teams").await.ok()["terms"], json!(["rosenborg"]));
    browser.press("#set-taken [data-do=set-open]").await;
    browser.until(&terms("rosenborg")).await;
    browser.keys("\nbrann").await;
    // Another one, none, and back: all of it is there.
    browser.press("tf-sets .row-open[data-name=cities]").await;
    browser.until(&terms("oslo")).await;
    browser.keys("\nbergen").await;
    browser.until("document.querySelectorAll('tf-sets .unsaved:not([hidden])').length === 2").await;
    browser.press("tf-sets [data-do=set-close]").await;
    browser.until("document.querySelector('tf-sets [data-part=editing]').hidden").await;
    browser.sees("Unsaved set").await;
    browser.press("tf-sets [data-do=set-new]").await;
    browser.until(&terms("molde")).await;
    browser.press("tf-sets [data-do=set-undo]").await;
    browser.sees("New set").await;
    browser.press("tf-sets .row-open[data-name=teams]").await;
    browser.until(&terms("rosenborg\nbrann")).await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("document.querySelector('tf-sets [data-part=editing]').hidden").await;
    assert_eq!(house.get(token, "/sets/teams").await.ok()["terms"], json!(["rosenborg", "brann"]));
    browser.press("tf-sets .row-open[data-name=cities]").await;
    browser.until(&terms("oslo\nbergen")).await;
    browser.press("tf-sets [data-do=set-undo]").await;
    browser.until("document.querySelectorAll('tf-sets .unsaved:not([hidden])').length === 0").await;
    let unsaved = "import('/page/model/index.js').then(({model}) => model.isUnsaved())";
    assert_eq!(browser.wait(unsaved).await, json!(false));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_while_a_filter_is_saved_stays_as_not_saved() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.begins_a_filter(&served.link()).await;
    browser.keys("snow").await;
    browser.holds(CHANGES).await;
    browser.chord(CONTROL, ENTER).await;
    browser.sees("Saving …").await;
    browser.keys(" -rain").await;
    browser.run("let_go()").await;
    browser.until("/^#.filters.[0-9]+$/.test(location.hash)").await;
    browser.until(&format!("{TEXT} === 'snow -rain'")).await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.until("document.querySelectorAll('.filter .unsaved:not([hidden])').length === 1").await;
    let kept = async || served.house.get(&served.token, "/filters").await.ok().clone();
    assert_eq!(kept().await[0]["text"], json!("snow"));
    // The rest of it changes that one, and makes no other.
    browser.chord(CONTROL, ENTER).await;
    browser.until("location.hash === '#/filters'").await;
    let kept = kept().await;
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["text"]), (1, &json!("snow -rain")));
    browser.run("location.hash = '#/filters/new'").await;
    browser.until(&format!("{TEXT} === ''")).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_late_leaves_the_keyboard_where_it_is() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (rain, _) =
        (served.house.filter(served.ann, "rain").await, served.house.filter(served.ann, "snow").await);
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/filters'").await;
    let switch = format!("tf-filters [data-row='{rain}'] [data-do=toggle]");
    browser.until(&format!("!!document.querySelector(\"{switch}\")")).await;
    browser.holds(CHANGES).await;
    browser.run(&format!("const one = document.querySelector(\"{switch}\"); one.focus(); one.click()")).await;
    browser.run("location.hash = '#/filters/new'").await;
    browser.until("document.activeElement.id === 'filter-text'").await;
    browser.run("let_go()").await;
    browser.until(&format!("document.querySelector(\"{switch}\").ariaChecked === 'false'")).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(browser.run("return document.activeElement.id").await, json!("filter-text"));
    // Where it began it goes on.
    browser.run(&format!("const one = document.querySelector(\"{switch}\"); one.focus(); one.click()")).await;
    browser.until(&format!("document.querySelector(\"{switch}\").ariaChecked === 'true'")).await;
    browser.until(&format!("document.activeElement.closest('[data-row]')?.dataset.row === '{rain}'")).await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_in_the_list_is_no_conflict_and_stays_when_a_draft_is_saved() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let rain = house.filter(served.ann, "rain").await;
    house.filter(served.ann, "snow").await;
    let path = format!("/filters/{rain}");
    let edits = async |text: &str| {
        browser.run(&format!("location.hash = '#/filters/{rain}'")).await;
        browser.until(&format!("{TEXT} === {}", json!(text))).await;
    };
    let said = "[...document.querySelectorAll('tf-editor .conflict')].some((one) => one.checkVisibility())";
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    edits("rain").await;
    browser.keys(" -ice").await;
    edits("rain -ice").await;
    browser.run("location.hash = '#/filters'").await;
    let row = format!("tf-filters [data-row='{rain}']");
    browser.press(&format!("{row} [data-do=toggle]")).await;
    browser
        .until(&format!("document.querySelector(\"{row} [data-do=toggle]\").ariaChecked === 'false'"))
        .await;
    browser.press(&format!("{row} [data-do=move][data-by='1']")).await;
    browser.until(&format!("document.querySelector(\"{row} .place\").textContent === '2'")).await;
    edits("rain -ice").await;
    assert_eq!(browser.run(&format!("return {said}")).await, json!(false));
    assert_eq!(
        browser.run("return document.querySelector('tf-editor [name=enabled]').checked").await,
        json!(false)
    );

    // Nor is what somebody else changed of it that was not touched here: it stays, and shows.
    house.ask(Method::PATCH, token, &path, json!({"name": "Wet"})).await.ok();
    browser.until("document.querySelector('tf-editor [data-part=name]').value === 'Wet'").await;
    browser.press("tf-editor [type=submit]:not(:disabled)").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = house.get(token, &path).await.ok().clone();
    assert_eq!(
        (&kept["text"], &kept["name"], &kept["enabled"]),
        (&json!("rain -ice"), &json!("Wet"), &json!(false))
    );

    // It may come to be known only as it is saved.
    edits("rain -ice").await;
    browser.keys(" -fog").await;
    browser
        .holds(
            "path === '/filters' && method === 'GET' || path.startsWith('/filters/') && method === 'PATCH'",
        )
        .await;
    browser.press("tf-editor [type=submit]:not(:disabled)").await;
    browser.until("sent >= 1").await;
    house.ask(Method::PATCH, token, &path, json!({"action": "hide"})).await.ok();
    browser.run("let_go()").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = house.get(token, &path).await.ok().clone();
    assert_eq!((&kept["text"], &kept["action"]), (&json!("rain -ice -fog"), &json!("hide")));

    // What was changed both here and elsewhere is.
    edits("rain -ice -fog").await;
    browser.run("document.querySelector('tf-editor [data-part=name]').focus()").await;
    browser.keys(" and cold").await;
    house.ask(Method::PATCH, token, &path, json!({"name": "Rain", "action": "show"})).await.ok();
    browser.sees("It was changed elsewhere meanwhile, to: the name “Rain”").await;
    browser.picture("conflict").await;
    // A press that means no choice overwrites nothing.
    browser.chord(CONTROL, ENTER).await;
    browser.until(said).await;
    assert_eq!(house.get(token, &path).await.ok()["name"], json!("Rain"));
    browser.press("tf-editor [data-do=overwrite]").await;
    browser.until("location.hash === '#/filters'").await;
    let kept = house.get(token, &path).await.ok().clone();
    assert_eq!((&kept["name"], &kept["action"]), (&json!("Wet and cold"), &json!("show")));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_removed_elsewhere_is_previewed_as_a_new_one() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let rain = served.house.filter(served.ann, "rain").await;
    served.posts(&[Seen::new(1, "Rain in Oslo")]).await;
    browser.open(&served.link()).await;
    browser.sees("Rain in Oslo").await;
    browser.run(&format!("location.hash = '#/filters/{rain}'")).await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 1").await;
    // It is gone before that is known here.
    browser.holds("path === '/filters' && method === 'GET'").await;
    served.house.ask(Method::DELETE, &served.token, &format!("/filters/{rain}"), json!(null)).await;
    browser.keys(" -ice").await;
    browser.until("document.querySelector('tf-preview').innerText.includes('no filter')").await;
    browser.until("sent >= 1").await;
    browser.run("let_go()").await;
    browser.sees("This filter was removed elsewhere").await;
    browser.until("document.querySelectorAll('tf-preview .post').length === 1").await;
    browser.was_clean().await;
    browser.end().await;
}
