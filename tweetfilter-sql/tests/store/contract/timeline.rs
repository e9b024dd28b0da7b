//! What an account sees.

use tweetfilter_sql::{Cursor, Database, Page, TimelinePost};
use tweetfilter_stream::store::{Delivery, Evaluated, Verdict};

use super::{commit, matched, post, seen};
use crate::common::Clock;

pub async fn what_filters_said_is_told_of_what_stands_in_the_timeline(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    let said = |one: Evaluated, hidden: bool, filters: &[i64]| {
        let verdict = Verdict { hidden, ..Verdict::default() };
        let delivery = Delivery { account: ann, verdict, filters: filters.to_vec(), seen: !one.public };
        Evaluated { deliveries: vec![delivery], ..one }
    };
    let public = |id: &str| Evaluated { public: true, ..seen(post(id, "for all"), 0, &[]) };
    let posts = vec![
        said(seen(post("1", "hidden"), 0, &[]), true, &[3, 4]),
        seen(post("2", "not matched"), 0, &[ann]),
        seen(post("3", "of another"), 0, &[ben]),
        public("4"),
        said(public("5"), false, &[4]),
    ];
    commit(database, posts, vec![]).await;
    let (first, last) = database.post_numbers().await.unwrap();
    let verdicts = database.timeline_verdicts(ann, first..last + 1).await.unwrap();
    let all = database.seen(ann, first..last + 1).await.unwrap();
    let told = |one: &TimelinePost| {
        let (verdict, filters) = verdicts.get(&one.cursor.post)?;
        Some((one.native_id.clone(), verdict.hidden, filters.clone()))
    };
    let mut told: Vec<_> = all.iter().filter_map(told).collect();
    told.sort_unstable();
    let expected = [("1", true, vec![3_i64, 4]), ("2", false, vec![]), ("5", false, vec![4])];
    assert_eq!(told, expected.map(|(id, hidden, filters)| (id.to_owned(), hidden, filters)));
    assert_eq!(verdicts.len(), 3, "nothing else stands there");
}

pub async fn the_timeline_pages_and_filters(database: &Database, _: &Clock) {
    let hidden = Verdict { hidden: true, ..Verdict::default() };
    let strong = Verdict { highlighted: true, notify: true, hidden: false };
    let mut expected = Vec::new();
    for n in 0..300 {
        let (id, other) = (format!("{n}"), format!("other {n}"));
        let one = match n % 10 {
            0 => matched(seen(post(&id, &id), 0, &[1, 2]), &[8], hidden),
            1 => matched(seen(post(&id, &id), 0, &[1, 2]), &[9, 7], strong),
            _ => seen(post(&id, &id), 0, &[1]),
        };
        if n % 10 != 0 {
            expected.insert(0, id);
        }
        commit(database, vec![one, seen(post(&other, &other), 0, &[3])], vec![]).await;
    }
    let (mut got, mut before): (Vec<String>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = Page { before, limit: 7, ..Page::default() };
        let posts = database.timeline(1, &page).await.unwrap();
        let Some(last) = posts.last() else { break };
        before = Some(last.cursor);
        got.extend(posts.into_iter().map(|one| one.native_id));
    }
    assert_eq!(got, expected);
    let of = |filter, hidden| Page { filter: Some(filter), hidden, ..Page::default() };
    let strong_ones = database.timeline(1, &of(7, false)).await.unwrap();
    assert_eq!((strong_ones.len(), strong_ones[0].verdict), (30, strong));
    assert_eq!(strong_ones[0].filters, [9, 7]);
    let results = database.results().await.unwrap();
    assert_eq!((results.deliveries, results.matches), (660, [(7, 60), (8, 60), (9, 60)].into()));
    assert!(database.timeline(1, &of(8, false)).await.unwrap().is_empty());
    assert_eq!(database.timeline(1, &of(8, true)).await.unwrap().len(), 30);
    let sparse = Page { limit: 100, hidden: true, ..Page::default() };
    assert_eq!(database.timeline(2, &sparse).await.unwrap().len(), 60);
}

pub async fn the_tail_misses_nothing(database: &Database, _: &Clock) {
    for n in 0..10 {
        let of = if n % 2 == 0 { [1, 2] } else { [2, 3] };
        // Of several bytes a character, so that none is cut.
        let text = format!("{n} é\u{1f600}\n");
        commit(database, vec![seen(post(&n.to_string(), &text), 0, &of)], vec![]).await;
    }
    let ids =
        |tail: &tweetfilter_sql::Tail| tail.posts.iter().map(|one| one.native_id.clone()).collect::<Vec<_>>();
    let tail = database.tail(Some(1), 0, 2).await.unwrap();
    assert_eq!((ids(&tail), tail.up_to), (vec!["0".to_owned(), "2".to_owned()], 3));
    let rest = database.tail(Some(1), tail.up_to, 100).await.unwrap();
    assert_eq!((ids(&rest), rest.up_to), (vec!["4".to_owned(), "6".to_owned(), "8".to_owned()], 10));
    let none = database.tail(Some(1), 10, 100).await.unwrap();
    assert_eq!((none.posts.len(), none.up_to), (0, 10));
    let all = database.tail(None, 8, 100).await.unwrap();
    let of: Vec<_> = all.posts.iter().map(|one| (one.cursor.commit, one.account)).collect();
    assert_eq!(of, [(9, 1), (9, 2), (10, 2), (10, 3)]);
    // The same for some accounts, one of which there is not.
    let mut some = database.tail_of(&[1, 3, 9], 8, 10).await.unwrap().unwrap();
    some.sort_by_key(|one| (one.cursor, one.account));
    let told: Vec<_> = some.iter().map(|one| (one.account, one.post.text.as_str())).collect();
    assert_eq!(told, [(1, "8 é\u{1f600}\n"), (3, "9 é\u{1f600}\n")]);
    assert_eq!(database.tail_of(&[1, 3], 8, 9).await.unwrap().unwrap().len(), 1);
    assert!(database.tail_of(&[], 0, 10).await.unwrap().unwrap().is_empty());
}

pub async fn the_views_unpack_deliveries(database: &Database, _: &Clock) {
    let strong = Verdict { highlighted: true, notify: true, hidden: false };
    commit(database, vec![matched(seen(post("1", "old"), 0, &[1, 2]), &[5, 6], strong)], vec![]).await;
    commit(database, vec![seen(post("1", "new"), 9, &[2])], vec![]).await;
    let rows = database.unpacked(2).await.unwrap();
    assert_eq!(rows, [(2, "1".to_owned(), 0, "[]".to_owned())]);
    assert!(database.unpacked(1).await.unwrap().is_empty());
    commit(database, vec![matched(seen(post("2", "b"), 0, &[1]), &[5, 6], strong)], vec![]).await;
    let rows = database.unpacked(1).await.unwrap();
    assert_eq!(rows[0].2, 6);
    assert_eq!(rows[0].3.replace(' ', ""), "[5,6]");
}
