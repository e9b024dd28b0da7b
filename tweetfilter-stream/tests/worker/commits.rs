//! What is committed, fails, and is counted.

use super::*;

#[tokio::test]
async fn a_commit_says_when_the_newest_of_its_entries_was_received_stored_or_not() {
    let shared = Shared::default();
    shared.ann_and_ben();
    // Of two partitions, one of which is farther.
    for (name, at) in [("ann", 3), ("ben", 7), ("ann", 2), ("ann", 8)] {
        shared.add(name, at, "rain", None, false);
    }
    let options = Options { keep_all: false, ..Options::default() };
    let mut worker = Worker::new("w", shared.clone(), shared.clone(), options);
    worker.step(9).await.unwrap();
    shared.world(|world| {
        assert_eq!((world.stored.len(), world.unmatched), (0, 1));
        assert_eq!(world.received, [BTreeMap::from([("s".to_owned(), 7)])]);
    });
}

#[tokio::test]
async fn what_a_failed_commit_had_is_held_and_committed_in_order() {
    let shared = Shared::with(&["a", "b", "c"]);
    shared.world(|world| world.away = 2);
    let mut worker = shared.worker(2);
    for _ in 0..2 {
        let failed = worker.step(1).await;
        assert!(matches!(failed, Err(StepError::Store(StoreError::Away(_)))), "{failed:?}");
    }
    while worker.step(1).await.unwrap().entries > 0 {}
    shared.world(|world| {
        assert_eq!((world.stored.concat(), world.acked.len()), ("abc".to_owned(), 3));
        assert_eq!(world.events.iter().filter(|event| *event == "extend 3").count(), 2, "{:?}", world.events);
    });
}

#[tokio::test]
async fn poison_is_found_and_harms_nothing_beside_it() {
    let shared = Shared::with(&["a", "b", "poison", "c", "d", "e", "f", "g", "poison"]);
    let mut worker = shared.worker(4);
    let (mut entries, mut dead) = (0, Vec::new());
    loop {
        let step = worker.step(1).await.unwrap();
        if step.entries == 0 {
            break;
        }
        entries += step.entries;
        dead.extend(step.dead);
    }
    assert_eq!((entries, dead.len()), (9, 2));
    shared.world(|world| {
        assert_eq!((world.stored.concat(), world.acked.len()), ("abcdefg".to_owned(), 9));
        assert_eq!(world.dead, ["s no", "s no"]);
    });
}

#[tokio::test]
async fn what_was_committed_before_is_acknowledged_and_left_out() {
    // By another worker, who did not come to acknowledge it.
    let shared = Shared::with(&["a", "b", "c"]);
    shared.world(|world| {
        world.done.insert("1".into());
        world.waiting[1].attempts = 2;
    });
    let step = shared.worker(9).step(1).await.unwrap();
    assert_eq!((step.entries, step.again), (2, 1));
    shared.world(|world| assert_eq!((world.stored.concat(), world.acked.len()), ("ac".to_owned(), 3)));

    // By this one, who did not hear that it had happened.
    let shared = Shared::with(&["a", "b"]);
    shared.world(|world| {
        world.done.extend(["0".to_owned(), "1".to_owned()]);
        world.away = 1;
    });
    let mut worker = shared.worker(9);
    assert!(worker.step(1).await.is_err());
    let step = worker.step(1).await.unwrap();
    assert_eq!((step.entries, step.again, step.commits.len()), (2, 2, 0));
    shared.world(|world| assert_eq!((world.stored.len(), world.acked.len()), (0, 2)));
}

#[tokio::test]
async fn each_entry_is_counted_for_its_own_source() {
    let shared = Shared::default();
    shared.ann_and_ben();
    shared.add("ann", 10, "a", None, false);
    shared.add("ben", 11, "b", Some(7), true);
    // The newer version is from another source.
    shared.world(|world| {
        let mut entry = Entry::from_slice(&world.waiting[1].bytes).unwrap();
        entry.source = "other".into();
        world.waiting[1].bytes = entry.to_vec().unwrap();
    });
    assert_eq!(shared.worker(9).step(1).await.unwrap().entries, 2);
    let each = BTreeMap::from([("other".to_owned(), 1), ("s".to_owned(), 1)]);
    shared.world(|world| assert_eq!(world.counted, each));
}
