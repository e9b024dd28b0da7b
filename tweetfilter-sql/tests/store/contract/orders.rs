//! What arrives in another order ends the same.

use std::time::Duration;

use tweetfilter_core::Post;
use tweetfilter_core::post::{Account, Point, Reference};
use tweetfilter_sql::{Database, Page};
use tweetfilter_stream::buffer::Buffer;
use tweetfilter_stream::entry::{Audience, Change, Content, Entry};
use tweetfilter_stream::store::{DeadLetter, Evaluated, Friends, Outcome, Said, Store, StoreError};

use super::{commit, commit_said, delete, matched, post, seen, texts};
use crate::common::{Clock, Folder};

/// All orders of some numbers.
pub fn all_orders(of: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..of {
        let longer = all.iter().flat_map(|order: &Vec<usize>| {
            (0..=order.len()).map(move |place| [&order[..place], &[next], &order[place..]].concat())
        });
        all = longer.collect();
    }
    all
}

fn quoting(id: &str, original: Post) -> Post {
    let mut outer = post(id, id);
    outer.author.account.id = "200".into();
    let (id, network) = (original.id.clone(), original.network.clone());
    outer.network = network;
    outer.quote_of = Some(Box::new(Reference { id, post: Some(original), ..Reference::default() }));
    outer
}

pub async fn of_the_same_version_what_was_received_last_holds(database: &Database, _: &Clock) {
    let at = |at: i64, post: Post, accounts: &[i64]| Evaluated { at, ..seen(post, 70, accounts) };
    let copies = |id: &str| {
        [
            matched(at(10, post(id, "first"), &[1]), &[5], Default::default()),
            at(12, quoting(id, post(&format!("of {id}"), "last")), &[1, 3]),
            at(11, post(id, "second"), &[2]),
        ]
    };
    for (number, order) in all_orders(3).into_iter().enumerate() {
        let id = format!("{number}");
        // Each twice, as after commits of which nobody knows whether they were made.
        for &copy in order.iter().chain(&order) {
            commit(database, vec![copies(&id)[copy].clone()], vec![]).await;
        }
        for account in [1, 2, 3] {
            let shown = database.timeline(account, &Page::default()).await.unwrap().remove(0);
            assert_eq!((shown.native_id.as_str(), shown.post.quote_of.is_some()), (&*id, true), "{order:?}");
        }
        // An older and a newer version are told by their numbers alone.
        commit(database, vec![Evaluated { at: 99, ..seen(post(&id, "older"), 69, &[1]) }], vec![]).await;
        assert_eq!(texts(database, 1).await[0], id);
        // What the last one carries is found.
        commit(database, vec![], vec![delete(&format!("of {id}"))]).await;
        let shown = database.timeline(3, &Page::default()).await.unwrap().remove(0);
        assert!(shown.post.quote_of.unwrap().post.is_none());
        commit(database, vec![Evaluated { at: 1, ..seen(post(&id, "newer"), 71, &[1, 2, 3]) }], vec![]).await;
        assert_eq!(texts(database, 2).await[0], "newer");
    }
    // Of the first version copies differ in counts at most: what is there is kept.
    commit(database, vec![Evaluated { at: 1, ..seen(post("plain", "a"), 0, &[1]) }], vec![]).await;
    commit(database, vec![Evaluated { at: 2, ..seen(post("plain", "b"), 0, &[1]) }], vec![]).await;
    assert_eq!(texts(database, 1).await[0], "a");
}

