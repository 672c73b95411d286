//! Wall time that never steps back, not even across a restart.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::backend::{Clock, Timestamp};

/// A clock with a high-water mark: an entry that was seen expired stays expired when somebody sets
/// the clock back.
#[derive(Debug)]
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    latest: AtomicU64,
}

impl Time {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest: AtomicU64::new(0) }
    }

    /// The time now, at least as late as every time that was told before.
    pub(super) fn now(&self) -> Timestamp {
        self.not_before(self.clock.now())
    }

    /// Raises the mark to `time`, and tells it.
    pub(super) fn not_before(&self, time: Timestamp) -> Timestamp {
        let time = time.as_millis();
        let mut latest = self.latest.load(Ordering::Relaxed);
        if latest < time {
            // Many readers see the same millisecond; only the first has to write.
            latest = self.latest.fetch_max(time, Ordering::Relaxed).max(time);
        }
        Timestamp::from_millis(latest)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::backend::ManualClock;

    #[test]
    fn time_never_steps_back_below_its_mark() {
        let clock = Arc::new(ManualClock::default());
        let time = Time::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let start = time.now();
        clock.advance(Duration::from_secs(60));
        let later = time.now();
        assert_eq!(later.since(start), Duration::from_secs(60));
        clock.set(start);
        assert_eq!(time.now(), later);
        let mark = later.after(Duration::from_secs(1));
        assert_eq!(time.not_before(mark), mark);
        assert_eq!(time.now(), mark);
    }
}
