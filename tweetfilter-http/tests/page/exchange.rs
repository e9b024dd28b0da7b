//! Whose filters a file has, and which of them come in.

use serde_json::json;

use crate::browser::Browser;
use crate::served::Served;

const WHOSE: &str = "document.querySelector('tf-exchange [data-part=owner]')";

async fn choose(browser: &Browser, owner: &str) {
    let script = format!(
        "const field = {WHOSE};
         field.value = {};
         field.dispatchEvent(new Event('change', {{bubbles: true}}))",
        json!(owner)
    );
    browser.run(&script).await;
}

async fn write(browser: &Browser, content: &str) {
    let script = format!(
        "const field = document.querySelector('tf-exchange [data-part=content]');
         field.value = {};
         field.dispatchEvent(new Event('input', {{bubbles: true}}))",
        json!(content)
    );
    browser.run(&script).await;
}

/// Signs in, and goes to where filters are imported.
async fn goes_to_import(browser: &Browser, served: &Served) {
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("x").await;
    browser.until("!!document.querySelector('tf-exchange [data-part=content]')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_chosen_while_it_is_imported() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    goes_to_import(&browser, &served).await;
    browser.holds("path === '/import' && JSON.parse(body).apply").await;
    let line = |text: &str, owner: &str| json!({"id": text, "filter": text, "owner": owner});
    write(&browser, &format!("{}\n{}\n", line("snow", "ann"), line("rain", "bob"))).await;
    browser.sees("2 would be added").await;
    choose(&browser, "ann").await;
    browser.sees("1 would be added").await;
    let chosen = "['format', 'action', 'together', 'owner'].map((name) =>
        document.querySelector(`tf-exchange [data-part=${name}]`).disabled)";
    assert_eq!(browser.run(&format!("return {chosen}")).await, json!([false, false, false, false]));
    browser.press("tf-exchange [data-do=apply]").await;
    assert_eq!(browser.run(&format!("return {chosen}")).await, json!([true, true, true, true]));
    browser.run("let_go()").await;
    browser.sees("1 added, 0 changed, 0 there already, 0 invalid; 1 left out").await;
    browser.until(&format!("{WHOSE}.value === 'ann' && !{WHOSE}.disabled")).await;
    assert_eq!(browser.run(&format!("return {chosen}")).await, json!([false, false, false, false]));
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_seen_is_not_imported() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    goes_to_import(&browser, &served).await;
    write(&browser, "snow").await;
    browser.sees("1 would be added").await;
    // Before the page has looked at it.
    browser
        .run(
            "const field = document.querySelector('tf-exchange [data-part=content]');
             field.value = 'rain\\nhail';
             field.dispatchEvent(new Event('input', {bubbles: true}));
             document.querySelector('tf-exchange [data-do=apply]').click()",
        )
        .await;
    browser.sees("2 would be added").await;
    assert_eq!(served.house.get(&served.token, "/filters").await.ok(), &json!([]));
    browser.press("tf-exchange [data-do=apply]").await;
    browser.sees("2 added, 0 changed").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_file_of_several_one_chooses_whose_filters_come_in() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    goes_to_import(&browser, &served).await;
    let line =
        |id: usize, text: &str, owner: &str| json!({"id": id.to_string(), "filter": text, "owner": owner});
    let file =
        format!("{}\n{}\n{}\n", line(1, "snow", "ann"), line(2, "rain", "bob"), line(3, "hail", "bob"));
    write(&browser, &file).await;
    browser.sees("3 would be added").await;
    let said = browser.run(&format!("return [...{WHOSE}.options].map((one) => one.text)")).await;
    assert_eq!(said, json!(["all (3)", "ann, you (1)", "bob (2)"]));
    browser.until(&format!("{WHOSE}.checkVisibility() && {WHOSE}.value === ''")).await;
    choose(&browser, "bob").await;
    browser.sees("2 would be added, 0 would be changed, 0 there already, 0 invalid; 2 are of others").await;
    browser.until(&format!("{WHOSE}.value === 'bob' && {WHOSE}.options.length === 3")).await;
    browser.picture("import-owners").await;
    choose(&browser, "ann").await;
    browser.sees("1 would be added").await;
    browser.press("tf-exchange [data-do=apply]").await;
    browser.sees("1 added, 0 changed, 0 there already, 0 invalid; 2 left out").await;
    let kept = served.house.get(&served.token, "/filters").await.ok().clone();
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["text"]), (1, &json!("snow")));
    // Who is not in another file is not looked for in it; and where it is of one alone there is no choice.
    write(&browser, &line(1, "ice", "eve").to_string()).await;
    browser
        .sees("1 would be added, 0 would be changed, 0 there already, 0 invalid; 1 is of another owner, eve")
        .await;
    browser.until(&format!("!{WHOSE}.checkVisibility()")).await;
    browser.was_clean().await;
    browser.end().await;
}
