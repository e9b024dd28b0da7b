//! Searching, reading positions, gaps, named sets, feeds, tokens, notifications: and each shows everywhere, soon.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tweetfilter_stream::buffer::{Batch, Buffer, Gap};
use tweetfilter_stream::entry::Change;
use tweetfilter_stream::store::{Action, Outcome, Store};

use crate::browser::{Browser, CONTROL, ENTER};
use crate::served::{Seen, Served};

/// How long the page may take to tell the server something; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

async fn delete(served: &Served, id: &str) {
    let delete = Change::Delete { network: "x".into(), id: id.into() };
    let outcome = Outcome {
        changes: vec![tweetfilter_stream::store::Said { at: 0, change: delete }],
        ..Outcome::default()
    };
    served.house.database.commit(&outcome, &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_searched_and_what_is_deleted_leaves_every_view() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = served.house.filter(served.ann, "snow").await;
    let mut posts: Vec<_> = (0..120).map(|n| Seen::new(n, &format!("Rain number {n}"))).collect();
    for n in 200..270 {
        posts.push(Seen { filters: vec![filter], ..Seen::new(n, &format!("Snow number {n}")) });
    }
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("100 posts so far").await;
    browser.wait("import('/page/model/index.js').then(({model}) => model.addColumn(1))").await;
    browser.until("document.querySelectorAll('tf-column').length === 2").await;
    browser.sees("70 posts").await;

    browser.keys("/").await;
    browser.until("document.activeElement.id === 'search-text'").await;
    browser.keys(&format!("snow (oslo OR{ENTER}")).await;
    browser.until("document.querySelector('tf-search .finding')?.innerText.includes('Error')").await;
    browser.run("document.querySelector('#search-text').value = ''").await;
    browser.keys(&format!("snow{ENTER}")).await;
    browser
        .until(
            "document.querySelector('tf-search .counts').innerText.startsWith('50 posts, searched back to')",
        )
        .await;
    browser.until("document.querySelector('tf-search mark')?.textContent === 'Snow'").await;
    browser.run("document.querySelector('tf-search tf-list').go(99)").await;
    browser.sees("Search further back").await;
    browser.press("tf-search [data-do=more]").await;
    browser
        .until("document.querySelector('tf-search .counts').innerText === '70 posts in all that is kept'")
        .await;
    // Rows and counts agree: one more row says that it is all.
    browser.until("document.querySelector('tf-search [data-row]').ariaSetSize === '71'").await;

    // Gone at once: from the columns, from what was found, from a preview.
    delete(&served, "269").await;
    browser
        .until("document.querySelector('tf-search .counts').innerText === '69 posts in all that is kept'")
        .await;
    assert_eq!(
        browser.run("return document.querySelector('tf-search').textContent.includes('number 269')").await,
        json!(false)
    );
    browser.run("location.hash = '#/timeline'").await;
    browser.sees("99 posts so far").await;
    browser.sees("69 posts").await;
    assert_eq!(
        browser.run("return document.body.textContent.includes('Snow number 269')").await,
        json!(false)
    );
    browser.run("location.hash = '#/filters/1'").await;
    browser.until("document.querySelector('tf-preview').textContent.includes('Snow number 268')").await;
    delete(&served, "268").await;
    browser.until("!document.body.textContent.includes('Snow number 268')").await;

    // What was looked for becomes a filter.
    browser.run("location.hash = '#/search'").await;
    browser.press("tf-search [data-do=save]").await;
    browser.until("document.querySelector('#filter-text')?.value === 'snow'").await;
    browser.sees("✓ Valid").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_somebody_has_read_is_the_same_in_all_tabs() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let old: Vec<_> = (0..150).map(|n| Seen::new(n, &format!("Old number {n}"))).collect();
    served.posts(&old).await;
    browser.open(&served.link()).await;
    browser.sees("100 posts so far").await;
    browser.run("document.querySelector('tf-column tf-list').go(0)").await;
    browser.keys("m").await;
    let kept = async || served.house.get(&served.token, "/reading").await.ok().clone();
    let begin = std::time::Instant::now();
    while kept().await.as_array().unwrap().is_empty() {
        assert!(begin.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((&kept().await[0]["name"], &kept().await[0]["up_to"]), (&json!("timeline"), &json!("1-150")));
    // Whoever has read everything was not further below.
    browser.until("document.querySelector('tf-column [data-do=back]').hidden").await;

    let new: Vec<_> = (200..320).map(|n| Seen::new(n, &format!("New number {n}"))).collect();
    served.posts(&new).await;
    browser.sees("120 new posts").await;
    // A new tab finds the line, though it has to be loaded first.
    let first = browser.tab().await;
    browser.open(&served.link()).await;
    browser.sees("New number 319").await;
    browser.sees("Back to where you were").await;
    browser.run("document.querySelector('tf-column tf-list').go(0)").await;
    browser.keys("b").await;
    browser.until("document.activeElement.querySelector?.('span')?.textContent === 'Read up to here'").await;
    browser.sees("New number 200").await;
    browser.sees("Old number 149").await;
    browser.picture("reading").await;
    // All is read here, and so it is there.
    browser.press("tf-column [data-do=top]").await;
    browser.run("const list = document.querySelector('tf-column tf-list'); list.toTop(); list.go(0)").await;
    browser.keys("m").await;
    browser.until("!document.querySelector('tf-column').column.rows.some(({kind}) => kind === 'line')").await;
    browser.close_tab(first).await;
    browser.until("!document.querySelector('tf-column').column.rows.some(({kind}) => kind === 'line')").await;
    // By the API, too.
    let path = "/reading/timeline";
    served.house.ask(Method::PUT, &served.token, path, json!({"up_to": "2-200"})).await.ok();
    browser.soon("document.querySelector('tf-column').column.unread === 70").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_stand_where_they_lie() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.posts(&[Seen::new(1, "Before the gap")]).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let at = tweetfilter_http::parts::now();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let buffer = served.house.database.buffer().unwrap();
    let fence = buffer.claim("s", "a", Duration::from_secs(60)).await.unwrap().fence;
    let gap = Gap { from: at - 5, to: at + 5, reason: "it was away".into(), missing: Some(42) };
    let batch = Batch { source: "s".into(), fence, gaps: vec![gap], ..Batch::default() };
    buffer.append(&batch).await.unwrap();
    served.posts(&[Seen::new(2, "After the gap")]).await;
    browser.open(&served.link()).await;
    browser.sees("42 messages never arrived").await;
    let rows = "[...document.querySelectorAll('tf-column [data-row]')]
        .sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((row) => row.className.split(' ')[0])";
    assert_eq!(browser.until(rows).await, json!(["post", "gap-row", "post", "end"]));
    browser.sees("2 posts").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn named_sets_are_made_changed_and_removed() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.keys("l").await;
    browser.sees("No sets yet").await;
    browser.press("tf-sets [data-do=set-new]").await;
    browser.until("document.activeElement.dataset.part === 'name'").await;
    browser.keys("teams\trosenborg\nbrann").await;
    browser.sees("2 terms").await;
    browser.chord(CONTROL, ENTER).await;
    browser.until("document.querySelectorAll('tf-sets .row-line').length === 1").await;
    let kept = house.get(token, "/sets/teams").await.ok().clone();
    assert_eq!(kept["terms"], json!(["rosenborg", "brann"]));

    // Changed elsewhere: a filter that names it, another set, other terms.
    house.filter(served.ann, "goal {teams}").await;
    browser.sees("used by goal {teams}").await;
    house.ask(Method::PUT, token, "/sets/cities", json!({"terms": ["oslo"]})).await.ok();
    browser.soon("document.querySelectorAll('tf-sets .row-line').length === 2").await;
    browser.until("document.querySelector('tf-sets h1 .counts').textContent === '2'").await;
    browser.press("tf-sets [data-name=teams]").await;
    browser.until("document.activeElement.dataset.part === 'terms'").await;
    house.ask(Method::PUT, token, "/sets/teams", json!({"terms": ["molde"]})).await.ok();
    browser.soon("document.querySelector('tf-sets [data-part=terms]').value === 'molde'").await;
    // What is being written is not lost.
    browser.keys("\nviking").await;
    house.ask(Method::PUT, token, "/sets/teams", json!({"terms": ["lyn"]})).await.ok();
    browser.sees("It was changed elsewhere meanwhile").await;
    browser.until("document.querySelector('tf-sets [data-part=terms]').value.endsWith('viking')").await;
    // A mistake is said.
    browser.run("document.querySelector('tf-sets [data-part=terms]').value = 'a \\u0001'").await;
    browser.picture("sets-editing").await;
    browser.press("tf-sets [data-do=set-remove]").await;
    browser.sees("1 filter would name what is not there any more").await;
    browser.press("tf-sets [data-close=yes]").await;
    browser.until("document.querySelectorAll('tf-sets .row-line').length === 1").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_feeds_are_made_shown_once_and_revoked() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let (house, token) = (&served.house, &served.token);
    let filter = house.filter(served.ann, "snow").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run(&format!("location.hash = '#/filters/{filter}'")).await;
    browser.until("!!document.querySelector('tf-editor tf-feeds')").await;
    browser.run("document.querySelector('tf-editor details').open = true").await;
    browser.press("tf-editor [data-do=feed-make]").await;
    let address = browser.until("document.querySelector('tf-editor [data-part=atom]').value").await;
    let (_, path) = address.as_str().unwrap().split_once("/feeds/").unwrap();
    assert!(path.ends_with(".atom"), "{path}");
    let read = format!("fetch('/feeds/{path}').then(({{status}}) => status)");
    assert_eq!(browser.wait(&read).await, json!(200));
    browser.picture("feed-made").await;

    browser.keys("\u{E00C}").await;
    browser.run("location.hash = '#/access'").await;
    browser.until("document.querySelectorAll('tf-access [data-part=tokens] .row-line').length === 1").await;
    browser.until("document.querySelectorAll('tf-access tf-feeds .row-line').length === 1").await;
    browser.sees("this tab").await;
    browser.run("document.querySelector('tf-access [data-part=name]').focus()").await;
    browser.keys(&format!("phone{ENTER}")).await;
    let made = browser.until("document.querySelector('tf-access [data-part=token]').value").await;
    let made = made.as_str().unwrap().to_owned();
    house.get(&made, "/me").await.ok();
    browser.until("document.querySelectorAll('tf-access [data-part=tokens] .row-line').length === 2").await;
    browser.picture("token-made").await;
    // It is not to be had again.
    browser.press("tf-access [data-do=token-seen]").await;
    assert_eq!(
        browser.run(&format!("return document.documentElement.innerHTML.includes('{made}')")).await,
        json!(false)
    );

    // By the API, from another device: a token and a feed more, and the first feed revoked.
    house.ask(Method::POST, token, "/tokens", json!({"name": "tablet", "scope": "read"})).await.ok();
    browser.sees("tablet").await;
    house.ask(Method::POST, token, "/feeds", json!({"filter": filter})).await.ok();
    browser.soon("document.querySelectorAll('tf-access tf-feeds .row-line').length === 2").await;
    browser.press("tf-access tf-feeds [data-do=feed-revoke]").await;
    browser.sees("Revoke for good?").await;
    browser.press("tf-access tf-feeds .is-sure").await;
    browser.until("document.querySelectorAll('tf-access tf-feeds .row-line').length === 1").await;
    assert_eq!(browser.wait(&read).await, json!(404));

    browser.press("tf-access [data-part=tokens] .row-line:nth-child(2) [data-do=token-revoke]").await;
    browser.sees("Whoever uses it is out at once").await;
    browser.press("tf-access [data-close=yes]").await;
    browser.until("document.querySelectorAll('tf-access [data-part=tokens] .row-line').length === 2").await;
    assert_eq!(house.get(&made, "/me").await.error(), "unknown_token");
    // Its own: signed out.
    browser.press("tf-access [data-part=tokens] .row-line [data-do=token-revoke]").await;
    browser.sees("It is the token of this tab").await;
    browser.press("tf-access [data-close=yes]").await;
    browser.sees("This token").await;
    browser.until("!document.querySelector('#gate').hidden").await;
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desktop_is_told_of_little_and_only_while_nobody_looks() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let filter = tweetfilter_sql::NewFilter {
        name: "storms".into(),
        text: "storm".into(),
        action: Action::Notify,
        ..tweetfilter_sql::NewFilter::default()
    };
    let id = served.house.database.add_filter(served.ann, &filter).await.unwrap();
    let storm = |n: usize, text: &str| Seen { filters: vec![id], notify: true, ..Seen::new(n, text) };
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    // The browser's own would be seen by nobody here.
    browser
        .run(
            "window.told = []; window.asked = 0;
             window.Notification = class {
                 static permission = 'default';
                 static async requestPermission() { window.asked++; return (this.permission = 'granted'); }
                 constructor(title, options) { window.told.push([title, options.body]); }
                 close() {}
             };",
        )
        .await;
    served.posts(&[storm(1, "A storm before anybody asked")]).await;
    browser.sees("A storm before anybody asked").await;
    browser.keys("a").await;
    browser.press("tf-access [data-do=notify-on]").await;
    browser.sees("On: while this tab is out of sight").await;
    assert_eq!(browser.run("return [told.length, asked]").await, json!([0, 1]));
    // Somebody looks.
    served.posts(&[storm(2, "A storm that is seen")]).await;
    browser.run("location.hash = '#/timeline'").await;
    browser.sees("A storm that is seen").await;
    assert_eq!(browser.run("return told").await, json!([]));
    // Nobody does.
    browser
        .run(
            "Object.defineProperty(document, 'hidden', {get: () => true});
             document.dispatchEvent(new Event('visibilitychange'))",
        )
        .await;
    let many: Vec<_> = (10..20).map(|n| storm(n, &format!("Storm number {n}"))).collect();
    served.posts(&many).await;
    browser.until("told.length === 3").await;
    let told: Value = browser.run("return told[0]").await;
    assert_eq!(told, json!(["Bob · storms", "Storm number 10"]));
    served.posts(&[storm(30, "One more storm"), Seen::new(31, "No storm at all")]).await;
    browser.sees("One more storm").await;
    assert_eq!(browser.run("return told.length").await, json!(3), "a few a minute are enough");
    browser.was_clean().await;
    browser.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_filter_of_thousands_of_words_why_names_the_nearest_and_counts_the_rest() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let words = (0..2_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" OR ");
    let filter = served.house.filter(served.ann, &format!("{words} OR (snow storm)")).await;
    let absent: String = (0..100).map(|n| format!("-w{n} ")).collect();
    let other = served.house.filter(served.ann, &format!("{absent}snow")).await;
    served.posts(&[Seen { filters: vec![filter], ..Seen::new(1, "Snow in Oslo") }]).await;
    browser.open(&served.link()).await;
    browser.sees("Snow in Oslo").await;
    // It was matched by what the filter said before.
    browser.press("tf-column [data-do=why]").await;
    browser.sees("Any one of these would have made it match:").await;
    browser.sees("and 1,981 more").await;
    let named = "return [...document.querySelectorAll('tf-why .reasons code')].map((one) => one.textContent)";
    let parts = browser.run(named).await;
    assert_eq!((parts.as_array().unwrap().len(), &parts[0]), (20, &json!("storm")));
    let written = browser.run("return document.querySelector('tf-why .code').textContent.length").await;
    assert_eq!(written, json!(1_001));
    browser.picture("why-many").await;
    // Of a match what stands in the post is named where it stands in the filter.
    let choose = format!(
        "const choice = document.querySelector('tf-why select'); choice.value = '{other}';
         choice.dispatchEvent(new Event('change'))"
    );
    browser.run(&choose).await;
    browser.sees("and 81 more").await;
    let parts = browser.run(named).await;
    assert_eq!((&parts[0], &parts[18], &parts[19]), (&json!("not w0"), &json!("not w18"), &json!("snow")));
    browser.was_clean().await;
    browser.end().await;
}
