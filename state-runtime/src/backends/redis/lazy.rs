//! What is opened when it is first needed, and again after a pause when that failed.
//!
//! A task of its own opens it, so nobody's departure ends an attempt that others wait for. Only the
//! first attempt is waited for. After one that failed, everybody learns at once that it did, and
//! whoever comes after the pause has begun another one by that.

use core::{fmt, future::Future, pin::Pin, time::Duration};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::{runtime::Handle, sync::Notify, task::AbortHandle, time::Instant};

use super::error;
use crate::backend::{BackendError, ErrorKind, Result};

/// How long after a failure there is no other attempt.
const PAUSE: Duration = Duration::from_millis(250);

type Opening<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// It ends, as does an attempt to open it, when this is dropped.
pub(super) struct Lazy<T> {
    shared: Arc<Shared<T>>,
    /// Of those who made it: that of a caller may end before what the caller has opened.
    runtime: Handle,
}

struct Shared<T> {
    open: Box<dyn Fn() -> Opening<T> + Send + Sync>,
    value: OnceLock<T>,
    state: Mutex<State>,
    /// An attempt is over.
    over: Notify,
}

#[derive(Default)]
struct State {
    attempting: bool,
    attempt: Option<AbortHandle>,
    failure: Option<Failure>,
    closed: bool,
}

/// Why the last attempt failed, and when.
struct Failure {
    at: Instant,
    kind: ErrorKind,
    message: String,
}

impl Failure {
    fn new(error: &BackendError) -> Self {
        Self { at: Instant::now(), kind: error.kind(), message: error.message().to_owned() }
    }
}

impl<T: Send + Sync + 'static> Lazy<T> {
    /// Nothing yet, which `open` opens. Has to be called on the runtime that it is to live on.
    pub(super) fn new<F>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let shared = Shared {
            open: Box::new(move || Box::pin(open())),
            value: OnceLock::new(),
            state: Mutex::default(),
            over: Notify::new(),
        };
        Self { shared: Arc::new(shared), runtime: Handle::current() }
    }

    /// It, opened now if nobody has tried that yet. Why it is not open, if the last attempt failed.
    pub(super) async fn get(&self) -> Result<&T> {
        loop {
            // From here on no end of an attempt is missed.
            let over = self.shared.over.notified();
            if let Some(value) = self.opened() {
                return Ok(value);
            }
            let refusal = self.shared.refusal();
            self.begin();
            match refusal {
                Some(error) => return Err(error),
                None => over.await,
            }
        }
    }

    /// Begins to open it, unless it is open, or the last attempt failed just now.
    pub(super) fn begin(&self) {
        if self.opened().is_some() || !self.shared.take_turn() {
            return;
        }
        let attempt = Attempt(Arc::clone(&self.shared));
        let task = self.runtime.spawn(attempt.run()).abort_handle();
        let mut state = self.shared.state();
        if state.closed {
            drop(state);
            task.abort();
        } else {
            state.attempt = Some(task);
        }
    }

    /// It, if it was opened before.
    pub(super) fn opened(&self) -> Option<&T> {
        self.shared.value.get()
    }

    /// Nobody waits for the first attempt any longer. It goes on.
    pub(super) fn wait_no_more(&self, reason: &BackendError) {
        if self.opened().is_none() {
            self.shared.state().failure.get_or_insert_with(|| Failure::new(reason));
        }
    }
}

impl<T> Lazy<T> {
    /// Ends an attempt that is under way, and lets no other begin. What was opened stays.
    pub(super) fn close(&self) {
        let mut state = self.shared.state();
        state.closed = true;
        let attempt = state.attempt.take();
        drop(state);
        attempt.inspect(AbortHandle::abort);
        self.shared.over.notify_waiters();
    }
}

impl<T> Drop for Lazy<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T: fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.value.get().fmt(f)
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is to say without another attempt.
    fn refusal(&self) -> Option<BackendError> {
        let state = self.state();
        if state.closed {
            return Some(BackendError::closed());
        }
        let failure = state.failure.as_ref()?;
        Some(BackendError::new(failure.kind, failure.message.clone()))
    }

    /// Whether an attempt is due, which is then that of the caller.
    fn take_turn(&self) -> bool {
        let mut state = self.state();
        let rests = state.failure.as_ref().is_some_and(|failure| failure.at.elapsed() < PAUSE);
        let due = !(state.attempting || state.closed || rests);
        state.attempting |= due;
        due
    }
}