pub async fn a_mark_ends_when_nothing_that_a_post_carries_is_withheld(database: &Database, _: &Clock) {
    let withheld = |id: String, countries: &[&str]| Change::StatusWithheld {
        network: "x".into(),
        id,
        countries: countries.iter().map(ToString::to_string).collect(),
    };
    for (number, order) in all_orders(5).into_iter().enumerate() {
        // What is said of one post comes in the order in which it was said.
        let place = |step: usize| order.iter().position(|one| *one == step);
        if place(1) > place(3) {
            continue;
        }
        let (id, of) = (format!("q{number}"), format!("o{number}"));
        for &step in &order {
            let (posts, changes) = match step {
                0 => (vec![seen(quoting(&id, quoting(&of, post("deep", "deep"))), 0, &[1])], vec![]),
                1 => (vec![], vec![withheld(of.clone(), &["DE"])]),
                2 => (vec![], vec![withheld(id.clone(), &["FR"])]),
                3 => (vec![], vec![withheld(of.clone(), &[])]),
                _ => (vec![seen(post(&of, &of), 0, &[1])], vec![]),
            };
            commit(database, posts, changes).await;
        }
        let shown = texts(database, 1).await;
        assert!(!shown.contains(&id) && shown.contains(&of), "{order:?}");
        // Another that it carries, as well; and only when none is left it is shown again.
        commit(database, vec![], vec![withheld("deep".into(), &["XX"])]).await;
        commit(database, vec![], vec![withheld(id.clone(), &[])]).await;
        assert!(!texts(database, 1).await.contains(&id), "{order:?}");
        commit(database, vec![], vec![withheld("deep".into(), &[])]).await;
        assert!(texts(database, 1).await.contains(&id), "{order:?}");
    }
    // What was deleted is carried no more, withheld or not.
    for (number, order) in all_orders(3).into_iter().enumerate() {
        let (id, of) = (format!("d{number}"), format!("g{number}"));
        for &step in &order {
            let (posts, changes) = match step {
                0 => (vec![seen(quoting(&id, post(&of, "secret")), 0, &[1])], vec![]),
                1 => (vec![], vec![withheld(of.clone(), &["DE"])]),
                _ => (vec![], vec![delete(&of)]),
            };
            commit(database, posts, changes).await;
        }
        assert!(texts(database, 1).await.contains(&id), "{order:?}");
    }
}

fn letter(content: Content) -> DeadLetter {
    let entry =
        Entry { source: "s".into(), at: 1, to: Audience::Account("ann".into()), place: None, content };
    DeadLetter { entry: entry.to_vec().unwrap(), source: "s".into(), reason: "why".into(), at: 5 }
}

/// A letter, what is said of something in it, and what is left of it: nothing, or the rest.
fn letters(number: usize) -> Vec<(DeadLetter, Change, bool)> {
    let secret = |network: &str| {
        let id = format!("secret {number}");
        Post {
            id,
            network: network.into(),
            coordinates: Some(Point { lon: 1.0, lat: 2.0 }),
            ..post("", "SECRET")
        }
    };
    let delete = |network: &str| Change::Delete { network: network.into(), id: format!("secret {number}") };
    let as_post = |post: Post| letter(Content::Post(Box::new(post)));
    let retweet = |original: Post| {
        let mut outer = quoting("retweet", original);
        (outer.retweet_of, outer.quote_of) = (outer.quote_of, None);
        outer
    };
    let mut broken = as_post(secret("x"));
    let text = String::from_utf8(broken.entry).unwrap();
    broken.entry = text.replace("\"text\"", "\"entities\":{\"other_links\":[[900,901]]},\"text\"").into();
    assert!(Entry::from_slice(&broken.entry).is_err());
    let up_to = format!("secret {number}");
    let scrub = Change::ScrubGeo { network: "x".into(), author: "100".into(), up_to };
    vec![
        (as_post(secret("x")), delete("x"), false),
        (letter(Content::Edit(Box::new(secret("m.example")))), delete(""), false),
        (as_post(retweet(secret("x"))), delete("x"), false),
        (as_post(quoting("quote", secret("m.example"))), delete(""), true),
        (as_post(quoting("outer", quoting("inner", secret("x")))), delete("x"), true),
        (as_post(quoting("outer", retweet(secret("x")))), delete("x"), true),
        (broken, delete("x"), false),
        (as_post(quoting("placed", secret("x"))), scrub, true),
    ]
}

