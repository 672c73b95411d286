//! Whether a connection still answers, without a timer for every command.
//!
//! A server answers the commands of a connection in the order in which they came. So one look at the
//! whole connection, now and then, tells as much as a timer for each command would: if an answer is
//! due and nothing has come for a while, then none of those that wait will get one. What counts is
//! bytes, not answers: a large value that is still coming over a slow line is a sign of life.

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::time::Instant;

/// What went over one connection, counted by its stream.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// How many bytes were sent.
    sent: AtomicU64,
    /// How many of these are certainly answered.
    settled: AtomicU64,
    /// How often there was a sign of life.
    heard: AtomicU64,
}

impl Pulse {
    /// To be called when `bytes` more were sent.
    pub(super) fn send(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// To be called at each sign of life.
    pub(super) fn hear(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// How many bytes were sent until now.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// To be called when the first `sent` bytes are certainly answered.
    pub(super) fn settle(&self, sent: u64) {
        self.settled.fetch_max(sent, Ordering::Relaxed);
    }

    fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    fn is_settled(&self) -> bool {
        self.sent() == self.settled.load(Ordering::Relaxed)
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
///
/// Time in which nobody looked hardly counts: this program may have been stopped, or its machine
/// asleep, and what came meanwhile is still to be read.
#[derive(Debug)]
pub(super) struct Watch {
    limit: Duration,
    looked: Instant,
    heard: u64,
    /// For how long nothing was heard, or since it was asked.
    silent: Duration,
    asked: bool,
}

impl Watch {
    /// After how long a silent connection is asked, lest a network forgets it.
    const IDLE: Duration = Duration::from_secs(15);

    pub(super) fn new(limit: Duration, pulse: &Pulse, now: Instant) -> Self {
        Self { limit, looked: now, heard: pulse.heard(), silent: Duration::ZERO, asked: false }
    }

    /// How often to look: often enough that a dead one is found soon after `limit`.
    pub(super) fn interval(&self) -> Duration {
        (self.limit / 8).max(Duration::from_millis(1))
    }

    pub(super) fn look(&mut self, pulse: &Pulse, now: Instant) -> Verdict {
        let passed = now.saturating_duration_since(self.looked);
        self.looked = now;
        let heard = pulse.heard();
        if heard != self.heard {
            (self.heard, self.silent, self.asked) = (heard, Duration::ZERO, false);
            return Verdict::Alive;
        }
        // Looks that come a little late on a busy machine count in full.
        self.silent = self.silent.saturating_add(passed.min(self.interval() * 2));
        if self.asked {
            return if self.silent >= self.limit { Verdict::Dead } else { Verdict::Alive };
        }
        // What is due may have been sent only just now, so the time counts from here, which is at
        // most an interval late.
        if !pulse.is_settled() || self.silent >= Self::IDLE {
            (self.silent, self.asked) = (Duration::ZERO, true);
            return Verdict::Ask;
        }
        Verdict::Alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(4);

    /// A connection, and looks at it at the usual times.
    struct Watched {
        pulse: Pulse,
        watch: Watch,
        now: Instant,
    }

    impl Watched {
        fn new() -> Self {
            let (pulse, now) = (Pulse::default(), Instant::now());
            Self { watch: Watch::new(LIMIT, &pulse, now), pulse, now }
        }

        fn look(&mut self) -> Verdict {
            self.look_after(self.watch.interval())
        }

        fn look_after(&mut self, passed: Duration) -> Verdict {
            self.now += passed;
            self.watch.look(&self.pulse, self.now)
        }
    }

    #[test]
    fn a_connection_that_answers_is_alive() {
        let mut watched = Watched::new();
        for _ in 0..60 {
            watched.pulse.send(10);
            watched.pulse.hear();
            assert_eq!(watched.look(), Verdict::Alive);
        }
    }

    #[test]
    fn a_connection_that_owes_an_answer_for_too_long_is_dead() {
        let mut watched = Watched::new();
        watched.pulse.send(10);
        assert_eq!(watched.look(), Verdict::Ask);
        for _ in 1..8 {
            assert_eq!(watched.look(), Verdict::Alive);
            watched.pulse.send(10);
        }
        assert_eq!(watched.look(), Verdict::Dead);
    }

    #[test]
    fn an_answer_that_came_is_found_by_asking() {
        let mut watched = Watched::new();
        watched.pulse.send(10);
        watched.pulse.hear();
        assert_eq!(watched.look(), Verdict::Alive);
        assert_eq!(watched.look(), Verdict::Ask, "there may have been two commands");
        watched.pulse.send(14);
        watched.pulse.hear();
        watched.pulse.settle(24);
        for _ in 0..20 {
            assert_eq!(watched.look(), Verdict::Alive);
        }
    }

    #[test]
    fn an_idle_connection_is_asked_now_and_then_and_has_to_answer() {
        let mut watched = Watched::new();
        let looks = Watch::IDLE.div_duration_f64(watched.watch.interval()).ceil();
        let mut verdicts = (1..).map(|look| (f64::from(look), watched.look()));
        assert_eq!(verdicts.find(|(_, it)| *it != Verdict::Alive), Some((looks, Verdict::Ask)));
        assert_eq!(
            verdicts.find(|(_, it)| *it != Verdict::Alive),
            Some((looks + 8.0, Verdict::Dead))
        );
    }

    #[test]
    fn time_in_which_this_program_stood_still_is_not_held_against_a_connection() {
        let mut watched = Watched::new();
        watched.pulse.send(10);
        assert_eq!(watched.look(), Verdict::Ask);
        assert_eq!(watched.look_after(LIMIT * 1000), Verdict::Alive);
        assert_eq!(watched.look_after(LIMIT * 1000), Verdict::Alive);
        watched.pulse.hear();
        assert_eq!(watched.look(), Verdict::Alive);
    }

    #[test]
    fn a_connection_that_is_dead_when_this_program_goes_on_is_found_out_too() {
        let mut watched = Watched::new();
        watched.pulse.send(10);
        assert_eq!(watched.look_after(LIMIT * 1000), Verdict::Ask);
        let found = (0..8).any(|_| watched.look() == Verdict::Dead);
        assert!(found, "after the usual time");
    }
}
