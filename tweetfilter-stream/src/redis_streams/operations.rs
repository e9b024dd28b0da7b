//! What the port asks for, one script each.

use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::Value;
use tweetfilter_core::post::Millis;

use super::reply::{self, Lent, read, strange, text};
use super::{
    HERE, LONGEST_LEASE, LOSSES, RedisBuffer, SOURCES, gaps_key, locked, millis, name_key, script,
    source_key, sources,
};
use crate::buffer::{Batch, Buffer, BufferError, Claim, EntryId, Fence, Leased, Most, Stats};
use crate::process::{Fate, Identity};

impl Buffer for RedisBuffer {
    async fn claim(&self, source: &str, instance: &str, lease: Duration) -> Result<Claim, BufferError> {
        let claimed = self.run(&script::CLAIM, source, |call| {
            call.key(source_key(source)).key(SOURCES).arg(source).arg(instance).arg(millis(lease));
        });
        let parts = claimed.await?.into_sequence().unwrap_or_default();
        match parts.as_slice() {
            [Value::Int(1), fence, cursor, is_new] => Ok(Claim {
                fence: Fence(read(fence)?),
                cursor: text(cursor)?,
                is_new: *is_new == Value::Int(1),
            }),
            [_, holder, free_in, cursor] => Err(BufferError::Taken {
                source_name: source.to_owned(),
                holder: text(holder)?.unwrap_or_default(),
                free_in: Duration::from_millis(read(free_in)?),
                cursor: text(cursor)?,
            }),
            _ => Err(strange()),
        }
    }

    async fn renew(&self, source: &str, fence: Fence, lease: Duration) -> Result<(), BufferError> {
        let renewed = self.run(&script::RENEW, source, |call| {
            call.key(source_key(source)).arg(fence.0).arg(millis(lease));
        });
        renewed.await.map(drop)
    }

    async fn append(&self, batch: &Batch) -> Result<(), BufferError> {
        let number = locked(&self.0.sent).number(batch);
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
        let (entries, oldest): (u64, u64) = read(&appended.await?)?;
        self.there_are(entries, batch.entries.len());
        self.0.oldest.store(oldest, Ordering::Release);
        locked(&self.0.sent).answered(&batch.source);
        Ok(())
    }

    fn oldest_seen(&self) -> Option<Millis> {
        Some(self.0.oldest.load(Ordering::Acquire).cast_signed()).filter(|oldest| *oldest > 0)
    }

    async fn lease(&self, worker: &str, most: Most, lease: Duration) -> Result<Vec<Leased>, BufferError> {
        let name = self.name_of(worker);
        let inherits = locked(&self.0.workers).insert(name.clone());
        let mut lent = self.lend(&name, most, lease, (inherits, "")).await;
        // Who had the name and is no more leaves it at once, and what it held.
        let gone = match &lent {
            Ok(Lent::Named(by, _)) if Identity::of(by).fate() == Fate::Gone => Some(by.clone()),
            _ => None,
        };
        if let Some(gone) = gone {
            lent = self.lend(&name, most, lease, (inherits, &gone)).await;
        }
        match lent {
            Ok(Lent::Entries { entries, nobodys, leased }) => {
                self.there_are(entries, 0);
                self.0.reclaimed.fetch_add(nobodys, Ordering::Relaxed);
                Ok(leased)
            }
            Ok(Lent::Named(by, free_in)) => Err(self.renamed(worker, &Identity::of(&by), free_in)),
            // What the answer that did not come would have given is inherited by the next call.
            Err(error) => {
                locked(&self.0.workers).remove(&name);
                Err(error)
            }
        }
    }

    fn reclaimed(&self) -> u64 {
        self.0.reclaimed.load(Ordering::Relaxed)
    }

    async fn extend(&self, worker: &str, entries: &[EntryId], lease: Duration) -> Result<(), BufferError> {
        self.hold(worker, entries, Some(lease)).await
    }

    async fn ack(&self, _worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        let removed = self.run(&script::ACK, "", |call| {
            self.partition_keys(call);
            self.ids(call, entries);
        });
        removed.await.map(drop)
    }

    async fn release(&self, worker: &str, entries: &[EntryId]) -> Result<(), BufferError> {
        self.hold(worker, entries, None).await
    }

    /// Bytes are Redis's own estimate of the memory of the streams, from samples (`MEMORY USAGE`).
    async fn stats(&self) -> Result<Stats, BufferError> {
        let counted = self.run(&script::STATS, "", |call| {
            self.partition_keys(call);
            call.arg(millis(LONGEST_LEASE));
        });
        let (entries, leased, bytes, oldest, redelivered, lost): (u64, u64, u64, i64, u64, u64) =
            read(&counted.await?)?;
        self.there_are(entries, 0);
        let oldest = (oldest >= 0).then_some(oldest);
        Ok(Stats { entries, leased, bytes, oldest, redelivered, lost })
    }
}

impl RedisBuffer {
    /// Whether any of these entries is still there, waiting or leased.
    ///
    /// # Errors
    /// See [`BufferError`].
    pub async fn holds_any(&self, entries: &[EntryId]) -> Result<bool, BufferError> {
        let holds = self.run(&script::HOLDS, "", |call| {
            self.partition_keys(call);
            self.ids(call, entries);
        });
        read(&holds.await?)
    }

    /// Leases under a name, unless another process than the one that is known to be gone has it.
    async fn lend(
        &self,
        name: &str,
        most: Most,
        lease: Duration,
        (inherits, gone): (bool, &str),
    ) -> Result<Lent, BufferError> {
        let begin = self.0.entries.load(Ordering::Relaxed) % u64::from(self.0.partitions);
        let leased = self.run(&script::LEASE, "", |call| {
            call.key(LOSSES).key(name_key(name));
            self.partition_keys(call);
            call.arg(name).arg(most.entries).arg(millis(LONGEST_LEASE)).arg(fresh(lease));
            call.arg(u8::from(inherits)).arg(begin).arg(most.bytes);
            call.arg(HERE.as_str()).arg(gone).arg(millis(lease)).arg(millis(self.0.silence));
        });
        reply::leased(leased.await?)
    }

    /// Extends leases to a time from now, or gives them back.
    async fn hold(
        &self,
        worker: &str,
        entries: &[EntryId],
        lease: Option<Duration>,
    ) -> Result<(), BufferError> {
        let name = self.name_of(worker);
        let idle = lease.map_or(millis(LONGEST_LEASE), fresh);
        let time = lease.map(|lease| millis(lease).to_string()).unwrap_or_default();
        let held = self.run(&script::HOLD, "", |call| {
            call.key(name_key(&name));
            self.partition_keys(call);
            call.arg(&name).arg(idle).arg(HERE.as_str()).arg(&time);
            self.ids(call, entries);
        });
        held.await.map(drop)
    }
}

/// The idle time that a lease begins with.
fn fresh(lease: Duration) -> u64 {
    millis(LONGEST_LEASE.saturating_sub(lease))
}
