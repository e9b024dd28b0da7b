//! What whoever runs the server sees of it, and what others do not.

use serde_json::{Value, json};
use tweetfilter_http::parts::now;
use tweetfilter_sql::{CrashEvent, ProcessRow, Sample, SampleKind, Scope};
use tweetfilter_stream::buffer::{Batch, Buffer, Counts, Encoded, Gap};
use tweetfilter_stream::store::{DeadLetter, Outcome, Store};

use crate::browser::Browser;
use crate::looks::{axe, check};
use crate::served::Served;

const SLOT: i64 = 15_000;

/// An hour of two hosts, with a pause in which nothing was noted, and what went wrong in it.
async fn noted(served: &Served) {
    let database = &served.house.database;
    let last = (now() - 2_000) / SLOT * SLOT;
    let sample = |at, kind, host: &str, name: &str, body: Value| Sample {
        at,
        kind,
        host: host.into(),
        name: name.into(),
        body: body.to_string(),
    };
    let mut samples = Vec::new();
    let (mut lines, mut posts, mut matches, mut requests) = (0.0, 0.0, 0.0, 0.0);
    for n in 0..=240_i64 {
        let (at, x) = (last - (240 - n) * SLOT, n as f64);
        let busy = 1.0 + (x / 25.0).sin() * 0.5 + (x * 1.7).sin() * 0.1;
        lines += 600.0 * busy;
        posts += 500.0 * busy;
        matches += 31.0 * busy;
        requests += 90.0 * (1.2 - busy / 2.0);
        if (120..140).contains(&n) {
            continue;
        }
        let parts = json!({
            "ingest people": {"lines": lines as u64, "appended": posts as u64},
            "work": {"committed": posts as u64, "matches": matches as u64, "lag": 140},
            "api": {"requests": requests as u64, "streams": 12},
        });
        let usage =
            json!({"began": last - 4_000_000, "cpu": 20.0 * busy, "memory": 91_000_000_u64, "parts": parts});
        samples.push(sample(at, SampleKind::Process, "box-1", "serve 4711", usage));
        for (host, share) in [("box-1", 1.0), ("box-2", 0.4)] {
            let figures = json!({
                "cpu": 45.0 * busy * share, "cpus": 4, "load": 1.7 * busy, "memory": (3.1e9 + 2e8 * busy) as u64,
                "memory_total": 8_000_000_000_u64, "disk": 41_000_000_000_u64, "disk_total": 120_000_000_000_u64,
                "received": (1.3e6 * busy) as u64, "sent": (4e5 * busy) as u64,
                "watched": {"redis-server": {"cpu": 3.4, "memory": 48_000_000_u64, "count": 1},
                    "mariadbd": {"cpu": 9.5, "memory": 310_000_000_u64, "count": 1}},
                "missing": ["caddy"],
            });
            samples.push(sample(at, SampleKind::Host, host, "", figures));
        }
        let waiting = ((x - 180.0).max(0.0) * 40.0) as u64;
        let figures = json!({"entries": waiting, "bytes": waiting * 900, "age": waiting * 2, "room": 70_000_000_000_u64});
        samples.push(sample(at, SampleKind::Buffer, "", "", figures));
    }
    for some in samples.chunks(256) {
        database.keep_samples(some, None).await.unwrap();
    }
    let part = |name: &str, state: &str, restarts: u64| json!({"name": name, "state": state, "since": now() - 70_000, "started_at": now() - 900_000, "restarts": restarts});
    // However long the test takes, those that are heard of do not fall silent meanwhile.
    let heard = now() + 3_600_000;
    let process = |host: &str, name: &str, at: i64, parts: Value| {
        let command = name.split(' ').next().unwrap();
        let body = json!({"pid": 4711, "version": "0.1.0", "command": command, "started_at": now() - 4_000_000, "parts": parts});
        ProcessRow { host: host.into(), name: name.into(), at, body: body.to_string() }
    };
    let all =
        json!([part("api", "running", 0), part("ingest people", "running", 2), part("work", "running", 0)]);
    let mut waits = part("work", "waiting_for_store", 0);
    waits["waits"] = "the store is away: read-only".into();
    let waits = json!([waits]);
    for row in [
        process("box-1", "serve 4711", heard, all),
        process("box-2", "work box-2-work-1", heard, waits),
        process("box-2", "work box-2-work-2", now() - 400_000, json!([part("work", "running", 0)])),
    ] {
        database.keep_samples(&[], Some(&row)).await.unwrap();
    }
    let event = CrashEvent {
        part: "ingest people".into(),
        at: now() - 800_000,
        reason: "panicked at src/wire/mod.rs:42".into(),
        backtrace: (0..30).map(|n| format!("{n:>4}: tweetfilter_stream::wire::frame_{n}\n")).collect(),
    };
    database.record_crash(&event).await.unwrap();
    let buffer = database.buffer().unwrap();
    let claim = buffer.claim("people", "one", std::time::Duration::from_secs(60)).await.unwrap();
    let gap = Gap {
        from: now() - 600_000,
        to: now() - 590_000,
        reason: "the buffer was full".into(),
        missing: None,
    };
    let waiting = Encoded { key: 1, bytes: b"waits".to_vec() };
    let (source, entries) = ("people".to_owned(), vec![waiting]);
    let counts = Counts { lines: 8_000, posts: 1, entries: 1, missing: 1_234, ..Counts::default() };
    let batch = Batch { source, fence: claim.fence, entries, gaps: vec![gap], counts, ..Batch::default() };
    buffer.append(&batch).await.unwrap();
    let letter = |n: u8| DeadLetter {
        entry: vec![b'x', n],
        source: "people".into(),
        reason: "the store refuses it: a value is too long for its column".into(),
        at: now() - 500_000,
    };
    let outcome = Outcome { dead: (0..3).map(letter).collect(), ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_it_sees_parts_hosts_and_trouble_and_tries_again() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    // It may have to be got from afar.
    let axe = axe();
    noted(&served).await;
    let admin = served.house.token(served.ann, Scope::Admin).await;

    // Somebody who only has an account.
    browser.looks(1280, 860, "light").await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/status'").await;
    browser.until("document.querySelectorAll('tf-status .plot').length >= 4").await;
    let text = browser.run("return document.querySelector('tf-status').innerText").await;
    let text = text.as_str().unwrap();
    assert!(
        text.contains("Lines a second") && text.contains("work") && text.contains("2 have trouble"),
        "{text}"
    );
    for hidden in ["box-", "people", "panicked", "mariadbd", "Dead letters"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    browser.picture("status-plain-1280-light").await;

    browser.open("about:blank").await;
    browser.open(&format!("http://{}/#token={admin}", served.address)).await;
    browser.sees("Everything").await;
    browser.run("location.hash = '#/status'").await;
    browser.until("document.querySelectorAll('tf-status .plot').length >= 14").await;
    browser.sees("waiting for the store").await;
    browser.sees("the store is away: read-only").await;
    browser.sees("silent").await;
    browser.sees("Not all parts run").await;
    browser.sees("work of work box-2-work-1 on box-2 is waiting for the store: the store is away").await;
    browser.sees("caddy does not run on box-1").await;
    let counted = "(([head, body]) => [...head.cells].flatMap((cell, place) =>
        ['Source', 'Lines', 'Missing'].includes(cell.textContent) ? [body.cells[place].textContent.replace(/\\W/g, '')] : []))(
        document.querySelector('tf-status [data-part=source-rows]').closest('table').rows)";
    let counted = browser.run(&format!("return {counted}")).await;
    assert_eq!(counted, json!(["people", "8000", "1234"]));
    browser.sees("3 dead letters wait to be tried again").await;
    // Beside those that do, too, on each of both hosts.
    let gone = "[...document.querySelectorAll('tf-status [data-part=watched-rows] > li')].filter((row) =>
        row.querySelector('.part-name').textContent === 'caddy' &&
        row.querySelector('.part-state').checkVisibility() &&
        row.querySelector('.part-state').textContent === 'does not run').length === 2";
    browser.until(gone).await;
    browser.sees("the oldest for").await;
    let label = "document.querySelector('tf-status .plot svg').getAttribute('aria-label')";
    let label = browser.run(&format!("return {label}")).await;
    assert!(label.as_str().unwrap().starts_with("Lines a second over 60 min: now "), "{label}");
    let labels =
        "[...document.querySelectorAll('tf-status .plot svg')].map((one) => one.getAttribute('aria-label'))";
    let labels = browser.run(&format!("return {labels}")).await;
    for wanted in ["Stored after over 60 min: now 0.14 s", "Load over 60 min: now "] {
        let is = |label: &Value| label.as_str().is_some_and(|label| label.starts_with(wanted));
        assert!(labels.as_array().unwrap().iter().any(is), "{wanted}: {labels}");
    }
    // A pause is a pause, not a line across it.
    let pieces = "document.querySelector('tf-status .plot-line').getAttribute('d').split('M').length";
    assert_eq!(browser.run(&format!("return {pieces}")).await, json!(3));
    browser.press("tf-status .crashes summary").await;
    browser.sees("frame_7").await;
    for (scheme, width, height) in
        [("light", 1280, 2300), ("dark", 1280, 2300), ("light", 360, 4200), ("dark", 360, 4200)]
    {
        browser.looks(width, height, scheme).await;
        let wider = browser
            .until(
                "[...document.querySelectorAll('tf-status *')].filter((element) => element.checkVisibility() &&
                    !element.closest('.scrolls, .aside, pre') &&
                    element.getBoundingClientRect().right > innerWidth + 1)
                    .map((element) => element.outerHTML.slice(0, 120))",
            )
            .await;
        assert_eq!(wider, json!([]), "at {width}");
        check(&browser, axe.as_deref(), &format!("status {width} {scheme}")).await;
        browser.picture(&format!("status-admin-{width}-{scheme}")).await;
    }
    // What is unfolded stays so while the page asks again.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(browser.run("return document.querySelector('.crashes details').open").await, json!(true));

    browser.press("tf-status [data-do=retry]").await;
    browser.until("document.querySelectorAll('.letters > li').length === 2").await;
    browser.press("tf-status [data-do='retry-all']").await;
    browser.until("document.querySelectorAll('.letters > li').length === 0").await;
    assert_eq!(served.house.database.count_dead_letters().await.unwrap(), 0);
    assert_eq!(served.house.database.buffer().unwrap().stats().await.unwrap().entries, 4);
    browser.run("const s = document.querySelector('[data-part=hours]'); s.value = '24'; s.dispatchEvent(new Event('change'))").await;
    browser
        .until(
            "document.querySelector('tf-status .plot svg').getAttribute('aria-label').includes('over 24 h')",
        )
        .await;
    browser.was_clean().await;
    browser.end().await;
}

