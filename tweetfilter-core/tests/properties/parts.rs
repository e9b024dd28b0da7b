//! What a set of filters does not read of posts may be anything.

use proptest::collection::vec;
use proptest::prelude::*;
use tweetfilter_core::{Part, Parts, Post};

use super::{bytes, compiled, expressions, ids, posts, told};

/// Takes away what is not among the parts, of what the post carries too.
fn keep(post: &mut Post, parts: Parts) {
    let author = &mut post.author;
    author.name.take_if(|_| !parts.has(Part::Name));
    author.bio.take_if(|_| !parts.has(Part::Bio));
    author.location.take_if(|_| !parts.has(Part::Location));
    author.created_at.take_if(|_| !parts.has(Part::AccountTime));
    post.source.take_if(|_| !parts.has(Part::Source));
    if !parts.has(Part::Bio) {
        author.bio_links.clear();
    }
    let carried = [&mut post.retweet_of, &mut post.quote_of].into_iter().flatten();
    carried.filter_map(|reference| reference.post.as_mut()).for_each(|post| keep(post, parts));
}

proptest! {
    #[test]
    fn what_filters_do_not_read_is_not_missed(filters in vec(bytes(120), 1..6), some_posts in vec(bytes(300), 1..8)) {
        let (expressions, posts) = (expressions(&filters), posts(&some_posts));
        let set = compiled(&expressions);
        for post in &posts {
            let mut less = post.clone();
            keep(&mut less, set.parts());
            prop_assert_eq!(ids(&set.matches(&less)), ids(&set.matches(post)), "{}", told(&expressions, post));
        }
    }
}

#[test]
fn the_parts_are_those_that_operators_name() {
    let of = |text: &str| {
        let expression = tweetfilter_core::Expression::parse(text).expect("a filter");
        compiled(&[expression]).parts()
    };
    assert_eq!(of("snow from:bob lang:en followers:>10 has:links since:2020-01-01"), Parts::NONE);
    assert_eq!(of("bio:snow OR -bio_name:rain"), Parts::NONE.with(Part::Bio).with(Part::Name));
    assert_eq!(of("snow in:quote(bio_location:oslo)"), Parts::NONE.with(Part::Location));
    assert!(of("in:retweet(in:quote(source:web account_age:<2d))").has(Part::AccountTime));
    assert!(of("in:retweet(in:quote(source:web account_age:<2d))").has(Part::Source));
    assert!(!of("account_age:<2d").has(Part::Bio));
    assert!(Parts::ALL.has(Part::Source) && !Parts::NONE.has(Part::Name));
}