pub async fn what_is_deleted_is_not_kept_in_dead_letters(database: &Database, _: &Clock) {
    let kinds = letters(0).len();
    for (number, (kind, order)) in
        (0..kinds).flat_map(|kind| (0..4).map(move |order| (kind, order))).enumerate()
    {
        let (dead, change, rest) = letters(number).remove(kind);
        let of_letter = Outcome { dead: vec![dead], at: 9, ..Outcome::default() };
        let of_change = Outcome { changes: vec![said(change.clone())], at: 9, ..Outcome::default() };
        let both = Outcome { changes: vec![said(change.clone())], ..of_letter.clone() };
        let outcomes = match order {
            0 => vec![&of_letter, &of_change],
            1 => vec![&of_change, &of_letter],
            2 => vec![&both],
            // Nobody knows whether these were committed.
            _ => vec![&of_letter, &of_letter, &of_change, &of_letter, &both],
        };
        for outcome in outcomes {
            database.commit(outcome, &[]).await.unwrap();
        }
        let kept = database.dead_letters(0, 1_000).await.unwrap().pop().unwrap().letter;
        let what = format!("{change:?} of {}, order {order}", String::from_utf8_lossy(&kept.entry));
        let text = String::from_utf8(kept.entry.clone()).unwrap();
        let hidden = if matches!(change, Change::Delete { .. }) { "SECRET" } else { "coordinates" };
        assert!(!text.contains(hidden), "{what}");
        assert_eq!(!text.is_empty(), rest, "{what}");
        assert!(!rest || Entry::from_slice(&kept.entry).is_ok(), "{what}");
        assert_eq!(database.count_dead_letters().await.unwrap(), number as u64 + 1, "{what}");
    }
    // What is left goes back, and where it fails again it is one letter again.
    let letters = database.dead_letters(0, 1_000).await.unwrap();
    let ids: Vec<i64> = letters.iter().map(|one| one.id).collect();
    let left: Vec<_> =
        letters.into_iter().map(|one| one.letter).filter(|one| !one.entry.is_empty()).collect();
    let folder = Folder::new();
    let other = Database::open(&folder.file("b.db")).await.unwrap();
    let buffer = other.buffer().unwrap();
    let fence = buffer.claim("retry", "a", Duration::from_secs(9)).await.unwrap().fence;
    assert_eq!(database.retry_dead_letters(&ids, &buffer, "retry", fence).await.unwrap(), left.len());
    let leased = buffer
        .lease("w", tweetfilter_stream::buffer::Most::entries(100), Duration::from_secs(9))
        .await
        .unwrap();
    assert!(leased.iter().map(|one| &one.bytes).eq(left.iter().map(|one| &one.entry)));
    other.close().await;
    // Taken off, a letter is told from one that was never there by nothing but what was said of its posts.
    let (dead, _, _) = self::letters(0).remove(0);
    database.commit(&Outcome { dead: vec![dead], ..Outcome::default() }, &[]).await.unwrap();
    let letters = database.dead_letters(0, 10).await.unwrap();
    assert!(letters.len() == 1 && letters[0].letter.entry.is_empty(), "{letters:?}");
    // What went back is dead no longer.
    assert_eq!(database.status().await.unwrap().sources[0].dead, 1);
}

pub async fn many_places_are_scrubbed_in_pieces(database: &Database, _: &Clock) {
    let placed = |id: usize| {
        let coordinates = Some(Point { lon: 10.7, lat: 59.9 });
        Post { coordinates, ..post(&id.to_string(), "here") }
    };
    // Two places in a post, so that pieces end within one.
    let both = |id: usize| {
        let original = placed(id + 10_000);
        let reference = Reference { id: original.id.clone(), post: Some(original), ..Reference::default() };
        seen(Post { quote_of: Some(Box::new(reference)), ..placed(id) }, 0, &[1])
    };
    commit(database, (0..600).map(both).collect(), vec![]).await;
    let scrub =
        |up_to: &str| Change::ScrubGeo { network: "x".into(), author: "100".into(), up_to: up_to.into() };
    let left = async || {
        let page = Page { limit: 1_000, ..Page::default() };
        let (mut own, mut carried) = (0, 0);
        for one in database.timeline(1, &page).await.unwrap() {
            own += usize::from(one.post.coordinates.is_some());
            carried += usize::from(one.post.quote_of.unwrap().post.unwrap().coordinates.is_some());
        }
        (own, carried)
    };
    commit(database, vec![], vec![scrub("99")]).await;
    assert_eq!(left().await, (500, 600));
    commit(database, vec![], vec![scrub("10499")]).await;
    assert_eq!(left().await, (0, 100));
}

/// A change that was said at no particular time.
pub fn said(change: Change) -> Said {
    Said { at: 0, change }
}

