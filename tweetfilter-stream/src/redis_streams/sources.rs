//! What stands beside the entries: per source its cursor, counts and gaps, and what strangers removed.

use std::collections::HashMap;

use redis::RedisError;
use tweetfilter_core::post::Millis;

use super::link::not_ours;
use super::{LAYOUT, LOSSES, RedisBuffer, SOURCES, gaps_key, source_key};
use crate::buffer::{BufferError, Counts, Gap};

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Its name.
    pub name: String,
    /// The instance that read it last.
    pub holder: Option<String>,
    /// Until when it holds the source, unless it says so again.
    pub held_until: Millis,
    /// Where it was read up to.
    pub cursor: Option<String>,
    /// All that was counted.
    pub counts: Counts,
    /// What is known to be missing, in the order in which it was told: the newest [`MOST_GAPS`](crate::buffer::MOST_GAPS).
    pub gaps: Vec<Gap>,
    /// How many older ones there were.
    pub gaps_dropped: u64,
    /// Why something of it can't be read, where a key is of another kind than it must be: what stood there is lacking.
    pub unfit: Option<BufferError>,
}

/// Gaps of one list, to be kept elsewhere: whoever removes the keys of the buffer takes along what stands here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotedGaps {
    /// The source; `None` of what strangers removed from the buffer.
    pub source: Option<String>,
    /// The gaps, in the order in which they were told.
    pub gaps: Vec<Gap>,
    /// What stands among them and is none, so somebody else wrote it: how each begins.
    pub foreign: Vec<String>,
    /// Why nothing of it can be read, where the list is of another kind than it must be.
    pub unfit: Option<BufferError>,
    /// All of them as they are written.
    texts: Vec<Vec<u8>>,
}

/// No gap is longer as JSON: a store takes no more for what it says.
const LONGEST_GAP: usize = 32 << 10;
/// So much is said of what is no gap.
const BEGINNING: usize = 100;

impl RedisBuffer {
    /// Gaps that stand in the buffer alone, of each source and of the buffer itself, where there are some, or where that
    /// can't be read.
    ///
    /// # Errors
    /// [`BufferError::Away`], and [`BufferError::Unfit`] where the names of the sources can't be read.
    pub async fn noted_gaps(&self) -> Result<Vec<NotedGaps>, BufferError> {
        let mut noted = Vec::new();
        for source in self.names().await?.into_iter().map(Some).chain([None]) {
            match self.texts(&list_of(source.as_deref())).await {
                Ok(texts) if texts.is_empty() => {}
                Ok(texts) => noted.push(NotedGaps::of(source, texts)),
                Err(error @ BufferError::Unfit(_)) => {
                    noted.push(NotedGaps { source, unfit: Some(error), ..NotedGaps::default() });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(noted)
    }

    /// Lets go of gaps that are kept elsewhere by now, and of what stood among them.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn let_go(&self, noted: &NotedGaps) -> Result<(), BufferError> {
        let key = list_of(noted.source.as_deref());
        for text in &noted.texts {
            let _: u64 = self.ask(&key, redis::cmd("LREM").arg(&key).arg(1).arg(text.as_slice())).await?;
        }
        Ok(())
    }

    /// All sources that were ever claimed, by name.
    ///
    /// # Errors
    /// [`BufferError::Away`], and [`BufferError::Unfit`] where their names can't be read.
    pub async fn sources(&self) -> Result<Vec<SourceState>, BufferError> {
        let mut names = self.names().await?;
        names.sort();
        let mut states = Vec::with_capacity(names.len());
        for name in names {
            // Before how many were let go: one that is let go meanwhile is told twice rather than never.
            let mut unfit = None;
            let gaps = or_unfit(self.gaps(&gaps_key(&name)).await, &mut unfit)?;
            let fields = or_unfit(self.fields(&source_key(&name)).await, &mut unfit)?;
            states.push(SourceState {
                holder: fields.get("holder").cloned(),
                held_until: fields.get("till").and_then(|till| till.parse().ok()).unwrap_or(0),
                cursor: fields.get("cursor").cloned(),
                counts: counts(&fields),
                gaps_dropped: fields.get("gaps_dropped").and_then(|count| count.parse().ok()).unwrap_or(0),
                gaps,
                unfit,
                name,
            });
        }
        Ok(states)
    }

    /// What was removed by others than workers, as far as it was noticed: it is part of `lost` in the stats. The newest
    /// [`MOST_GAPS`](crate::buffer::MOST_GAPS) are kept.
    ///
    /// # Errors
    /// [`BufferError::Away`], and [`BufferError::Unfit`] where a key is of another kind than it must be.
    pub async fn losses(&self) -> Result<Vec<Gap>, BufferError> {
        self.gaps(LOSSES).await
    }

    /// How many older ones of these there were.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn losses_dropped(&self) -> Result<u64, BufferError> {
        let dropped: Option<Vec<u8>> =
            self.ask(LAYOUT, redis::cmd("HGET").arg(LAYOUT).arg("gaps_dropped")).await?;
        Ok(dropped.and_then(|count| str::from_utf8(&count).ok()?.parse().ok()).unwrap_or(0))
    }

    /// Bytes of memory that the server may still take; `None` if it does not say.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn room(&self) -> Result<Option<u64>, BufferError> {
        let info: String = self.ask("", redis::cmd("INFO").arg("memory")).await?;
        Ok(room(&info))
    }

