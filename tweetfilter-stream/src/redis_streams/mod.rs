//! The buffer on Redis Streams.
//!
//! | key | what |
//! |---|---|
//! | `tf:layout` | hash: `v`, `partitions`, an `id` by which a `FLUSHALL` is noticed, `store` (whose the buffer is: the store's `installation`), and `gaps_dropped` of `tf:losses` |
//! | `tf:{0}` … `tf:{N-1}` | streams with the consumer group `tf`; each entry has one field `entry`, its JSON |
//! | `tf:{p}:counts` | hash: entries `appended`, `removed`, `redelivered`, `lost`; the last id that was `read` as a new one; behind which id those are `looked` for that are nobody's |
//! | `tf:sources`, `tf:source:NAME` | names; hash: `holder`, `till`, `fence`, `cursor`, what was counted, and `gaps_dropped` |
//! | `tf:worker:NAME` | which process works under a name, as JSON, for as long as what it leased under it |
//! | `tf:gaps:NAME`, `tf:losses` | lists of JSON, the newest 1,000 of each, while `gaps_dropped` counts the others: messages never received; entries that strangers removed. Parts take them from there into the store |
//!
//! An entry stands in the partition that its key names, so all about one post is in one stream, in order; between
//! partitions the order is only nearly that of arrival.
//!
//! **Atomic.** Each operation is one script, and so one round trip that nothing comes between. Redis undoes nothing,
//! so a script checks whatever can be refused (the fence, memory, the kinds of the keys) before its first write. What a
//! stranger wrote in place of a number is 0. The append-only file holds a script's writes as one transaction: a server
//! that dies in the middle has none of them.
//! A batch whose answer was lost and that is appended again by the same process is stored once.
//!
//! **Leases.** Redis knows since when an entry is idle, and not for how long it was leased. An entry that is leased
//! for the time `t` therefore starts with an idle time of [`LONGEST_LEASE`] less `t`; at [`LONGEST_LEASE`] it is
//! anybody's. A consumer that knows nothing of this holds what it reads for [`LONGEST_LEASE`]. The clock is the
//! server's; where that was set back, leases begin later than now, and who finds nothing new has them begin now. The first lease of a worker in its process, and the first after an answer that did not come, frees what
//! was leased under its name before: nobody else can have it, since a name is one process's. Who finds that another has
//! its name takes it at once where that one is known to be gone, which is seen on its machine alone; else it goes on under
//! a name of its own, and what the other held comes back as any lease does. No read blocks: an empty answer comes at
//! once, and one connection serves all.
//!
//! **Consumers** are made by the first lease under their name, and removed when its worker ends and holds nothing; who
//! begins removes those that hold nothing and did nothing for a day ([`Options::silence`]). Never one that holds something: that would be nobody's.
//!
//! **Whose.** What is taken out comes into one store, so a buffer is one store's: workers say whose before they lease, and no other
//! store's do. Who removes all keys frees it.
//!
//! **Removal.** Entries go by XACK and XDEL when their outcome is stored, never by trimming. `appended - removed` is
//! how many there must be; whatever is missing was removed by a stranger, and is
//! [`lost`](crate::buffer::Stats::lost). A program that reads or writes the streams without this library counts
//! `removed` and `appended` too.
//!
//! **Nobody's.** An entry that is neither new to the group nor pending would never be leased: a stranger removed the consumer
//! that held it, moved the group, or read it with NOACK. A lease that finds nothing new in a partition, which has more
//! entries than are pending, looks for those, a few hundred at a time. While all is well that costs no command. Who had
//! them may live and be about to store them, so they are held for as long as a lease lasts, by a consumer `(nobody)`, and
//! then leased as any that have run out, unless who had them extends them: nothing is counted twice. So are entries that the
//! group gives as new once more, since it was moved back or made anew. Entries that a worker holds on purpose, since they are
//! of a newer version, are pending.
//!
//! **A Redis Cluster** is refused for now: a batch goes to all partitions at once. All keys of a partition share its
//! hash tag, so that a cluster takes one append for each partition, with a cursor, fence and batch number in each
//! (`tf:{p}:source:NAME`); a source then resumes at the least of its cursors, and what is appended twice does no harm.

mod fitness;
mod link;
mod operations;
mod owner;
mod reply;
mod script;
mod sent;
mod sources;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use redis::aio::MultiplexedConnection;
use redis::{Script, ScriptInvocation, Value};

