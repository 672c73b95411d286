//! Rate limits as a backend keeps them: what is asked, what is stored, and the arithmetic in between.

use core::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{BackendError, ErrorKind, MIN_TTL, Result, Timestamp};

/// What is stored of a rate limit: until when some of it is used up, in a form that both kinds of
/// [`Pace`] share, so that the limit of a stored window can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RateWindow {
    /// When all permits are there again: microseconds since the Unix epoch.
    free_at: u64,
    /// How many were taken in this window; of no meaning where they come back one by one.
    #[serde(default)]
    used: u64,
}

impl RateWindow {
    /// When all permits are there again.
    #[must_use]
    pub const fn free_at(&self) -> Timestamp {
        Timestamp::from_millis(self.free_at.div_ceil(1_000))
    }
}

/// How permits come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// One by one, as in the generic cell rate algorithm.
    Smooth {
        /// How long it takes until one comes back: a microsecond or more.
        interval: Duration,
        /// How many can be taken at once.
        burst: u32,
    },
    /// All at once, at the end of a window that begins with the first that is taken.
    Window {
        /// How long a window is.
        period: Duration,
        /// How many can be taken in one.
        limit: u32,
    },
}

impl Pace {
    /// How many permits there are when none is taken.
    #[must_use]
    pub const fn capacity(self) -> u32 {
        match self {
            Self::Smooth { burst: capacity, .. } | Self::Window { limit: capacity, .. } => capacity,
        }
    }

    /// How long it takes at most until all permits are there again.
    #[must_use]
    pub fn span(self) -> Duration {
        match self {
            Self::Smooth { interval, burst } => interval.saturating_mul(burst),
            Self::Window { period, .. } => period,
        }
    }
}

/// Permits that are asked for, for [`Backend::throttle`](super::Backend::throttle).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleOptions {
    /// How permits come back.
    pub pace: Pace,
    /// How many are to be taken, all or none. With 0 nothing is written.
    pub cost: u32,
}

/// Whether permits were taken, and how many are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// Whether they were taken.
    pub admitted: bool,
    /// How many are left now.
    pub remaining: u32,
    /// After which time they can be taken, if nobody takes others; `None` if they were taken, and if
    /// there are never that many.
    pub retry_after: Option<Duration>,
    /// After which time all permits are there again.
    pub reset: Duration,
}

/// What is to be written after permits were taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) value: Bytes,
    pub(crate) ttl: Duration,
}

/// Decides at the time `now`. What comes beside the answer is written in place of `stored`, at the
/// same moment; a refusal writes nothing, so it pushes nothing further away.
///
/// Backends that decide in a script of the server do the same arithmetic there.
///
/// # Errors
///
/// [`ErrorKind::NotAWindow`] where `stored` is something else.
pub(crate) fn take(
    stored: Option<&[u8]>,
    options: &ThrottleOptions,
    now: Timestamp,
) -> Result<(Throttled, Option<Taken>)> {
    let stored = match stored {
        None => RateWindow::default(),
        Some(bytes) => serde_json::from_slice(bytes).map_err(|_| not_a_window())?,
    };
    let now = now.as_millis().saturating_mul(1_000);
    let (cost, span) = (u64::from(options.cost), micros(options.pace.span()));
    // Never further away than a whole span: the limit may have been another one, and a clock may
    // have been set back.
    let free_at = stored.free_at.clamp(now, now.saturating_add(span));
    let (capacity, window, later) = match options.pace {
        Pace::Smooth { interval, burst } => {
            let taken = free_at.saturating_add(cost.saturating_mul(micros(interval)));
            let later = taken.saturating_sub(now.saturating_add(span));
            (burst, RateWindow { free_at: taken, used: 0 }, later)
        }
        Pace::Window { period, limit } => {
            let fresh = (now.saturating_add(micros(period)), 0);
            let (end, used) = if free_at > now { (free_at, stored.used) } else { fresh };
            let used = used.saturating_add(cost);
            let later = if used > u64::from(limit) { end - now } else { 0 };
            (limit, RateWindow { free_at: end, used }, later)
        }
    };
    let admitted = later == 0;
    let kept = if admitted && cost > 0 { window } else { RateWindow { free_at, ..stored } };
    let reset = kept.free_at - now;
    let remaining = match options.pace {
        Pace::Smooth { interval, .. } => span.saturating_sub(reset) / micros(interval),
        Pace::Window { limit, .. } if reset > 0 => u64::from(limit).saturating_sub(kept.used),
        Pace::Window { limit, .. } => u64::from(limit),
    };
    let possible = options.cost <= capacity;
    let answer = Throttled {
        admitted,
        remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
        retry_after: (!admitted && possible).then(|| Duration::from_micros(later)),
        reset: Duration::from_micros(reset),
    };
    let taken = (admitted && cost > 0).then(|| Taken {
        value: format!("{{\"free_at\":{},\"used\":{}}}", kept.free_at, kept.used).into(),
        // What comes back faster than an entry can expire is kept a little longer.
        ttl: Duration::from_micros(reset).max(MIN_TTL),
    });
    Ok((answer, taken))
}

pub(crate) fn not_a_window() -> BackendError {
    BackendError::new(ErrorKind::NotAWindow, "the stored value is not a rate window")
}

/// Whole microseconds, and never none: what takes no time would be no limit.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1)
}
