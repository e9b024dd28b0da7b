//! Inputs built to hurt: each must stay linear in the text and in the matches.

use std::fmt::Write as _;

use criterion::{Criterion, criterion_group, criterion_main};
use tweetfilter_core::{FilterId, FilterSet, FilterSetBuilder, Post, Scratch};

/// A name, filters, a post, and how many of the filters match it.
type Case = (&'static str, Vec<String>, Post, usize);

fn cases() -> Vec<Case> {
    let numbered =
        |count: usize, filter: &dyn Fn(usize) -> String| (0..count).map(filter).collect::<Vec<_>>();
    let mut words = String::new();
    for n in 0..4000 {
        let _ = write!(words, "w{n} ");
    }
    let ring = "a b c d e f g ".repeat(2000);
    vec![
        ("every filter matches", numbered(10_000, &|_| "a".to_owned()), Post::from_text("a"), 10_000),
        (
            "every filter is a candidate",
            numbered(10_000, &|n| format!("w{} w{} -a", n % 4000, n % 3999)),
            Post::from_text(format!("{words} a")),
            0,
        ),
        ("no filter has an index term", numbered(10_000, &|n| format!("-w{n} -b")), Post::from_text("b"), 0),
        (
            "phrase of one word in a text of it",
            numbered(500, &|n| format!("\"{}b{n}\"", "a ".repeat(40))),
            Post::from_text("a ".repeat(16_000)),
            0,
        ),
        (
            "proximity without its last item",
            numbered(500, &|n| format!("\"a b c d e f g h{n}\"~32")),
            Post::from_text(ring.clone()),
            0,
        ),
        ("proximity all over", numbered(500, &|_| "\"a c e g\"~3".to_owned()), Post::from_text(ring), 500),
        (
            "substring that almost fits",
            numbered(500, &|n| format!("contains:\"{}b{n}\"", "a".repeat(100))),
            Post::from_text("a".repeat(32_000)),
            0,
        ),
        (
            "nested repetition in a regex",
            numbered(30, &|n| format!("/(x+x+)+y{n}/")),
            Post::from_text(format!("{} y1", "x".repeat(16_000))),
            0,
        ),
        (
            "wildcards in every token",
            numbered(1000, &|n| format!("*q{n}*")),
            Post::from_text(words.clone()),
            0,
        ),
        (
            "ten thousand marks on one letter",
            numbered(500, &|n| format!("e{n}")),
            Post::from_text(format!("e{}", "\u{301}".repeat(10_000))),
            0,
        ),
        (
            "four thousand tags",
            numbered(4000, &|n| format!("#w{n}")),
            Post::from_text(words.replace('w', "#w")),
            4000,
        ),
        (
            "a filter of eight thousand words",
            vec![numbered(7000, &|n| format!("v{n}")).join(" OR ")],
            Post::from_text(words),
            0,
        ),
    ]
}

fn set(filters: &[String]) -> FilterSet {
    let mut builder = FilterSetBuilder::new();
    for (number, filter) in filters.iter().enumerate() {
        if let Err(error) = builder.add(FilterId(number as u64), filter) {
            panic!("{filter}: {error}");
        }
    }
    builder.build()
}

fn pathological(c: &mut Criterion) {
    let mut group = c.benchmark_group("pathological");
    group.sample_size(10);
    for (name, filters, post, count) in cases() {
        let set = set(&filters);
        let mut scratch = Scratch::default();
        assert_eq!(set.matches_scanned(&mut scratch, &post).len(), count, "{name}, index off");
        assert_eq!(set.matches_with(&mut scratch, &post).len(), count, "{name}");
        group.bench_function(name, |b| {
            b.iter(|| assert_eq!(set.matches_with(&mut scratch, &post).len(), count))
        });
    }
}

criterion_group!(benches, pathological);
criterion_main!(benches);