use self::link::Link;
use self::sent::Sent;
use crate::buffer::{BufferError, EntryId};
use crate::process::{Identity, unique};

pub use crate::buffer::LONGEST_LEASE;
pub use sources::{NotedGaps, SourceState};

const LAYOUT: &str = "tf:layout";
const SOURCES: &str = "tf:sources";
const LOSSES: &str = "tf:losses";

/// This process, as others read it.
static HERE: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string(Identity::here()).unwrap_or_else(|_| unique()));

/// How a Redis is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Streams to spread entries over; fixed when the buffer is first opened.
    pub partitions: u16,
    /// Whether a server that may lose what it acknowledged is used all the same, with warnings.
    pub allow_unsafe: bool,
    /// How long an answer may take, and how long a connection.
    pub timeout: Duration,
    /// How long a consumer that holds nothing may do nothing before a worker that begins removes it.
    pub silence: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            partitions: 4,
            allow_unsafe: false,
            timeout: Duration::from_secs(5),
            silence: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// A buffer on a Redis server. Clones share its connection.
///
/// Lost connections are made anew by the next call, with a growing pause of at most a second, in which calls fail
/// at once. Each new connection is judged as the first.
#[derive(Clone, Debug)]
pub struct RedisBuffer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: Link,
    partitions: u16,
    silence: Duration,
    /// Tells this process's batches from others'.
    nonce: String,
    /// The layout's id, once it is known, whatever a stranger made of it.
    layout: Mutex<Option<Vec<u8>>>,
    /// The last one, by which it is noticed that there is another now.
    before: Mutex<Vec<u8>>,
    /// Entries that there were at last.
    entries: AtomicU64,
    /// When there were none, in milliseconds, or, as long as there always were some, when that was first seen; 0 before.
    empty: AtomicU64,
    /// When the oldest entry was appended that there was at the last append, in milliseconds; 0 before.
    oldest: AtomicU64,
    /// Entries that were nobody's until a lease from here found them.
    reclaimed: AtomicU64,
    sent: Mutex<Sent>,
    /// Workers that need not inherit any more what a predecessor of their name held.
    workers: Mutex<HashSet<String>>,
    /// Names of their own, of workers whose names other processes have.
    names: Mutex<HashMap<String, String>>,
}

impl RedisBuffer {
    /// Connects to `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, judges the server, and lays the buffer out.
    ///
    /// # Errors
    /// [`BufferError::Unfit`] if the server may lose entries, with what mends it, or if the buffer there has
    /// another number of partitions; [`BufferError::Away`] if it does not answer.
    pub async fn open(url: &str, options: Options) -> Result<Self, BufferError> {
        let Options { partitions, allow_unsafe, timeout, silence } = options;
        if partitions == 0 {
            return Err(BufferError::Unfit("a buffer has at least one partition".to_owned()));
        }
        let buffer = Self(Arc::new(Inner {
            link: Link::new(url, timeout, allow_unsafe)?,
            partitions,
            silence,
            nonce: unique(),
            layout: Mutex::default(),
            before: Mutex::default(),
            entries: AtomicU64::new(0),
            empty: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            reclaimed: AtomicU64::new(0),
            sent: Mutex::default(),
            workers: Mutex::default(),
            names: Mutex::default(),
        }));
        buffer.probe().await?;
        Ok(buffer)
    }

    /// Looks whether an address is one that [`RedisBuffer::open`] takes, and at nothing that may be there.
    ///
    /// # Errors
    /// [`BufferError::Unfit`] if it is none, with the way out.
    pub fn check_address(url: &str) -> Result<(), BufferError> {
        let Options { timeout, allow_unsafe, .. } = Options::default();
        Link::new(url, timeout, allow_unsafe).map(drop)
    }

