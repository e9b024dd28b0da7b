//! Answers of scripts.

use redis::Value;

use crate::buffer::{BufferError, EntryId, Leased};

/// The answer to a lease: entries of all partitions, and what was leased, oldest first.
pub(super) fn leased(answer: Value) -> Result<(u64, Vec<Leased>), BufferError> {
    let mut parts = answer.into_sequence().unwrap_or_default().into_iter();
    let entries = read(&parts.next().unwrap_or_default())?;
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
    Ok((entries, all.into_iter().map(|(_, leased)| leased).collect()))
}

pub(super) fn read<T: redis::FromRedisValue>(value: &Value) -> Result<T, BufferError> {
    redis::from_redis_value_ref(value).map_err(|_| strange())
}

/// The answer itself is not repeated: it may hold what people wrote.
pub(super) fn strange() -> BufferError {
    BufferError::Away("an answer of Redis that is none to what was asked".to_owned())
}