    async fn gaps(&self, key: &str) -> Result<Vec<Gap>, BufferError> {
        Ok(self.texts(key).await?.iter().filter_map(|text| gap(text)).collect())
    }

    /// The names of all sources; what is no text names none.
    async fn names(&self) -> Result<Vec<String>, BufferError> {
        let names: Vec<Vec<u8>> = self.ask(SOURCES, redis::cmd("SMEMBERS").arg(SOURCES)).await?;
        Ok(names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect())
    }

    /// Anybody can write into a list, and anything.
    async fn texts(&self, key: &str) -> Result<Vec<Vec<u8>>, BufferError> {
        self.ask(key, redis::cmd("LRANGE").arg(key).arg(0).arg(-1)).await
    }

    /// And into a hash: a field whose name is no text is none of ours.
    async fn fields(&self, key: &str) -> Result<HashMap<String, String>, BufferError> {
        let fields: HashMap<Vec<u8>, Vec<u8>> = self.ask(key, redis::cmd("HGETALL").arg(key)).await?;
        let texts = |(field, value): (Vec<u8>, Vec<u8>)| {
            Some((String::from_utf8(field).ok()?, String::from_utf8_lossy(&value).into_owned()))
        };
        Ok(fields.into_iter().filter_map(texts).collect())
    }

    /// Asks for what stands in a key.
    async fn ask<T: redis::FromRedisValue>(&self, key: &str, command: &redis::Cmd) -> Result<T, BufferError> {
        let (mut connection, number) = self.link().connection().await?;
        let asked: Result<T, RedisError> = command.query_async(&mut connection).await;
        match asked {
            Ok(answer) => Ok(answer),
            Err(error) if error.code() == Some("WRONGTYPE") => Err(not_ours(key)),
            Err(error) => Err(self.link().failed(number, &error).await),
        }
    }
}

/// What was read, or nothing, and why.
fn or_unfit<T: Default>(
    read: Result<T, BufferError>,
    unfit: &mut Option<BufferError>,
) -> Result<T, BufferError> {
    match read {
        Err(error @ BufferError::Unfit(_)) => {
            *unfit = Some(error);
            Ok(T::default())
        }
        read => read,
    }
}

/// The list of a source's gaps, or of what strangers removed.
fn list_of(source: Option<&str>) -> String {
    source.map_or_else(|| LOSSES.to_owned(), gaps_key)
}

impl NotedGaps {
    fn of(source: Option<String>, texts: Vec<Vec<u8>>) -> Self {
        let mut noted = Self { source, ..Self::default() };
        for text in &texts {
            match gap(text) {
                Some(gap) => noted.gaps.push(gap),
                None => noted.foreign.push(beginning(text)),
            }
        }
        Self { texts, ..noted }
    }
}

/// A gap as it is written; `None` of what is none.
fn gap(text: &[u8]) -> Option<Gap> {
    let text = Some(text).filter(|text| text.len() <= LONGEST_GAP)?;
    serde_json::from_slice(text).ok()
}

fn beginning(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(BEGINNING)]).into_owned()
}

/// The fields of a source's hash that hold counts; those that are 0 are left out.
pub(super) fn fields(counts: &Counts) -> Vec<(String, u64)> {
    let Counts { lines, keep_alives, control, posts, entries, merged, undecodable, bytes, missing } = counts;
    let named = [
        ("lines", lines),
        ("keep_alives", keep_alives),
        ("control", control),
        ("posts", posts),
        ("entries", entries),
        ("merged", merged),
        ("bytes", bytes),
        ("missing", missing),
    ];
    let named = named.into_iter().map(|(name, count)| (format!("counts:{name}"), *count));
    let reasons = undecodable.iter().map(|(reason, count)| (format!("undecodable:{reason}"), *count));
    named.chain(reasons).filter(|(_, count)| *count > 0).collect()
}

fn counts(fields: &HashMap<String, String>) -> Counts {
    let number = |text: &String| text.parse().unwrap_or(0);
    let named = |name: &str| fields.get(&format!("counts:{name}")).map_or(0, number);
    let reasons = fields
        .iter()
        .filter_map(|(field, count)| Some((field.strip_prefix("undecodable:")?.to_owned(), number(count))));
    Counts {
        lines: named("lines"),
        keep_alives: named("keep_alives"),
        control: named("control"),
        posts: named("posts"),
        entries: named("entries"),
        merged: named("merged"),
        undecodable: reasons.collect(),
        bytes: named("bytes"),
        missing: named("missing"),
    }
}

/// What is left below the bound that was set, or else of the machine's memory.
fn room(info: &str) -> Option<u64> {
    let field = |name: &str| -> Option<u64> {
        let value = info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
        value?.parse().ok()
    };
    let bound = field("maxmemory").filter(|bound| *bound > 0).or_else(|| field("total_system_memory"));
    Some(bound?.saturating_sub(field("used_memory")?))
}

#[cfg(test)]
mod tests {
    use super::room;

    #[test]
    fn what_is_left_of_memory_is_told() {
        let info = "# Memory\r\nused_memory:300\r\nused_memory_rss:900\r\ntotal_system_memory:5000\r\nmaxmemory:1000\r\n";
        assert_eq!(room(info), Some(700));
        assert_eq!(room(&info.replace("maxmemory:1000", "maxmemory:0")), Some(4_700));
        assert_eq!(room("# Memory\r\n"), None);
    }
}
