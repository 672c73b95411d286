//! How much is allowed in which time.

use core::time::Duration;

use crate::{
    backend::{MAX_TTL, MIN_TTL, Pace},
    error::Result,
    patterns::settings::check,
};

/// How much is allowed in which time.
///
/// A limit is checked where a [`RateLimiter`](super::RateLimiter) is built with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    permits: u32,
    period: Duration,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Smooth { burst: u32 },
    Window,
}

impl Limit {
    /// Permits come back one by one, `permits` in each `period`, and as many can be taken at once. So
    /// over a long time as many are admitted as it says, and in no `period` more than twice as many.
    ///
    /// This is the generic cell rate algorithm of ITU-T I.371, with the time between two permits rounded
    /// up to a microsecond.
    #[must_use]
    pub const fn smooth(permits: u32, period: Duration) -> Self {
        Self::smooth_with_burst(permits, period, permits)
    }

    /// As [`smooth`](Self::smooth), but `burst` permits can be taken at once.
    #[must_use]
    pub const fn smooth_with_burst(permits: u32, period: Duration, burst: u32) -> Self {
        Self { permits, period, kind: Kind::Smooth { burst } }
    }

    /// A window begins with the first permit that is taken and lasts for `period`, in which there are
    /// `permits`. Then all are there again.
    #[must_use]
    pub const fn window(permits: u32, period: Duration) -> Self {
        Self { permits, period, kind: Kind::Window }
    }

    /// How many permits there are in each period.
    #[must_use]
    pub const fn permits(&self) -> u32 {
        self.permits
    }

    /// How long a period is.
    #[must_use]
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// The same for a backend, if entries that live for `ttl` can keep it.
    pub(super) fn pace(&self, ttl: Duration) -> Result<Pace> {
        let sound = |sound, reason| check(sound, "RateLimiter", reason);
        let Self { permits, period, kind } = *self;
        sound(permits > 0, "a limit of no permits admits nothing; allow at least one")?;
        sound(
            (MIN_TTL..=MAX_TTL).contains(&period),
            "the period of a limit is shorter than a millisecond or longer than ten years",
        )?;
        let pace = match kind {
            Kind::Window => Pace::Window { period, limit: permits },
            Kind::Smooth { burst } => {
                sound(burst > 0, "a burst of no permits admits nothing; allow at least one")?;
                let (period, permits) = (period.as_micros(), u128::from(permits));
                sound(
                    period >= permits,
                    "permits that come back within less than a microsecond cannot be told apart; allow fewer",
                )?;
                let interval = u64::try_from(period.div_ceil(permits)).unwrap_or(u64::MAX);
                Pace::Smooth { interval: Duration::from_micros(interval), burst }
            }
        };
        sound(
            pace.span() <= ttl,
            "entries expire before all permits are there again, so that more would be admitted; \
             declare a longer `ttl`",
        )?;
        Ok(pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_limit_that_cannot_be_kept_is_refused() {
        let long = Duration::from_secs(11 * 365 * 24 * 3600);
        for (limit, ttl) in [
            (Limit::smooth(0, MINUTE), MINUTE),
            (Limit::window(0, MINUTE), MINUTE),
            (Limit::smooth_with_burst(1, MINUTE, 0), MINUTE),
            (Limit::window(1, Duration::from_micros(999)), MINUTE),
            (Limit::window(1, long), long),
            (Limit::smooth(1_001, Duration::from_millis(1)), MINUTE),
            (Limit::window(1, MINUTE), Duration::from_millis(59_999)),
            (Limit::smooth_with_burst(60, MINUTE, 61), MINUTE),
        ] {
            assert!(limit.pace(ttl).is_err(), "{limit:?}");
        }
        assert!(Limit::smooth(1_000, Duration::from_millis(1)).pace(MINUTE).is_ok());
        assert!(Limit::smooth_with_burst(60, MINUTE, 60).pace(MINUTE).is_ok());
        assert!(Limit::window(u32::MAX, MINUTE).pace(MINUTE).is_ok());
    }
}
