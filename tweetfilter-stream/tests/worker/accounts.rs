//! Whom a post is for, and what their filters say.

use super::*;

#[tokio::test]
async fn where_only_matches_are_kept_the_others_are_counted_and_new_versions_are_not_held_back() {
    let shared = Shared::with(&["a", "b"]);
    let edit = Post { id: "0".into(), ..Post::from_text("a, but other") };
    let content = Content::Edit(Box::new(edit));
    let entry = Entry { source: "s".into(), at: 9, to: Audience::Public, place: None, content };
    let leased = Leased { id: EntryId("2".into()), bytes: entry.to_vec().unwrap(), attempts: 1 };
    shared.world(|world| world.waiting.push_back(leased));
    // Each by itself, so that the edit is not joined with its post.
    let options = Options { batch: Most::entries(1), keep_all: false, ..Options::default() };
    let mut worker = Worker::new("w", shared.clone(), shared.clone(), options);
    while worker.step(1).await.unwrap().entries > 0 {}
    shared.world(|world| {
        assert_eq!((world.acked.len(), world.unmatched), (3, 2));
        assert_eq!(world.stored, ["a, but other"]);
    });
}

#[tokio::test]
async fn what_was_for_an_account_reaches_no_later_one_of_its_name() {
    let shared = Shared::default();
    shared.ann_and_ben();
    // This ann was added when the first entry had been received for another.
    shared.world(|world| world.snapshot.accounts[0].created_at = 10);
    for (batch, at) in [9, 10, 11].into_iter().enumerate() {
        shared.add("ann", at, &format!("snow {at}"), Some(at), true);
        while shared.worker(1).step(1).await.unwrap().entries > 0 {}
        shared.world(|world| {
            let accounts = if at < 10 { vec![] } else { vec![1] };
            assert_eq!(world.versions[batch], (at, format!("snow {at}"), accounts));
        });
    }
}

#[tokio::test]
async fn where_only_matches_are_kept_each_has_its_own_whether_copies_come_together_or_not() {
    for batch in [1, 100] {
        let shared = Shared::default();
        shared.ann_and_ben();
        for (name, at) in [("ben", 1), ("ann", 2), ("ben", 3)] {
            shared.add(name, at, "snow", None, false);
        }
        let options = Options { batch: Most::entries(batch), keep_all: false, ..Options::default() };
        let mut worker = Worker::new("w", shared.clone(), shared.clone(), options);
        while worker.step(1).await.unwrap().entries > 0 {}
        shared.world(|world| {
            assert_eq!(world.versions, [(0, "snow".to_owned(), vec![1])], "{batch}");
            // Each line is one thing: stored, a copy of it, or not wanted by whom it was for.
            let copies = if batch == 1 { 0 } else { 2 };
            assert_eq!(world.unmatched + copies, 2);
        });
    }
}

#[tokio::test]
async fn the_first_filter_that_shows_or_hides_decides_in_the_order_of_its_account() {
    let shared = Shared::default();
    shared.ann_and_ben();
    let filter = |id, account, action| StoredFilter {
        id,
        account,
        text: "snow".into(),
        dialect: Dialect::default(),
        action,
    };
    shared.world(|world| {
        world.snapshot.filters = vec![
            filter(9, 1, Action::Notify),
            filter(8, 1, Action::Show),
            filter(3, 1, Action::Hide),
            filter(7, 2, Action::Hide),
            filter(6, 2, Action::Show),
            filter(1, 2, Action::Highlight),
        ];
    });
    shared.add("ann", 1, "snow", None, false);
    shared.add("ben", 2, "snow", None, false);
    let mut worker = shared.worker(2);
    while worker.step(1).await.unwrap().entries > 0 {}
    let of = |account, verdict, filters: [i64; 3]| Delivery {
        account,
        verdict,
        filters: filters.into(),
        seen: true,
    };
    let shown = Verdict { notify: true, ..Verdict::default() };
    let hidden = Verdict { hidden: true, highlighted: true, ..Verdict::default() };
    let expected = [of(1, shown, [9, 8, 3]), of(2, hidden, [7, 6, 1])];
    shared.world(|world| assert_eq!(world.delivered, expected));
}

#[tokio::test]
async fn whoever_has_an_account_since_filters_were_asked_for_is_no_stranger() {
    let shared = Shared::default();
    shared.ann_and_ben();
    let mut worker = shared.worker(9);
    worker.step(10_000).await.unwrap();
    shared.world(|world| {
        let cal = StoredAccount { id: 3, name: "cal".into(), created_at: 10_100, ..StoredAccount::default() };
        world.snapshot.accounts.push(cal);
        let filters = &mut world.snapshot.filters;
        filters.push(StoredFilter { id: 6, account: 3, ..filters[0].clone() });
        world.snapshot.revision = 2;
    });
    shared.add("ben", 10_150, "snow", None, false);
    shared.add("cal", 10_200, "snow", None, false);
    // Much sooner than filters are asked for again.
    worker.step(10_300).await.unwrap();
    let delivered = shared.world(|world| std::mem::take(&mut world.delivered));
    let got: Vec<_> = delivered.iter().map(|delivery| (delivery.account, delivery.filters.clone())).collect();
    assert_eq!(got, [(2, vec![]), (3, vec![6])]);
    assert_eq!(shared.world(|world| world.asked), 2);
}

#[tokio::test]
async fn strangers_have_filters_asked_for_once_a_batch_and_only_where_those_are_older_than_what_is_for_them()
{
    let shared = Shared::default();
    shared.ann_and_ben();
    let mut worker = shared.worker(9);
    worker.step(10_000).await.unwrap();
    let mut asked = async |entries: &[i64], now| {
        entries.iter().for_each(|at| shared.add("nobody", *at, &format!("rain {at}"), None, false));
        let before = shared.world(|world| world.asked);
        worker.step(now).await.unwrap();
        shared.world(|world| world.asked) - before
    };
    assert_eq!(asked(&[10_000, 10_010, 10_020], 10_100).await, 1);
    // Who had an account when these came was known at 10,100.
    assert_eq!(asked(&[9_000, 10_050, 10_099], 10_200).await, 0);
    assert_eq!(asked(&[9_000, 10_150], 10_300).await, 1);
    // Whoever received it has a clock that is ahead.
    assert_eq!(asked(&[99_000], 10_400).await, 1);
}
