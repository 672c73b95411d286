//! What is tested, and how time passes for it.

use core::{fmt, future::Future, pin::Pin, time::Duration};
use std::{
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::OnceCell;

use super::trial::Trial;
use crate::backend::{
    Backend, Capabilities, Capability, Clock, ManualClock, Result, SystemClock, Timestamp,
};

const MIB: usize = 1 << 20;

/// How many cases run at once while real time passes.
const AT_ONCE: usize = 4;

/// Opens one more instance of a backend.
pub(super) type Open<B> =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<B>> + Send>> + Send + Sync>;

/// A backend that the suite is to test.
pub struct Subject<B> {
    open: Open<B>,
    shared: OnceCell<Arc<B>>,
    time: Time,
    max_value: usize,
    run: String,
    trials: AtomicUsize,
}

impl<B: Backend> Subject<B> {
    /// Tests what `open` opens.
    ///
    /// It is called once for most of the cases together, and once more for each that closes its
    /// backend or needs two of them. If the backend declares
    /// [`Capability::Shared`](crate::backend::Capability), all instances have to find the same
    /// entries; otherwise they may.
    pub fn new<F, Opening>(open: F) -> Self
    where
        F: Fn() -> Opening + Send + Sync + 'static,
        Opening: Future<Output = Result<B>> + Send + 'static,
    {
        Self {
            open: Arc::new(move || Box::pin(open())),
            shared: OnceCell::new(),
            time: Time::Real,
            max_value: MIB,
            // Random, so that two runs against one server do not meet.
            run: format!("{:016x}", std::hash::RandomState::new().hash_one(())),
            trials: AtomicUsize::new(0),
        }
    }

    /// Lets time pass by moving `clock`, which the backend tells the time by, instead of waiting.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<ManualClock>) -> Self {
        self.time = Time::Manual(clock);
        self
    }

    /// The size of the largest value that the suite writes, for a backend that cannot hold a MiB.
    #[must_use]
    pub fn with_max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes;
        self
    }

    /// The instance that most cases share.
    pub(super) async fn backend(&self) -> Result<Arc<B>> {
        self.shared.get_or_try_init(|| async { (self.open)().await.map(Arc::new) }).await.cloned()
    }

    /// How many cases run at once.
    pub(super) fn at_once(&self) -> usize {
        match self.time {
            // Waiting for one entry to expire is time for others.
            Time::Real => AT_ONCE,
            // One case that moves the clock would surprise another.
            Time::Manual(_) => 1,
        }
    }

    /// The surroundings of one case: keys that nobody else uses.
    pub(super) fn trial(&self, backend: Arc<B>, needs: Capabilities) -> Trial<B> {
        let number = self.trials.fetch_add(1, Ordering::Relaxed);
        // The keys of a batch are kept together by a hash tag: a cluster can batch no others. The
        // keys of other cases are spread.
        let case = if needs.contains(Capability::Batch) {
            format!("{{{number}}}")
        } else {
            number.to_string()
        };
        Trial {
            backend,
            open: Arc::clone(&self.open),
            prefix: format!("conformance:{}:{case}:", self.run),
            time: self.time.clone(),
            max_value: self.max_value,
        }
    }
}

impl<B> fmt::Debug for Subject<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("time", &self.time)
            .field("max_value", &self.max_value)
            .finish_non_exhaustive()
    }
}

/// How time passes for a backend.
#[derive(Debug, Clone)]
pub enum Time {
    /// As it does for everybody: the suite has to wait.
    Real,
    /// By moving this clock.
    Manual(Arc<ManualClock>),
}

impl Time {
    /// The time as the backend sees it, if need be by the machine's clock.
    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Real => SystemClock.now(),
            Self::Manual(clock) => clock.now(),
        }
    }

    /// By how much a backend's clock may differ from [`now`](Self::now).
    pub(super) fn tolerance(&self) -> Duration {
        match self {
            Self::Real => Duration::from_secs(30),
            Self::Manual(_) => Duration::ZERO,
        }
    }

    /// A time to live that is over soon, but that outlasts a few operations.
    pub(super) fn short(&self) -> Duration {
        match self {
            Self::Real => Duration::from_millis(400),
            Self::Manual(_) => Duration::from_secs(10),
        }
    }

    /// Lets some time pass.
    pub(super) async fn pass(&self, duration: Duration) {
        match self {
            Self::Real => tokio::time::sleep(duration).await,
            Self::Manual(clock) => clock.advance(duration),
        }
    }
}
