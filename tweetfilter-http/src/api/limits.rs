//! How much a token may ask for at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Options;
use super::answer::{ApiError, Result};

/// Tokens that are remembered before those that rest are forgotten.
const TOKENS: usize = 10_000;

/// What tokens are using.
#[derive(Debug, Default)]
pub(super) struct Uses {
    tokens: Mutex<HashMap<i64, Use>>,
}

/// What one token is using.
#[derive(Debug)]
struct Use {
    /// Requests that it has saved up, as of a moment.
    saved: f64,
    at: Instant,
    streams: Arc<Semaphore>,
}

/// The right to do something, until it is dropped.
#[derive(Debug)]
pub(super) struct Right {
    _own: OwnedSemaphorePermit,
}

impl Uses {
    /// One more request.
    pub(super) fn take(&self, token: i64, options: &Options) -> Result<()> {
        self.with(token, options, |used| {
            let now = Instant::now();
            let passed = now.duration_since(used.at).as_secs_f64();
            used.saved = (used.saved + passed * options.rate).min(options.burst);
            used.at = now;
            if used.saved >= 1.0 {
                used.saved -= 1.0;
                return Ok(());
            }
            let wait = ((1.0 - used.saved) / options.rate.max(0.001)).ceil();
            let message = format!("This token asks more than {} times a second; wait a little", options.rate);
            Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message).after(wait as u64))
        })
    }

    /// One live stream.
    pub(super) fn stream(&self, token: i64, options: &Options) -> Result<Right> {
        let own = self.with(token, options, |used| Arc::clone(&used.streams).try_acquire_owned());
        let own = own.map_err(|_| {
            let message = format!("This token has {} live streams open already; close one", options.streams);
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", message).after(5)
        })?;
        Ok(Right { _own: own })
    }

    fn with<T>(&self, token: i64, options: &Options, act: impl FnOnce(&mut Use) -> T) -> T {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS && !tokens.contains_key(&token) {
            // What rests has saved up all it can, so forgetting it changes nothing.
            tokens.retain(|_, used| {
                let busy = used.streams.available_permits() < options.streams;
                busy || used.at.elapsed().as_secs_f64() * options.rate < options.burst
            });
        }
        act(tokens.entry(token).or_insert_with(|| Use {
            saved: options.burst,
            at: Instant::now(),
            streams: Arc::new(Semaphore::new(options.streams)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_up_is_used_up() {
        let (uses, options) = (Uses::default(), Options { rate: 0.5, burst: 3.0, ..Options::default() });
        assert!((0..3).all(|_| uses.take(1, &options).is_ok()));
        let refused = uses.take(1, &options).unwrap_err();
        assert_eq!(refused.body().code, "too_many_requests");
        assert!(uses.take(2, &options).is_ok(), "another token has its own");
    }
}
