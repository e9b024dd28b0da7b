//! Proximities in texts in which one item stands everywhere and others are rare, so that these are looked around.

use proptest::collection::vec;
use proptest::prelude::*;
use tweetfilter_core::{Expression, Post};

use super::{by_oracle, compiled, ids, places, told};

/// Mostly one word, and now and then others.
fn text() -> impl Strategy<Value = String> {
    let rare = prop::sample::select(vec!["b", "c", "cafe", "café", "b a", "https://t.co/x"]);
    let word = prop_oneof![20 => Just("a"), 2 => Just("x"), 2 => rare];
    vec(word, 0..80).prop_map(|words| words.join(" "))
}

/// Items that stand several times or share tokens among them.
fn proximity() -> impl Strategy<Value = String> {
    let item = prop::sample::select(vec!["a", "a", "b", "c", "cafe", "café", "a-b", "b-a", "a-a"]);
    (vec(item, 2..4), 0..5_u32, prop::bool::ANY).prop_map(|(items, distance, exact)| {
        let sign = if exact { "=" } else { "" };
        format!("{sign}\"{}\"~{distance}", items.join(" "))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_around_a_rare_item_is_what_the_oracle_finds(
        filters in vec(proximity(), 1..5),
        text in text(),
        warning in text(),
    ) {
        let parsed = filters.iter().map(|filter| Expression::parse(filter).expect("a proximity"));
        let expressions: Vec<Expression> = parsed.collect();
        // No proximity goes from the one into the other.
        let post = Post { warning: Some(warning), ..Post::from_text(text) };
        let set = compiled(&expressions);
        prop_assert_eq!(ids(&set.matches(&post)), by_oracle(&expressions, &post), "{}", told(&expressions, &post));
        for (number, expression) in expressions.iter().enumerate() {
            let explained = set.explain(number, &post).expect("there is such a filter");
            let wrong = places::wrong(&explained, expression, &post);
            prop_assert!(wrong.is_none(), "{}\n{}", wrong.unwrap_or_default(), told(&expressions, &post));
        }
    }
}
