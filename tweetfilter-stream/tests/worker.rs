//! The worker between a buffer and a store that are lists, and fail when they are told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tweetfilter_core::{Dialect, Post};
use tweetfilter_stream::buffer::{Batch, Buffer, BufferError, Claim, EntryId, Fence, Leased, Most, Stats};
use tweetfilter_stream::entry::{Audience, Content, Entry};
use tweetfilter_stream::store::{
    Action, Committed, Delivery, Outcome, Snapshot, Store, StoreError, StoredAccount, StoredFilter,
    StoredVersion, Verdict,
};
use tweetfilter_stream::worker::{Options, StepError, Worker};

#[derive(Default)]
struct World {
    waiting: VecDeque<Leased>,
    events: Vec<String>,
    acked: BTreeSet<String>,
    stored: Vec<String>,
    dead: Vec<String>,
    unmatched: u64,
    /// Version, text, and who got it.
    versions: Vec<(i64, String, Vec<i64>)>,
    delivered: Vec<Delivery>,
    snapshot: Snapshot,
    /// Commits that fail before one succeeds.
    away: u32,
    /// Entries that somebody has committed before.
    done: BTreeSet<String>,
    /// Posts that are stored in other versions.
    others: Vec<StoredVersion>,
    /// Posts and copies, by source.
    counted: BTreeMap<String, u64>,
    /// What each commit told of acknowledged batches, and when the leases of its own end.
    told: Vec<(Vec<EntryId>, Option<i64>)>,
    /// When the newest of its entries was received, by source.
    received: Vec<BTreeMap<String, i64>>,
    /// How often filters were asked for.
    asked: usize,
    /// How many leases there were, and the one of which no answer comes.
    leases: usize,
    cut: usize,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<World>>);

/// With leases so long that no batch is taken to need much of them, though the machine may hold it up.
fn patient() -> Options {
    Options { lease: Duration::from_secs(3_600), ..Options::default() }
}

impl Shared {
    fn with(texts: &[&str]) -> Self {
        let shared = Self::default();
        for (number, text) in texts.iter().enumerate() {
            let post = Post { id: number.to_string(), ..Post::from_text(*text) };
            let content = Content::Post(Box::new(post));
            let entry = Entry { source: "s".into(), at: 1, to: Audience::Public, place: None, content };
            let id = EntryId(number.to_string());
            let leased = Leased { id, bytes: entry.to_vec().unwrap(), attempts: 1 };
            shared.world(|world| world.waiting.push_back(leased));
        }
        shared
    }

    fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// Two accounts, of which the first has a filter.
    fn ann_and_ben(&self) {
        let account = |id, name: &str| StoredAccount { id, name: name.into(), ..StoredAccount::default() };
        let filter = StoredFilter {
            id: 5,
            account: 1,
            text: "snow".into(),
            dialect: Dialect::default(),
            action: Action::Show,
        };
        let accounts = vec![account(1, "ann"), account(2, "ben")];
        let snapshot = Snapshot { revision: 1, accounts, filters: vec![filter], ..Snapshot::default() };
        self.world(|world| world.snapshot = snapshot);
    }

    /// Adds an entry about post 1 for an account.
    fn add(&self, name: &str, at: i64, text: &str, edited_at: Option<i64>, edit: bool) {
        let post = Box::new(Post { id: "1".into(), edited_at, ..Post::from_text(text) });
        let content = if edit { Content::Edit(post) } else { Content::Post(post) };
        let entry =
            Entry { source: "s".into(), at, to: Audience::Account(name.into()), place: None, content };
        self.world(|world| {
            let id = EntryId(format!("{name} {at} {text}"));
            world.waiting.push_back(Leased { id, bytes: entry.to_vec().unwrap(), attempts: 1 });
        });
    }

    fn worker(&self, batch: usize) -> Worker<Self, Self> {
        let batch = Most::entries(batch);
        Worker::new("w", self.clone(), self.clone(), Options { batch, ..patient() })
    }
}

impl Buffer for Shared {
    async fn claim(&self, _: &str, _: &str, _: Duration) -> Result<Claim, BufferError> {
        Ok(Claim::default())
    }

