//! Versions of a post.

use super::*;

/// What is stored of the entries of a batch.
async fn versions(entries: &[(&str, i64, &str, Option<i64>, bool)]) -> Vec<(i64, String, Vec<i64>)> {
    let shared = Shared::default();
    shared.ann_and_ben();
    for &(name, at, text, edited_at, edit) in entries {
        shared.add(name, at, text, edited_at, edit);
    }
    let mut worker = shared.worker(100);
    while worker.step(1).await.unwrap().entries > 0 {}
    shared.world(|world| std::mem::take(&mut world.versions))
}

#[tokio::test]
async fn of_versions_in_a_batch_the_last_that_was_made_holds() {
    let one = |version, text: &str, accounts: &[i64]| vec![(version, text.to_owned(), accounts.to_vec())];
    // Read again from a source, the older one is received after the newer one.
    let again = [("ann", 10, "b", Some(8), true), ("ann", 20, "a", Some(7), true)];
    assert_eq!(versions(&again).await, one(8, "b", &[1]));
    // Where the wire tells nothing, what was received last is the newest: the gatherer sees to it that times differ.
    let untold = [("ann", 10, "a", None, true), ("ann", 11, "b", None, true)];
    assert_eq!(versions(&untold).await, one(11, "b", &[1]));
    let untold = [("ann", 11, "b", None, true), ("ann", 10, "a", None, true)];
    assert_eq!(versions(&untold).await, one(11, "b", &[1]));
    // The same version for two is one, with what was received last.
    let same =
        [("ann", 10, "a", Some(7), true), ("ben", 11, "b", Some(7), true), ("ann", 9, "c", Some(7), true)];
    assert_eq!(versions(&same).await, one(7, "b", &[1, 2]));
    // Who was sent the old version alone gets the new one, too.
    let old = [("ben", 10, "a", None, false), ("ann", 11, "b", Some(7), true), ("ben", 12, "a", None, false)];
    assert_eq!(versions(&old).await, one(7, "b", &[1, 2]));
}

/// Post 1 as it is stored in some version, for these accounts.
pub(super) fn stored(version: i64, accounts: &[i64], newer: Option<&str>) -> StoredVersion {
    StoredVersion {
        network: String::new(),
        id: "1".into(),
        version,
        at: 5,
        public: false,
        accounts: accounts.to_vec(),
        newer: newer.map(|text| Post { id: "1".into(), ..Post::from_text(text) }),
    }
}

#[tokio::test]
async fn a_version_is_evaluated_for_those_who_have_another() {
    for keep_all in [true, false] {
        let shared = Shared::default();
        shared.ann_and_ben();
        // Ann had a version in which her filter found nothing, or its match, and Ben is told of the next.
        shared.world(|world| world.others = vec![stored(0, &[1], None)]);
        shared.add("ben", 10, "snow", Some(7), true);
        let options = Options { keep_all, ..Options::default() };
        let mut worker = Worker::new("w", shared.clone(), shared.clone(), options.clone());
        assert_eq!(worker.step(1).await.unwrap().entries, 1);
        shared.world(|world| {
            let accounts = if keep_all { vec![1, 2] } else { vec![1] };
            assert_eq!(world.versions, [(7, "snow".to_owned(), accounts)]);
            assert_eq!((&*world.delivered[0].filters, world.delivered[0].seen), (&[5][..], true));
            assert_eq!(world.events[1..], ["outdated 1", "commit 1", "ack 1"], "{:?}", world.events);
        });

        // An old version reaches Ann when a newer one is stored: what is delivered is what her filter finds in that.
        let shared = Shared::default();
        shared.ann_and_ben();
        shared.world(|world| world.others = vec![stored(9, &[2], Some("rain"))]);
        shared.add("ann", 10, "snow", Some(7), true);
        let mut worker = Worker::new("w", shared.clone(), shared.clone(), options);
        assert_eq!(worker.step(1).await.unwrap().entries, 1);
        shared.world(|world| {
            let accounts = if keep_all { vec![1] } else { vec![] };
            assert_eq!(world.versions, [(7, "snow".to_owned(), accounts)]);
            assert!(world.delivered.iter().all(|delivery| delivery.filters.is_empty()));
        });
    }
}

#[tokio::test]
async fn what_was_evaluated_ahead_is_not_lost_when_a_version_is_evaluated_anew() {
    let shared = Shared::with(&["a", "b", "c", "d"]);
    shared.ann_and_ben();
    shared.world(|world| {
        world.others = vec![StoredVersion { version: -1, ..stored(0, &[2], None) }];
    });
    let mut worker = shared.worker(2);
    while worker.step(1).await.unwrap().entries > 0 {}
    shared.world(|world| {
        assert_eq!((world.stored.concat(), world.acked.len()), ("abcd".to_owned(), 4));
        assert_eq!(world.versions[1], (0, "b".to_owned(), vec![2]));
    });
}
