//! What a buffer on a server of its own knows beside the store: of its sources, and what was removed from it.

use std::cmp::Reverse;

use tweetfilter_sql::{SourceStatus, Status, StoredGap};
use tweetfilter_stream::buffer::{BufferError, Gap};
use tweetfilter_stream::redis_streams::SourceState;

use crate::parts::Buffers;

/// What such a buffer knows; of the embedded one nothing, since that is in the store.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    sources: Vec<SourceState>,
    losses: Vec<Gap>,
    losses_dropped: u64,
}

impl Elsewhere {
    /// Asks a buffer.
    ///
    /// # Errors
    /// [`BufferError::Away`].
    pub async fn of(buffer: &Buffers) -> Result<Self, BufferError> {
        let (sources, losses) = (buffer.sources().await?, buffer.losses().await?);
        Ok(Self { sources, losses, losses_dropped: buffer.losses_dropped().await? })
    }

    /// Adds it to what the store says. Of the gaps so many stay, the newest first.
    pub fn add_to(self, status: &mut Status, gaps: &mut Vec<StoredGap>, most: usize) {
        for state in self.sources {
            let known = status.sources.iter().position(|source| source.name == state.name);
            let place = known.unwrap_or_else(|| {
                status.sources.push(SourceStatus { name: state.name.clone(), ..SourceStatus::default() });
                status.sources.len() - 1
            });
            let source = &mut status.sources[place];
            source.holder = state.holder.map(|holder| (holder, state.held_until));
            (source.counts, source.cursor) = (state.counts, state.cursor);
            status.gaps += state.gaps.len() as u64;
            status.gaps_dropped += state.gaps_dropped;
            gaps.extend(state.gaps.into_iter().map(|gap| StoredGap { source: state.name.clone(), gap }));
        }
        status.gaps += self.losses.len() as u64;
        status.gaps_dropped += self.losses_dropped;
        gaps.extend(self.losses.into_iter().map(|gap| StoredGap { source: "(buffer)".to_owned(), gap }));
        gaps.sort_by_key(|stored| Reverse(stored.gap.to));
        gaps.truncate(most);
    }
}
