//! Links and regexes in all their spellings.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use tweetfilter_core::post::Link;
use tweetfilter_core::{Expression, FilterSet, Post};
use unicode_normalization::UnicodeNormalization;

use super::generated::{DOMAINS, REGEXES, URLS};
use super::{by_oracle, bytes, compiled, ids, posts, told};

#[test]
fn every_generated_link_leads_where_the_oracle_says() {
    let parsed = DOMAINS.iter().map(|name| Expression::parse(&format!("domain:{name}")).expect("a site"));
    let expressions: Vec<Expression> = parsed.collect();
    let set = compiled(&expressions);
    for url in URLS {
        let mut post = Post::from_text("x");
        post.entities.links.push(Link { url: (*url).into(), ..Link::default() });
        assert_eq!(ids(&set.matches(&post)), by_oracle(&expressions, &post), "{url}");
    }
}

/// Each generated regex as it is typed there, and then in composed characters.
static TYPED: LazyLock<(Vec<Expression>, FilterSet)> = LazyLock::new(|| {
    let composed = |regex: &str| regex.nfc().collect::<String>();
    let spellings = REGEXES.iter().flat_map(|regex| [(*regex).to_owned(), composed(regex)]);
    let expressions: Vec<Expression> =
        spellings.map(|regex| Expression::parse(&regex).expect("a regex")).collect();
    let set = compiled(&expressions);
    (expressions, set)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_regex_finds_the_same_however_its_characters_were_typed(some_posts in vec(bytes(120), 1..6)) {
        let (expressions, set) = &*TYPED;
        for post in &posts(&some_posts) {
            let found = ids(&set.matches(post));
            for (pair, spellings) in (0_u64..).zip(expressions.chunks(2)) {
                let [typed, composed] = [2 * pair, 2 * pair + 1].map(|id| found.contains(&id));
                prop_assert_eq!(typed, composed, "{}", told(spellings, post));
            }
        }
    }
}
