//! The configuration of a memory backend.

use super::{MemoryBackend, bounds::Bounds, engine::Engine};
use crate::backend::{Clock, MonotonicClock};

/// Configures a [`MemoryBackend`]; starts with no bounds and the machine's clock.
///
/// ```
/// use core::time::Duration;
/// use std::sync::Arc;
/// use state_runtime::{backend::ManualClock, backends::MemoryBackend};
///
/// let clock = Arc::new(ManualClock::default());
/// let backend = MemoryBackend::builder()
///     .with_max_entries(10_000)
///     .with_max_bytes(16 << 20)
///     .with_clock(Arc::clone(&clock))
///     .build();
/// clock.advance(Duration::from_secs(60)); // a minute later, for `backend`
/// # drop(backend);
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct MemoryBuilder {
    max_entries: Option<usize>,
    max_bytes: Option<usize>,
    clock: Option<Box<dyn Clock>>,
}

impl MemoryBuilder {
    /// Refuses to store more entries than this.
    pub fn with_max_entries(mut self, max_entries: usize) -> Self {
        self.max_entries = Some(max_entries);
        self
    }

    /// Refuses to store more bytes than this, counting keys and values. What the backend needs to
    /// find them again is not counted: some 200 bytes an entry.
    pub fn with_max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = Some(max_bytes);
        self
    }

    /// Tells the time by `clock`, for example a [`ManualClock`](crate::backend::ManualClock) that a
    /// test moves. The default is a [`MonotonicClock`].
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// The backend, empty.
    #[must_use]
    pub fn build(self) -> MemoryBackend {
        let bounds = Bounds::new(self.max_entries, self.max_bytes);
        let clock = self.clock.unwrap_or_else(|| Box::new(MonotonicClock::new()));
        MemoryBackend::over(Engine::new(bounds, clock))
    }
}
