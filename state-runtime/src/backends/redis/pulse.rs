//! Whether a connection still answers, without a timer for every command.
//!
//! A server answers the commands of a connection in the order in which they came. So one look at the
//! whole connection, now and then, tells as much as a timer for each command would: if an answer is
//! due and none has come for a while, then none of those that wait will get one.

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::time::Instant;

/// What was sent and what was answered, counted by those who send.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    sent: AtomicU64,
    answered: AtomicU64,
}

impl Pulse {
    /// To be called before a command is sent; gives its number.
    pub(super) fn send(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// To be called when the command of this number was answered. What was sent before it was
    /// answered too, even if nobody waited for that any more.
    pub(super) fn answer(&self, number: u64) {
        self.answered.fetch_max(number, Ordering::Relaxed);
    }

    fn read(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.answered.load(Ordering::Relaxed))
    }
}

/// What to do about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Alive,
    /// Ask it something, to learn whether it still answers.
    Ask,
    /// Replace it.
    Dead,
}

/// One who feels the pulse of a connection.
#[derive(Debug)]
pub(super) struct Watch {
    limit: Duration,
    /// The last answer, and when it was first seen that it was the last.
    answered: u64,
    since: Instant,
    asked: bool,
}

impl Watch {
    /// After how long a silent connection is asked, lest a network forgets it.
    const IDLE: Duration = Duration::from_secs(15);

    pub(super) fn new(limit: Duration, now: Instant) -> Self {
        Self { limit, answered: 0, since: now, asked: false }
    }

    /// How often to look: often enough that a dead one is found soon after `limit`.
    pub(super) fn interval(&self) -> Duration {
        (self.limit / 8).max(Duration::from_millis(1))
    }

    pub(super) fn look(&mut self, pulse: &Pulse, now: Instant) -> Verdict {
        let (sent, answered) = pulse.read();
        if answered != self.answered {
            (self.answered, self.since, self.asked) = (answered, now, false);
            return Verdict::Alive;
        }
        let silent = now.saturating_duration_since(self.since);
        if sent > answered {
            // What is due may have been sent only just now: the first sight of it counts, which is
            // at most an interval late.
            if !self.asked {
                (self.since, self.asked) = (now, true);
                return Verdict::Ask;
            }
            return if silent >= self.limit { Verdict::Dead } else { Verdict::Alive };
        }
        if silent >= Self::IDLE {
            self.since = now;
            return Verdict::Ask;
        }
        Verdict::Alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(3);

    fn watched() -> (Pulse, Watch, Instant) {
        let now = Instant::now();
        (Pulse::default(), Watch::new(LIMIT, now), now)
    }

    #[test]
    fn a_connection_that_answers_is_alive() {
        let (pulse, mut watch, start) = watched();
        for second in 0..60 {
            let number = pulse.send();
            pulse.answer(number);
            let now = start + Duration::from_secs(second);
            assert_eq!(watch.look(&pulse, now), Verdict::Alive);
        }
    }

    #[test]
    fn a_connection_that_owes_an_answer_for_too_long_is_dead() {
        let (pulse, mut watch, start) = watched();
        let number = pulse.send();
        pulse.answer(number);
        assert_eq!(watch.look(&pulse, start), Verdict::Alive);
        pulse.send();
        assert_eq!(watch.look(&pulse, start + LIMIT * 4), Verdict::Ask, "it was idle until now");
        assert_eq!(watch.look(&pulse, start + LIMIT * 4 + LIMIT / 2), Verdict::Alive);
        assert_eq!(watch.look(&pulse, start + LIMIT * 5), Verdict::Dead);
    }

    #[test]
    fn an_answer_that_nobody_waited_for_is_found_by_asking() {
        let (pulse, mut watch, start) = watched();
        pulse.send();
        assert_eq!(watch.look(&pulse, start), Verdict::Ask);
        let asked = pulse.send();
        pulse.answer(asked);
        assert_eq!(watch.look(&pulse, start + LIMIT * 2), Verdict::Alive);
    }

    #[test]
    fn an_idle_connection_is_asked_now_and_then() {
        let (pulse, mut watch, start) = watched();
        assert_eq!(watch.look(&pulse, start + LIMIT), Verdict::Alive);
        assert_eq!(watch.look(&pulse, start + Watch::IDLE), Verdict::Ask);
        assert_eq!(watch.look(&pulse, start + Watch::IDLE * 3 / 2), Verdict::Alive);
    }
}
