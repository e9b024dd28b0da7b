//! The buffer between sources and workers: what was received and is not in the store yet.
//!
//! [`Buffer`] is a port: Redis Streams are one engine, the SQLite file of the embedded server is another, and both pass
//! one suite of tests. The law that it keeps: **what [`Buffer::append`] has answered `Ok` to is leased until it is
//! acknowledged**, whoever is killed in between.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tweetfilter_core::post::Millis;

/// Gaps of one source that a buffer keeps: the newest. Of older ones it knows how many there were.
pub const MOST_GAPS: usize = 1_000;

/// No lease of entries is longer; one that is asked for longer is cut to this. So is one that seems to last longer, as those
/// do that were taken before the clock was set back.
pub const LONGEST_LEASE: Duration = Duration::from_secs(600);

/// Where entries wait until a worker has stored what became of them.
pub trait Buffer: Send + Sync {
    /// Takes a source for an instance of `ingest`, and tells where its predecessor stopped.
    ///
    /// The same instance gets its source back at once, another when the lease has run out. Each claim
    /// raises the fencing number, so that a predecessor who only slept can append nothing more.
    ///
    /// # Errors
    /// [`BufferError::Taken`] while another instance holds the source.
    fn claim(
        &self,
        source: &str,
        instance: &str,
        lease: Duration,
    ) -> impl Future<Output = Result<Claim, BufferError>> + Send;

    /// Prolongs the lease on a source.
    ///
    /// # Errors
    /// [`BufferError::Fenced`] if another instance has taken over, [`BufferError::Forgotten`] if the source was never
    /// claimed, as far as the buffer knows.
    fn renew(
        &self,
        source: &str,
        fence: Fence,
        lease: Duration,
    ) -> impl Future<Output = Result<(), BufferError>> + Send;

    /// Appends entries, the source's cursor behind them, what was counted and which gaps there are, all or nothing.
    ///
    /// # Errors
    /// [`BufferError::Fenced`] if another instance has taken the source over, [`BufferError::Forgotten`],
    /// [`BufferError::Full`], or
    /// [`BufferError::Away`], after which it is unknown whether it was appended: append it again. An entry that is
    /// there twice does no harm.
    fn append(&self, batch: &Batch) -> impl Future<Output = Result<(), BufferError>> + Send;

    /// When the oldest entry was appended that there was at the last append from here, if that is known: were all entries lost
    /// now, they would have come since then, also those that a worker holds who is gone.
    fn oldest_seen(&self) -> Option<Millis> {
        None
    }

    /// Gives a worker entries that nobody works on, oldest first: as many as there are, up to `most`, and one in any
    /// case, however large it is.
    ///
    /// Entries whose lease has run out are among them.
    ///
    /// # Errors
    /// [`BufferError::Away`], and [`BufferError::Named`] from a buffer by which processes see one another's names.
    fn lease(
        &self,
        worker: &str,
        most: Most,
        lease: Duration,
    ) -> impl Future<Output = Result<Vec<Leased>, BufferError>> + Send;

    /// Entries, so far, that no lease would have given any more, since a stranger's hand in the engine made them nobody's,
    /// or that were given as new once more, and that leases from here found and took back. An alarm if it grows.
    fn reclaimed(&self) -> u64 {
        0
    }

    /// Prolongs leases; those that others hold by now are passed over.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    fn extend(
        &self,
        worker: &str,
        entries: &[EntryId],
        lease: Duration,
    ) -> impl Future<Output = Result<(), BufferError>> + Send;

    /// Removes entries whose outcome is stored. Those that are gone already do no harm.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    fn ack(&self, worker: &str, entries: &[EntryId]) -> impl Future<Output = Result<(), BufferError>> + Send;

    /// Gives entries back untouched, to be leased again at once, as who works no more under this name does: nothing is left
    /// of the name that nobody needs.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    fn release(
        &self,
        worker: &str,
        entries: &[EntryId],
    ) -> impl Future<Output = Result<(), BufferError>> + Send;

    /// How full it is.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    fn stats(&self) -> impl Future<Output = Result<Stats, BufferError>> + Send;
}

/// The number of a claim on a source; a later claim has a greater one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fence(pub u64);

/// The place of an entry, opaque to all but its buffer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub String);

/// A source that was claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// To be given with each batch.
    pub fence: Fence,
    /// Where the source was read up to, in its own terms; `None` if nothing was ever appended.
    pub cursor: Option<String>,
    /// Whether nobody had ever claimed it, as far as the buffer knows. Of one that was read before, the buffer has
    /// forgotten all.
    pub is_new: bool,
}

/// What a source gave, to be appended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The source's name.
    pub source: String,
    /// From its claim.
    pub fence: Fence,
    /// In order.
    pub entries: Vec<Encoded>,
    /// Where the source can be read on from, once these are safe.
    pub cursor: Option<String>,
    /// What was counted since the batch before.
    pub counts: Counts,
    /// What is known to be missing.
    pub gaps: Vec<Gap>,
}

