//! Parts that break are started again, and what broke them is kept.

use std::backtrace::Backtrace;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError};
use tweetfilter_core::post::Millis;
use tweetfilter_sql::{CrashEvent, Database};

use super::{PartError, Stop, now};
use crate::ops::{Part, Refusal};
use crate::time::rfc3339;

/// How long to wait before a part is started again: at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// How long to wait before one is that its source refused: at first, and at most. Whoever asks a network again and again
/// with a token that it refuses is locked out.
const REFUSED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));
/// How long the store may take to record a crash. That of the tests here is never away, only slow at times.
const RECORD: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 5 });
/// A part that ran so long broke for a new reason.
const HEALTHY: Duration = Duration::from_secs(60);

/// Where the last panics were, until somebody asks, the oldest first. Several parts may break at one moment, so each
/// stands under the task that it was in.
static PANICS: Mutex<VecDeque<Panic>> = Mutex::new(VecDeque::new());
/// Panics that are kept: without bound there would be more and more of those for which nobody asks.
const KEPT: usize = 16;

struct Panic {
    task: Id,
    reason: String,
    backtrace: String,
}

/// Keeps the place and backtrace of panics for [`supervise`], beside what is printed of them.
pub fn catch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if let Some(task) = tokio::task::try_id() {
                let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line()));
                let reason = format!("panicked{}", place.unwrap_or_default());
                let backtrace = Backtrace::force_capture().to_string();
                keep(Panic { task, reason, backtrace });
            }
            before(info);
        }));
    });
}

fn keep(panic: Panic) {
    let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    panics.push_back(panic);
    if panics.len() > KEPT {
        panics.pop_front();
    }
}

/// The last panic of a task.
fn take(task: Id) -> Option<Panic> {
    let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    let place = panics.iter().rposition(|panic| panic.task == task)?;
    panics.remove(place)
}

/// What a task came to that a part has for its own work. Its panic is the part's, and stands under it.
pub(super) fn own<T>(joined: Result<T, JoinError>) -> T {
    joined.unwrap_or_else(|error| {
        if let (Some(panic), Some(task)) = (take(error.id()), tokio::task::try_id()) {
            keep(Panic { task, ..panic });
        }
        std::panic::resume_unwind(error.into_panic())
    })
}

/// Has something logged. Whoever keeps the log may panic where it can't be kept, and parts are started again all the same.
fn log(what: impl FnOnce()) {
    // It leaves nothing behind that anybody could find half done.
    let _ = catch_unwind(AssertUnwindSafe(what));
}

/// Runs a part until it ends by itself or is told to stop. One that panics or fails is recorded as a crash
/// event, and started again after a growing pause. A crash that the store can't take is kept by the part. One that is
/// refused is no crash: it says so, and is tried again after longer pauses. Nor is one that lost its source, which begins
/// again.
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
    let (mut wait, mut refused_wait, part) = (WAIT.0, REFUSED.0, watched.name());
    loop {
        let started = Instant::now();
        let crash = match tokio::spawn(start()).await {
            Ok(Ok(done)) => {
                watched.ended();
                return Some(done);
            }
            Ok(Err(error)) if error.is_refusal() => {
                if started.elapsed() > HEALTHY {
                    refused_wait = REFUSED.0;
                }
                refused(watched, error.to_string(), refused_wait, &mut stop).await;
                if stop.is_told() {
                    return None;
                }
                watched.begins();
                refused_wait = (refused_wait * 2).min(REFUSED.1);
                continue;
            }
            Ok(Err(error)) if error.is_claim_lost() => {
                log(|| tracing::warn!(part, %error, "part lost its source, and begins again"));
                None
            }
            Ok(Err(error)) => {
                log(|| tracing::error!(part, %error, "part ended"));
                Some((error.to_string(), String::new()))
            }
            Err(joined) => {
                let (reason, backtrace) = match take(joined.id()) {
                    Some(Panic { reason, backtrace, .. }) => (reason, backtrace),
                    None => ("broke off".to_owned(), String::new()),
                };
                log(|| tracing::error!(part, reason, "part broke"));
                Some((reason, backtrace))
            }
        };
        let is_broken = crash.is_some();
        if let Some((reason, backtrace)) = crash {
            watched.broke();
            let event = CrashEvent { part: part.to_owned(), at: now(), reason, backtrace };
            record(watched, database, event).await;
        }
        if started.elapsed() > HEALTHY {
            wait = WAIT.0;
        }
        if stop.is_told() {
            return None;
        }
        log(|| tracing::info!(part, seconds = wait.as_secs_f64(), "part is started again"));
        stop.sleep(wait).await;
        if stop.is_told() {
            return None;
        }
        if is_broken {
            watched.started_again();
        } else {
            watched.begins();
        }
        wait = (wait * 2).min(WAIT.1);
    }
}

