//! Two things at once, without knowing the runtime.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Lets others go on once. To be called between small pieces of work that waits for nothing.
pub(super) async fn breathe() {
    let mut went_on = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut went_on, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Does both, each while the other waits.
pub(super) async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut of_a, mut of_b) = (None, None);
    poll_fn(|cx| {
        if of_a.is_none()
            && let Poll::Ready(done) = a.as_mut().poll(cx)
        {
            of_a = Some(done);
        }
        if of_b.is_none()
            && let Poll::Ready(done) = b.as_mut().poll(cx)
        {
            of_b = Some(done);
        }
        match (of_a.take(), of_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (of_a, of_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

/// Does something, and tells how long it worked, without the time in which others did. Counts up as it gets on.
pub(super) async fn timed<T>(work: impl Future<Output = T>, pulse: &AtomicU64) -> (T, Duration) {
    let (mut work, mut spent) = (pin!(work), Duration::ZERO);
    let done = poll_fn(|cx| {
        let begun = Instant::now();
        let polled = work.as_mut().poll(cx);
        spent += begun.elapsed();
        pulse.fetch_add(1, Ordering::Relaxed);
        polled
    });
    let done = done.await;
    (done, spent)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn work_goes_on_while_the_other_waits() {
        let steps = RefCell::new(String::new());
        let one = |name: char, count: usize| {
            let steps = &steps;
            async move {
                for _ in 0..count {
                    steps.borrow_mut().push(name);
                    breathe().await;
                }
                count
            }
        };
        let mut done = pin!(both(one('a', 4), one('b', 2)));
        let mut cx = Context::from_waker(Waker::noop());
        let counts = loop {
            if let Poll::Ready(counts) = done.as_mut().poll(&mut cx) {
                break counts;
            }
        };
        assert_eq!((counts, &**steps.borrow()), ((4, 2), "ababaa"));
    }
}
