//! Refreshing early, by chance: one of many readers computes a value anew before it has expired, so that not
//! all of them do when it has.
//!
//! The rule is that of Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention",
//! PVLDB 8 (8), 2015, called `XFetch` there: refresh if `now - took * beta * ln(random) >= expiry`.

use std::hash::{BuildHasher, RandomState};

/// Whether a reader at the time `now` refreshes a value that is fresh until `fresh_until` and `took` so
/// long to compute. `random` is in (0, 1].
#[allow(clippy::cast_precision_loss, reason = "chance needs no more than 52 bits of milliseconds")]
pub(super) fn is_due(now: u64, fresh_until: u64, took: u64, beta: f64, random: f64) -> bool {
    let left = fresh_until.saturating_sub(now) as f64;
    -(random.ln() * beta * took as f64) >= left
}

/// A number in (0, 1].
#[allow(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
pub(super) fn random() -> f64 {
    // Each `RandomState` has keys of its own.
    let bits = RandomState::new().hash_one(()) >> 11;
    (bits + 1) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_refreshed_the_more_likely_the_older_and_the_dearer_it_is() {
        // A second to compute: e^-5 of the readers refresh five seconds before the end.
        assert!(!is_due(0, 5_000, 1_000, 1.0, 0.007));
        assert!(is_due(0, 5_000, 1_000, 1.0, 0.006));
        assert!(is_due(0, 5_000, 2_000, 1.0, 0.08));
        assert!(is_due(0, 5_000, 1_000, 2.0, 0.08));
        assert!(is_due(2_500, 5_000, 1_000, 1.0, 0.08));
        for now in [5_000, 6_000] {
            assert!(is_due(now, 5_000, 0, 0.0, 1.0), "what is no longer fresh is always due");
        }
        assert!(!is_due(4_999, 5_000, 1_000_000, 0.0, f64::MIN_POSITIVE), "0 switches it off");
    }

    #[test]
    fn chance_is_spread_and_never_zero() {
        let numbers: Vec<_> = (0..1_000).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| *number > 0.0 && *number <= 1.0));
        assert!(numbers.iter().any(|number| *number < 0.2));
        assert!(numbers.iter().any(|number| *number > 0.8));
    }
}