    async fn renew(&self, _: &str, _: Fence, _: Duration) -> Result<(), BufferError> {
        Ok(())
    }

    async fn append(&self, _: &Batch) -> Result<(), BufferError> {
        Ok(())
    }

    async fn lease(&self, _: &str, most: Most, _: Duration) -> Result<Vec<Leased>, BufferError> {
        self.world(|world| {
            world.leases += 1;
            if world.leases == world.cut {
                world.events.push("no answer".to_owned());
                return Err(BufferError::Away("cut".into()));
            }
            let mut bytes = most.bytes;
            let fits = |leased: &&Leased| {
                bytes = bytes.saturating_sub(leased.bytes.len());
                bytes > 0
            };
            let max = world.waiting.iter().take(most.entries).take_while(fits).count();
            world.events.push(format!("lease {max}"));
            Ok(world.waiting.drain(..max).collect())
        })
    }

    async fn extend(&self, _: &str, entries: &[EntryId], _: Duration) -> Result<(), BufferError> {
        self.world(|world| world.events.push(format!("extend {}", entries.len())));
        Ok(())
    }

    async fn ack(&self, _: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.world(|world| {
            world.events.push(format!("ack {}", entries.len()));
            world.acked.extend(entries.iter().map(|entry| entry.0.clone()));
        });
        Ok(())
    }

    async fn release(&self, _: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.world(|world| world.events.push(format!("release {}", entries.len())));
        Ok(())
    }

    async fn stats(&self) -> Result<Stats, BufferError> {
        Ok(Stats::default())
    }
}

impl Store for Shared {
    async fn filters(&self, known: Option<u64>) -> Result<Option<Snapshot>, StoreError> {
        self.world(|world| {
            world.asked += 1;
            Ok((known != Some(world.snapshot.revision)).then(|| world.snapshot.clone()))
        })
    }

    async fn commit(&self, outcome: &Outcome, leases: &[EntryId]) -> Result<Committed, StoreError> {
        self.world(|world| {
            let done = leases.iter().filter(|entry| outcome.again && world.done.contains(&entry.0));
            let done: Vec<_> = done.cloned().collect();
            if !done.is_empty() {
                return Err(StoreError::Done(done));
            }
            let is_told = |other: &&StoredVersion| {
                outcome.posts.iter().all(|post| post.post.id != other.id || post.stored.is_some())
            };
            let untold: Vec<_> = world.others.iter().filter(|other| !is_told(other)).cloned().collect();
            if !untold.is_empty() {
                world.events.push(format!("outdated {}", untold.len()));
                return Err(StoreError::Outdated(untold));
            }
            world.events.push(format!("commit {}", outcome.posts.len() + outcome.dead.len()));
            if world.away > 0 {
                world.away -= 1;
                return Err(StoreError::Away("stopped".into()));
            }
            if outcome.posts.iter().any(|post| post.post.text == "poison") {
                return Err(StoreError::Refused("no".into()));
            }
            let own = outcome.posts.iter().map(|post| (&post.source, 1));
            for (source, count) in own.chain(outcome.copies.iter().map(|(source, copies)| (source, *copies)))
            {
                *world.counted.entry(source.clone()).or_default() += count;
            }
            world.told.push((outcome.acknowledged.clone(), outcome.until));
            world.received.push(outcome.received.clone());
            world.unmatched += outcome.unmatched.get("s").copied().unwrap_or_default();
            world.versions.extend(outcome.posts.iter().map(|post| {
                let accounts = post.deliveries.iter().map(|delivery| delivery.account).collect();
                (post.version, post.post.text.clone(), accounts)
            }));
            world.delivered.extend(outcome.posts.iter().flat_map(|post| post.deliveries.clone()));
            world.stored.extend(outcome.posts.iter().map(|post| post.post.text.clone()));
            world.dead.extend(outcome.dead.iter().map(|dead| format!("{} {}", dead.source, dead.reason)));
            Ok(Committed::default())
        })
    }
}

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
        world.others = vec![StoredVersion { version: -1, ..stored(0, &[2], None) }];
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
fn stored(version: i64, accounts: &[i64], newer: Option<&str>) -> StoredVersion {
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
