//! The work of an evaluation grows no faster than the filter, and no faster than the post: counted, not timed.

use std::cell::Cell;

use crate::post::{Account, Annotation, Attribute, AttributeValue, Entities, Link, Mention, Reference, Tag};
use crate::{FilterId, FilterSetBuilder, Limits, Post, Scratch};

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// A post was opened, a term noted, a step of a program taken, a token of a phrase compared.
pub(super) fn count() {
    STEPS.set(STEPS.get() + 1);
}

/// Steps for one filter and one text, by index and without it.
fn steps(filter: &str, text: &str) -> u64 {
    steps_over(filter, &Post::from_text(format!("{text} b a")))
}

fn steps_over(filter: &str, post: &Post) -> u64 {
    let mut builder = FilterSetBuilder::new();
    builder.add(FilterId(1), filter).unwrap();
    let set = builder.build();
    let mut scratch = Scratch::default();
    STEPS.set(0);
    let found = set.matches_with(&mut scratch, post).len();
    assert_eq!(found, set.matches_scanned(&mut scratch, post).len());
    STEPS.get()
}

/// A filter of a size.
type OfSize = fn(usize) -> String;

/// Comparisons that don't hold.
fn bounds(operator: &str, n: usize) -> String {
    (0..n / 2).map(|i| format!("{operator}:{}", 1_000_000 + i)).collect::<Vec<_>>().join(" OR ")
}

/// Filters of a size, and the words that a text repeats to make work for them.
fn filters() -> impl Iterator<Item = (&'static str, &'static str, OfSize)> {
    let filters: [(_, _, OfSize); 18] = [
        ("nested NOT", "a ", |n| "-".repeat(2 * n) + "a"),
        ("AND", "a b ", |n| vec!["(a OR b)"; n].join(" ")),
        ("OR", "z ", |n| (0..n).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" OR ") + " OR z"),
        ("AND NOT", "a ", |n| "a".to_owned() + &(0..n).map(|i| format!(" -w{i}")).collect::<String>()),
        ("quota", "a ", |n| {
            let items: Vec<_> = (0..n.min(200)).map(|i| format!("w{i}")).collect();
            format!("2 of (a, {})", items.join(", "))
        }),
        ("phrase of one word", "a ", |n| format!("\"{}b\"", "a ".repeat(n))),
        ("phrase that nearly stands", "a a a b ", |n| format!("\"{}c\"", "a ".repeat(n))),
        ("phrase whose pairs all stand", "a ", |n| format!("\"{}b a a b\"", "a ".repeat(n))),
        ("phrase with a wildcard", "a ", |n| format!("\"{}ab*\"", "a ".repeat(n))),
        ("nearness", "a b ", |n| format!("\"a b {}\"~{}", "a ".repeat(n.min(4)), n.min(32))),
        ("nearness of repeated items", "a ", |n| format!("\"{}b b\"~{}", "a ".repeat(n.min(6)), n.min(32))),
        ("phrase of that word alone", "a ", |n| format!("\"{}\"", "a ".repeat(n))),
        ("wildcards", "ab ac ", |n| (0..n).map(|i| format!("ab{i}*")).collect::<Vec<_>>().join(" OR ")),
        ("substrings", "ab", |n| format!("contains:\"{}c\"", "ab".repeat(n))),
        ("counts of text", "a B ", |n| bounds("length", n) + " OR " + &bounds("caps", n)),
        ("counts of tags", "#c ", |n| bounds("hashtags", n)),
        ("beginnings of tags", "#cart ", |n| {
            (0..n).map(|i| format!("#cart{i}*")).collect::<Vec<_>>().join(" OR ")
        }),
        ("parentheses", "a ", |n| format!("{}a{}", "(".repeat(n.min(60)), ")".repeat(n.min(60)))),
    ];
    filters.into_iter()
}

#[test]
fn ten_times_the_post_costs_ten_times_the_steps() {
    for (name, word, filter) in filters() {
        let filter = filter(100);
        let (small, large) = (steps(&filter, &word.repeat(300)), steps(&filter, &word.repeat(3_000)));
        assert!(large <= 11 * small + 1_000, "{name}: {small} steps, then {large}");
    }
}

#[test]
fn ten_times_the_filter_costs_ten_times_the_steps() {
    for (name, word, filter) in filters() {
        let text = word.repeat(2_000);
        let (small, large) = (steps(&filter(200), &text), steps(&filter(2_000), &text));
        assert!(large <= 11 * small + 1_000, "{name}: {small} steps, then {large}");
    }
}

#[test]
fn the_largest_filters_and_posts_cost_a_bounded_number_of_steps() {
    let limits = Limits::default();
    for (name, word, filter) in filters() {
        let mut n = 8_000;
        while filter(n).len() > limits.expression_bytes || name == "wildcards" && n > 1_000 {
            n /= 2;
        }
        let text = word.repeat(limits.post_text_bytes / word.len() - 2);
        let steps = steps(&filter(n), &text);
        assert!(steps <= 400_000, "{name}: {steps} steps");
    }
}

