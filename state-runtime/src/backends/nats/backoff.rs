//! Pauses between attempts, each longer than the one before and of random length, so that those who
//! failed together do not try again together.

use core::time::Duration;
use std::hash::{BuildHasher, RandomState};

/// The pauses of one who keeps failing.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// How long to wait now: at least half of what the doubling has come to, at most all of it.
    pub(super) fn pause(&mut self) -> Duration {
        let half = self.next / 2;
        self.next = (self.next * 2).min(self.longest);
        let most = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        half + Duration::from_micros(random() % most)
    }

    /// Begins anew, after a success.
    pub(super) const fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Random enough to keep callers apart: its keys are those of a hash map.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(300));
        for most in [100, 200, 300, 300] {
            let pause = backoff.pause();
            let bounds = Duration::from_millis(most / 2)..=Duration::from_millis(most);
            assert!(bounds.contains(&pause), "{pause:?} where {bounds:?} was expected");
        }
        backoff.reset();
        assert!(backoff.pause() <= Duration::from_millis(100));
    }
}
