//! Comparing two pieces of work in alternating slices of one run.
//!
//! The speed of a machine drifts by more than the differences that matter here. So neither side is
//! ever measured on its own: short slices of both take turns, the order within a pair swapped each
//! time, and the ratio is the median of the ratios of the pairs. What is measured is the time that
//! the thread has the processor: another program that takes it away does not count.

use std::{
    env,
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// Asks for a short measurement.
const QUICK: &str = "STATE_BENCH_QUICK";

/// Long against reading the clock, short against the drift.
const SLICE: Duration = Duration::from_millis(1);

/// How long to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Only see that it runs: `cargo test` runs benchmarks without `--bench`.
    Smoke,
    /// A first impression: all programs together in two minutes.
    Quick,
    /// What is published.
    Full,
}

impl Effort {
    /// What the command line and the environment ask for.
    #[must_use]
    pub fn asked() -> Self {
        if !env::args().any(|argument| argument == "--bench") {
            Self::Smoke
        } else if env::var(QUICK).is_ok_and(|value| value == "1") {
            Self::Quick
        } else {
            Self::Full
        }
    }

    /// One of three values.
    pub fn choose<T>(self, smoke: T, quick: T, full: T) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// Our figure, the peer's, and how many times faster ours is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Ours: nanoseconds of one operation, or operations a second.
    pub ours: f64,
    /// That of the peer, in the same unit.
    pub peer: f64,
    /// Above 1 where ours is faster.
    pub ratio: f64,
}

/// Compares the time that one call of `ours` and of `peer` takes.
pub fn compare<A, B>(
    effort: Effort,
    mut ours: impl FnMut() -> A,
    mut peer: impl FnMut() -> B,
) -> Comparison {
    let pairs = effort.choose(1, 400, 2_000);
    let slice = effort.choose(Duration::from_micros(100), SLICE, SLICE);
    let (ours_count, peer_count) = (calls_within(slice, &mut ours), calls_within(slice, &mut peer));
    let mut samples = Vec::with_capacity(pairs);
    for pair in 0..pairs {
        samples.push(alternate(
            pair,
            || nanoseconds_each(ours_count, &mut ours),
            || nanoseconds_each(peer_count, &mut peer),
        ));
    }
    Comparison {
        ours: median(samples.iter().map(|(ours, _)| *ours)),
        peer: median(samples.iter().map(|(_, peer)| *peer)),
        ratio: median(samples.iter().map(|(ours, peer)| peer / ours)),
    }
}

/// Runs one slice of each side; every second pair begins with the other one.
pub fn alternate<A, B>(pair: usize, ours: impl FnOnce() -> A, peer: impl FnOnce() -> B) -> (A, B) {
    if pair.is_multiple_of(2) {
        let ours = ours();
        (ours, peer())
    } else {
        let peer = peer();
        (ours(), peer)
    }
}

/// The output of a future that never waits, as a typed read of memory or of a file does; `None`
/// if it waits after all.
pub fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The middle of the samples; the mean of the two in the middle of an even number; 0 of none.
#[must_use]
pub fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = samples.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.len() % 2) {
        (None, _) => 0.0,
        (Some(sample), 1) => *sample,
        (Some(sample), _) => f64::midpoint(sorted[middle - 1], *sample),
    }
}

/// The sample that `share` of all are not above: 0.99 for p99.
#[must_use]
pub fn percentile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share of a count of samples is a count of samples"
    )]
    let rank = (samples.len() as f64 * share).ceil() as usize;
    samples.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn calls_within<T>(slice: Duration, work: &mut impl FnMut() -> T) -> u32 {
    let mut count = 1;
    loop {
        if processor_time_of(count, work) >= slice || count == u32::MAX {
            return count;
        }
        count = count.saturating_mul(2);
    }
}

fn nanoseconds_each<T>(count: u32, work: &mut impl FnMut() -> T) -> f64 {
    processor_time_of(count, work).as_secs_f64() * 1e9 / f64::from(count)
}

fn processor_time_of<T>(count: u32, work: &mut impl FnMut() -> T) -> Duration {
    let start = processor_time();
    for _ in 0..count {
        black_box(work());
    }
    processor_time().saturating_sub(start)
}

/// How long this thread has had the processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_median_is_the_middle_of_the_sorted_samples() {
        assert_eq!(median([3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]).to_bits(), 2.5_f64.to_bits());
        assert_eq!(median([]).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn a_percentile_is_a_sample_that_was_measured() {
        let mut samples: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut samples, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&mut samples, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&mut samples, 0.0), Duration::from_millis(1));
        assert_eq!(percentile(&mut [], 0.5), Duration::ZERO);
    }

    #[test]
    fn the_slower_side_has_a_ratio_below_one() {
        let spin = |micros| {
            move || {
                let start = Instant::now();
                while start.elapsed() < Duration::from_micros(micros) {}
            }
        };
        let compared = compare(Effort::Smoke, spin(40), spin(10));
        assert!(compared.ratio < 1.0, "{compared:?}");
        assert!(compared.ours > compared.peer, "{compared:?}");
    }
}
