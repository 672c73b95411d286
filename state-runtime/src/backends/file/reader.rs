//! The state that readers see, and the one place where a write is handed over.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use super::{
    operation::{Call, Operation},
    queue::Queue,
    snapshot::Snapshot,
    time::Time,
};
use crate::backend::{BackendError, ErrorKind, Result, hub::Hub};

/// What the callers and the writer share.
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) time: Time,
    pub(super) hub: Hub,
    view: RwLock<View>,
    failing: AtomicBool,
}

enum View {
    Open(Arc<Snapshot>),
    Closed,
}

impl Shared {
    pub(super) fn new(queue: Queue, time: Time) -> Self {
        let (view, failing) = (RwLock::new(View::Closed), AtomicBool::new(false));
        Self { queue, time, hub: Hub::default(), view, failing }
    }

    /// Reads from the state after the last acknowledged write.
    ///
    /// `read` runs to its end here, so that no snapshot is held across an await.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Snapshot) -> Result<T>) -> Result<T> {
        let snapshot = match &*self.view.read().unwrap_or_else(PoisonError::into_inner) {
            View::Open(snapshot) => Arc::clone(snapshot),
            View::Closed => return Err(BackendError::closed()),
        };
        let result = read(&snapshot);
        if let Err(error) = &result {
            let disk_failed = error.kind() == ErrorKind::Unavailable;
            // One report is enough, however many readers meet the error.
            if disk_failed && !self.is_failing() {
                self.queue.salvage();
            }
        }
        result
    }

    /// Whether the disk was known to fail before; from now on it is.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.swap(true, Ordering::Relaxed)
    }

    /// The next disk error is to be reported again.
    pub(super) fn works_again(&self) {
        self.failing.store(false, Ordering::Relaxed);
    }

    /// Shows `snapshot` to all reads from now on.
    pub(super) fn show(&self, snapshot: &Arc<Snapshot>) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let before = core::mem::replace(&mut *view, View::Open(Arc::clone(snapshot)));
        drop(view);
        drop(before);
    }

    /// Refuses all reads from now on.
    pub(super) fn hide(&self) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = View::Closed;
    }

    /// Hands a write over to the writer and waits for its commit.
    pub(super) async fn write<O: Operation>(&self, operation: O) -> Result<O::Output> {
        self.hand_over(operation)?.await
    }

    /// Hands a write over to the writer at once; what it returns waits for the commit.
    pub(super) fn hand_over<O: Operation>(
        &self,
        operation: O,
    ) -> Result<impl Future<Output = Result<O::Output>> + Send + use<O>> {
        let (call, answer) = Call::new(operation);
        self.queue.push(call)?;
        Ok(async move {
            answer.await.unwrap_or_else(|_| {
                Err(BackendError::new(
                    ErrorKind::Indeterminate,
                    "the writer stopped before it answered; open the folder again",
                ))
            })
        })
    }
}