/// An entry as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Equal for all entries about one post: a buffer of several partitions keeps those in one.
    pub key: u64,
    /// See [`Entry::to_vec`](crate::entry::Entry::to_vec).
    pub bytes: Vec<u8>,
}

/// How much a lease may give at once: what a worker has to hold in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// So many entries.
    pub entries: usize,
    /// And so many bytes of them together.
    pub bytes: usize,
}

impl Most {
    /// So many entries, however large they are.
    #[must_use]
    pub const fn entries(entries: usize) -> Self {
        Self { entries, bytes: usize::MAX }
    }
}

/// A leased entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leased {
    /// For acknowledging it.
    pub id: EntryId,
    /// See [`Entry::from_slice`](crate::entry::Entry::from_slice).
    pub bytes: Vec<u8>,
    /// How often it was leased, this time included.
    pub attempts: u32,
}

/// Messages of a source that were never received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// When it began, as far as is known.
    pub from: Millis,
    /// When it ended.
    pub to: Millis,
    /// Why.
    pub reason: String,
    /// How many messages are missing, where the source tells.
    pub missing: Option<u64>,
}

/// What became of the lines of a source. Kept beside the buffer, and never lost where it is not.
///
/// `lines = keep_alives + control + posts + undecodable`, and `posts = entries + merged`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Lines, or what takes their place.
    pub lines: u64,
    /// Blank lines that only say that the stream lives.
    pub keep_alives: u64,
    /// Messages that are no post.
    pub control: u64,
    /// Lines that carry a post.
    pub posts: u64,
    /// Posts that became an entry of their own.
    pub entries: u64,
    /// Copies for further viewers, and repeats, that went into the entry of the first.
    pub merged: u64,
    /// Lines that can't be read, by reason.
    pub undecodable: BTreeMap<String, u64>,
    /// Bytes of all lines.
    pub bytes: u64,
    /// Messages that gaps say are missing, where the source tells how many.
    #[serde(default)]
    pub missing: u64,
}

impl Counts {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.keep_alives += other.keep_alives;
        self.control += other.control;
        self.posts += other.posts;
        self.entries += other.entries;
        self.merged += other.merged;
        self.bytes += other.bytes;
        self.missing = self.missing.saturating_add(other.missing);
        for (reason, count) in &other.undecodable {
            *self.undecodable.entry(reason.clone()).or_default() += count;
        }
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the sums are what they must be.
    #[must_use]
    pub fn balance(&self) -> bool {
        let undecodable: u64 = self.undecodable.values().sum();
        self.lines == self.keep_alives + self.control + self.posts + undecodable
            && self.posts == self.entries + self.merged
    }
}

/// How full a buffer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Entries that wait or are leased.
    pub entries: u64,
    /// Those of them that are leased.
    pub leased: u64,
    /// Bytes of all entries, as far as the engine knows.
    pub bytes: u64,
    /// When the oldest entry was appended.
    pub oldest: Option<Millis>,
    /// Entries that were leased more than once.
    pub redelivered: u64,
    /// Entries that are gone though nobody acknowledged them: a stranger's hand in the engine. An alarm if not 0.
    pub lost: u64,
}

/// Why a buffer did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BufferError {
    /// Another instance reads the source.
    #[error("source {source_name} is read by {holder}; another instance takes over when that one is silent for {}", seconds(.free_in))]
    Taken {
        /// The source.
        source_name: String,
        /// The instance that reads it.
        holder: String,
        /// When its lease will have run out.
        free_in: Duration,
        /// Where it has read the source up to.
        cursor: Option<String>,
    },
    /// Another process leases under the name of a worker. It is told once: what the worker leases from then on, it leases
    /// under a name of its own.
    #[error(
        "another process works under the name {worker}: {holder}. This one goes on as {own}; if that one was killed, what \
         it held comes back within {}",
        seconds(.free_in)
    )]
    Named {
        /// The name.
        worker: String,
        /// Who has it.
        holder: String,
        /// The name that this worker has now.
        own: String,
        /// When the other one's leases will have run out.
        free_in: Duration,
    },
    /// Another instance has taken the source over.
    #[error("source {source_name} was taken over by another instance")]
    Fenced {
        /// The source.
        source_name: String,
    },
    /// The buffer knows nothing of a source that was claimed: what it had was removed.
    #[error(
        "the buffer knows nothing of source {source_name} any more: its keys were removed by somebody else (FLUSHALL?), \
         and what waited in it with them"
    )]
    Forgotten {
        /// The source.
        source_name: String,
    },
    /// There is no room. What is read on would be lost.
    #[error("the buffer is full: {0}")]
    Full(String),
    /// It can't be reached or can't answer now; whatever was asked for may have happened or not.
    #[error("the buffer is away: {0}")]
    Away(String),
    /// It is not fit to keep what it is given, and has to be set up first.
    #[error("{0}")]
    Unfit(String),
}

fn seconds(time: &Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