/// Items that stand again and again, are equal, or overlap, and the words that a text repeats against them.
const NEAR: &[(&str, &str)] = &[
    ("a a a a a b", "a "),
    ("a a a a a a b b", "a "),
    ("a a b b c c d d", "a b c "),
    ("a b c d e f g h", "a b c d e f g "),
    ("a a-a a-a-a b", "a "),
    ("a a a-a a-a b b-a", "a "),
    ("a-b b-a a-b-a b-a-b b", "a b c "),
    ("a-b b-c c-d d-e e-f f-g g-h h-a", "a b c d e f g "),
    ("cafe café cafe b", "café "),
    ("a b=c", "a b "),
];

/// Steps to match and to explain a proximity, in a text where it stands nowhere and in one where it stands at the end.
fn steps_of_nearness(items: &str, word: &str, distance: u32, times: usize) -> u64 {
    let filter = format!("\"{items}\"~{distance}");
    let far = format!("{}{}", word.repeat(times), "x ".repeat(100));
    let mut total = 0;
    for text in [format!("{far} b d h"), format!("{far} {items}")] {
        let mut post = Post::from_text(&text);
        post.attributes.push(Attribute { name: "t".into(), value: AttributeValue::Text(text) });
        for filter in [&filter, &format!("={filter}"), &format!("attr.t:{filter}")] {
            total += steps_over(filter, &post);
            let mut builder = FilterSetBuilder::new();
            builder.add(FilterId(1), filter).unwrap();
            STEPS.set(0);
            let found = builder.build().explain(0, &post).unwrap();
            let places: usize = found.parts.iter().map(|part| part.places.len()).sum();
            assert_eq!(found.matched, places > 0, "{filter}");
            total += STEPS.get();
        }
    }
    total
}

#[test]
fn proximities_cost_steps_by_the_text_whatever_their_items() {
    for (items, word) in NEAR {
        for distance in [0, 1, 8, 32] {
            let steps = |times| steps_of_nearness(items, word, distance, times);
            let (small, large) = (steps(200), steps(2_000));
            assert!(large <= 11 * small + 1_000, "{items} ~{distance}: {small} steps, then {large}");
            let tokens = 2_000 * word.split_whitespace().count() as u64;
            assert!(large <= 4_000 * tokens, "{items} ~{distance}: {large} steps for {tokens} tokens");
        }
    }
}

#[test]
fn ordinary_proximities_cost_a_few_steps_a_token() {
    for (items, word) in [("a a a a a a b b", "a "), ("a a b b c c d d", "a b c ")] {
        let steps = steps_of_nearness(items, word, 32, 2_000);
        let tokens = 2_000 * word.split_whitespace().count() as u64;
        assert!(steps <= 120 * tokens, "{items}: {steps} steps for {tokens} tokens");
    }
}

#[test]
fn many_proximities_of_one_word_cost_steps_by_the_filter_and_by_the_text_not_by_both_at_once() {
    // The word stands everywhere; others stand once each, far from it or beside it.
    let steps = |n: usize, beside: &str| {
        let filter = (0..n).map(|i| format!("\"a w{i}\"~5")).collect::<Vec<_>>().join(" OR ");
        let others: String = (0..n).map(|i| format!("{beside}w{i} ")).collect();
        let far = "x ".repeat(100);
        let post = Post::from_text(format!("{others}{far}{}", "a ".repeat(10 * n)));
        let matching = steps_over(&filter, &post);
        let mut builder = FilterSetBuilder::new();
        builder.add(FilterId(1), &filter).unwrap();
        STEPS.set(0);
        let told = builder.build().explain(0, &post).unwrap();
        assert_eq!(told.matched, !beside.is_empty());
        assert!(!told.matched || told.parts.iter().filter(|part| part.places.len() == 2).count() == n);
        matching + STEPS.get()
    };
    for beside in ["", "a "] {
        let (small, large) = (steps(50, beside), steps(500, beside));
        assert!(large <= 11 * small + 1_000, "{beside}: {small} steps, then {large}");
    }
}

#[test]
fn the_value_of_a_field_is_cut_into_words_once_for_all_that_is_looked_for_in_it() {
    const WORDS: u64 = 1_000;
    let steps = |atoms: usize| {
        let words: Vec<_> = (0..atoms).map(|i| format!("w{i}")).collect();
        let field = |name: &str, value| Attribute { name: name.into(), value: AttributeValue::Text(value) };
        // The index knows that each word stands in some field.
        let attributes = vec![field("t", "a ".repeat(WORDS as usize)), field("u", words.join(" "))];
        let filter = words.iter().map(|word| format!("attr.t:{word}")).collect::<Vec<_>>().join(" OR ");
        steps_over(&filter, &Post { attributes, ..Post::default() })
    };
    // By the index and without it, each word is compared with those of the field.
    let each = (steps(41) - steps(1)) / 40;
    assert!(each < 3 * WORDS, "{each} steps");
}

