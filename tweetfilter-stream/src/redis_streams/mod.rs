//! The buffer on Redis Streams.
//!
//! | key | what |
//! |---|---|
//! | `tf:layout` | hash: `v`, `partitions`, and an `id` by which a `FLUSHALL` is noticed |
//! | `tf:{0}` … `tf:{N-1}` | streams with the consumer group `tf`; each entry has one field `entry`, its JSON |
//! | `tf:{p}:counts` | hash: entries `appended`, `removed`, `redelivered`, `lost` |
//! | `tf:sources`, `tf:source:NAME` | names; hash: `holder`, `till`, `fence`, `cursor`, and what was counted |
//! | `tf:gaps:NAME`, `tf:losses` | lists of JSON: messages never received; entries that strangers removed |
//!
//! An entry stands in the partition that its key names, so all about one post is in one stream, in order; between
//! partitions the order is only nearly that of arrival.
//!
//! **Atomic.** Each operation is one script, and so one round trip that nothing comes between. Redis undoes nothing,
//! so a script checks whatever can be refused (the fence, memory, the kinds of the keys) before its first write. The
//! append-only file holds a script's writes as one transaction: a server that dies in the middle has none of them.
//! A batch whose answer was lost and that is appended again by the same process is stored once.
//!
//! **Leases.** Redis knows since when an entry is idle, and not for how long it was leased. An entry that is leased
//! for the time `t` therefore starts with an idle time of [`LONGEST_LEASE`] less `t`; at [`LONGEST_LEASE`] it is
//! anybody's. A consumer that knows nothing of this holds what it reads for [`LONGEST_LEASE`]. The clock is the
//! server's. No read blocks: an empty answer comes at once, and one connection serves all.
//!
//! **Removal.** Entries go by XACK and XDEL when their outcome is stored, never by trimming. `appended - removed` is
//! how many there must be; whatever is missing was removed by a stranger, and is [`Stats::lost`]. A program that
//! reads or writes the streams without this library counts `removed` and `appended` too.
//!
//! **A Redis Cluster** is refused for now: a batch goes to all partitions at once. All keys of a partition share its
//! hash tag, so that a cluster takes one append for each partition, with a cursor, fence and batch number in each
//! (`tf:{p}:source:NAME`); a source then resumes at the least of its cursors, and what is appended twice does no harm.

mod fitness;
mod link;
mod script;
mod sources;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use redis::aio::MultiplexedConnection;
use redis::{Script, ScriptInvocation, Value};

use self::link::Link;
use crate::buffer::{Batch, Buffer, BufferError, Claim, EntryId, Fence, Leased, Stats};

pub use sources::SourceState;

/// No lease is longer; one that is asked for longer is cut to this.
pub const LONGEST_LEASE: Duration = Duration::from_secs(600);

const LAYOUT: &str = "tf:layout";
const SOURCES: &str = "tf:sources";
const LOSSES: &str = "tf:losses";

/// How a Redis is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Streams to spread entries over; fixed when the buffer is first opened.
    pub partitions: u16,
    /// Whether a server that may lose what it acknowledged is used all the same, with warnings.
    pub allow_unsafe: bool,
    /// How long an answer may take, and how long a connection.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { partitions: 4, allow_unsafe: false, timeout: Duration::from_secs(5) }
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
    /// Tells this process's batches from others'.
    nonce: String,
    /// The layout's id, once it is known.
    layout: Mutex<Option<String>>,
    /// Whether there ever was one.
    was_laid_out: AtomicU64,
    /// Entries that there were at last.
    entries: AtomicU64,
    sent: Mutex<HashMap<String, Sent>>,
    /// Workers that need not inherit any more what a predecessor of their name held.
    workers: Mutex<HashSet<String>>,
}

/// The last batch of a source.
#[derive(Debug, Default)]
struct Sent {
    fence: Fence,
    number: u64,
    /// By this the batch is known again whose answer did not come.
    unknown: Option<u64>,
}

