//! Laws that hold of all filters and all posts.

#[path = "../generated/mod.rs"]
mod generated;
mod nearness;
mod parts;
mod places;
mod spellings;
mod words;

use generated::{Choices, SETS};
use proptest::collection::vec;
use proptest::prelude::*;
use tweetfilter_core::explain::CostClass;
use tweetfilter_core::oracle::{self, Surroundings};
use tweetfilter_core::post::{Account, Link};
use tweetfilter_core::syntax::NamedSets;
use tweetfilter_core::syntax::lint::set_names;
use tweetfilter_core::{
    Dialect, Expression, FilterId, FilterSet, FilterSetBuilder, Identity, Limits, OwnerId, Post, Scratch,
};

/// The owner of every other filter.
const OWNER: OwnerId = OwnerId(7);

fn me() -> Vec<Identity> {
    let identity = |network: &str, id: &str, handle: &str| Identity {
        network: network.into(),
        account: Account { id: id.into(), handle: handle.into() },
    };
    vec![identity("x", "12", "bob"), identity("bluesky", "did:plc:x", ""), identity("", "", "eve")]
}

fn named_sets() -> NamedSets {
    let mut sets = NamedSets::default();
    for (name, text) in SETS {
        sets.insert(name, text, &Limits::default()).expect("a set");
    }
    sets
}

/// The expression that bytes stand for; `None` where it is refused.
fn expression(bytes: &[u8]) -> Option<Expression> {
    let mut choices = Choices::new(bytes);
    let dialect = if choices.once_in(3) { Dialect::X } else { Dialect::Native };
    let text = generated::filter(&mut choices);
    Expression::parse_with(&text, dialect, &Limits::default()).ok()
}

fn expressions(all: &[Vec<u8>]) -> Vec<Expression> {
    all.iter().filter_map(|bytes| expression(bytes)).collect()
}

fn posts(all: &[Vec<u8>]) -> Vec<Post> {
    all.iter().map(|bytes| generated::post(&mut Choices::new(bytes))).collect()
}

fn compiled(expressions: &[Expression]) -> FilterSet {
    let mut builder = FilterSetBuilder::new();
    builder.owner(OWNER, me());
    for (name, text) in SETS {
        builder.named_set(name, text).expect("a set");
    }
    for (n, expression) in expressions.iter().enumerate() {
        builder.add_expression(FilterId(n as u64), Some(OWNER), expression.clone()).expect("a filter");
    }
    builder.build()
}

/// What the oracle says: the numbers of the expressions that hold.
fn by_oracle(expressions: &[Expression], post: &Post) -> Vec<u64> {
    let (sets, me) = (named_sets(), me());
    let surroundings = Surroundings { sets: &sets, me: &me };
    let holds = |(_, expression): &(usize, &Expression)| oracle::holds(expression, post, &surroundings);
    expressions.iter().enumerate().filter(holds).map(|(n, _)| n as u64).collect()
}

fn ids(matches: &[tweetfilter_core::Match]) -> Vec<u64> {
    matches.iter().map(|found| found.id.0).collect()
}