/// A worker that was killed had the older one, and another gets it when it is old.
pub async fn what_was_said_earlier_changes_nothing_that_was_said_later(database: &Database, _: &Clock) {
    let (network, id, author) = ("x".to_owned(), "1".to_owned(), "100".to_owned());
    let status = |active| Change::AccountStatus {
        network: network.clone(),
        author: author.clone(),
        active,
        status: String::new(),
    };
    let user = |countries: &[&str]| Change::UserWithheld {
        network: network.clone(),
        author: author.clone(),
        countries: countries.iter().map(ToString::to_string).collect(),
    };
    let own = |countries: &[&str]| Change::StatusWithheld {
        network: network.clone(),
        id: id.clone(),
        countries: countries.iter().map(ToString::to_string).collect(),
    };
    commit(database, vec![seen(post("1", "1"), 0, &[1])], vec![]).await;
    let say = async |at, change: &Change| {
        commit_said(database, vec![], vec![Said { at, change: change.clone() }]).await;
    };
    let is_shown = async || !texts(database, 1).await.is_empty();
    for (from, (keeps, lets)) in
        [(status(false), status(true)), (user(&["DE"]), user(&[])), (own(&["DE"]), own(&[]))]
            .iter()
            .enumerate()
    {
        let from = 100 * (from as i64 + 1);
        say(from, keeps).await;
        assert!(!is_shown().await, "{keeps:?}");
        // The later one first, and the earlier one again and again.
        say(from + 2, keeps).await;
        say(from + 1, lets).await;
        assert!(!is_shown().await, "{lets:?} was said before");
        say(from + 4, lets).await;
        assert!(is_shown().await, "{lets:?}");
        let rewritten = database.pulse().await.unwrap().rewritten;
        say(from + 3, keeps).await;
        assert!(is_shown().await, "{keeps:?} was said before");
        assert_eq!(database.pulse().await.unwrap().rewritten, rewritten);
        // At one time, what comes last.
        say(from + 4, keeps).await;
        assert!(!is_shown().await, "{keeps:?}");
        say(from + 4, lets).await;
        assert!(is_shown().await, "{lets:?}");
    }
    // Handles, and whom somebody follows.
    let ann = ("x".to_owned(), Account { id: "7".into(), handle: "old".into() });
    let account = database.add_account("ann", &[ann]).await.unwrap();
    let named = |handle: &str| Change::Identity {
        network: network.clone(),
        account: Account { id: "7".into(), handle: handle.into() },
    };
    say(20, &named("newest")).await;
    say(10, &named("newer")).await;
    let known = database.accounts().await.unwrap();
    assert_eq!(known[0].identities[0].1.handle, "newest");
    for (at, ids) in [(20, ["3"]), (10, ["4"])] {
        let friends = vec![Friends { account, network: "x".into(), ids: ids.map(Into::into).into(), at }];
        database.commit(&Outcome { friends, ..Outcome::default() }, &[]).await.unwrap();
    }
    let follows = database.filters(None).await.unwrap().unwrap().follows;
    assert_eq!(follows, [(account, "x".to_owned(), "3".to_owned())]);
}

