//! What is leased when, how much of it, and for how long.

use super::*;

#[tokio::test]
async fn the_next_batch_is_leased_before_one_is_committed() {
    let shared = Shared::with(&["a", "b", "c", "d", "e"]);
    let mut worker = shared.worker(2);
    let mut done = Vec::new();
    while done.last() != Some(&0) {
        done.push(worker.step(1).await.unwrap().entries);
    }
    assert_eq!(done, [2, 2, 1, 0]);
    shared.world(|world| {
        assert_eq!(world.stored, ["a", "b", "c", "d", "e"]);
        let first = ["lease 2", "lease 2", "commit 2", "ack 2", "lease 1", "commit 2", "ack 2"];
        assert_eq!(world.events[..7], first, "{:?}", world.events);
    });
}

/// The lease after that takes back whatever the worker has.
#[tokio::test]
async fn where_a_lease_is_not_answered_none_follows_while_something_is_open() {
    let shared = Shared::with(&["a", "b", "c", "d"]);
    shared.ann_and_ben();
    shared.world(|world| {
        world.cut = 2;
        world.others = vec![StoredVersion { version: -1, ..versions::stored(0, &[2], None) }];
    });
    let mut worker = shared.worker(2);
    while worker.step(1).await.unwrap().entries > 0 {}
    shared.world(|world| {
        let first = ["lease 2", "no answer", "outdated 1", "commit 2", "ack 2", "lease 2"];
        assert_eq!(world.events[..6], first, "{:?}", world.events);
        assert_eq!(world.stored.concat(), "abcd");
    });
}

#[tokio::test]
async fn batches_that_take_long_for_their_leases_become_smaller() {
    let texts: Vec<_> = (0..1_200).map(|n| format!("rain {n}")).collect();
    let shared = Shared::with(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    shared.ann_and_ben();
    // A sixteenth of this is over before one of four hundred entries is evaluated.
    let options =
        Options { batch: Most::entries(400), lease: Duration::from_millis(1), ..Options::default() };
    let mut worker = Worker::new("w", shared.clone(), shared.clone(), options);
    let before = worker.pulse().load(Ordering::Relaxed);
    for entries in [400, 400] {
        assert_eq!(worker.step(1).await.unwrap().entries, entries);
    }
    assert!(worker.step(1).await.unwrap().entries <= 200);
    assert!(worker.pulse().load(Ordering::Relaxed) > before + 1_000);
}

#[tokio::test]
async fn filters_that_were_compiled_are_no_silence() {
    let shared = Shared::default();
    shared.ann_and_ben();
    let mut worker = Worker::new("w", shared.clone(), shared, Options::default());
    let before = worker.pulse().load(Ordering::Relaxed);
    assert_eq!(worker.step(1).await.unwrap().entries, 0);
    assert!(worker.pulse().load(Ordering::Relaxed) > before);
}

#[tokio::test]
async fn a_batch_has_few_large_entries_or_many_small_ones() {
    let shared = Shared::with(&["a", "b", "c", "d", "e"]);
    let size = shared.world(|world| world.waiting[0].bytes.len());
    let options = Options { batch: Most { entries: 9, bytes: 2 * size + 1 }, ..patient() };
    let mut worker = Worker::new("w", shared.clone(), shared.clone(), options);
    while worker.step(1).await.unwrap().entries > 0 {}
    // The next is leased ahead, for two are half of what nine may be and all of what their bytes may.
    shared.world(|world| {
        let first = ["lease 2", "lease 2", "commit 2", "ack 2", "lease 1", "commit 2", "ack 2"];
        assert_eq!(world.events[..7], first, "{:?}", world.events);
    });
    let Most { entries, bytes } = Options::default().batch;
    assert!(entries >= 1_000 && bytes <= 8 << 20, "a worker may hold {bytes} bytes twice");
}

#[tokio::test]
async fn what_was_held_longer_than_its_lease_is_let_go() {
    let lease = patient().lease.as_millis() as i64;
    for (now, entries) in [(lease, 2), (lease + 1, 0)] {
        let shared = Shared::with(&["a", "b", "c", "d"]);
        shared.world(|world| world.away = 1);
        let mut worker = shared.worker(2);
        assert!(worker.step(1).await.is_err());
        // The process was stopped meanwhile. When the leases have run out, others have these entries, or had them.
        assert_eq!(worker.step(now).await.unwrap().entries, entries);
        shared.world(|world| {
            assert_eq!(world.stored.len(), entries);
            let extended = world.events.iter().filter(|event| event.starts_with("extend")).count();
            assert_eq!(extended, usize::from(entries > 0), "{:?}", world.events);
            if entries > 0 {
                assert_eq!(world.told, [(vec![], Some(now + lease))], "they were prolonged");
            }
        });
    }
}

#[tokio::test]
async fn what_is_acknowledged_behind_its_lease_is_not_told() {
    let lease = patient().lease.as_millis() as i64;
    let shared = Shared::with(&["a", "b", "c"]);
    let mut worker = shared.worker(1);
    // The third is leased in the second step, and the second in the first one.
    for now in [1, 2, lease + 1] {
        assert_eq!(worker.step(now).await.unwrap().entries, 1);
    }
    let first = vec![EntryId("0".into())];
    let told = [(vec![], Some(lease + 1)), (first, Some(lease + 1)), (vec![], Some(lease + 2))];
    shared.world(|world| assert_eq!(world.told, told));
}

#[tokio::test]
async fn what_is_leased_and_not_done_is_given_back() {
    let shared = Shared::with(&["a", "b", "c"]);
    let mut worker = shared.worker(2);
    assert_eq!(worker.step(1).await.unwrap().entries, 2);
    worker.release(1).await.unwrap();
    // And the store is told that what it did is acknowledged.
    shared.world(|world| assert!(world.events.ends_with(&["release 1".into(), "commit 0".into()])));
}
