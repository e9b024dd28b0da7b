use tweetfilter_core::Dialect;
use tweetfilter_sql::{Database, Embedded};
use tweetfilter_stream::buffer::{Batch, Encoded, EntryId, Leased, Most, Stats};
use tweetfilter_stream::entry::Audience;
use tweetfilter_stream::gather::Gather;
use tweetfilter_stream::store::{Action, Committed, Outcome, Snapshot, StoredAccount, StoredFilter};
use tweetfilter_stream::worker::Options;

use super::*;
use crate::ops::{Metrics, Process, State};
use crate::parts::fake::Fake;
use crate::parts::logged::Log;
use crate::parts::test_store::TestStore;

/// A store of one filter, which can't be used.
struct Misspelt;

impl Store for Misspelt {
    async fn filters(&self, known: Option<u64>) -> Result<Option<Snapshot>, StoreError> {
        let account = StoredAccount { id: 1, name: "ann".to_owned(), ..StoredAccount::default() };
        let filter = StoredFilter {
            id: 5,
            account: 1,
            text: "snow (".to_owned(),
            dialect: Dialect::default(),
            action: Action::Show,
        };
        let (accounts, filters) = (vec![account], vec![filter]);
        Ok(known.is_none().then(|| Snapshot { revision: 1, accounts, filters, ..Snapshot::default() }))
    }

    async fn commit(&self, _: &Outcome, _: &[EntryId]) -> Result<Committed, StoreError> {
        Ok(Committed::default())
    }
}

fn between(buffer: &Fake) -> Works<Fake, Misspelt> {
    Works::new(Worker::new("one", buffer.clone(), Misspelt, Options::default()))
}

#[tokio::test(start_paused = true)]
async fn who_holds_its_entries_for_long_says_so_again_and_in_the_end_for_how_long_it_was() {
    let ((log, _guard), buffer, (_tell, mut stop)) = (Log::begin(), Fake::default(), Stop::new());
    let part = Part::new("work");
    let mut works = between(&buffer).counted_by(&part);
    *buffer.leases_nothing.lock().await = Some(BufferError::Away("no route".to_owned()));
    let begin = tokio::time::Instant::now();
    while begin.elapsed() < Duration::from_secs(1_300) {
        assert!(works.batch(&mut stop).await.unwrap());
    }
    // At once, and after 1, 11 and 21 minutes.
    let text = log.text();
    assert_eq!(log.count("holds its entries until it can go on"), 4, "{text}");
    assert!(text.contains("no route entries=0 for_seconds=0"), "{text}");
    assert_eq!(log.count("for_seconds=6"), 2, "{text}");
    assert_eq!(part.state().0, State::WaitingForBuffer);
    // Another reason is said at once.
    *buffer.leases_nothing.lock().await = Some(BufferError::Away("refused".to_owned()));
    assert!(works.batch(&mut stop).await.unwrap());
    assert_eq!((log.count("refused entries=0 for_seconds=130"), log.count("are back")), (1, 0));
    *buffer.leases_nothing.lock().await = None;
    assert!(!works.batch(&mut stop).await.unwrap());
    assert_eq!(log.count("store and buffer are back after_seconds=130"), 1, "{}", log.text());
    assert_eq!(part.state().0, State::Running);
}

#[tokio::test(start_paused = true)]
async fn which_filters_cannot_be_used_is_said_whatever_came_of_the_first_lease() {
    let away = BufferError::Away("no route".to_owned());
    let named = BufferError::Named {
        worker: "one".to_owned(),
        holder: "process 7".to_owned(),
        own: "one/1".to_owned(),
        free_in: Duration::ZERO,
    };
    for error in [None, Some(named), Some(away)] {
        let ((log, _guard), buffer, (_tell, mut stop)) = (Log::begin(), Fake::default(), Stop::new());
        let mut works = between(&buffer);
        *buffer.leases_nothing.lock().await = error;
        works.batch(&mut stop).await.unwrap();
        *buffer.leases_nothing.lock().await = None;
        works.batch(&mut stop).await.unwrap();
        let told = (log.count("filters are live"), log.count("filter can't be used filter=5"));
        assert_eq!(told, (1, 1), "{}", log.text());
    }
}

