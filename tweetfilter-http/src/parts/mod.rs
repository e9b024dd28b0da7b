//! The parts of the product, each of which runs, stops and starts alone: `ingest` and `work`.
//!
//! A part is a future that ends when it is told to, or when going on is of no use. What passes between the parts is
//! in the [buffer](Buffers) and in the store; nothing is kept in a part that is not there too.

mod buffers;
#[cfg(test)]
mod fake;
mod files;
mod forgotten;
mod generated;
mod held_up;
mod ingest;
mod instance;
#[cfg(test)]
pub(crate) mod logged;
mod lookup;
mod newer;
mod nobody;
mod retention;
mod secrets;
mod source;
mod supervise;
#[cfg(test)]
pub(crate) mod test_store;
mod up_to_date;
mod work;

use tokio::sync::watch;
use tweetfilter_core::post::Millis;
use tweetfilter_stream::buffer::BufferError;
use tweetfilter_stream::source::SourceError;
use tweetfilter_stream::store::StoreError;

pub use buffers::Buffers;
pub use files::allow_files;
pub use generated::Generated;
pub use held_up::HeldUp;
pub use ingest::{Ingested, ingest};
pub use instance::Instance;
pub use lookup::{lookup, named_handles};
pub use nobody::tell_of_nobody;
pub use retention::retention;
pub use secrets::without_secrets;
pub use source::{Kind, LONGEST_NAME, Opened, SourceSettings, check_name, usable_rate};
pub use supervise::{catch_panics, supervise};
pub use up_to_date::up_to_date;
pub use work::{Worked, Works};

/// Why a part can't go on. What only takes time is waited for instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The buffer: it is unfit, or another instance reads the source.
    #[error(transparent)]
    Buffer(#[from] BufferError),
    /// The store is unfit.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings.
    #[error("{0}")]
    Settings(String),
}

impl PartError {
    /// Whether it comes again at each start until somebody does something: a token that is refused, a file that is not
    /// there, a place to go on that another kind of source has left.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        use SourceError::{Cursor, Refused, Setup};
        matches!(self, Self::Source(Refused { .. } | Setup(_) | Cursor(_)))
    }

    /// Whether another instance has the source by now, or the buffer has forgotten it: whoever read it begins again, and
    /// nothing broke.
    #[must_use]
    pub fn is_claim_lost(&self) -> bool {
        use BufferError::{Fenced, Forgotten, Taken};
        matches!(self, Self::Buffer(Fenced { .. } | Forgotten { .. } | Taken { .. }))
    }
}

/// Tells parts to end.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A way to tell, and what is told.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it is told, or when nobody is left to tell.
    pub async fn told(&mut self) {
        let _ = self.0.wait_for(|told| *told).await;
    }

    /// What something comes to, unless this is told first.
    pub async fn unless_told<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.told() => None,
            done = work => Some(done),
        }
    }

    /// Waits for a time, or until it is told.
    pub async fn sleep(&mut self, time: std::time::Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.told() => {}
        }
    }
}

/// The time of day.
#[must_use]
pub fn now() -> Millis {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
