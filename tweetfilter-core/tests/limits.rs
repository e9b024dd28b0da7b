//! Limits hold for what is added under them, and not for what was added before.

use std::collections::HashSet;

use tweetfilter_core::explain::CostClass;
use tweetfilter_core::post::Link;
use tweetfilter_core::syntax::{Node, NodeKind, Scope};
use tweetfilter_core::{AddError, Dialect, Expression, FilterId, FilterSetBuilder, Limits, Post};

fn parsed(text: &str, limits: &Limits) -> Expression {
    Expression::parse_with(text, Dialect::Native, limits).expect("an expression")
}

/// The code with which a builder of these limits refuses an expression.
fn refused(expression: Expression, limits: Limits) -> Option<&'static str> {
    let mut builder = FilterSetBuilder::new();
    match builder.limits(limits).add_expression(FilterId(1), None, expression) {
        Err(AddError::Refused(found)) => Some(found.code),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

#[test]
fn what_was_accepted_works_under_lower_limits_set_later() {
    let mut builder = FilterSetBuilder::new();
    let filters = ["/ca[tr]\\w*/", "\"a cat\"~3", "((((cat))) OR dog) (bird OR a)", "cat OR dog OR bird"];
    for (id, filter) in (0..).zip(filters) {
        builder.add(FilterId(id), filter).expect("a filter");
    }
    let low = Limits {
        expression_bytes: 1,
        atoms: 0,
        nesting: 0,
        regexes: 0,
        regex_bytes: 1,
        regex_size: 10,
        regex_cache: 10,
        proximity_items: 0,
        proximity_distance: 0,
        diagnostics: 0,
        ..Limits::default()
    };
    builder.limits(low);
    let set = builder.build();
    let post = Post::from_text("a cat");
    assert_eq!(set.matches(&post).len(), filters.len());
    for (index, filter) in filters.into_iter().enumerate() {
        assert_eq!(set.expression(index).expect("a filter").text(), filter);
        assert!(set.cost(index).expect("a filter").class <= CostClass::Scanned);
        let told = set.explain(index, &post).expect("a filter");
        assert!(told.matched && told.parts.iter().all(|part| !part.places.is_empty()), "{told:?}");
    }
}

#[test]
fn an_explanation_reads_as_much_of_a_text_as_matching_does() {
    for filter in ["cat", "/cat/", "contains:\"cat\""] {
        let mut builder = FilterSetBuilder::new();
        builder.limits(Limits { post_text_bytes: 100_000, ..Limits::default() });
        builder.add(FilterId(1), filter).expect("a filter");
        let set = builder.build();
        let post = Post::from_text("a ".repeat(30_000) + "cat");
        assert_eq!(set.matches(&post).len(), 1);
        let told = set.explain(0, &post).expect("a filter");
        assert!(told.matched && told.parts[0].places.len() == 1, "{filter}: {told:?}");
    }
}

#[test]
fn of_tags_that_begin_alike_the_first_ones_in_the_text_are_told() {
    let text: String = (0..100).rev().map(|n| format!("#cat{n:02} ")).collect();
    let mut builder = FilterSetBuilder::new();
    builder.add(FilterId(1), "#cat*").expect("a filter");
    let told = builder.build().explain(0, &Post::from_text(text)).expect("a filter");
    let shown: Vec<_> = told.parts[0].places.iter().map(|place| place.text.as_str()).collect();
    let expected: Vec<_> = (36..100).rev().map(|n| format!("cat{n:02}")).collect();
    assert_eq!(shown, expected);
}

#[test]
fn of_a_part_that_is_true_in_thousands_of_places_the_first_ones_are_told() {
    let mut post = Post::from_text("cat ".repeat(5_000));
    let link = |n: usize| Link { url: format!("https://cat.example/{n}"), ..Link::default() };
    post.entities.links = (0..5_000).map(link).collect();
    for filter in ["cat", "domain:cat.example", "url:cat", "url_contains:cat"] {
        let mut builder = FilterSetBuilder::new();
        builder.add(FilterId(1), filter).expect("a filter");
        let told = builder.build().explain(0, &post).expect("a filter");
        let places = &told.parts[0].places;
        assert!(told.matched && places.len() == 64, "{filter}: {} places", places.len());
        let different: HashSet<_> = places.iter().map(|place| format!("{place:?}")).collect();
        assert_eq!(different.len(), places.len(), "{filter}");
        assert!(filter == "cat" || places[0].text.contains("cat"), "{filter}: {:?}", places[0]);
    }
}

#[test]
fn regexes_are_found_in_the_text_as_it_was_written() {
    let text = "Cafe\u{301} snow e\u{301} abc 日本か\u{3099}";
    for (filter, found) in [
        ("/snow/", "snow"),
        ("/abc/", "abc"),
        ("/^Café/", "Cafe\u{301}"),
        ("/é (a)/", "e\u{301} a"),
        ("/本が$/", "本か\u{3099}"),
        ("/日/", "日"),
        ("/abc 日/", "abc 日"),
    ] {
        let mut builder = FilterSetBuilder::new();
        builder.add(FilterId(1), filter).expect("a filter");
        let told = builder.build().explain(0, &Post::from_text(text)).expect("a filter");
        let place = &told.parts[0].places[0];
        let there = place.span.map(|span| &text[span.range()]);
        assert_eq!((there, place.text.as_str()), (Some(found), found), "{filter}");
    }
}

#[test]
fn a_number_that_is_none_is_unknown() {
    let post = Post::from_text("a").with_number("load", f64::NAN);
    for filter in ["attr.load:>3", "-attr.load:>3", "-attr.load:<=3", "attr.load:<=3"] {
        let mut builder = FilterSetBuilder::new();
        builder.add(FilterId(1), filter).expect("a filter");
        assert!(builder.build().matches(&post).is_empty(), "{filter}");
    }
}

#[test]
fn an_expression_parsed_under_other_limits_is_held_to_those_of_the_builder() {
    let default = Limits::default();
    let wide = Limits { nesting: 128, atoms: 100_000, proximity_distance: 100, ..Limits::default() };
    let deep = (0..100).fold("a".to_owned(), |inner, _| format!("in:quote(b {inner})"));
    let many = vec!["a"; 9_000].join(" ");
    for (filter, limits, code) in [
        (deep.as_str(), default.clone(), "limit_nesting"),
        (&many, default.clone(), "limit_atoms"),
        ("\"a b\"~90", default.clone(), "limit_proximity_distance"),
        ("\"a b c\"~1", Limits { proximity_items: 2, ..default.clone() }, "limit_proximity_items"),
        ("/ab/ /cd/", Limits { regexes: 1, ..default.clone() }, "limit_regexes"),
        ("/abc/", Limits { regex_bytes: 2, ..default.clone() }, "limit_regex_bytes"),
        ("cat dog", Limits { expression_bytes: 6, ..default.clone() }, "limit_expression_bytes"),
        ("-(a OR b)", Limits { nesting: 0, ..default.clone() }, "limit_nesting"),
        ("2 of (a, b)", Limits { nesting: 0, ..default.clone() }, "limit_nesting"),
    ] {
        assert_eq!(refused(parsed(filter, &wide), limits), Some(code), "{filter}");
        assert_eq!(refused(parsed(filter, &wide), wide.clone()), None, "{filter}");
    }
}

#[test]
fn a_tree_made_by_hand_is_never_deeper_than_the_stack_bears() {
    let atom = parsed("a", &Limits::default()).into_root();
    let tree = (0..1_000).fold(atom, |inner, _| Node {
        span: inner.span,
        kind: NodeKind::Scope(Scope::Quote, Box::new(inner)),
    });
    let limits = Limits { nesting: usize::MAX, ..Limits::default() };
    assert_eq!(refused(Expression::from_node(tree, Dialect::Native), limits), Some("limit_nesting"));
}

#[test]
fn of_a_field_as_much_is_read_as_of_a_text() {
    let mut builder = FilterSetBuilder::new();
    builder.limits(Limits { post_text_bytes: 8, ..Limits::default() });
    builder.add(FilterId(1), "attr.t:snow").expect("a filter");
    // Another field has the word within what is read.
    let post = Post::from_text("x").with_text("t", "rain or snow").with_text("u", "snow");
    let set = builder.build();
    assert!(set.matches(&post).is_empty());
    assert_eq!(set.matches(&post.with_text("T", "snow")).len(), 1);
}
