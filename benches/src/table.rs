//! The table: what is measured, and how it is printed and recorded.

use std::hint::black_box;

use tweetfilter_core::explain::CostClass;
use tweetfilter_core::text::{Origin, Tokens, tokenize};
use tweetfilter_core::{Expression, FilterSet, Post, Scratch, Span};
use tweetfilter_stream::wire::decode_tweet_by_serde_json;

use crate::check;
use crate::counting::live_bytes;
use crate::measure::{Contest, Timing, seconds};
use crate::record::Report;
use crate::rivals::{Mokaccino, document, link_spans};
use crate::workload::{Workload, post_of};

/// How much to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rounds of every contest.
    pub rounds: usize,
    /// Numbers of filters.
    pub sizes: Vec<usize>,
    /// Whether the rivals run too.
    pub rivals: bool,
}

impl Report {
    /// Measures a workload at all sizes.
    ///
    /// # Panics
    /// When the engine's answers differ between its ways of matching or from a rival's.
    pub fn measure(&mut self, workload: &Workload, plan: &Plan) {
        self.say(&format!("\n{}, {} posts\n\n", workload.name, workload.posts.len()));
        for &size in plan.sizes.iter().filter(|&&size| size <= workload.filters.len()) {
            let figures = figures(workload, size, plan);
            let line = figures.iter().map(|(name, value)| format!("{name} {}", shown(*value)));
            self.say(&format!("{size} filters: {}\n", line.collect::<Vec<_>>().join(" · ")));
            for (name, value) in figures {
                self.rows.push((workload.name.to_owned(), size, name.to_owned(), value));
            }
        }
    }
}

fn figures(workload: &Workload, size: usize, plan: &Plan) -> Vec<(&'static str, f64)> {
    let mut figures = Vec::new();
    let set = build(workload, size, &mut figures);
    let matches = check::ways(workload, &set);
    figures.push(("matches/post", matches as f64 / workload.posts.len() as f64));
    let rival = plan.rivals.then(|| rival(workload, &set, size, &mut figures));
    speeds(workload, &set, matches, size, plan, &mut figures);
    if !workload.lines.is_empty() {
        wire(workload, &set, plan, &mut figures);
    }
    if let Some((rival, found)) = rival {
        rivals(workload, &set, (&rival, found), size, plan, &mut figures);
    }
    figures
}