impl RedisBuffer {
    /// Connects to `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, judges the server, and lays the buffer out.
    ///
    /// # Errors
    /// [`BufferError::Unfit`] if the server may lose entries, with what mends it, or if the buffer there has
    /// another number of partitions; [`BufferError::Away`] if it does not answer.
    pub async fn open(url: &str, options: Options) -> Result<Self, BufferError> {
        let Options { partitions, allow_unsafe, timeout } = options;
        if partitions == 0 {
            return Err(BufferError::Unfit("a buffer has at least one partition".to_owned()));
        }
        let buffer = Self(Arc::new(Inner {
            link: Link::new(url, timeout, allow_unsafe)?,
            partitions,
            nonce: unique(),
            layout: Mutex::default(),
            was_laid_out: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            sent: Mutex::default(),
            workers: Mutex::default(),
        }));
        buffer.probe().await?;
        Ok(buffer)
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
    ) -> Result<String, BufferError> {
        let known = match self.0.was_laid_out.load(Ordering::Acquire) {
            0 => String::new(),
            _ => self.0.entries.load(Ordering::Acquire).to_string(),
        };
        let mut call = script::SETUP.prepare_invoke();
        call.key(LAYOUT).key(LOSSES).arg(unique()).arg(self.0.partitions).arg(known);
        self.partition_keys(&mut call);
        let (id, partitions, entries): (String, u16, u64) = match call.invoke_async(connection).await {
            Ok(laid_out) => laid_out,
            Err(error) => return Err(self.link().failed(number, &error).await),
        };
        if partitions != self.0.partitions {
            return Err(BufferError::Unfit(format!(
                "the buffer has {partitions} partitions, and {} are configured: configure {partitions}, or let \
                 workers empty the buffer, stop everything, and start anew after redis-cli DEL {LAYOUT}",
                self.0.partitions
            )));
        }
        *locked(&self.0.layout) = Some(id.clone());
        self.0.was_laid_out.store(1, Ordering::Release);
        self.0.entries.store(entries, Ordering::Release);
        Ok(id)
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
                _ => return Err(self.link().failed(number, &error).await),
            }
        }
    }

    async fn hold(&self, worker: &str, entries: &[EntryId], idle: u64) -> Result<(), BufferError> {
        let held = self.run(&script::HOLD, "", |call| {
            self.partition_keys(call);
            call.arg(worker).arg(idle);
            self.ids(call, entries);
        });
        held.await.map(drop)
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

    /// The number of a batch: that of the one before, if that is the same and its answer did not come.
    fn number(&self, batch: &Batch) -> u64 {
        let digest = digest(batch);
        let mut sent = locked(&self.0.sent);
        let sent = sent.entry(batch.source.clone()).or_default();
        if sent.fence != batch.fence {
            *sent = Sent { fence: batch.fence, ..Sent::default() };
        }
        if sent.unknown != Some(digest) {
            sent.number += 1;
        }
        sent.unknown = Some(digest);
        sent.number
    }
}

impl Buffer for RedisBuffer {
    async fn claim(&self, source: &str, instance: &str, lease: Duration) -> Result<Claim, BufferError> {
        let claimed = self.run(&script::CLAIM, source, |call| {
            call.key(source_key(source)).key(SOURCES).arg(source).arg(instance).arg(millis(lease));
        });
        let parts = claimed.await?.into_sequence().unwrap_or_default();
        match parts.as_slice() {
            [Value::Int(1), fence, cursor] => Ok(Claim { fence: Fence(read(fence)?), cursor: read(cursor)? }),
            [Value::Int(1), fence] => Ok(Claim { fence: Fence(read(fence)?), cursor: None }),
            [_, holder, free_in] => Err(BufferError::Taken {
                source_name: source.to_owned(),
                holder: read(holder)?,
                free_in: Duration::from_millis(read(free_in)?),
            }),
            other => Err(strange(&other)),
        }
    }

    async fn renew(&self, source: &str, fence: Fence, lease: Duration) -> Result<(), BufferError> {
        let renewed = self.run(&script::RENEW, source, |call| {
            call.key(source_key(source)).arg(fence.0).arg(millis(lease));
        });
        renewed.await.map(drop)
    }

    async fn append(&self, batch: &Batch) -> Result<(), BufferError> {
        let number = self.number(batch);
        let counts = sources::fields(&batch.counts);
        let gaps: Vec<_> = batch.gaps.iter().filter_map(|gap| serde_json::to_string(gap).ok()).collect();
        let appended = self.run(&script::APPEND, &batch.source, |call| {
            call.key(source_key(&batch.source)).key(gaps_key(&batch.source));
            self.partition_keys(call);
            call.arg(batch.fence.0).arg(&self.0.nonce).arg(number);
            call.arg(u8::from(batch.cursor.is_some())).arg(batch.cursor.as_deref().unwrap_or_default());
            call.arg(counts.len()).arg(gaps.len());
            for (field, count) in &counts {
                call.arg(field).arg(*count);
            }
            for gap in &gaps {
                call.arg(gap);
            }
            for entry in &batch.entries {
                call.arg(entry.key % u64::from(self.0.partitions)).arg(entry.bytes.as_slice());
            }
        });
        let entries = read(&appended.await?)?;
        self.0.entries.store(entries, Ordering::Release);
        if let Some(sent) = locked(&self.0.sent).get_mut(&batch.source) {
            sent.unknown = None;
        }
        Ok(())
    }