#[test]
fn an_explanation_reads_its_text_once() {
    let explained = |atoms: usize, words: usize| {
        let filter = (0..atoms).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" OR ");
        let text = (0..words).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        let mut builder = FilterSetBuilder::new();
        builder.add(FilterId(1), &filter).unwrap();
        STEPS.set(0);
        builder.build().explain(0, &Post::from_text(text)).unwrap();
        STEPS.get()
    };
    let (small, large) = (explained(50, 400), explained(500, 4_000));
    assert!(large <= 11 * small + 1_000, "{small} steps, then {large}");
}

/// A post with so many different links, tags, mentions and names.
fn of_many(n: usize) -> Post {
    let name = |i: usize| format!("t{i:06}");
    let tag = |i| Tag { text: name(i), span: None };
    let link = |i| Link { url: format!("https://{0}.example/is/{0}/here", name(i)), ..Link::default() };
    let mention = |i| Mention { account: Account { handle: name(i), ..Account::default() }, span: None };
    let annotation = |i| Annotation { domain: "1".into(), entity: name(i), name: name(i) };
    let entities = Entities {
        links: (0..n).map(link).collect(),
        hashtags: (0..n).map(tag).collect(),
        mentions: (0..n).map(mention).collect(),
        ..Entities::default()
    };
    Post { entities, annotations: (0..n).map(annotation).collect(), ..Post::from_text("here") }
}

/// Steps to explain such a post by one atom for each of the first names, and how many parts have a place.
fn explained(post: &Post, names: usize, atom: &str) -> (u64, usize) {
    let atoms = (0..names).map(|i| atom.replace("NAME", &format!("t{i:06}")));
    let mut builder = FilterSetBuilder::new();
    builder.add(FilterId(1), &atoms.collect::<Vec<_>>().join(" OR ")).unwrap();
    STEPS.set(0);
    let told = builder.build().explain(0, post).unwrap();
    assert!(told.matched && told.parts.len() == names, "{atom}");
    (STEPS.get(), told.parts.iter().filter(|part| !part.places.is_empty()).count())
}

#[test]
fn explaining_costs_steps_by_the_post_and_by_the_filter_not_by_both_at_once() {
    let atoms = [
        "url:NAME",
        "url:=NAME",
        "url:\"is NAME here\"",
        "url:NAME*",
        "domain:NAME.example",
        "#NAME",
        "#NAME*",
        "@NAME",
        "entity:NAME",
        "context:1.NAME",
    ];
    for atom in atoms {
        let (small, few) = explained(&of_many(400), 50, atom);
        let (large, many) = explained(&of_many(4_000), 500, atom);
        assert_eq!((few, many), (50, 500), "{atom}");
        assert!(large <= 11 * small + 1_000, "{atom}: {small} steps, then {large}");
    }
}

#[test]
fn an_explanation_looks_for_substrings_a_bounded_number_of_times() {
    let (steps, told) = explained(&of_many(4_000), 1_500, "url_contains:NAME");
    assert!(steps <= 5_000_000, "{steps} steps");
    assert!((100..1_500).contains(&told), "{told} parts with places");
}

#[test]
fn long_hosts_and_language_tags_cost_steps_by_their_length() {
    let linked = |url| {
        let link = Link { url, ..Link::default() };
        Post { entities: Entities { links: vec![link], ..Entities::default() }, ..Post::default() }
    };
    let host = |n: usize| steps_over("domain:a.com", &linked(format!("http://{}com", "a.".repeat(n))));
    let tagged = |n: usize| Post { lang: Some("en".to_owned() + &"-a".repeat(n)), ..Post::default() };
    let lang = |n: usize| steps_over("lang:en", &tagged(n));
    for (name, small, large) in [("host", host(1_000), host(10_000)), ("language", lang(1_000), lang(10_000))]
    {
        assert!(large <= 11 * small + 100, "{name}: {small} steps, then {large}");
    }
    assert!(lang(1_000) > 100);
}

/// A post that is a retweet of a post that quotes one that is a retweet, and so on.
fn nested(depth: usize) -> Post {
    (0..depth).fold(Post::from_text("a"), |post, level| {
        let inner = Some(Box::new(Reference { id: "1".into(), post: Some(post), ..Reference::default() }));
        let outer = Post::from_text("b");
        if level % 2 == 0 { Post { quote_of: inner, ..outer } } else { Post { retweet_of: inner, ..outer } }
    })
}

#[test]
fn each_post_inside_others_is_opened_a_bounded_number_of_times() {
    let filter = (0..40).fold("a".to_owned(), |inner, level| match level % 2 {
        0 => format!("in:quote({inner} OR x)"),
        _ => format!("in:retweet({inner} OR x)"),
    });
    let (small, large) = (steps_over(&filter, &nested(6)), steps_over(&filter, &nested(24)));
    assert!(large <= 5 * small + 100, "{small} steps, then {large}");
}
