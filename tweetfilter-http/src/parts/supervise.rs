//! Parts that break are started again, and what broke them is kept.

use std::backtrace::Backtrace;
use std::future::Future;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use tweetfilter_sql::{CrashEvent, Database};

use super::{PartError, Stop, now};
use crate::ops::Part;

/// How long to wait before a part is started again: at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// How long the store may take to record a crash.
const RECORD: Duration = Duration::from_secs(5);
/// A part that ran so long broke for a new reason.
const HEALTHY: Duration = Duration::from_secs(60);

/// Where the last panics were, until somebody asks.
static PANICS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Keeps the place and backtrace of panics for [`supervise`], beside what is printed of them.
pub fn catch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line()));
            let reason = format!("panicked{}", place.unwrap_or_default());
            let backtrace = Backtrace::force_capture().to_string();
            let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
            // Without bound it would grow where nobody asks.
            panics.truncate(15);
            panics.insert(0, (reason, backtrace));
            drop(panics);
            before(info);
        }));
    });
}

/// Runs a part until it ends by itself or is told to stop. One that panics or fails is recorded as a crash
/// event, and started again after a growing pause. A crash that the store can't take is kept by the part.
pub async fn supervise<F, T>(
    watched: &Arc<Part>,
    database: &Database,
    mut stop: Stop,
    mut start: F,
) -> Option<T>
where
    F: FnMut() -> std::pin::Pin<Box<dyn Future<Output = Result<T, PartError>> + Send>>,
    T: Send + 'static,
{
    let (mut wait, part) = (WAIT.0, watched.name());
    loop {
        let started = Instant::now();
        let event = match tokio::spawn(start()).await {
            Ok(Ok(done)) => {
                watched.ended();
                return Some(done);
            }
            Ok(Err(error)) => {
                tracing::error!(part, %error, "part ended");
                CrashEvent {
                    part: part.to_owned(),
                    at: now(),
                    reason: error.to_string(),
                    backtrace: String::new(),
                }
            }
            Err(joined) => {
                let panics = &mut PANICS.lock().unwrap_or_else(PoisonError::into_inner);
                let last =
                    if joined.is_panic() && !panics.is_empty() { Some(panics.remove(0)) } else { None };
                let (reason, backtrace) = last.unwrap_or_else(|| ("broke off".to_owned(), String::new()));
                tracing::error!(part, reason, "part broke");
                CrashEvent { part: part.to_owned(), at: now(), reason, backtrace }
            }
        };
        watched.broke();
        let recorded = tokio::time::timeout(RECORD, database.record_crash(&event)).await;
        if !matches!(recorded, Ok(Ok(()))) {
            tracing::warn!(part, "the crash will be recorded when the store is back");
            watched.keep_crash(event);
        }
        if started.elapsed() > HEALTHY {
            wait = WAIT.0;
        }
        if stop.is_told() {
            return None;
        }
        tracing::info!(part, seconds = wait.as_secs_f64(), "part is started again");
        stop.sleep(wait).await;
        if stop.is_told() {
            return None;
        }
        watched.started_again();
        wait = (wait * 2).min(WAIT.1);
    }
}
