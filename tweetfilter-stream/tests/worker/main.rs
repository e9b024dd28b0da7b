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

mod accounts;
mod commits;
mod leases;
mod versions;

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
