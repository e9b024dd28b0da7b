//! The stream's statistics against those of the public 1 % sample (2019 and 2021), each with its tolerance.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Generator, Options};

fn stream(posts: u64, seed: u64) -> Vec<String> {
    Generator::new(Options { posts, seed, ..Options::default() }).collect()
}

struct Sample {
    lines: Vec<(usize, Value)>,
}

impl Sample {
    fn new(posts: u64, seed: u64) -> Self {
        Self::of(stream(posts, seed))
    }

    fn of(lines: Vec<String>) -> Self {
        Self {
            lines: lines
                .iter()
                .filter(|line| !line.is_empty())
                .map(|l| (l.len(), serde_json::from_str(l).expect("a line is JSON")))
                .collect(),
        }
    }

    fn posts(&self) -> impl Iterator<Item = &Value> {
        self.lines.iter().map(|(_, v)| v).filter(|v| v.get("delete").is_none())
    }

    fn share(&self, holds: impl Fn(&Value) -> bool) -> f64 {
        self.posts().filter(|v| holds(v)).count() as f64 / self.posts().count() as f64
    }
}

fn between(what: &str, value: f64, low: f64, high: f64) {
    assert!(low <= value && value <= high, "{what}: {value} is not in {low}..{high}");
}

fn quantile(values: &mut [usize], part: f64) -> f64 {
    values.sort_unstable();
    values[(values.len() as f64 * part) as usize] as f64
}

fn text(post: &Value) -> &str {
    post["extended_tweet"]["full_text"].as_str().or(post["text"].as_str()).expect("a post has a text")
}

fn some(list: &Value) -> bool {
    list.as_array().is_some_and(|l| !l.is_empty())
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(stream(300, 5), stream(300, 5));
    assert_ne!(stream(300, 5), stream(300, 6));
}

#[test]
fn a_live_stream_carries_the_time_it_is_given() {
    let start = 1_800_000_000_000;
    let at = |line: &str| {
        let post: Value = serde_json::from_str(line).unwrap_or_default();
        post["timestamp_ms"].as_str().map(|millis| millis.parse::<u64>().unwrap())
    };
    let mut lines =
        Generator::new(Options { posts: 2000, seed: 3, start: Some(start), ..Options::default() });
    let mut before = std::collections::HashSet::new();
    for minute in 1..=10_u64 {
        let now = start + minute * 60_000;
        lines.set_time(now);
        // Some come half a minute late, and some once more.
        let fresh: Vec<_> = lines.by_ref().take(100).filter(|line| before.insert(line.clone())).collect();
        for at in fresh.iter().filter_map(|line| at(line)) {
            assert!((now - 32_000..=now).contains(&at), "{at} at {now}");
        }
        lines.set_time(start);
    }
    // Whatever others repeat is older.
    for line in lines {
        let post: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(at) = post["retweeted_status"]["created_at"].as_str() {
            assert!(at.ends_with("2026") || at.ends_with("2027"), "{at}");
        }
    }
}

#[test]
fn a_stream_of_any_length_ends() {
    for posts in [0, 1, 2, 9] {
        assert!(stream(posts, 1).len() as u64 >= posts);
    }
}

#[test]
fn a_stream_of_any_length_begins() {
    for posts in [20_000_000_000, 40_000_000_000, u64::MAX] {
        let begun = Generator::new(Options { posts, ..Options::default() }).take(50).count();
        assert_eq!(begun, 50);
    }
}

#[test]
fn lines_are_ascii_without_breaks() {
    for line in stream(2000, 3) {
        assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line}");
        assert!(!line.contains(['<', '>']), "{line}");
    }
}