#[tokio::test(start_paused = true)]
async fn entries_that_were_nobodys_are_told_of_once() {
    let ((log, _guard), buffer, (_tell, mut stop)) = (Log::begin(), Fake::default(), Stop::new());
    let mut works = between(&buffer);
    for (reclaimed, told) in [(0, 0), (5, 1), (5, 1), (7, 2)] {
        buffer.reclaimed.store(reclaimed, Ordering::Relaxed);
        works.batch(&mut stop).await.unwrap();
        assert_eq!(log.count("were nobody's any more"), told, "{}", log.text());
    }
    assert!(log.text().contains("entries=2"), "{}", log.text());
    // Nor is a part that is started again told of them.
    between(&buffer).batch(&mut stop).await.unwrap();
    assert_eq!(log.count("were nobody's any more"), 2, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn of_entries_that_stay_it_is_said_whether_another_worker_holds_them() {
    for (leased, said) in [(0, [0, 0, 1]), (3, [1, 1, 0]), (1, [1, 1, 1])] {
        let ((log, _guard), (_tell, stop)) = (Log::begin(), Stop::new());
        let stats = Stats { entries: 3, leased, ..Stats::default() };
        let begin = Instant::now();
        between(&Fake { stats, ..Fake::default() }).run(true, stop).await.unwrap();
        // As long as a lease lasts, and a second.
        assert_eq!(begin.elapsed().as_secs(), 61);
        let told =
            ["another worker holds entries", "to the worker that holds them", "left that nobody holds"]
                .map(|text| log.count(text));
        assert_eq!(told, said, "{}", log.text());
    }
}

/// Posts in a buffer, of which another worker has half.
async fn half_leased(lease: Duration) -> (TestStore, Embedded) {
    let database = TestStore::open().await;
    let buffer = database.buffer().unwrap();
    let mut gather = Gather::new("s", Audience::Public);
    for id in 0..10 {
        gather.line(format!("{{\"id_str\":\"{id}\",\"text\":\"Snow\"}}").as_bytes(), 1);
    }
    let fence = buffer.claim("s", "i", lease).await.unwrap().fence;
    buffer.append(&Batch { fence, ..gather.take() }).await.unwrap();
    assert_eq!(buffer.lease("other", Most::entries(5), lease).await.unwrap().len(), 5);
    (database, buffer)
}

fn worker(database: &Database, buffer: &Embedded, lease: Duration) -> Works<Embedded, Database> {
    let options = Options { lease, ..Options::default() };
    Works::new(Worker::new("one", buffer.clone(), database.clone(), options))
}

#[tokio::test]
async fn what_is_evaluated_for_long_is_waited_for_and_what_is_silent_is_not() {
    let (pulse, silence) = (AtomicU64::new(0), Duration::from_millis(50));
    let long = async {
        for _ in 0..10 {
            pulse.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(unless_silent(silence, &pulse, long).await, Some(()));
    assert_eq!(unless_silent(silence, &pulse, std::future::pending::<()>()).await, None);
}

#[tokio::test]
async fn what_a_killed_worker_held_is_waited_for_and_done() {
    let lease = Duration::from_secs(2);
    let (database, buffer) = half_leased(lease).await;
    let (_tell, stop) = Stop::new();
    let worked = worker(&database, &buffer, lease).run(true, stop).await.unwrap();
    assert_eq!((worked.entries, buffer.stats().await.unwrap().entries), (10, 0));
}

#[tokio::test]
async fn what_a_living_worker_holds_is_left_to_it_after_a_lease() {
    let long = Duration::from_secs(600);
    let (database, buffer) = half_leased(long).await;
    let (_tell, stop) = Stop::new();
    let begin = Instant::now();
    let worked = worker(&database, &buffer, Duration::from_secs(1)).run(true, stop).await.unwrap();
    assert_eq!((worked.entries, buffer.stats().await.unwrap().entries), (5, 5));
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn entries_of_a_newer_version_are_left_to_nobody_when_a_worker_ends() {
    let long = Duration::from_secs(600);
    let database = TestStore::open().await;
    let buffer = database.buffer().unwrap();
    let fence = buffer.claim("s", "i", long).await.unwrap().fence;
    let entries = (0..3).map(|key| Encoded { key, bytes: br#"{"v":1000}"#.to_vec() }).collect();
    buffer.append(&Batch { source: "s".to_owned(), fence, entries, ..Batch::default() }).await.unwrap();
    for name in ["one", "two"] {
        let worker = Worker::new(
            name,
            buffer.clone(),
            database.clone(),
            Options { lease: long, ..Options::default() },
        );
        let (_tell, stop) = Stop::new();
        let worked = Works::new(worker).run(true, stop).await.unwrap();
        assert_eq!((worked.entries, worked.newer), (0, 3), "{name}");
        let stats = buffer.stats().await.unwrap();
        assert_eq!((stats.entries, stats.leased), (3, 0), "{name}");
    }
}

#[tokio::test]
async fn entries_of_a_newer_version_are_told_and_counted_once_however_often_they_are_leased() {
    let ((log, _guard), (_tell, mut stop)) = (Log::begin(), Stop::new());
    let long = Duration::from_secs(600);
    let (database, buffer) = half_leased(long).await;
    let fence = buffer.claim("s", "i", long).await.unwrap().fence;
    let entries = (0..3).map(|key| Encoded { key, bytes: br#"{"v":1000}"#.to_vec() }).collect();
    buffer.append(&Batch { source: "s".to_owned(), fence, entries, ..Batch::default() }).await.unwrap();
    let process = Process::new("work", None);
    let part = process.part("work");
    let mut works = worker(&database, &buffer, Duration::from_millis(300)).counted_by(&part);
    let (begin, mut leased) = (Instant::now(), 0);
    // What nobody else has once, and then again those that stay.
    while leased < 5 + 3 * 3 {
        assert!(begin.elapsed() < Duration::from_secs(60), "{leased} leased");
        works.batch(&mut stop).await.unwrap();
        leased += works.last;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(log.count("entries of a newer version stay in the buffer"), 1, "{}", log.text());
    // Those who look elsewhere than in the log are told.
    assert_eq!(part.told().newer, 3);
    let metrics = Metrics::new(process).text().await.unwrap();
    assert!(metrics.contains("tweetfilter_newer_entries{part=\"work\"} 3"), "{metrics}");
    // Nor do they hide those that another worker has.
    assert!(works.newer.held(now()) <= 3);
    assert!(works.waits_for_others(&mut stop).await);
}

#[tokio::test(start_paused = true)]
async fn entries_of_a_newer_version_that_come_again_after_a_lease_that_no_step_failed_for_are_counted_once() {
    let (buffer, (_tell, mut stop)) = (Fake::default(), Stop::new());
    let of = |attempts| {
        let leased =
            |id: &str| Leased { id: EntryId(id.to_owned()), bytes: br#"{"v":1000}"#.to_vec(), attempts };
        Ok(["1", "2"].map(leased).to_vec())
    };
    // The second lease is one ahead, while there is something to do. Of what it gave no answer came, and the next one gives all.
    let away = Err(BufferError::Away("no route".to_owned()));
    *buffer.leases.lock().await = [of(1), away, of(2)].into();
    let options = Options { batch: Most::entries(2), ..Options::default() };
    let mut works = Works::new(Worker::new("one", buffer.clone(), Misspelt, options));
    for _ in 0..2 {
        assert!(works.batch(&mut stop).await.unwrap());
        assert!(works.newer.held(now()) <= 2);
    }
    assert!(buffer.leases.lock().await.is_empty());
    assert_eq!(works.newer.held(now()), 2);
}
