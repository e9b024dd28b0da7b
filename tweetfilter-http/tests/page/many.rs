//! What comes in costs what it is, however much stands below it; and the rows are those that would be made anew.

use serde_json::json;

use crate::browser::Browser;
use crate::served::{Seen, Served};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_touches_few_of_many_posts() {
    const MANY: usize = 6_000;
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    for some in (0..MANY).collect::<Vec<_>>().chunks(2_000) {
        let posts: Vec<_> = some.iter().map(|n| Seen::new(n, "A post of some words.")).collect();
        served.posts(&posts).await;
    }
    browser.open(&served.link()).await;
    browser.sees("posts").await;
    // Each look at a post that is held, or at the key of its row, is counted, and so is each row that is drawn.
    let held = browser
        .wait(
            "(async () => {
                const {model} = await import('/page/model/index.js');
                const [column] = model.columns;
                while (column.hasMore || column.state === 'loading') {
                    await column.more();
                    await new Promise((done) => setTimeout(done));
                }
                const list = document.querySelector('tf-column tf-list');
                list.scrollTop = list.scrollHeight / 2;
                await new Promise((done) => setTimeout(done, 500));
                window.touched = window.drawn = 0;
                const count = (object, name) => {
                    const value = object[name];
                    Object.defineProperty(object, name, {get() { touched++; return value; }});
                };
                for (const row of column.rows.filter(({kind}) => kind === 'post')) {
                    for (const name of Object.keys(row.post)) count(row.post, name);
                    count(row, 'key');
                }
                new MutationObserver((records) => {
                    for (const {addedNodes} of records) drawn += addedNodes.length;
                }).observe(list.firstElementChild, {childList: true});
                touched = 0;
                return column.counts.all;
            })()",
        )
        .await;
    assert_eq!(held, json!(MANY));
    let fresh: Vec<_> = (0..20).map(|n| Seen::new(MANY + n, "A new post")).collect();
    served.posts(&fresh).await;
    browser.sees("20 new posts").await;
    browser.sees("6,020 posts").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let work = browser.run("return {touched, drawn}").await;
    println!("{work}");
    assert!(work["touched"].as_i64().unwrap() < 4_000, "{work}");
    assert!(work["drawn"].as_i64().unwrap() < 60, "{work}");
    let rows = "document.querySelector('tf-column').column.rows";
    assert_eq!(browser.run(&format!("return {rows}.length")).await, json!(MANY + 20 + 1));
    assert_eq!(browser.run(&format!("return {rows}[0].post.content.text")).await, json!("A new post"));
    browser.was_clean().await;
    browser.end().await;
}

/// Two columns of the same posts: one follows what comes, the other makes its rows anew each time.
const TWINS: &str = "(async () => {
    const {Column} = await import('/page/model/columns.js');
    let seed = 11;
    const below = (n) => Math.floor((seed = (seed * 1103515245 + 12345) % 2147483648) / 65536) % n;
    const model = {
        gaps: [], line: null, withdrawals: {now: 0, since: () => false},
        called: (id) => `filter ${id}`, filter: () => ({action: 'hide'}), readUpTo: () => model.line,
        ask: async () => ({data: [], summary: {commit: 0}}),
    };
    const twins = [new Column(model, null), new Column(model, null)];
    for (const twin of twins) await twin.load();
    const [column, anew] = twins;
    const time = (at) => new Date(at).toISOString();
    const held = [];
    let [commit, clock, heads] = [0, Date.parse('2026-01-01'), 0];
    let list = [...column.rows];
    const shape = (column) => JSON.stringify([column.unread, column.counts,
        column.rows.map(({kind, key, version, numbers}) => [kind, key, version, numbers])]);
    const any = () => held[below(held.length)];
    const acts = [
        ...Array(8).fill(() => {
            commit++;
            const fresh = Array.from({length: 1 + below(4)}, () => {
                const [number, hidden] = [held.length + 1, below(3) > 0];
                clock += below(6) ? below(3000) : -below(4000);
                held.push({number, commit, hidden, place: `${commit}-${number}`, filters: hidden ? [1] : [],
                    received_at: time(clock), content: {text: `Post ${number}`}});
                return held.at(-1);
            });
            const again = any();
            if (!below(6)) fresh.push({...again, commit: again.commit + 1, hidden: below(4) ? again.hidden : !again.hidden});
            twins.forEach((twin) => twin.arrive(fresh));
        }),
        () => {
            const from = clock - below(5000);
            model.gaps = [{from: time(from), to: time(from + below(9000)), missing: 3}, ...model.gaps]
                .sort((a, b) => (b.to < a.to ? -1 : 1));
            twins.forEach((twin) => twin.surrounded());
        },
        () => { model.line = any(); twins.forEach((twin) => twin.surrounded()); },
        () => { const [{number}, shown] = [any(), below(2) > 0]; twins.forEach((twin) => twin.reveal([number], shown)); },
        () => {
            const {commit, number} = any();
            twins.forEach((twin) => twin.withdraw([{commit: commit + 1, posts: new Set([number]), authors: new Set()}]));
        },
    ];
    acts[0]();
    list = [...column.rows];
    for (let step = 0; step < 1500; step++) {
        const before = column.revision;
        acts[below(acts.length)]();
        anew.surrounded();
        if (shape(column) !== shape(anew)) return `${step}: ${shape(column)} is not ${shape(anew)}`;
        const posts = column.rows.reduce((sum, row) => sum + (row.numbers?.length ?? (row.post ? 1 : 0)), 0);
        if (posts !== column.counts.all) return `${step}: ${posts} in rows`;
        if (column.head && column.revision === before + 1) {
            heads++;
            list.splice(0, column.head.removed, ...column.rows.slice(0, column.head.added));
        } else list = [...column.rows];
        if (list.some((row, at) => row !== column.rows[at])) return `${step}: the head is another`;
    }
    return heads > 300 ? 'the same' : `only ${heads} heads`;
})()";

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_follow_what_comes_are_those_that_would_be_made_anew() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    assert_eq!(browser.wait(TWINS).await, json!("the same"));
    browser.was_clean().await;
    browser.end().await;
}