#[test]
fn kinds_and_parts_have_their_shares() {
    let sample = Sample::new(6000, 1);
    between("retweets", sample.share(|p| p.get("retweeted_status").is_some()), 0.50, 0.55);
    between("replies", sample.share(|p| !p["in_reply_to_status_id"].is_null()), 0.20, 0.25);
    between("quotes", sample.share(|p| p["is_quote_status"] == true), 0.05, 0.09);
    between("mentions", sample.share(|p| some(&p["entities"]["user_mentions"])), 0.71, 0.79);
    between("hashtags", sample.share(|p| some(&p["entities"]["hashtags"])), 0.12, 0.16);
    between("links", sample.share(|p| some(&p["entities"]["urls"])), 0.05, 0.14);
    between("media", sample.share(|p| some(&p["entities"]["media"])), 0.22, 0.29);
    between("places", sample.share(|p| !p["place"].is_null()), 0.003, 0.02);
    between(
        "cut",
        sample.share(|p| p["truncated"] == true || p["text"].as_str().is_some_and(|t| t.ends_with('…'))),
        0.13,
        0.21,
    );
    between("emoji", sample.share(|p| text(p).contains(|c| c >= '\u{1F000}')), 0.15, 0.25);
    between("line breaks", sample.share(|p| text(p).contains('\n')), 0.22, 0.30);
    between("HTML entities", sample.share(|p| text(p).contains('&')), 0.01, 0.03);
    between("non-ASCII", sample.share(|p| !p["text"].as_str().is_some_and(str::is_ascii)), 0.70, 0.80);
    for (code, share) in [
        ("en", 0.31),
        ("ja", 0.22),
        ("und", 0.07),
        ("ko", 0.06),
        ("ar", 0.06),
        ("th", 0.06),
        ("es", 0.05),
        ("in", 0.04),
        ("pt", 0.02),
        ("tr", 0.02),
        ("fr", 0.02),
    ] {
        let found = sample.share(|p| p["lang"] == code);
        between(code, found, share - 0.015, share + 0.015);
    }
}

#[test]
fn sizes_lengths_and_words_are_distributed_as_on_the_wire() {
    let sample = Sample::new(6000, 2);
    let sizes = |wanted: &dyn Fn(&Value) -> bool| -> Vec<usize> {
        sample.lines.iter().filter(|(_, v)| v.get("delete").is_none() && wanted(v)).map(|(n, _)| *n).collect()
    };
    let mean = |sizes: Vec<usize>| sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
    let mut all = sizes(&|_| true);
    between("median size", quantile(&mut all, 0.5), 4300.0, 5500.0);
    between("p90 of size", quantile(&mut all, 0.9), 8500.0, 11_000.0);
    between("p99 of size", quantile(&mut all, 0.99), 12_500.0, 17_500.0);
    between("largest", quantile(&mut all, 0.99999), 18_000.0, 30_000.0);
    let retweet = |p: &Value| p.get("retweeted_status").is_some();
    let quote = |p: &Value| p.get("quoted_status").is_some();
    between("retweets' size", mean(sizes(&|p| retweet(p) && !quote(p))), 6500.0, 8300.0);
    between("size of retweeted quotes", mean(sizes(&|p| retweet(p) && quote(p))), 12_500.0, 16_500.0);
    between("own posts' size", mean(sizes(&|p| !retweet(p) && !quote(p))), 2500.0, 3300.0);

    let mut lengths: Vec<usize> = sample.posts().map(|p| text(p).chars().count()).collect();
    between("p10 of characters", quantile(&mut lengths, 0.1), 17.0, 31.0);
    between("median of characters", quantile(&mut lengths, 0.5), 65.0, 95.0);
    between("p90 of characters", quantile(&mut lengths, 0.9), 125.0, 160.0);
    between("p99 of characters", quantile(&mut lengths, 0.99), 240.0, 310.0);

    let words = |language: &str| {
        let posts = sample.posts().filter(|p| language.is_empty() || p["lang"] == language);
        let mut counts: Vec<usize> = posts.map(|p| text(p).split_whitespace().count()).collect();
        (counts.iter().sum::<usize>() as f64 / counts.len() as f64, quantile(&mut counts, 0.5))
    };
    between("words", words("").0, 9.0, 12.0);
    for language in ["ja", "th", "zh"] {
        between(language, words(language).1, 1.0, 4.0);
    }
}

#[test]
fn most_words_are_rare_as_on_the_wire() {
    hold_the_curve(&Sample::new(3200, 2));
    hold_the_curve(&Sample::new(3200, 11));
}