/// Keeps what is asked of how it was back, as long as `holds` says so.
const HELD: &str = "
    [window.holds, window.held] = [true, []];
    window.release = () => {
        window.holds = false;
        for (const done of window.held.splice(0)) done();
    };
    const fetched = window.fetch;
    window.fetch = async (address, options = {}) => {
        const { pathname } = new URL(address, location.href);
        if (window.holds && pathname.endsWith('/status/history')) await new Promise((done) => held.push(done));
        return fetched(address, options);
    };";

#[tokio::test(flavor = "multi_thread")]
async fn how_it_was_is_said_to_be_loading_until_it_is_there() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    served.prepared(&browser, HELD).await;
    browser.run("location.hash = '#/status'").await;
    let card = "document.querySelector('tf-status [data-part=over-time]')";
    let is = |busy: bool, text: &str| {
        format!(
            "{card}?.getAttribute('aria-busy') === '{busy}' && {card}.innerText.includes('Loading …') === {busy} && \
             {card}.innerText.includes('Nothing was noted yet') === {} && {card}.innerText.includes('{text}')",
            !busy
        )
    };
    browser.until(&is(true, "Over time")).await;
    browser.picture("status-loading").await;
    browser.run("release()").await;
    browser.until(&is(false, "Over time")).await;
    // What is asked for anew is still to come.
    browser.run("holds = true; const s = document.querySelector('[data-part=hours]'); s.value = '24'; s.dispatchEvent(new Event('change'))").await;
    browser
        .until(&format!(
            "{card}.getAttribute('aria-busy') === 'true' && {card}.innerText.includes('Loading …')"
        ))
        .await;
    browser.run("release()").await;
    browser.until(&is(false, "Over time")).await;
    browser.was_clean().await;
    browser.end().await;
}