/// Heights in blocks, beside a plain sum of them.
const HEIGHTS: &str = "(async () => {
    const {Heights} = await import('/page/views/heights.js');
    let seed = 7;
    const below = (n) => Math.floor((seed = (seed * 1103515245 + 12345) % 2147483648) / 65536) % n;
    const [heights, known] = [new Heights(), new Map()];
    let [keys, next] = [[], 0];
    const more = (n) => Array.from({length: n}, () => `row ${next++}`);
    for (let step = 0; step < 1500; step++) {
        if (step % 500 === 0) heights.set((keys = more(below(900))));
        else if (below(2)) {
            const [removed, added] = [Math.min(keys.length, below(4) ? below(3) : below(300)), more(below(5) ? below(6) : below(300))];
            heights.replaceHead(removed, added);
            keys = [...added, ...keys.slice(removed)];
        } else if (keys.length > 0) {
            const [at, height] = [below(keys.length), 1 + below(300)];
            heights.learn(at, keys[at], height);
            known.set(keys[at], height);
        }
        const guess = known.size > 0 ? [...known.values()].reduce((sum, height) => sum + height) / known.size : 120;
        const tops = [0];
        for (const key of keys) tops.push(tops.at(-1) + (known.get(key) ?? guess));
        const at = below(keys.length + 1);
        if (Math.abs(heights.top(at) - tops[at]) > 0.001) return `${step}: top of ${at} is ${heights.top(at)}, not ${tops[at]}`;
        if (at === keys.length) continue;
        const middle = (tops[at] + tops[at + 1]) / 2;
        if (heights.find(middle) !== at) return `${step}: at ${middle} is ${heights.find(middle)}, not ${at}`;
    }
    return 'the same';
})()";

#[tokio::test(flavor = "multi_thread")]
async fn places_of_rows_are_the_sums_of_their_heights() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.link()).await;
    browser.sees("Everything").await;
    assert_eq!(browser.wait(HEIGHTS).await, json!("the same"));
    browser.was_clean().await;
    browser.end().await;
}

/// Lets batches of posts come, a frame each, and says how far the row that is read moved meanwhile.
const FLOOD: &str = "(async () => {
    const {model} = await import('/page/model/index.js');
    const [column] = model.columns;
    const list = document.querySelector('tf-column tf-list');
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    list.scrollTop = 1_500;
    for (let n = 0; n < 20; n++) await frame();
    const edge = list.getBoundingClientRect().top;
    const row = [...list.querySelectorAll('.post')].find((one) => one.getBoundingClientRect().bottom > edge + 20);
    const top = () => document.querySelector(`[data-row='${row.dataset.row}']`).getBoundingClientRect().top;
    const before = top();
    const {post} = column.rows.find(({kind}) => kind === 'post');
    for (let batch = 0; batch < 300; batch++) {
        const posts = [1, 2, 3].map((n) => {
            const number = 1_000_000 + batch * 3 + n;
            const text = 'Some more words. '.repeat((number * 7) % 13 + 1);
            const content = {...post.content, text, segments: [{text, mark: false}]};
            return {...post, number, commit: number, place: `${number}-${number}`, content};
        });
        column.arrive(posts);
        await frame();
    }
    return {before, after: top(), all: column.counts.all};
})()";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_does_not_creep_away_while_very_many_posts_come() {
    let Some(browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let posts: Vec<_> = (0..60).map(|n| Seen::new(n, &"A post of some words. ".repeat(n % 7 + 1))).collect();
    served.posts(&posts).await;
    browser.open(&served.link()).await;
    browser.sees("60 posts").await;
    let moved = browser.wait(FLOOD).await;
    println!("{moved}");
    assert_eq!(moved["all"], json!(960));
    let by = moved["after"].as_f64().unwrap() - moved["before"].as_f64().unwrap();
    assert!(by.abs() <= 1.5, "{moved}");
    browser.was_clean().await;
    browser.end().await;
}