/// An attempt. However it ends, those who wait for it learn that.
struct Attempt<T>(Arc<Shared<T>>);

impl<T> Attempt<T> {
    async fn run(self) {
        let opened = (self.0.open)().await;
        let mut state = self.0.state();
        state.attempting = false;
        match opened {
            // What comes too late is dropped, and ends by that.
            Ok(value) if !state.closed => drop(self.0.value.set(value)),
            Ok(_) => {}
            Err(error) => state.failure = Some(Failure::new(&error)),
        }
    }
}

impl<T> Drop for Attempt<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if core::mem::take(&mut state.attempting) {
            let error = error::unavailable("the runtime that the backend belongs to has ended");
            state.failure = Some(Failure::new(&error));
        }
        drop(state);
        self.0.over.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{join, time::advance};

    use super::*;

    /// Opens with the number of the attempt, from attempt number `works` on.
    fn counting(works: usize) -> (Arc<AtomicUsize>, Lazy<usize>) {
        let attempts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&attempts);
        let lazy = Lazy::new(move || {
            let attempt = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::time::sleep(Duration::from_secs(3)).await;
                if attempt >= works { Ok(attempt) } else { Err(error::unavailable("down")) }
            }
        });
        (attempts, lazy)
    }

    async fn kind(lazy: &Lazy<usize>) -> core::result::Result<usize, ErrorKind> {
        lazy.get().await.copied().map_err(|error| error.kind())
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_come_first_wait_for_one_attempt() {
        let (attempts, lazy) = counting(0);
        assert_eq!(join!(kind(&lazy), kind(&lazy), kind(&lazy)), (Ok(0), Ok(0), Ok(0)));
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_nobody_waits_and_attempts_are_a_pause_apart() {
        let (attempts, lazy) = counting(2);
        assert_eq!(kind(&lazy).await, Err(ErrorKind::Unavailable));
        for expected in [1, 2] {
            let before = Instant::now();
            for _ in 0..100 {
                assert_eq!(kind(&lazy).await, Err(ErrorKind::Unavailable));
            }
            assert_eq!(before.elapsed(), Duration::ZERO, "somebody waited");
            tokio::task::yield_now().await;
            assert_eq!(attempts.load(Ordering::SeqCst), expected);
            advance(PAUSE).await;
        }
        // The second attempt fails; who asks then begins the third, which works.
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(kind(&lazy).await, Err(ErrorKind::Unavailable));
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(kind(&lazy).await, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_attempt_that_nobody_waits_for_any_longer_goes_on() {
        let (attempts, lazy) = counting(0);
        lazy.begin();
        lazy.wait_no_more(&error::unavailable("slow"));
        assert_eq!(kind(&lazy).await, Err(ErrorKind::Unavailable));
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(kind(&lazy).await, Ok(0));
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_leaves_does_not_end_the_attempt() {
        let (attempts, lazy) = counting(0);
        let left = tokio::time::timeout(Duration::from_secs(1), lazy.get()).await;
        assert!(left.is_err());
        assert_eq!(kind(&lazy).await, Ok(0));
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_learns_that_it_was_closed_and_the_attempt_ends() {
        let (_, lazy) = counting(0);
        let close = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            lazy.close();
        };
        assert_eq!(join!(kind(&lazy), close).0, Err(ErrorKind::Closed));
        tokio::task::yield_now().await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
        assert_eq!(kind(&lazy).await, Err(ErrorKind::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn the_attempt_ends_when_it_is_dropped() {
        let (_, lazy) = counting(0);
        lazy.begin();
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 1);
        drop(lazy);
        tokio::task::yield_now().await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }

    #[test]
    fn without_its_runtime_it_stays_closed_and_nobody_waits_for_ever() {
        let one = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (_, lazy) = one.block_on(async { counting(0) });
        drop(one);
        let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(other.block_on(kind(&lazy)), Err(ErrorKind::Unavailable));
    }
}