/// Records a crash, or leaves it to the part until the store is back.
async fn record(watched: &Part, database: &Database, event: CrashEvent) {
    let recorded = tokio::time::timeout(RECORD, database.record_crash(&event)).await;
    if !matches!(recorded, Ok(Ok(()))) {
        watched.keep_crash(event);
        log(|| tracing::warn!(part = watched.name(), "the crash will be recorded when the store is back"));
    }
}

/// Says that a part is refused, and waits until it is to be tried again.
async fn refused(watched: &Part, reason: String, wait: Duration, stop: &mut Stop) {
    let again_at = now().saturating_add(Millis::try_from(wait.as_millis()).unwrap_or(Millis::MAX));
    log(|| tracing::error!(part = watched.name(), reason, again_at = rfc3339(again_at), "part is refused"));
    watched.refused(Refusal { reason, again_at });
    stop.sleep(wait).await;
}

#[cfg(test)]
mod tests {
    use tweetfilter_stream::buffer::BufferError;

    use super::*;
    use crate::parts::logged::Log;
    use crate::parts::test_store::TestStore;

    #[inline(never)]
    fn first_breaks() {
        panic!("one of two");
    }

    #[inline(never)]
    fn second_breaks() {
        panic!("the other of two");
    }

    /// Runs a part that panics once.
    async fn broken(name: &str, database: &Database, break_it: fn(), inside: bool) -> CrashEvent {
        let (part, mut runs) = (Part::new(name), 0);
        supervise(&part, database, Stop::new().1, || {
            runs += 1;
            let first = runs == 1;
            Box::pin(async move {
                match (first, inside) {
                    (true, false) => break_it(),
                    (true, true) => own(tokio::spawn(async move { break_it() }).await),
                    (false, _) => {}
                }
                Ok(())
            })
        })
        .await;
        let crashes = database.crashes(9).await.unwrap();
        crashes.into_iter().find(|crash| crash.part == name).unwrap()
    }

    #[tokio::test]
    async fn who_loses_a_source_begins_again_and_has_not_crashed() {
        let database = TestStore::open().await;
        let source_name = || "s".to_owned();
        let taken = BufferError::Taken {
            source_name: source_name(),
            holder: "another".to_owned(),
            free_in: Duration::ZERO,
            cursor: None,
        };
        let forgotten = BufferError::Forgotten { source_name: source_name() };
        let fenced = BufferError::Fenced { source_name: source_name() };
        let unfit = BufferError::Unfit("no".to_owned());
        for (error, crashes) in [(taken, 0), (forgotten, 0), (fenced, 0), (unfit, 1)] {
            let (part, mut runs) = (Part::new("ingest s"), 0);
            supervise(&part, &database, Stop::new().1, || {
                runs += 1;
                let error = (runs == 1).then(|| error.clone());
                Box::pin(async move { error.map_or(Ok(()), |error| Err(PartError::from(error))) })
            })
            .await;
            assert_eq!((runs, part.restarts()), (2, crashes), "{error}");
            assert_eq!(database.crashes(9).await.unwrap().len() as u64, crashes, "{error}");
        }
    }

    #[tokio::test]
    async fn a_part_is_started_again_also_if_its_log_breaks() {
        fn breaks() -> std::io::Sink {
            panic!("nobody keeps it");
        }
        let database = TestStore::open().await;
        // So that it is known that somebody wants it.
        let _unseen = Log::begin();
        let breaking =
            tracing_subscriber::fmt().with_writer(breaks).with_max_level(tracing::Level::ERROR).finish();
        let _breaking = tracing::subscriber::set_default(breaking);
        let (part, mut runs) = (Part::new("work"), 0);
        supervise(&part, &database, Stop::new().1, || {
            runs += 1;
            let error = (runs == 1).then(|| BufferError::Unfit("no".to_owned()));
            Box::pin(async move { error.map_or(Ok(()), |error| Err(PartError::from(error))) })
        })
        .await;
        assert_eq!((runs, database.crashes(9).await.unwrap().len()), (2, 1));
    }

    /// On one thread both panic before either is asked about.
    #[tokio::test]
    async fn of_two_that_break_at_one_moment_each_has_its_own_backtrace() {
        catch_panics();
        let database = TestStore::open().await;
        for inside in [false, true] {
            let names = [format!("first {inside}"), format!("second {inside}")];
            let (first, second) = tokio::join!(
                broken(&names[0], &database, first_breaks, inside),
                broken(&names[1], &database, second_breaks, inside)
            );
            for (crash, own, other) in
                [(&first, "first_breaks", "second_breaks"), (&second, "second_breaks", "first_breaks")]
            {
                let backtrace = &crash.backtrace;
                assert!(backtrace.contains(own) && !backtrace.contains(other), "{inside}: {crash:?}");
                assert!(crash.reason.contains("supervise.rs:"), "{}", crash.reason);
            }
        }
    }
}
