//! Time, so that tests can have their own.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tweetfilter_core::post::Millis;

/// What sources wait by.
pub trait Clock: Send + Sync + 'static {
    /// Time since a fixed moment; it never goes back.
    fn now(&self) -> Duration;

    /// The time of day.
    fn wall(&self) -> Millis {
        wall()
    }

    /// Waits.
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The system's time of day.
pub(super) fn wall() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
