//! Filters that name handles, over posts that give ids.

use std::collections::BTreeSet;

use tweetfilter_core::oracle::{self, Surroundings};
use tweetfilter_core::post::{Account, Mention, Reference, ReplyTo};
use tweetfilter_core::syntax::{NamedSets, account_names};
use tweetfilter_core::{Expression, FilterId, FilterSetBuilder, Limits, Post, Scratch, Span};

const FILTERS: &[&str] = &[
    "from:Ann.example",
    "-from:ann.example",
    "from:bob.example,ann.example",
    "to:ann.example",
    "@ann.example",
    "-@ann.example -from:bob.example",
    "retweets_of:ann.example",
    "quotes_of:ann.example OR from:bob.example",
    "in:quote(from:ann.example)",
    "2 of (from:bob.example, @ann.example, to:ann.example)",
    "from:{friends}",
    "{friends}",
    "-from:{friends} -to:{friends}",
    "from:stranger.example",
    "from:did:plc:a",
    "to:did:plc:b",
];

const SET: &str = "bob.example\n@ann.example";

fn id(id: &str) -> Account {
    Account { id: id.into(), handle: String::new() }
}

/// Posts whose accounts are ids alone, of each of three people in each place.
fn posts() -> Vec<Post> {
    let people = ["did:plc:a", "DID:PLC:B", "did:plc:c"];
    let mut posts = Vec::new();
    for network in ["bluesky", "x"] {
        for n in 0..people.len() * 4 {
            let mut post = Post { network: network.into(), ..Post::from_text("bob.example") };
            post.author.account = id(people[n % 3]);
            let other = id(people[(n / 3) % 3]);
            match n % 4 {
                0 => post.reply_to = Some(ReplyTo { id: "1".into(), account: other }),
                1 => {
                    let span = Some(Span::from(0..3));
                    post.entities.mentions.push(Mention { account: other, span });
                }
                2 => post.retweet_of = Some(reference(network, other)),
                _ => post.quote_of = Some(reference(network, other)),
            }
            posts.push(post);
        }
    }
    posts
}

fn reference(network: &str, account: Account) -> Box<Reference> {
    let mut post = Post { network: network.into(), ..Post::from_text("inner") };
    post.author.account = account;
    Box::new(Reference { id: "2".into(), post: Some(post), ..Reference::default() })
}

/// The same post as a source would give it that tells handles too.
fn told(mut post: Post) -> Post {
    let tell = |account: &mut Account| match account.id.to_lowercase().as_str() {
        "did:plc:a" => account.handle = "ann.example".into(),
        "did:plc:b" => account.handle = "bob.example".into(),
        _ => {}
    };
    if post.network != "bluesky" {
        return post;
    }
    tell(&mut post.author.account);
    post.entities.mentions.iter_mut().for_each(|mention| tell(&mut mention.account));
    post.reply_to.iter_mut().for_each(|reply| tell(&mut reply.account));
    for inner in [&mut post.retweet_of, &mut post.quote_of].into_iter().flatten() {
        inner.post.iter_mut().for_each(|post| tell(&mut post.author.account));
    }
    post
}

#[test]
fn known_handles_find_in_ids_what_the_oracle_finds_in_handles() {
    let mut builder = FilterSetBuilder::new();
    builder.named_set("friends", SET).expect("a set");
    for (id, handle) in [("did:plc:a", "ANN.example"), ("did:plc:b", "bob.example")] {
        builder.handle("bluesky", &Account { id: id.into(), handle: handle.into() });
    }
    for (n, filter) in (0..).zip(FILTERS) {
        builder.add(FilterId(n), filter).expect("a filter");
    }
    let set = builder.build();
    let mut sets = NamedSets::default();
    sets.insert("friends", SET, &Limits::default()).expect("a set");
    let surroundings = Surroundings { sets: &sets, me: &[] };
    let (mut scratch, mut found) = (Scratch::default(), BTreeSet::new());
    for post in posts() {
        let matches: Vec<u64> = set.matches_with(&mut scratch, &post).iter().map(|m| m.id.0).collect();
        let there = told(post.clone());
        for (n, filter) in (0..).zip(FILTERS) {
            let expression = Expression::parse(filter).expect("a filter");
            let expected = oracle::holds(&expression, &there, &surroundings);
            assert_eq!(matches.contains(&n), expected, "{filter} {post:?}");
            let explained = set.explain(n as usize, &post).expect("a filter");
            assert_eq!(explained.matched, expected, "{filter} explained");
            found.extend(expected.then_some(n));
        }
        assert_eq!(set.matches_scanned(&mut scratch, &post).len(), matches.len());
    }
    // But for the stranger, each found something; no text was changed.
    assert_eq!(found.len(), FILTERS.len() - 1, "{found:?}");
    assert_eq!(set.text(0), Some(FILTERS[0]));
}

#[test]
fn a_mention_by_id_is_shown_at_its_place() {
    let mut builder = FilterSetBuilder::new();
    builder.handle("bluesky", &Account { id: "did:plc:a".into(), handle: "ann.example".into() });
    builder.add(FilterId(1), "@ann.example").expect("a filter");
    let mut post = Post { network: "bluesky".into(), ..Post::from_text("@ann hi") };
    post.entities.mentions = vec![Mention { account: id("did:plc:a"), span: Some(Span::from(0..4)) }];
    let explained = builder.build().explain(0, &post).expect("a filter");
    assert_eq!(explained.parts[0].places[0].span, Some(Span::from(0..4)));
}

#[test]
fn names_of_lists_are_named_too() {
    let mut sets = NamedSets::default();
    sets.insert("friends", SET, &Limits::default()).expect("a set");
    let names = |filter: &str| {
        let expression = Expression::parse(filter).expect("a filter");
        account_names(&expression, &sets).into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("-from:{friends}"), "ann.example bob.example");
    assert_eq!(names("{friends} to:me"), "ann.example");
    assert_eq!(names("2 of (@x, in:quote(quotes_of:Y.z), {gone}, snow.example)"), "x y.z");
}