/// Numbers with three digits that mean something.
fn shown(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e4 => format!("{:.0} k", v / 1e3),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

fn build(workload: &Workload, size: usize, figures: &mut Vec<(&'static str, f64)>) -> FilterSet {
    let start = seconds();
    for filter in &workload.filters[..size] {
        black_box(Expression::parse(filter)).expect("the filter is an expression");
    }
    figures.push(("parse µs/filter", (seconds() - start) * 1e6 / size as f64));
    let statistics = workload.statistics();
    let start = seconds();
    let (set, bytes) = live_bytes(|| workload.builder(size, statistics.clone()).build());
    figures.push(("build µs/filter, parsing included", (seconds() - start) * 1e6 / size as f64));
    let text: usize = workload.filters[..size].iter().map(String::len).sum();
    figures.push(("heap bytes/filter without its text", (bytes as f64 - text as f64) / size as f64));
    let scanned =
        (0..size).filter(|&i| set.cost(i).is_some_and(|cost| cost.class == CostClass::Scanned)).count();
    figures.push(("scanned filters", scanned as f64));
    set
}

fn speeds(
    workload: &Workload,
    set: &FilterSet,
    matches: u64,
    size: usize,
    plan: &Plan,
    figures: &mut Vec<(&'static str, f64)>,
) {
    let posts = &workload.posts;
    let owned = workload.owned_set(size);
    let audiences = workload.audiences(size);
    let seen = check::audience(workload, &owned, &audiences);
    let links: Vec<Vec<Span>> = posts.iter().map(|post| link_spans(post.content())).collect();
    let (owned, audiences, links) = (&owned, &audiences, &links);
    let mut contest = Contest::default();
    let mut scratch = Scratch::default();
    contest.add("single", move || {
        posts.iter().map(|post| set.matches_with(&mut scratch, post).len() as u64).sum()
    });
    let mut scratch = Scratch::default();
    contest.add("batch", move || {
        let mut count = 0;
        set.matches_batch(&mut scratch, posts, |_, found| count += found.len() as u64);
        count
    });
    let mut tokens = Tokens::default();
    contest.add("tokenize", move || {
        let one = |(post, links): (&Post, &Vec<Span>)| {
            tokens.clear();
            tokenize(&post.content().text, Origin::Post(links), &mut tokens);
            tokens.len() as u64
        };
        posts.iter().zip(links).map(one).sum()
    });
    let mut scratch = Scratch::default();
    contest.add("audience", move || {
        let one =
            |(post, owners): (&Post, &Vec<_>)| owned.matches_for(&mut scratch, post, owners).len() as u64;
        posts.iter().zip(audiences).map(one).sum()
    });
    let timings = contest.run(plan.rounds);
    let counts = [timings[0].count, timings[1].count, timings[3].count];
    assert_eq!(counts, [matches, matches, seen], "a pass counts something else than the check");
    let rate = |t: &Timing| posts.len() as f64 / t.seconds();
    figures.push(("single posts/s", rate(&timings[0])));
    figures.push(("slowest round ÷ median", timings[0].spread().1));
    figures.push(("batch posts/s", rate(&timings[1])));
    figures.push(("single ÷ tokenize only", timings[0].ratio(&timings[2])));
    figures.push(("tokens/post", timings[2].count as f64 / posts.len() as f64));
    figures.push(("audience of 20 × 10, posts/s", rate(&timings[3])));
}

fn wire(workload: &Workload, set: &FilterSet, plan: &Plan, figures: &mut Vec<(&'static str, f64)>) {
    let lines = &workload.lines;
    for line in lines.iter().step_by(lines.len() / 200 + 1) {
        let by_serde = decode_tweet_by_serde_json(line.as_bytes());
        assert_eq!(
            by_serde.ok(),
            tweetfilter_stream::wire::decode(line.as_bytes()).ok(),
            "the decoders differ"
        );
    }
    let mut contest = Contest::default();
    let mut scratch = Scratch::default();
    contest.add("raw", move || {
        lines.iter().filter_map(|l| post_of(l)).map(|p| set.matches_with(&mut scratch, &p).len() as u64).sum()
    });
    contest.add("decode", move || lines.iter().filter_map(|line| post_of(line)).count() as u64);
    contest.add("serde_json", move || {
        lines.iter().filter(|line| black_box(decode_tweet_by_serde_json(line.as_bytes())).is_ok()).count()
            as u64
    });
    let timings = contest.run(plan.rounds);
    let rate = |t: &Timing| lines.len() as f64 / t.seconds();
    let bytes = lines.iter().map(String::len).sum::<usize>() as f64;
    figures.push(("raw lines → matches, lines/s", rate(&timings[0])));
    figures.push(("raw lines → matches, MB/s", bytes / 1e6 / timings[0].seconds()));
    figures.push(("decode lines/s", rate(&timings[1])));
    figures.push(("serde_json into the same struct, lines/s", rate(&timings[2])));
    figures.push(("raw → matches ÷ serde_json decode", timings[0].ratio(&timings[2])));
}

/// The first posts, as many as so many evaluations allow.
fn some(workload: &Workload, size: usize, budget: usize) -> &[Post] {
    &workload.posts[..(budget / size).clamp(10.min(workload.posts.len()), workload.posts.len())]
}

/// Evaluations that mokaccino is timed over.
const RIVAL: usize = 30_000_000;

/// mokaccino with the filters that it can express, and how many matches it finds: the same as we.
fn rival(
    workload: &Workload,
    set: &FilterSet,
    size: usize,
    figures: &mut Vec<(&'static str, f64)>,
) -> (Mokaccino, u64) {
    let start = seconds();
    let (rival, bytes) = live_bytes(|| Mokaccino::new(&workload.filters[..size]));
    figures.push(("mokaccino build µs/filter", (seconds() - start) * 1e6 / size as f64));
    figures.push(("mokaccino heap bytes/filter", bytes as f64 / rival.taken.len().max(1) as f64));
    figures.push(("filters mokaccino can't express", rival.left_out as f64));
    let posts = some(workload, size, RIVAL);
    let documents: Vec<_> = posts.iter().map(document).collect();
    let found = check::rival(set, &rival, posts, &documents);
    (rival, found)
}

fn rivals(
    workload: &Workload,
    set: &FilterSet,
    (rival, found): (&Mokaccino, u64),
    size: usize,
    plan: &Plan,
    figures: &mut Vec<(&'static str, f64)>,
) {
    // A plain loop: the same compiled programs, one filter after the other.
    let posts = some(workload, size, 4_000_000);
    let (mut one, mut two) = (Scratch::default(), Scratch::default());
    let mut contest = Contest::default();
    contest
        .add("single", move || posts.iter().map(|post| set.matches_with(&mut one, post).len() as u64).sum());
    contest
        .add("loop", move || posts.iter().map(|post| set.matches_scanned(&mut two, post).len() as u64).sum());
    let timings = contest.run(plan.rounds.min(5));
    assert_eq!(timings[0].count, timings[1].count, "the index loses or invents a match");
    figures.push(("plain loop posts/s", posts.len() as f64 / timings[1].seconds()));
    figures.push(("× plain loop", timings[1].ratio(&timings[0])));

    let posts = some(workload, size, RIVAL);
    let documents: Vec<_> = posts.iter().map(document).collect();
    let documents = &documents;
    let mut scratch = Scratch::default();
    let mut contest = Contest::default();
    contest.add("single", move || {
        posts.iter().map(|post| set.matches_with(&mut scratch, post).len() as u64).sum()
    });
    contest.add("mokaccino", move || documents.iter().map(|document| rival.count(document)).sum());
    let timings = contest.run(plan.rounds.min(5));
    assert_eq!(timings[1].count, found, "a pass counts something else than the check");
    figures.push(("mokaccino posts/s, tokens given", posts.len() as f64 / timings[1].seconds()));
    figures.push(("× mokaccino", timings[1].ratio(&timings[0])));
}
