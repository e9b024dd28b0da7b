//! Filters that are kept together.

use tweetfilter_sql::{Basis, Database, NewFilter, Save, Saved};
use tweetfilter_stream::store::Store;

use crate::common::Clock;

pub async fn filters_are_kept_together_or_not_at_all(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    let filter = |text: &str| NewFilter { text: text.into(), ..NewFilter::default() };
    let [first, second] = [filter("snow"), filter("fog")];
    let first = database.add_filter(ann, &first).await.unwrap();
    let second = database.add_filter(ann, &second).await.unwrap();
    let of_ben = database.add_filter(ben, &filter("hail")).await.unwrap();
    let revision = database.filter(second).await.unwrap().unwrap().revision;
    let (rain, ice) = (filter("rain"), filter("ice"));
    let new = Save::new(&rain);
    let replace = |id, revision| Save { replaces: Some((id, revision)), filter: &ice, enabled: None };
    let before = database.filters(None).await.unwrap().unwrap();
    // What is wrong with the last undoes what was done for those before it.
    for (last, most, said) in [
        (replace(second, Some(revision - 1)), 9, Saved::Meanwhile(2, revision)),
        (replace(of_ben, None), 9, Saved::Missing(2)),
        (replace(of_ben + 100, None), 9, Saved::Missing(2)),
        (new, 3, Saved::TooMany(2)),
    ] {
        let all = [new, replace(first, None), last];
        assert_eq!(database.save_filters(ann, &all, most).await.unwrap(), said);
        assert_eq!(database.filters(None).await.unwrap().unwrap(), before, "after {said:?}");
    }
    let all = [new, replace(first, None), replace(second, Some(revision))];
    let Saved::Done(ids) = database.save_filters(ann, &all, 3).await.unwrap() else { panic!("it fits") };
    assert_eq!(ids[1..], [first, second]);
    let now = database.filters(None).await.unwrap().unwrap();
    assert_eq!(now.revision, before.revision + 1, "one change");
    let texts: Vec<_> = now.filters.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["ice", "ice", "rain", "hail"]);
}

pub async fn filters_are_added_only_to_those_that_were_read(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let ben = database.add_account("ben", &[]).await.unwrap();
    let filter = |text: &str| NewFilter { text: text.into(), ..NewFilter::default() };
    let snow = filter("snow");
    let save =
        async |basis| database.save_filters_on(ann, &[Save::new(&snow)], 9, Some(basis)).await.unwrap();
    let basis = async || Basis::of(&database.account_filters(ann).await.unwrap());
    let mut read = basis().await;
    // What others have is nothing to it.
    database.add_filter(ben, &filter("hail")).await.unwrap();
    let Saved::Done(ids) = save(read).await else { panic!("they are as they were") };
    for step in 0..3 {
        assert_eq!(save(read).await, Saved::Others, "{step}");
        assert_eq!(database.account_filters(ann).await.unwrap().len(), [1, 1, 2][step]);
        read = basis().await;
        match step {
            0 => assert!(database.enable_filter(ids[0], false).await.unwrap()),
            1 => assert!(database.add_filter(ann, &filter("ice")).await.unwrap() > 0),
            _ => assert!(database.remove_filter(ids[0]).await.unwrap()),
        }
    }
    assert_eq!(save(read).await, Saved::Others, "one was removed");
}

pub async fn where_a_filter_stands_is_no_change_of_it(database: &Database, _: &Clock) {
    let ann = database.add_account("ann", &[]).await.unwrap();
    let mut ids = Vec::new();
    for text in ["snow", "rain", "ice"] {
        let filter = NewFilter { text: text.into(), ..NewFilter::default() };
        ids.push(database.add_filter(ann, &filter).await.unwrap());
    }
    let revision = database.status().await.unwrap().revision;
    let before = database.account_filters(ann).await.unwrap();
    // Who is not named comes first.
    database.order_filters(ann, &[ids[2], ids[0]]).await.unwrap();
    let after = database.account_filters(ann).await.unwrap();
    let places: Vec<_> = after.iter().map(|row| (row.id, row.position)).collect();
    assert_eq!(places, [(ids[1], 1), (ids[2], 2), (ids[0], 3)]);
    for row in &after {
        let was = before.iter().find(|was| was.id == row.id).unwrap();
        assert_eq!(row.revision, was.revision, "whoever writes one is not told of a change");
    }
    // But of all of them together, and workers read them anew.
    assert_ne!(Basis::of(&after), Basis::of(&before));
    assert!(database.status().await.unwrap().revision > revision);
    assert!(!database.order_filters_on(ann, &ids, Some(Basis::of(&before))).await.unwrap());
    assert!(database.order_filters_on(ann, &ids, Some(Basis::of(&after))).await.unwrap());
}
