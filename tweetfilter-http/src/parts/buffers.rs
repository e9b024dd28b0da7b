//! The buffer that the settings name.

use std::time::Duration;

use tweetfilter_core::post::Millis;
use tweetfilter_sql::{Database, Embedded};
use tweetfilter_stream::buffer::{
    Batch, Buffer, BufferError, Claim, EntryId, Fence, Gap, Leased, Most, Stats,
};
use tweetfilter_stream::fail::fail_point;
use tweetfilter_stream::redis_streams::{Options, RedisBuffer, SourceState};
use tweetfilter_stream::store::StoreError;

/// How often it is asked which store it is, where others are in the way.
const TRIES: u32 = 40;

/// Either engine of the buffer.
#[derive(Clone, Debug)]
pub enum Buffers {
    /// In the file of the store.
    Embedded(Embedded),
    /// On a Redis server.
    Redis(RedisBuffer),
}

impl Buffers {
    /// Opens the buffer at an address; without one, the buffer in the file of the store.
    ///
    /// # Errors
    /// [`BufferError::Unfit`] if the store is no file and there is no address, and as [`RedisBuffer::open`].
    pub async fn open(
        address: Option<&str>,
        database: &Database,
        options: Options,
    ) -> Result<Self, BufferError> {
        match address {
            Some(address) => Ok(Self::Redis(RedisBuffer::open(address, options).await?)),
            None => database.buffer().map(Self::Embedded).ok_or_else(|| {
                let message = "a store on MariaDB needs a buffer of its own: --buffer redis://HOST";
                BufferError::Unfit(message.to_owned())
            }),
        }
    }

    /// What whoever runs it should know.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Self::Embedded(_) => Vec::new(),
            Self::Redis(redis) => redis.warnings(),
        }
    }

    /// Has the store have it, which is where the outcome of what is taken out of it goes; that in the store's file is so anyway.
    ///
    /// # Errors
    /// [`BufferError::Unfit`] if another store has it; [`BufferError::Away`] if one of both does not answer.
    pub async fn claim_for(&self, database: &Database) -> Result<(), BufferError> {
        let Self::Redis(redis) = self else { return Ok(()) };
        let random = getrandom::u64().map_err(|error| BufferError::Away(error.to_string()))?.cast_signed();
        let mut tries = TRIES;
        let store = loop {
            match database.installation(random).await {
                Ok(store) => break store,
                // Others begin at the same moment.
                Err(StoreError::Retry(_)) if tries > 0 => {
                    tries -= 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error @ (StoreError::Retry(_) | StoreError::Away(_))) => {
                    return Err(BufferError::Away(error.to_string()));
                }
                Err(error) => return Err(BufferError::Unfit(error.to_string())),
            }
        };
        redis.claim_for(&store.to_string()).await
    }

    /// Makes sure that no other store has it. While it can't be told which store this is, none has.
    ///
    /// # Errors
    /// As [`Buffers::claim_for`].
    pub async fn check_owner(&self, database: &Database) -> Result<(), BufferError> {
        let Self::Redis(redis) = self else { return Ok(()) };
        let Ok(store) = database.installed().await else { return Ok(()) };
        redis.check_owner(store.map(|store| store.to_string()).as_deref()).await
    }

    /// What it knows of sources; those of the embedded buffer stand in the store.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn sources(&self) -> Result<Vec<SourceState>, BufferError> {
        match self {
            Self::Embedded(_) => Ok(Vec::new()),
            Self::Redis(redis) => redis.sources().await,
        }
    }

    /// How many older losses there were than [`Buffers::losses`] tells.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn losses_dropped(&self) -> Result<u64, BufferError> {
        match self {
            Self::Embedded(_) => Ok(0),
            Self::Redis(redis) => redis.losses_dropped().await,
        }
    }

    /// What strangers removed from it, as far as it was noticed.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn losses(&self) -> Result<Vec<Gap>, BufferError> {
        match self {
            Self::Embedded(_) => Ok(Vec::new()),
            Self::Redis(redis) => redis.losses().await,
        }
    }
}

macro_rules! each {
    ($self:ident, $buffer:ident => $call:expr) => {
        match $self {
            Buffers::Embedded($buffer) => $call.await,
            Buffers::Redis($buffer) => $call.await,
        }
    };
}

impl Buffer for Buffers {
    async fn claim(&self, source: &str, instance: &str, lease: Duration) -> Result<Claim, BufferError> {
        let claimed = each!(self, b => b.claim(source, instance, lease))?;
        fail_point("claim.after");
        Ok(claimed)
    }

    async fn renew(&self, source: &str, fence: Fence, lease: Duration) -> Result<(), BufferError> {
        each!(self, b => b.renew(source, fence, lease))
    }

    async fn append(&self, batch: &Batch) -> Result<(), BufferError> {
        fail_point("append.before");
        let appended = each!(self, b => b.append(batch));
        fail_point("append.after");
        appended
    }

    fn oldest_seen(&self) -> Option<Millis> {
        match self {
            Self::Embedded(buffer) => buffer.oldest_seen(),
            Self::Redis(buffer) => buffer.oldest_seen(),
        }
    }

    fn reclaimed(&self) -> u64 {
        match self {
            Self::Embedded(buffer) => buffer.reclaimed(),
            Self::Redis(buffer) => buffer.reclaimed(),
        }
    }

    async fn lease(&self, worker: &str, most: Most, lease: Duration) -> Result<Vec<Leased>, BufferError> {
        let leased = each!(self, b => b.lease(worker, most, lease))?;
        if !leased.is_empty() {
            fail_point("lease.after");
        }
        Ok(leased)
    }

    async fn extend(&self, worker: &str, entries: &[EntryId], lease: Duration) -> Result<(), BufferError> {
        each!(self, b => b.extend(worker, entries, lease))
    }

    async fn ack(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        fail_point("ack.before");
        let acked = each!(self, b => b.ack(worker, entries));
        fail_point("ack.after");
        acked
    }

    async fn release(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        each!(self, b => b.release(worker, entries))
    }

    async fn stats(&self) -> Result<Stats, BufferError> {
        each!(self, b => b.stats())
    }
}
