//! How it looks, wide and narrow, light and dark; and what a checker of accessibility says of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::http::Method;
use serde_json::json;
use sha2::{Digest, Sha512};
use tweetfilter_core::{FilterId, FilterSetBuilder, Scratch};
use tweetfilter_sql::NewFilter;
use tweetfilter_stream::generate::{Generator, Options};
use tweetfilter_stream::store::{Action, Verdict};
use tweetfilter_stream::wire::decode;

use crate::browser::{Browser, ENTER};
use crate::served::Served;

const FILTERS: [(&str, &str, Action); 4] = [
    ("snow", "snow* -is:reply", Action::Highlight),
    ("on rails", "(train OR tram OR \"the bus\"~4) -is:retweet", Action::Highlight),
    ("cats", "猫 OR 고양이 OR 🐱 OR cat OR gato", Action::Highlight),
    ("shouting", "caps:>60 length:>=20", Action::Hide),
];

/// A store with posts of the invented stream, in writing systems for which most machines have letters.
async fn lively(served: &Served) {
    let mut set = FilterSetBuilder::new();
    for (number, (name, text, action)) in FILTERS.into_iter().enumerate() {
        let new = NewFilter { name: name.into(), text: text.into(), action, ..NewFilter::default() };
        let id = served.house.database.add_filter(served.ann, &new).await.unwrap();
        assert_eq!(id, i64::try_from(number).unwrap() + 1);
        set.add(FilterId(id as u64), text).unwrap();
    }
    let (set, mut scratch) = (set.build(), Scratch::default());
    let (mut matched, mut others) = (Vec::new(), Vec::new());
    for line in
        Generator::new(Options { posts: 1_500, seed: 7, accounts: 1, audience: 1, ..Options::default() })
    {
        let Ok(event) = decode(line.as_bytes()) else { continue };
        for (_, mut post) in event.into_posts() {
            let lang = post.content().lang.clone().unwrap_or_default();
            if !["en", "es", "pt", "de", "fr", "ja", "it"].contains(&lang.as_str()) {
                continue;
            }
            let now = Some(tweetfilter_http::parts::now());
            post.created_at = now;
            if let Some(original) = post.retweet_of.as_mut().and_then(|original| original.post.as_mut()) {
                original.created_at = now;
            }
            let found = set.matches_with(&mut scratch, &post);
            let filters: Vec<_> = found.iter().map(|found| found.id.0 as i64).collect();
            let hidden = filters.contains(&4);
            let list = if filters.is_empty() { &mut others } else { &mut matched };
            let highlighted = !filters.is_empty() && !hidden;
            list.push((post, filters, Verdict { hidden, highlighted, notify: false }));
        }
    }
    assert!(matched.len() > 20 && others.len() > 100);
    for (number, (name, ..)) in (1..).zip(FILTERS) {
        assert!(
            matched.iter().any(|(_, filters, _)| filters.contains(&number)),
            "{name} finds nothing to look at"
        );
    }
    // Something to see in whatever is in sight.
    let mut others = others.into_iter();
    let posts =
        matched.into_iter().flat_map(|found| others.by_ref().take(2).chain([found]).collect::<Vec<_>>());
    served.keep(posts.collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_looks_well_and_is_accessible() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    lively(&served).await;
    surroundings(&served).await;
    let axe = axe();
    browser.open(&format!("http://{}/", served.address)).await;
    browser.sees("Sign in").await;
    browser.picture("gate").await;
    check(&browser, axe.as_deref(), "gate").await;
    browser.open("about:blank").await;
    browser.open(&served.link()).await;
    // On a machine of one's own it is a fraction of a second.
    let usable = browser.until("window.usable").await;
    println!("posts are there after {usable} ms");
    assert!(usable.as_f64().unwrap() < 20_000.0, "{usable}");
    for (scheme, width, height) in
        [("light", 1280, 860), ("dark", 1280, 860), ("light", 360, 740), ("dark", 360, 740)]
    {
        browser.looks(width, height, scheme).await;
        for view in [
            "timeline",
            "search",
            "filters",
            "filters/2",
            "filters/new",
            "sets",
            "exchange",
            "status",
            "access",
        ] {
            browser.run(&format!("location.hash = '#/{view}'")).await;
            match view {
                "timeline" => browser.until("!!document.querySelector('tf-column mark')").await,
                "filters/2" => browser.until("!!document.querySelector('tf-preview mark')").await,
                "filters/new" => {
                    browser.until("document.activeElement.id === 'filter-text'").await;
                    browser.keys("snow (oslo OR is:rep").await;
                    browser.until("!!document.querySelector('[data-do=fix]')").await
                }
                "filters" => {
                    browser
                        .until("document.querySelectorAll('tf-filters [role=listitem]').length === 4")
                        .await
                }
                "search" => {
                    browser.until("document.activeElement.id === 'search-text'").await;
                    browser.run("document.activeElement.value = ''").await;
                    browser.keys(&format!("snow{ENTER}")).await;
                    browser.until("!!document.querySelector('tf-search mark')").await
                }
                "sets" => browser.until("document.querySelectorAll('tf-sets .row-line').length === 2").await,
                "access" => {
                    browser.until("document.querySelectorAll('tf-access .row-line').length === 4").await;
                    browser
                        .until("document.querySelector('tf-access [data-part=tokens]').childElementCount")
                        .await
                }
                "exchange" => {
                    browser.until("!!document.querySelector('tf-exchange:not([hidden]) .card')").await
                }
                "status" => browser.until("!!document.querySelector('.tiles')").await,
                _ => unreachable!("say what {view} shows once it is there"),
            };
            // Nothing is wider than the page.
            assert_eq!(browser.wider().await, json!([]), "{view} at {width}");
            // Views scroll, the page itself does not.
            let higher = browser.run("return document.scrollingElement.scrollHeight - innerHeight").await;
            assert_eq!(higher, json!(0), "{view} at {width}");
            let name = format!("{}-{width}-{scheme}", view.replace('/', "-"));
            // Each size and each scheme once.
            if (scheme == "light") == (width == 360) {
                check(&browser, axe.as_deref(), &name).await;
            }
            browser.picture(&name).await;
        }
    }
    browser.looks(1120, 560, "light").await;
    browser.run("location.hash = '#/timeline'").await;
    browser
        .wait(
            "import('/page/model/index.js').then(({model}) => {
                model.addColumn(1); model.addColumn(3); model.removeColumn(model.columns[0]);
                model.addColumn(null);
            })",
        )
        .await;
    browser.until("[...document.querySelectorAll('tf-column')].every((c) => c.querySelector('.post'))").await;
    // README's picture, docs/page.png (where fonts for all scripts are): of somebody who has read everything.
    browser
        .run("document.querySelectorAll('tf-column [data-do=read]').forEach((button) => button.click())")
        .await;
    browser
        .until("[...document.querySelectorAll('tf-column [data-do=back]')].every((button) => button.hidden)")
        .await;
    browser.picture("columns").await;
    check(&browser, axe.as_deref(), "columns").await;
    browser.was_clean().await;
    browser.end().await;
}

