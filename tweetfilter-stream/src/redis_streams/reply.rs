//! Answers of scripts.

use std::time::Duration;

use redis::Value;

use crate::buffer::{BufferError, EntryId, Leased};

/// The answer to a lease.
pub(super) enum Lent {
    /// Entries of all partitions, how many of them were nobody's, and what was leased, oldest first.
    Entries { entries: u64, nobodys: u64, leased: Vec<Leased> },
    /// Nothing: this process has the worker's name, for so long unless it says so again.
    Named(String, Duration),
}

/// Reads the answer to a lease.
pub(super) fn leased(answer: Value) -> Result<Lent, BufferError> {
    let mut parts = answer.into_sequence().unwrap_or_default().into_iter();
    let first = parts.next().unwrap_or_default();
    if first == Value::Int(-1) {
        let (by, left) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let left: i64 = read(&left)?;
        return Ok(Lent::Named(
            text(&by)?.unwrap_or_default(),
            Duration::from_millis(left.max(0).cast_unsigned()),
        ));
    }
    let (entries, nobodys) = (read(&first)?, read(&parts.next().unwrap_or_default())?);
    let mut all = Vec::with_capacity(parts.len() / 4);
    while let (Some(partition), Some(id), Some(attempts), Some(bytes)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    {
        let (partition, id): (u16, String) = (read(&partition)?, read(&id)?);
        let Value::BulkString(bytes) = bytes else { return Err(strange()) };
        let at: Option<(u64, u64)> =
            id.split_once('-').and_then(|(time, number)| Some((time.parse().ok()?, number.parse().ok()?)));
        let id = EntryId(format!("{partition}:{id}"));
        all.push((at, Leased { id, bytes, attempts: read(&attempts)? }));
    }
    all.sort_by_key(|(at, _)| *at);
    Ok(Lent::Entries { entries, nobodys, leased: all.into_iter().map(|(_, leased)| leased).collect() })
}

pub(super) fn read<T: redis::FromRedisValue>(value: &Value) -> Result<T, BufferError> {
    redis::from_redis_value_ref(value).map_err(|_| strange())
}

/// Text that stands in a key. What a stranger wrote there may be none, and is no reason to wait for an answer that is.
pub(super) fn text(value: &Value) -> Result<Option<String>, BufferError> {
    let bytes: Option<Vec<u8>> = read(value)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The answer itself is not repeated: it may hold what people wrote.
pub(super) fn strange() -> BufferError {
    BufferError::Away("an answer of Redis that is none to what was asked".to_owned())
}