    /// What whoever runs the server should know, as of the last connection.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.0.link.warnings()
    }

    /// Asks for the buffer's health by a write, since a server that can't write still answers a PING.
    ///
    /// # Errors
    /// Whatever appending would meet, but for a lack of memory.
    pub async fn probe(&self) -> Result<(), BufferError> {
        let (mut connection, number) = self.link().connection().await?;
        self.lay_out(&mut connection, number).await.map(drop)
    }

    fn link(&self) -> &Link {
        &self.0.link
    }

    /// Makes sure of the layout, and returns its id.
    async fn lay_out(
        &self,
        connection: &mut MultiplexedConnection,
        number: u64,
    ) -> Result<Vec<u8>, BufferError> {
        let before = locked(&self.0.before).clone();
        let entries = self.0.entries.load(Ordering::Acquire);
        let empty = match self.0.empty.load(Ordering::Acquire) {
            0 => String::new(),
            at => at.to_string(),
        };
        let mut call = script::SETUP.prepare_invoke();
        call.key(LAYOUT).key(LOSSES).arg(unique()).arg(self.0.partitions).arg(entries).arg(before).arg(empty);
        self.partition_keys(&mut call);
        let (id, partitions, entries): (Vec<u8>, Vec<u8>, u64) = match call.invoke_async(connection).await {
            Ok(laid_out) => laid_out,
            Err(error) => return Err(self.link().failed(number, &error).await),
        };
        let partitions = String::from_utf8_lossy(&partitions);
        if partitions.parse::<u16>() != Ok(self.0.partitions) {
            return Err(BufferError::Unfit(format!(
                "the buffer has {partitions} partitions, and {} are configured: configure {partitions}, or let \
                 workers empty the buffer, stop everything, and start anew after redis-cli DEL {LAYOUT}",
                self.0.partitions
            )));
        }
        *locked(&self.0.layout) = Some(id.clone());
        locked(&self.0.before).clone_from(&id);
        self.there_are(entries, 0);
        Ok(id)
    }

    /// Notes how many entries there are, of which so many were just added: what a stranger takes away is known by it.
    fn there_are(&self, entries: u64, added: usize) {
        self.0.entries.store(entries, Ordering::Release);
        let now = millis(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
        if entries <= added as u64 {
            self.0.empty.store(now, Ordering::Release);
        } else {
            let _ = self.0.empty.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    fn partition_keys(&self, call: &mut ScriptInvocation<'_>) {
        for p in 0..self.0.partitions {
            call.key(format!("tf:{{{p}}}"));
        }
        for p in 0..self.0.partitions {
            call.key(format!("tf:{{{p}}}:counts"));
        }
    }

    /// Runs a script. If the layout is gone, it is made anew, which records the loss, and the script runs again.
    async fn run(
        &self,
        script: &Script,
        source: &str,
        fill: impl Fn(&mut ScriptInvocation<'_>),
    ) -> Result<Value, BufferError> {
        let mut again = true;
        loop {
            let (mut connection, number) = self.link().connection().await?;
            let known = locked(&self.0.layout).clone();
            let id = match known {
                Some(id) => id,
                None => self.lay_out(&mut connection, number).await?,
            };
            let mut call = script.prepare_invoke();
            call.key(LAYOUT).arg(id);
            fill(&mut call);
            let error = match call.invoke_async(&mut connection).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match error.code() {
                Some("TFLAYOUT") if again => {
                    *locked(&self.0.layout) = None;
                    again = false;
                }
                Some("TFFENCED") => return Err(BufferError::Fenced { source_name: source.to_owned() }),
                Some("TFFORGOTTEN") => return Err(BufferError::Forgotten { source_name: source.to_owned() }),
                _ => return Err(self.link().failed(number, &error).await),
            }
        }
    }

    /// The name that a worker leases under: its own one, once another process has the name that it was given.
    fn name_of(&self, worker: &str) -> String {
        locked(&self.0.names).get(worker).cloned().unwrap_or_else(|| worker.to_owned())
    }

    /// Gives a worker a name of its own, and says why.
    fn renamed(&self, worker: &str, by: &Identity, free_in: Duration) -> BufferError {
        let own = format!("{worker}/{}", &unique()[..8]);
        locked(&self.0.names).insert(worker.to_owned(), own.clone());
        BufferError::Named { worker: worker.to_owned(), holder: by.to_string(), own, free_in }
    }

    /// Adds partition and id of each entry. What is no id of this buffer is gone already.
    fn ids(&self, call: &mut ScriptInvocation<'_>, entries: &[EntryId]) {
        for EntryId(id) in entries {
            let Some((partition, id)) = id.split_once(':') else { continue };
            let sound = id
                .split_once('-')
                .is_some_and(|(time, number)| time.parse::<u64>().is_ok() && number.parse::<u64>().is_ok());
            if sound && partition.parse::<u16>().is_ok_and(|p| p < self.0.partitions) {
                call.arg(partition).arg(id);
            }
        }
    }
}

fn source_key(source: &str) -> String {
    format!("tf:source:{source}")
}

fn name_key(worker: &str) -> String {
    format!("tf:worker:{worker}")
}

fn gaps_key(source: &str) -> String {
    format!("tf:gaps:{source}")
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(1 << 50)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
