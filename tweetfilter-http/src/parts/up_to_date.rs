//! The tables of a store are up to date before a part begins that needs them.

use std::pin::pin;
use std::time::Duration;

use tweetfilter_sql::Database;
use tweetfilter_stream::store::StoreError;

use super::HeldUp;
use super::work::SILENCE;

/// How long to wait before it is tried again.
const WAIT: Duration = Duration::from_millis(200);

/// Brings the tables of a store up to date, and waits for whatever only takes time: a server that is away or says nothing,
/// somebody else who has the tables locked, a step over a large table.
///
/// # Errors
/// See [`StoreError`]: for a store that can't be used, and for a file that can't be written.
pub async fn up_to_date(database: &Database) -> Result<(), StoreError> {
    let (mut away, mut locked) = (HeldUp::default(), HeldUp::default());
    loop {
        let answers = async || database.answers().await.is_ok();
        let migrated = while_answered(database.migrate(), answers).await;
        let silent = || Err(StoreError::Away(format!("no answer for {} s", SILENCE.as_secs())));
        match migrated.unwrap_or_else(silent) {
            // A file that can't be opened is no server that comes back; one that is locked is let go.
            done if database.buffer().is_some() && !matches!(done, Err(StoreError::Retry(_))) => return done,
            Err(reason @ StoreError::Away(_)) => {
                locked.goes_on();
                if let Some(lasted) = away.holds() {
                    let for_seconds = lasted.as_secs();
                    tracing::warn!(for_seconds, %reason, "waits for the store before it begins");
                }
            }
            Err(reason @ StoreError::Retry(_)) => {
                away.goes_on();
                if let Some(lasted) = locked.holds() {
                    tracing::warn!(
                        for_seconds = lasted.as_secs(),
                        %reason,
                        "waits for another process that brings the store's tables up to date, or has them locked"
                    );
                }
            }
            done => return done,
        }
        tokio::time::sleep(WAIT).await;
    }
}

/// Waits for a step however long it takes, since one over a large table takes hours, and one that is given up begins anew;
/// `None` once the server answers nothing at all.
async fn while_answered<T>(work: impl Future<Output = T>, answers: impl AsyncFn() -> bool) -> Option<T> {
    let mut work = pin!(work);
    let (mut held_up, begun) = (HeldUp::default(), tokio::time::Instant::now());
    loop {
        if let Ok(done) = tokio::time::timeout(SILENCE, work.as_mut()).await {
            return Some(done);
        }
        if !tokio::time::timeout(SILENCE, answers()).await.unwrap_or(false) {
            return None;
        }
        if held_up.holds().is_some() {
            let for_seconds = begun.elapsed().as_secs();
            tracing::info!(for_seconds, "the store's tables are being brought up to date");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::parts::logged::Log;

    #[tokio::test(start_paused = true)]
    async fn a_step_that_takes_hours_is_waited_for_and_a_silent_server_is_not() {
        let (log, _guard) = Log::begin();
        let hours = || tokio::time::sleep(Duration::from_secs(3 * 3_600));
        assert_eq!(while_answered(hours(), async || true).await, Some(()));
        let told = log.count("the store's tables are being brought up to date");
        // After half a minute, a minute more, and then every ten.
        assert!((18..=19).contains(&told) && log.text().contains("for_seconds=25"), "{}", log.text());
        assert_eq!(while_answered(hours(), async || false).await, None);
        let begin = tokio::time::Instant::now();
        assert_eq!(while_answered(hours(), pending::<bool>).await, None);
        assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    }
}