    async fn lease(&self, worker: &str, max: usize, lease: Duration) -> Result<Vec<Leased>, BufferError> {
        let inherits = locked(&self.0.workers).insert(worker.to_owned());
        let begin = self.0.entries.load(Ordering::Relaxed) % u64::from(self.0.partitions);
        let leased = self.run(&script::LEASE, "", |call| {
            call.key(LOSSES);
            self.partition_keys(call);
            call.arg(worker).arg(max).arg(millis(LONGEST_LEASE)).arg(fresh(lease));
            call.arg(u8::from(inherits)).arg(begin);
        });
        let leased = match leased.await.and_then(|answer| reply(answer)) {
            Ok((entries, leased)) => {
                self.0.entries.store(entries, Ordering::Release);
                leased
            }
            // What the answer that did not come would have given is inherited by the next call.
            Err(error) => {
                locked(&self.0.workers).remove(worker);
                return Err(error);
            }
        };
        Ok(leased)
    }

    async fn extend(&self, worker: &str, entries: &[EntryId], lease: Duration) -> Result<(), BufferError> {
        self.hold(worker, entries, fresh(lease)).await
    }

    async fn ack(&self, _worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        let removed = self.run(&script::ACK, "", |call| {
            self.partition_keys(call);
            self.ids(call, entries);
        });
        removed.await.map(drop)
    }

    async fn release(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.hold(worker, entries, millis(LONGEST_LEASE)).await
    }

    /// Bytes are Redis's own estimate of the memory of the streams, from samples (`MEMORY USAGE`).
    async fn stats(&self) -> Result<Stats, BufferError> {
        let counted = self.run(&script::STATS, "", |call| {
            self.partition_keys(call);
            call.arg(millis(LONGEST_LEASE));
        });
        let (entries, leased, bytes, oldest, redelivered, lost): (u64, u64, u64, i64, u64, u64) =
            read(&counted.await?)?;
        self.0.entries.store(entries, Ordering::Release);
        let oldest = (oldest >= 0).then_some(oldest);
        Ok(Stats { entries, leased, bytes, oldest, redelivered, lost })
    }
}

/// The answer to a lease: entries of all partitions, and what was leased, oldest first.
fn reply(answer: Value) -> Result<(u64, Vec<Leased>), BufferError> {
    let mut parts = answer.into_sequence().unwrap_or_default().into_iter();
    let entries = read(&parts.next().unwrap_or_default())?;
    let mut leased = Vec::with_capacity(parts.len() / 4);
    while let (Some(partition), Some(id), Some(attempts), Some(bytes)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let (partition, id): (u16, String) = (read(&partition)?, read(&id)?);
        let bytes = match bytes {
            Value::BulkString(bytes) => bytes,
            other => return Err(strange(&other)),
        };
        let at: Option<(u64, u64)> =
            id.split_once('-').and_then(|(time, number)| Some((time.parse().ok()?, number.parse().ok()?)));
        let id = EntryId(format!("{partition}:{id}"));
        leased.push((at, Leased { id, bytes, attempts: read(&attempts)? }));
    }
    leased.sort_by_key(|(at, _)| *at);
    Ok((entries, leased.into_iter().map(|(_, leased)| leased).collect()))
}

fn read<T: redis::FromRedisValue>(value: &Value) -> Result<T, BufferError> {
    redis::from_redis_value_ref(value).map_err(|_| strange(value))
}

fn strange(answer: &impl std::fmt::Debug) -> BufferError {
    let answer: String = format!("{answer:?}").chars().take(80).collect();
    BufferError::Away(format!("an answer that is none to what was asked: {answer}"))
}

fn source_key(source: &str) -> String {
    format!("tf:source:{source}")
}

fn gaps_key(source: &str) -> String {
    format!("tf:gaps:{source}")
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(1 << 50)
}

/// The idle time that a lease begins with.
fn fresh(lease: Duration) -> u64 {
    millis(LONGEST_LEASE.saturating_sub(lease))
}

fn digest(batch: &Batch) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in &batch.entries {
        (entry.key, &entry.bytes).hash(&mut hasher);
    }
    batch.cursor.hash(&mut hasher);
    format!("{:?}{:?}", batch.counts, batch.gaps).hash(&mut hasher);
    hasher.finish()
}

fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one((std::process::id(), SystemTime::now())))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