/// What else an account has: sets, tokens, a feed, and a line up to which it has read.
async fn surroundings(served: &Served) {
    let (house, token) = (&served.house, &served.token);
    let cities = json!({"terms": ["oslo", "bergen", "\"mo i rana\""]});
    house.ask(Method::PUT, token, "/sets/cities", cities).await.ok();
    house.ask(Method::PUT, token, "/sets/people_that_i_know_from_work", json!({"terms": ["bob"]})).await.ok();
    house.ask(Method::PATCH, token, "/filters/1", json!({"text": "snow* -is:reply -{cities}"})).await.ok();
    for (name, scope) in [("phone", "read"), ("the script that keeps an archive of everything", "write")] {
        house.ask(Method::POST, token, "/tokens", json!({"name": name, "scope": scope})).await.ok();
    }
    house.ask(Method::POST, token, "/feeds", json!({"filter": 2})).await.ok();
    let page = house.get(token, "/timeline?limit=5&hidden=true").await.ok().clone();
    let up_to = json!({"up_to": page[3]["place"]});
    house.ask(Method::PUT, token, "/reading/timeline", up_to).await.ok();
}

/// Asks the checker, if there is one, for what it calls serious.
pub async fn check(browser: &Browser, axe: Option<&str>, name: &str) {
    let Some(axe) = axe else { return };
    browser.run(&format!("if (!window.axe) {{ {axe} }}")).await;
    let found = browser
        .wait(
            "axe.run(document, {resultTypes: ['violations', 'passes']}).then(({violations, passes}) => passes.length < 10 ? ['it checked nothing'] : violations
                .filter(({impact}) => impact === 'serious' || impact === 'critical')
                .map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary).join(' | ')}`))",
        )
        .await;
    assert_eq!(found, json!([]), "{name}");
}

/// The version of axe-core, and the SHA-512 of its package.
const AXE: (&str, &str) = (
    "4.14.1",
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73\
     4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5",
);

/// The source of axe-core, got from its registry once and kept in `target/`; it is used by this test alone.
pub fn axe() -> Option<String> {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/page").join(format!("axe-{}", AXE.0));
    let file = folder.join("package/axe.min.js");
    if !file.is_file() && !fetched(&folder) {
        println!("skipped: no axe-core");
        return None;
    }
    std::fs::read_to_string(file).ok()
}

fn fetched(folder: &Path) -> bool {
    if std::fs::create_dir_all(folder).is_err() {
        return false;
    }
    let (version, digest) = AXE;
    let packed = Command::new("npm")
        .args([
            "pack",
            "--silent",
            "--fetch-retries=0",
            "--fetch-timeout=20000",
            &format!("axe-core@{version}"),
        ])
        .current_dir(folder)
        .output();
    let Ok(packed) = packed else { return false };
    let name = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
    let content = std::fs::read(folder.join(&name)).unwrap_or_default();
    let found: String = Sha512::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        !packed.status.success() || found == digest,
        "the package of axe-core {version} is another: {found}"
    );
    packed.status.success()
        && Command::new("tar")
            .args(["-xzf", &name])
            .current_dir(folder)
            .status()
            .is_ok_and(|status| status.success())
}
