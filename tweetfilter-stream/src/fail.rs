//! Places at which tests have a process end as if it were killed.

/// Ends the process here if the variable `TWEETFILTER_FAIL` says so, as `NAME:COUNT`: when this place is come to for
/// that time. In a release build this is nothing.
#[cfg(debug_assertions)]
pub fn fail_point(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let wanted = std::env::var("TWEETFILTER_FAIL").ok()?;
        let (name, count) = wanted.split_once(':')?;
        Some((name.to_owned(), AtomicU64::new(count.parse().ok()?)))
    });
    if let Some((wanted, left)) = &*WANTED
        && wanted == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        eprintln!("fail point {name}");
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline]
pub fn fail_point(_name: &str) {}