/// To one of the databases they would be those without.
pub async fn names_and_ids_that_end_in_a_space_are_refused(database: &Database, _: &Clock) {
    let refused = async |posts: Vec<Evaluated>, changes: Vec<Said>| {
        let outcome = Outcome { posts, changes, ..Outcome::default() };
        let error = database.commit(&outcome, &[]).await.unwrap_err();
        assert!(matches!(&error, StoreError::Refused(why) if why.contains("ends in a space")), "{error}");
    };
    commit(database, vec![seen(post("3", "a"), 0, &[1])], vec![]).await;
    refused(vec![seen(post("3 ", "b"), 0, &[1])], vec![]).await;
    refused(vec![], vec![said(delete("3 "))]).await;
    assert_eq!(texts(database, 1).await, ["a"]);
    // Sources are counted by their names.
    for counted in ["copies", "unmatched"] {
        let mut outcome = Outcome::default();
        let counts = if counted == "copies" { &mut outcome.copies } else { &mut outcome.unmatched };
        counts.insert("s ".to_owned(), 1);
        let error = database.commit(&outcome, &[]).await.unwrap_err();
        assert!(error.to_string().contains("ends in a space"), "{counted}: {error}");
    }
    for source in ["s", "s "] {
        let entry = format!(r#"{{"v":1,"source":"{source}","at":1,"to":"public","post":{{}}}}"#);
        let dead = vec![DeadLetter::new(entry.into_bytes(), "why".into(), 1)];
        database.commit(&Outcome { dead, ..Outcome::default() }, &[]).await.unwrap();
    }
    let sources = database.status().await.unwrap().sources;
    assert_eq!((sources.len(), &*sources[0].name, sources[0].dead), (1, "s", 2));
    database.add_account("ann", &[]).await.unwrap();
    for (name, why) in [
        ("", "empty"),
        ("ann ", "white space"),
        ("\tann", "white space"),
        ("a\nb", "control"),
        (&"n".repeat(191), "191"),
    ] {
        let error = database.add_account(name, &[]).await.unwrap_err().to_string();
        assert!(error.contains(why), "{name:?}: {error}");
    }
    let of = |id: &str| ("x".to_owned(), Account { id: id.into(), handle: String::new() });
    assert!(database.add_account("bea", &[of("7 ")]).await.is_err());
    assert_eq!(database.accounts().await.unwrap().len(), 1);
}

/// One that says that it was received in years holds up no other, and goes with its commit.
pub async fn an_odd_time_holds_up_no_retention(database: &Database, clock: &Clock) {
    const DAY: Duration = Duration::from_secs(86_400);
    let odd = Evaluated { at: Clock::START + 3_650 * 86_400_000, ..seen(post("odd", "odd"), 0, &[1]) };
    let posts =
        |n: usize| (0..n).map(|id| seen(post(&format!("{n} {id}"), "a"), 0, &[1])).collect::<Vec<_>>();
    commit(database, vec![odd], vec![]).await;
    // A commit of a process whose clock was ahead.
    let ahead = Outcome { at: Clock::START + 3_650 * 86_400_000, posts: posts(2), ..Outcome::default() };
    database.commit(&ahead, &[]).await.unwrap();
    commit(database, posts(3), vec![]).await;
    clock.pass(40 * DAY);
    let late = Evaluated { at: Clock::START + 40 * 86_400_000, ..seen(post("late", "late"), 0, &[1]) };
    let outcome = Outcome { at: Clock::START + 40 * 86_400_000, posts: vec![late], ..Outcome::default() };
    database.commit(&outcome, &[]).await.unwrap();
    while !database.forget_older(30 * DAY).await.unwrap().is_empty() {}
    assert_eq!(texts(database, 1).await, ["late"]);
    let status = database.status().await.unwrap();
    assert_eq!((status.posts, database.tail(Some(1), 0, 9).await.is_ok()), (1, true));
}

/// X says of an account that it is protected, suspended or deleted each by itself, and takes each back by itself.
pub async fn each_reason_that_keeps_an_author_back_ends_by_itself(database: &Database, _: &Clock) {
    let rewritten = async || database.pulse().await.unwrap().rewritten;
    for order in all_orders(3) {
        let author: String = order.iter().map(ToString::to_string).collect();
        let mut own = post(&author, &author);
        own.author.account.id.clone_from(&author);
        commit(database, vec![seen(own, 0, &[1])], vec![]).await;
        let status = |at, active, reason: &str| Said {
            at,
            change: Change::AccountStatus {
                network: "x".into(),
                author: author.clone(),
                active,
                status: reason.into(),
            },
        };
        let said = [(10, false, "protected"), (20, false, "suspended"), (30, true, "suspended")];
        for (at, active, reason) in order.iter().map(|&n| said[n]) {
            commit_said(database, vec![], vec![status(at, active, reason)]).await;
        }
        let is_shown = async || texts(database, 1).await.contains(&author);
        assert!(!is_shown().await, "{order:?}: it is still protected");
        let before = rewritten().await;
        commit_said(database, vec![], vec![status(30, true, "suspended")]).await;
        assert_eq!(rewritten().await, before, "{order:?}: nothing is shown again");
        commit_said(database, vec![], vec![status(40, true, "protected")]).await;
        assert!(is_shown().await, "{order:?}");
        assert_eq!(rewritten().await, before + 1, "{order:?}");
        // Who names no reason means all.
        let all = [status(50, false, "deleted"), status(50, false, "suspended")];
        commit_said(database, vec![], all.into()).await;
        assert!(!is_shown().await, "{order:?}");
        commit_said(database, vec![], vec![status(60, true, "")]).await;
        assert!(is_shown().await, "{order:?}");
    }
}