/// The filters by text, for a failure to paste.
fn told(expressions: &[Expression], post: &Post) -> String {
    let filters: Vec<_> =
        expressions.iter().enumerate().map(|(n, e)| format!("{n} {:?} {}", e.dialect(), e.text())).collect();
    format!("{}\n{}", filters.join("\n"), serde_json::to_string(post).expect("a post"))
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

#[test]
fn most_generated_filters_parse() {
    let mut state = 1_u64;
    let mut run = || -> Vec<u8> {
        (0..120)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect()
    };
    let mut refused = Vec::new();
    for _ in 0..500 {
        let text = generated::filter(&mut Choices::new(&run()));
        if let Err(error) = Expression::parse(&text) {
            refused.push(format!("{text}: {error}"));
        }
    }
    assert!(refused.len() < 50, "{} of 500 are refused:\n{}", refused.len(), refused.join("\n"));
}

/// Words with wildcards, and texts in which they nearly or just match.
fn wildcards() -> impl Strategy<Value = String> {
    let letters = prop::sample::select(vec![
        "snow",
        "caf",
        "café",
        "Straß",
        "ΣΟΦΟΣ",
        "алён",
        "İst",
        "no",
        "ǰab",
        "J",
        "ﬁn",
    ]);
    let between = prop::sample::select(vec!["*", "?", "**", "?*", "o*"]);
    let parts = vec((letters, between), 1..3)
        .prop_map(|all| all.into_iter().flat_map(|(a, b)| [a, b]).collect::<String>());
    (prop::bool::ANY, prop::sample::select(vec!["*", "s*", "s?", "url:*"]), parts, prop::bool::ANY).prop_map(
        |(exact, head, parts, ends)| {
            let word = if ends { parts.trim_end_matches(['*', '?']) } else { parts.trim_end_matches('?') };
            match head.strip_prefix("url:") {
                Some(head) if exact => format!("url:={head}{word}"),
                _ if exact => format!("={head}{word}"),
                _ => format!("{head}{word}"),
            }
        },
    )
}

fn near_wildcards() -> impl Strategy<Value = String> {
    let pieces = vec![
        "snow",
        "SNOW",
        "sn",
        "ow",
        "s",
        "x",
        "café",
        "cafe\u{301}",
        "CAF",
        "straß",
        "STRASS",
        "σοφος",
        "Σοφός",
        "Алён",
        "ален",
        "ist",
        "İST",
        "J\u{30c}ab",
        "ǰAB",
        "ﬁn",
        "Fin",
        "no",
        " ",
        "-",
        "東",
        "\u{30c}",
        "🎿",
    ];
    vec(prop::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn me_in_a_set_is_each_owners_own() {
    let mut builder = FilterSetBuilder::new();
    builder.named_set("us", "me\nal").expect("a set");
    for (owner, id) in [(1, "12"), (2, "13")] {
        let account = Account { id: id.into(), ..Account::default() };
        builder.owner(OwnerId(owner), vec![Identity { network: "x".into(), account }]);
        let filter = Expression::parse("from:{us}").expect("a filter");
        builder.add_expression(FilterId(owner), Some(OwnerId(owner)), filter).expect("with its owner");
    }
    let set = builder.build();
    for (author, expected) in [("12", &[1][..]), ("13", &[2]), ("14", &[])] {
        let mut post = Post::from_text("hi");
        post.network = "x".into();
        post.author.account.id = author.into();
        assert_eq!(ids(&set.matches(&post)), expected, "{author}");
    }
}

/// The ids of the filters that a post matches, each of its dialect, in one set.
fn together(filters: &[(&str, Dialect)], post: &Post) -> Vec<u64> {
    let parse = |(text, dialect): &(&str, Dialect)| {
        Expression::parse_with(text, *dialect, &Limits::default()).expect("a filter")
    };
    ids(&compiled(&filters.iter().map(parse).collect::<Vec<_>>()).matches(post))
}

#[test]
fn a_set_is_read_in_the_dialect_of_each_filter() {
    let post: Post =
        serde_json::from_str(r#"{"text":"x","quote_of":{"post":{"text":"snow"}}}"#).expect("a post");
    assert_eq!(together(&[("{words}", Dialect::Native), ("{words}", Dialect::X)], &post), [1]);
    assert_eq!(together(&[("{words}", Dialect::X), ("{words}", Dialect::Native)], &post), [0]);
}

#[test]
fn what_is_unknown_is_unknown_to_both_sides_in_one_set() {
    let filters = ["followers:>=100 snow", "-followers:>=100 snow", "-(followers:>=100 snow)"];
    let filters = filters.map(|text| (text, Dialect::Native));
    let mut post = Post::from_text("snow");
    assert_eq!(together(&filters, &post), [0; 0]);
    post.author.followers = Some(100);
    assert_eq!(together(&filters, &post), [0]);
    post.author.followers = Some(99);
    assert_eq!(together(&filters, &post), [1, 2]);
}

#[test]
fn literals_that_stand_in_each_other_are_all_found() {
    let filters: Vec<String> = (4..15).map(|n| format!("contains:{}", "a".repeat(n))).collect();
    let filters: Vec<_> = filters.iter().map(|text| (text.as_str(), Dialect::Native)).collect();
    for n in [3, 4, 12, 14] {
        let expected: Vec<u64> = (4..=n).map(|n| n - 4).collect();
        assert_eq!(together(&filters, &Post::from_text("a".repeat(n as usize))), expected, "{n}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_iters: 4096, ..ProptestConfig::default() })]

    /// What an explanation says of a post is what the engine does, and its places are places of the post.
    #[test]
    fn explanations_agree_with_the_engine(filters in vec(bytes(60), 1..8), posts_of in vec(bytes(200), 1..4)) {
        let (expressions, posts) = (expressions(&filters), posts(&posts_of));
        let set = compiled(&expressions);
        for post in &posts {
            let found = ids(&set.matches(post));
            for (number, expression) in expressions.iter().enumerate() {
                let explained = set.explain(number, post).expect("there is such a filter");
                let told = || format!("{}\n{}", set.text(number).unwrap(), serde_json::to_string(post).unwrap());
                prop_assert_eq!(explained.matched, found.contains(&(number as u64)), "{}", told());
                prop_assert!(!(explained.matched && explained.parts.is_empty()), "{}", told());
                for part in &explained.parts {
                    let written = set.text(number).and_then(|text| text.get(part.expression.range()));
                    prop_assert!(written.is_some_and(|text| !text.is_empty()), "{}", told());
                    prop_assert!(!(explained.matched && part.unknown), "{}", told());
                }
                let wrong = places::wrong(&explained, expression, post);
                prop_assert!(wrong.is_none(), "{}\n{}", wrong.unwrap_or_default(), told());
            }
        }
    }

    #[test]
    fn printing_an_expression_keeps_its_meaning_and_is_a_fixed_point(bytes in bytes(200)) {
        if let Some(expression) = expression(&bytes) {
            let printed = expression.to_string();
            let again = Expression::parse_with(&printed, expression.dialect(), &Limits::default());
            let again = again.map_err(|error| TestCaseError::fail(format!("{} -> {printed}: {error}", expression.text())))?;
            prop_assert_eq!(&again, &expression, "{} -> {}", expression.text(), printed);
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn an_expression_and_its_negation_are_never_both_true(filter in bytes(160), post in bytes(300)) {
        if let Some(expression) = expression(&filter) {
            let negated = format!("-({})", expression.text());
            let limits = Limits { nesting: 80, ..Limits::default() };
            let negated = Expression::parse_with(&negated, expression.dialect(), &limits).expect("the negation");
            let post = generated::post(&mut Choices::new(&post));
            let found = by_oracle(&[expression.clone(), negated], &post);
            prop_assert!(found.len() < 2, "{}", told(&[expression], &post));
        }
    }

    #[test]
    fn the_engine_agrees_with_the_oracle_in_every_configuration(
        filters in vec(bytes(160), 1..24),
        some_posts in vec(bytes(300), 1..6),
    ) {
        let (expressions, posts) = (expressions(&filters), posts(&some_posts));
        let set = compiled(&expressions);
        let mut scratch = Scratch::default();
        let mut batch = vec![Vec::new(); posts.len()];
        set.matches_batch(&mut scratch, &posts, |n, found| batch[n] = ids(found));
        for (post, batch) in posts.iter().zip(batch) {
            let expected = by_oracle(&expressions, post);
            let told = || told(&expressions, post);
            prop_assert_eq!(&ids(&set.matches(post)), &expected, "single\n{}", told());
            prop_assert_eq!(&ids(set.matches_with(&mut scratch, post)), &expected, "scratch reused\n{}", told());
            prop_assert_eq!(&ids(set.matches_scanned(&mut scratch, post)), &expected, "index off\n{}", told());
            prop_assert_eq!(&batch, &expected, "batch\n{}", told());
            prop_assert_eq!(&ids(set.matches_for(&mut scratch, post, &[OWNER])), &expected, "audience\n{}", told());
            prop_assert!(set.matches_for(&mut scratch, post, &[OwnerId(8)]).is_empty(), "strangers\n{}", told());
        }
    }

    #[test]
    fn an_audience_gets_its_own_filters_and_those_of_nobody(filters in vec(bytes(160), 1..24), post in bytes(300)) {
        let others = vec![Identity {
            network: "x".into(),
            account: Account { id: "13".into(), handle: "al".into() },
        }];
        let owners = [(OwnerId(1), me()), (OwnerId(2), others)];
        let post = generated::post(&mut Choices::new(&post));
        let mut builder = FilterSetBuilder::new();
        for (owner, identities) in &owners {
            builder.owner(*owner, identities.clone());
        }
        for (name, text) in SETS {
            builder.named_set(name, text).expect("a set");
        }
        let sets = named_sets();
        // Whose, and whether it holds.
        let mut expected: Vec<(u64, Option<OwnerId>, bool)> = Vec::new();
        for (n, expression) in (0..).zip(expressions(&filters)) {
            let of = |which: usize| {
                let (owner, me) = &owners[which];
                (Some(*owner), oracle::holds(&expression, &post, &Surroundings { sets: &sets, me }))
            };
            let nobodys = n % 3 == 2 && builder.add_expression(FilterId(n), None, expression.clone()).is_ok();
            let (owner, holds) = if nobodys { (None, of(0).1) } else { of(n as usize % 2) };
            if !nobodys {
                builder.add_expression(FilterId(n), owner, expression.clone()).expect("a filter");
            }
            expected.push((n, owner, holds));
        }
        let set = builder.build();
        let mut scratch = Scratch::default();
        for audience in [&[][..], &[OwnerId(1)], &[OwnerId(2)], &[OwnerId(2), OwnerId(1)], &[OwnerId(2), OwnerId(9), OwnerId(1), OwnerId(2)]] {
            let sees = |owner: &Option<OwnerId>| owner.is_none_or(|owner| audience.contains(&owner));
            let wanted: Vec<u64> =
                expected.iter().filter(|(_, owner, holds)| *holds && sees(owner)).map(|(n, ..)| *n).collect();
            let found = ids(set.matches_for(&mut scratch, &post, audience));
            prop_assert_eq!(found, wanted, "{:?} {}", audience, told(&expressions(&filters), &post));
        }
    }

    #[test]
    fn order_and_company_do_not_matter(filters in vec(bytes(120), 1..24), post in bytes(300), by in 0..24_usize) {
        let expressions = expressions(&filters);
        let post = generated::post(&mut Choices::new(&post));
        let mut together = ids(&compiled(&expressions).matches(&post));
        let alone: Vec<u64> = (0..expressions.len())
            .filter(|n| !compiled(&expressions[*n..=*n]).matches(&post).is_empty())
            .map(|n| n as u64)
            .collect();
        prop_assert_eq!(&together, &alone, "{}", told(&expressions, &post));
        let mut turned = expressions.clone();
        if !turned.is_empty() {
            turned.rotate_left(by % expressions.len());
            let length = expressions.len() as u64;
            let back = |n: u64| (n + by as u64 % length) % length;
            let mut after: Vec<u64> = ids(&compiled(&turned).matches(&post)).into_iter().map(back).collect();
            after.sort_unstable();
            together.sort_unstable();
            prop_assert_eq!(after, together, "{}", told(&expressions, &post));
        }
    }

    #[test]
    fn words_with_wildcards_never_lose(words in vec(wildcards(), 1..12), texts in vec(near_wildcards(), 1..8)) {
        let expressions: Vec<_> = words.iter().filter_map(|word| Expression::parse(word).ok()).collect();
        let set = compiled(&expressions);
        for text in &texts {
            let mut post = Post::from_text(text.as_str());
            let url = format!("https://example.com/{}", text.replace(' ', "/"));
            post.entities.links.push(Link { expanded: Some(url.clone()), url, ..Link::default() });
            prop_assert_eq!(ids(&set.matches(&post)), by_oracle(&expressions, &post), "{}", told(&expressions, &post));
        }
    }

    #[test]
    fn a_filter_is_scanned_exactly_where_it_is_warned_of(filters in vec(bytes(160), 1..24)) {
        let expressions = expressions(&filters);
        let set = compiled(&expressions);
        for (n, expression) in expressions.iter().enumerate() {
            let warned = expression.warnings().iter().any(|w| w.code == "evaluated_for_every_post");
            let scanned = set.cost_class(n) == Some(CostClass::Scanned);
            // What a set holds, its filter doesn't say.
            let is_known = scanned && !warned && !set_names(expression).is_empty();
            prop_assert!(warned == scanned || is_known, "{}", expression.text());
        }
    }

    #[test]
    fn prefilters_never_lose(filters in vec(bytes(60), 1..64), some_posts in vec(bytes(120), 1..12)) {
        let (expressions, posts) = (expressions(&filters), posts(&some_posts));
        let set = compiled(&expressions);
        let mut scratch = Scratch::default();
        for post in &posts {
            let scanned = ids(set.matches_scanned(&mut scratch, post));
            let indexed = ids(set.matches_with(&mut scratch, post));
            prop_assert_eq!(indexed, scanned, "{}", told(&expressions, post));
        }
    }
}
