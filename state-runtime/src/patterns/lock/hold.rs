//! `Hold`: until when a holder may count on its lock.

use core::time::Duration;

use tokio::{
    sync::watch::{Receiver, Sender},
    time::{Instant, timeout_at},
};

/// Until when a lock is held, as its holder sees it. Once it is over it never begins again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    until: Instant,
    is_lost: bool,
}

impl Hold {
    /// The hold that a lease gives whose write began at `sent`. A sixteenth is left out, for clocks that
    /// run at different speeds and for those who have to stop in time.
    pub(super) fn of(sent: Instant, length: Duration) -> Self {
        Self { until: sent + length / 16 * 15, is_lost: false }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_lost || Instant::now() >= self.until
    }

    /// Ends it.
    pub(super) fn lose(holds: &Sender<Self>) {
        holds.send_modify(|hold| hold.is_lost = true);
    }

    /// Prolongs it, unless it is over. Who has seen it over never sees it go on, because the time is
    /// looked at under the same lock.
    pub(super) fn prolong(holds: &Sender<Self>, next: Self) {
        holds.send_modify(|hold| {
            if hold.is_over() {
                hold.is_lost = true;
            } else {
                *hold = next;
            }
        });
    }

    /// Waits until it is over.
    pub(super) async fn over(mut holds: Receiver<Self>) {
        loop {
            let hold = *holds.borrow_and_update();
            if hold.is_over() {
                return;
            }
            if let Ok(Err(_)) = timeout_at(hold.until, holds.changed()).await {
                // Nobody is left who could prolong it.
                tokio::time::sleep_until(hold.until).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hold_ends_before_its_lease_and_never_begins_again() {
        let second = Duration::from_secs(1);
        let (holds, seen) = watch::channel(Hold::of(Instant::now(), second));
        let start = Instant::now();
        let over = tokio::spawn(Hold::over(seen.clone()));
        tokio::time::advance(second / 2).await;
        Hold::prolong(&holds, Hold::of(Instant::now(), second));
        over.await.unwrap();
        assert!(start.elapsed() > second, "it was prolonged");
        assert!(start.elapsed() < second + second / 2, "it ends before the lease");
        Hold::prolong(&holds, Hold::of(Instant::now(), second));
        assert!(seen.borrow().is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_that_nobody_prolongs_lasts_to_its_end() {
        let second = Duration::from_secs(1);
        let (holds, seen) = watch::channel(Hold::of(Instant::now(), second));
        let start = Instant::now();
        drop(holds);
        Hold::over(seen).await;
        assert!(start.elapsed() >= second / 2);
    }
}
