//! Pauses after failures, longer each time.

use core::time::Duration;

use tokio::time::{Instant, sleep};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often in a row something has failed.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Waits after a failure, twice as long as after the one before.
    pub(super) async fn pause(&mut self) {
        sleep(self.next()).await;
    }

    /// It works again.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    fn next(&mut self) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        pause.min(LONGEST_PAUSE)
    }
}

/// Tries again what failed, until a time has passed since the first attempt.
#[derive(Debug)]
pub(super) struct Patience {
    limit: Duration,
    start: Instant,
    backoff: Backoff,
}

impl Patience {
    /// Begins now.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, start: Instant::now(), backoff: Backoff::default() }
    }

    /// Waits after a failure; `false` if there is no time for another attempt.
    pub(super) async fn pause(&mut self) -> bool {
        let left = self.limit.saturating_sub(self.start.elapsed());
        let pause = self.backoff.next();
        if pause >= left {
            return false;
        }
        sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_start_anew() {
        let mut backoff = Backoff::default();
        assert_eq!([backoff.next(), backoff.next()], [FIRST_PAUSE, 2 * FIRST_PAUSE]);
        assert!((0..100).all(|_| backoff.next() <= LONGEST_PAUSE));
        assert_eq!(backoff.next(), LONGEST_PAUSE);
        backoff.reset();
        assert_eq!(backoff.next(), FIRST_PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_at_its_limit() {
        let limit = Duration::from_secs(1);
        let mut patience = Patience::new(limit);
        let mut attempts = 0;
        while patience.pause().await {
            attempts += 1;
        }
        assert!(attempts > 1);
        assert!(patience.start.elapsed() < limit);
        assert!(!Patience::new(Duration::ZERO).pause().await);
    }
}
