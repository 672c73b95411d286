//! The answer of a rate limiter.

use core::time::Duration;

use crate::{backend::Throttled, error::StateError};

/// Whether a call may go on, and what to tell its caller.
#[derive(Debug)]
#[must_use = "a rate limiter that nobody listens to limits nothing"]
pub struct Admission {
    admitted: bool,
    limit: u32,
    known: Option<Throttled>,
    outage: Option<StateError>,
}

impl Admission {
    pub(super) const fn decided(limit: u32, throttled: Throttled) -> Self {
        Self { admitted: throttled.admitted, limit, known: Some(throttled), outage: None }
    }

    pub(super) const fn assumed(limit: u32, admitted: bool, outage: StateError) -> Self {
        Self { admitted, limit, known: None, outage: Some(outage) }
    }

    /// Whether it may.
    pub const fn is_admitted(&self) -> bool {
        self.admitted
    }

    /// How many permits there are when none is taken.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// How many permits are left; `None` if the store did not answer.
    pub fn remaining(&self) -> Option<u32> {
        self.known.map(|known| known.remaining)
    }

    /// After which time a refused call may be tried again, if nobody else takes the permits. `None`
    /// for one that was admitted or that asks for more than there ever is, and if the store did not
    /// answer.
    pub fn retry_after(&self) -> Option<Duration> {
        self.known.and_then(|known| known.retry_after)
    }

    /// After which time all permits are there again; `None` if the store did not answer.
    pub fn reset(&self) -> Option<Duration> {
        self.known.map(|known| known.reset)
    }

    /// Why the store could not decide, so that [`OnOutage`](super::OnOutage) did. After
    /// [`Indeterminate`](StateError::Indeterminate) permits may have been taken all the same.
    pub const fn outage(&self) -> Option<&StateError> {
        self.outage.as_ref()
    }

    /// What an HTTP response says of it: names in lower case, and values.
    ///
    /// `ratelimit-limit`, `ratelimit-remaining` and `ratelimit-reset` are those of
    /// `draft-ietf-httpapi-ratelimit-headers-06`, the last draft that has the three; `retry-after`, for
    /// a refused call, is that of
    /// [RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3). Times are whole
    /// seconds, rounded up. If the store did not answer, there is nothing to say.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let known = self.known.map(|known| {
            [
                ("ratelimit-limit", u64::from(self.limit)),
                ("ratelimit-remaining", u64::from(known.remaining)),
                ("ratelimit-reset", whole_seconds(known.reset)),
            ]
        });
        let retry = self.retry_after().map(|time| ("retry-after", whole_seconds(time)));
        known.into_iter().flatten().chain(retry)
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
