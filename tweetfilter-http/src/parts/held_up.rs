//! What is held up, and when to say so: at once, and again now and then for as long as it lasts.

use std::time::Duration;

use tokio::time::Instant;

/// After how long it is said again: at first, and from then on.
const AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));

/// Whether something is held up. Whoever looks at the log is to find there what began long ago, too.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeldUp(Option<Lasting>);

#[derive(Clone, Copy, Debug)]
struct Lasting {
    since: Instant,
    due: Instant,
}

impl HeldUp {
    /// It can't go on, from now on or still: for how long by now, if that is to be said.
    pub fn holds(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let Some(lasting) = &mut self.0 else {
            self.0 = Some(Lasting { since: now, due: now + AGAIN.0 });
            return Some(Duration::ZERO);
        };
        if now < lasting.due {
            return None;
        }
        lasting.due = now + AGAIN.1;
        Some(now - lasting.since)
    }

    /// It goes on: for how long it could not, if it could not.
    pub fn goes_on(&mut self) -> Option<Duration> {
        self.0.take().map(|lasting| lasting.since.elapsed())
    }

    /// For how long it is held up by now.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.0.map(|lasting| lasting.since.elapsed()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_said_at_once_after_a_minute_and_then_every_ten() {
        let (mut held_up, mut said) = (HeldUp::default(), Vec::new());
        assert_eq!(held_up.goes_on(), None);
        for _ in 0..3_600 {
            said.extend(held_up.holds().map(|lasted| lasted.as_secs()));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(said, [0, 60, 660, 1_260, 1_860, 2_460, 3_060]);
        assert_eq!(held_up.lasted().as_secs(), 3_600);
        assert_eq!(held_up.goes_on().map(|lasted| lasted.as_secs()), Some(3_600));
        // The next time is another one.
        assert_eq!(held_up.holds(), Some(Duration::ZERO));
    }
}