#[test]
fn real_words_have_the_curve_that_the_generator_is_held_to() {
    let folder = std::env::var_os("TWEETFILTER_DATA").map(std::path::PathBuf::from);
    let Some(path) = folder.map(|f| f.join("v1_stream_2021.ndjson.gz")).filter(|path| path.exists()) else {
        println!("skipped: TWEETFILTER_DATA names no folder with v1_stream_2021.ndjson.gz");
        return;
    };
    let mut reader = crate::files::Reader::open(path).expect("the file opens");
    let (mut block, mut lines) = (crate::files::Block::default(), Vec::new());
    while reader.read(&mut block).expect("the file is read") {
        lines.extend(block.lines().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
    }
    hold_the_curve(&Sample::of(lines));
}

/// The share of the tokens of 3,000 texts that the commonest words have, and of words that occur once.
fn hold_the_curve(sample: &Sample) {
    let texts: Vec<String> = sample.posts().take(3000).map(|post| text(post).to_lowercase()).collect();
    let spaced: Vec<&str> = texts.iter().flat_map(|text| text.split_whitespace()).collect();
    let plain = spaced.iter().filter(|word| !word.contains("://"));
    let runs = plain.flat_map(|word| word.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let runs: Vec<&str> = runs.filter(|run| !run.is_empty()).collect();
    // Between spaces, with links and signs; and as words, without.
    for (what, words, [hundred, thousand, once]) in [
        ("between spaces", spaced, [(0.21, 0.27), (0.40, 0.46), (0.81, 0.87)]),
        ("words", runs, [(0.22, 0.30), (0.44, 0.51), (0.75, 0.84)]),
    ] {
        let mut types: HashMap<&str, usize> = HashMap::new();
        words.iter().for_each(|word| *types.entry(word).or_default() += 1);
        let mut counts: Vec<usize> = types.into_values().collect();
        counts.sort_unstable_by_key(|&n| std::cmp::Reverse(n));
        let covered = |n: usize| counts.iter().take(n).sum::<usize>() as f64 / words.len() as f64;
        between(&format!("{what}: the top 100"), covered(100), hundred.0, hundred.1);
        between(&format!("{what}: the top 1,000"), covered(1000), thousand.0, thousand.1);
        let alone = counts.iter().filter(|&&n| n == 1).count() as f64 / counts.len() as f64;
        between(&format!("{what}: types that occur once"), alone, once.0, once.1);
    }
}

/// What somebody might list who watches for floods and earthquakes in English.
const TOPIC: [&str; 40] = [
    "aftershock",
    "aid workers",
    "blackout",
    "bushfire",
    "casualties",
    "collapsed building",
    "cyclone",
    "dam burst",
    "death toll",
    "debris",
    "displaced",
    "donate",
    "earthquake",
    "emergency services",
    "epicenter",
    "evacuation",
    "firefighters",
    "first responders",
    "flash flood",
    "flood",
    "flooding",
    "heavy rainfall",
    "hurricane",
    "landslide",
    "levee",
    "magnitude",
    "missing people",
    "mudslide",
    "power outage",
    "red cross",
    "relief fund",
    "rescue team",
    "sandbags",
    "search and rescue",
    "shelter",
    "stay safe",
    "storm surge",
    "survivors",
    "tsunami",
    "wildfire",
];

#[test]
fn a_topic_is_seldom_hit_and_most_of_its_terms_never() {
    let sample = Sample::new(6000, 5);
    let (mut hit, mut fired) = (0, HashSet::new());
    for post in sample.posts() {
        let words: Vec<String> = text(post).to_lowercase().split_whitespace().map(str::to_owned).collect();
        let text = format!(" {} ", words.join(" ").replace(|c: char| !c.is_alphanumeric(), " "));
        let found: Vec<&str> = TOPIC.into_iter().filter(|term| text.contains(&format!(" {term} "))).collect();
        hit += usize::from(!found.is_empty());
        fired.extend(found);
    }
    between("posts that the topic hits", hit as f64 / sample.posts().count() as f64, 0.001, 0.02);
    between("terms that fire", fired.len() as f64, 1.0, 20.0);
}

#[test]
fn blank_lines_keep_the_connection_alive() {
    for audience in [0, 3] {
        let options = Options { posts: 6000, seed: 4, audience, ..Options::default() };
        let (mut quiet, mut last) = (Vec::new(), 0);
        for line in Generator::new(options) {
            if line.is_empty() {
                quiet.push(last);
            } else if let Some(at) = line.split("\"timestamp_ms\":\"").nth(1) {
                last = last.max(at[..13].parse::<u64>().expect("a time"));
            }
        }
        between("keep-alives", quiet.len() as f64, 7.0, 10.0);
        for pair in quiet.windows(2) {
            between("seconds between them", (pair[1] - pair[0]) as f64 / 1000.0, 28.0, 32.0);
        }
    }
}

#[test]
fn deletes_repeats_and_disorder_are_there() {
    let sample = Sample::new(9000, 3);
    let deletes: Vec<usize> =
        (0..sample.lines.len()).filter(|&i| sample.lines[i].1.get("delete").is_some()).collect();
    between("deletes", deletes.len() as f64 / sample.lines.len() as f64, 0.09, 0.19);
    for &i in &deletes {
        between("bytes of a delete", sample.lines[i].0 as f64, 156.0, 176.0);
    }
    let length = deletes.len() * MASS_PART / 100;
    let shortest = deletes.windows(length).map(|w| w[length - 1] - w[0]).min().unwrap_or(usize::MAX);
    assert!(shortest < length * 3 / 2, "{length} deletes lie {shortest} lines apart");

    let (mut highest, mut below, mut ids, mut repeats) = (0, 0, HashMap::new(), 0);
    for (i, (_, line)) in sample.lines.iter().enumerate() {
        let Some(id) = line["id"].as_u64() else { continue };
        below += usize::from(id < highest);
        highest = highest.max(id);
        if let Some(first) = ids.insert(id, i) {
            between("distance of a repeat", (i - first) as f64, 2.0, 381.0);
            repeats += 1;
        }
    }
    between("ids below the highest", below as f64 / sample.posts().count() as f64, 0.75, 0.90);
    between("repeats", f64::from(repeats) / sample.posts().count() as f64, 0.0005, 0.003);
    let gone: HashSet<u64> =
        deletes.iter().filter_map(|&i| sample.lines[i].1["delete"]["status"]["id"].as_u64()).collect();
    assert!(gone.iter().any(|id| ids.contains_key(id)), "no delete names a post of the stream");
}

/// Of a hundred deletes, how many must lie in one burst.
const MASS_PART: usize = 70;

#[test]
fn indices_count_code_points_of_the_escaped_text() {
    let sample = Sample::new(3000, 4);
    let mut checked = 0;
    for post in sample.posts() {
        for part in [post, &post["retweeted_status"], &post["quoted_status"]] {
            checked += check(&part["text"], &part["entities"]);
            checked += check(&part["extended_tweet"]["full_text"], &part["extended_tweet"]["entities"]);
        }
    }
    assert!(checked > 5000, "{checked}");
}

fn check(text: &Value, entities: &Value) -> usize {
    let Some(text) = text.as_str() else { return 0 };
    let text: Vec<char> = text.chars().collect();
    let mut checked = 0;
    for (list, sign, key) in [
        ("hashtags", "#", "text"),
        ("symbols", "$", "text"),
        ("user_mentions", "@", "screen_name"),
        ("urls", "", "url"),
        ("media", "", "url"),
    ] {
        for entity in entities[list].as_array().into_iter().flatten() {
            let at = |i: usize| entity["indices"][i].as_u64().expect("an index") as usize;
            let there: String = text[at(0)..at(1)].iter().collect();
            assert_eq!(there, format!("{sign}{}", entity[key].as_str().expect("a name")), "{text:?}");
            checked += 1;
        }
    }
    checked
}

#[test]
fn envelopes_hold_each_post_for_those_who_saw_it() {
    let options = Options { posts: 3000, seed: 9, accounts: 50, audience: 4, ..Options::default() };
    let lines: Vec<Value> = Generator::new(options)
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_str(&l).expect("a line is JSON"))
        .collect();
    let mut seen: HashMap<u64, HashSet<&str>> = HashMap::new();
    for line in &lines {
        let viewer = line["for_user"].as_str().expect("every line is an envelope");
        between("viewer", viewer.parse().expect("a number"), 1.0, 50.0);
        if let Some(id) = line["message"]["id"].as_u64() {
            seen.entry(id).or_default().insert(viewer);
        }
    }
    assert_eq!(seen.len(), 3000);
    let copies: usize = seen.values().map(HashSet::len).sum();
    between("audience", copies as f64 / 3000.0, 3.75, 4.25);
}

#[test]
fn as_many_see_a_post_in_the_mean_as_is_said_however_few_accounts_there_are() {
    for (accounts, audience) in [(1, 1), (2, 1), (2, 2), (5, 2), (5, 3), (5, 4), (5, 5)] {
        let options = Options { posts: 2000, seed: 9, accounts, audience, ..Options::default() };
        let mut seen: HashMap<u64, HashSet<String>> = HashMap::new();
        for line in Generator::new(options).filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_str(&line).expect("a line is JSON");
            if let (Some(id), Some(viewer)) = (line["message"]["id"].as_u64(), line["for_user"].as_str()) {
                seen.entry(id).or_default().insert(viewer.to_owned());
            }
        }
        assert_eq!(seen.len(), 2000);
        let copies: usize = seen.values().map(HashSet::len).sum();
        let (mean, expected) = (copies as f64 / 2000.0, f64::from(audience));
        between(&format!("{audience} of {accounts}"), mean, 0.94 * expected, 1.06 * expected);
        if accounts == audience {
            assert!(seen.values().all(|viewers| viewers.len() == accounts as usize));
        }
    }
}
