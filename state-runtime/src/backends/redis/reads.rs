//! Reads that have to wait anyway travel together.
//!
//! As long as few reads are on their way, each is a command of its own: putting two callers into
//! one command would make both wait for the slower. When there are many, server and client are busy
//! with the commands rather than with the values; what comes then is queued, and sent as one
//! command as soon as one of a few flights is free. No read ever waits for a timer.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{Cmd, Value};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    link::{Fault, Link},
    values,
};

/// While fewer reads than this are under way, each is sent on its own.
const DIRECT: usize = 24;
/// How many commands with queued reads are on their way at once.
const FLIGHTS: usize = 3;

/// The reads of one link.
pub(super) struct Reads {
    /// The one that the link lives on: that of a caller may end before the flight does.
    runtime: Handle,
    under_way: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    batch: Option<Batch>,
    flights: usize,
}

/// What the next flight takes along: a command that grows, and who waits for its values.
struct Batch {
    command: Cmd,
    waiting: Vec<oneshot::Sender<Value>>,
}

impl Batch {
    fn new() -> Self {
        Self { command: values::command(&[]), waiting: Vec::new() }
    }
}

/// One read that is under way, no longer counted also where it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    /// Counts a read, and says how many there were before it.
    fn take(under_way: &'a AtomicUsize) -> (Self, usize) {
        (Self(under_way), under_way.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A flight. When it ends before it has found the queue empty, because its runtime did, it gives its
/// place back, and those whom nobody would take along learn it.
struct Flight(Option<Arc<Reads>>);

impl Flight {
    /// All that is queued; where there is nothing, the flight is over.
    fn take(&mut self) -> Option<Batch> {
        let reads = self.0.as_ref()?;
        let mut queue = reads.queue();
        let batch = queue.batch.take();
        if batch.is_none() {
            // Under the same lock, so that whoever comes next starts another one.
            queue.flights -= 1;
            drop(queue);
            self.0 = None;
        }
        batch
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(reads) = self.0.take() {
            let mut queue = reads.queue();
            queue.flights -= 1;
            if queue.flights == 0 {
                queue.batch = None;
            }
        }
    }
}

impl Reads {
    /// No reads yet. Has to be called on the runtime that the link lives on.
    pub(super) fn new() -> Self {
        Self { runtime: Handle::current(), under_way: AtomicUsize::new(0), queue: Mutex::default() }
    }

    /// The value under `key`: a string, nil, or an error reply.
    pub(super) async fn value(
        self: &Arc<Self>,
        link: &Arc<Link>,
        key: &str,
    ) -> Result<Value, Fault> {
        // Those in the queue count too: once there are many, the queue takes all of them.
        let (_place, others) = Place::take(&self.under_way);
        if others < DIRECT {
            let mut command = Cmd::with_capacity(2, 3 + key.len());
            command.arg("GET").arg(key);
            return link.send(&command).await;
        }
        // In a box, so that the future of a read is the smaller for it.
        Box::pin(self.queued(link, key)).await
    }

    async fn queued(self: &Arc<Self>, link: &Arc<Link>, key: &str) -> Result<Value, Fault> {
        let (sender, answer) = oneshot::channel();
        if self.push(key, sender) {
            // A task of its own: whoever is dropped while waiting takes nobody's answer along.
            let flight = Flight(Some(Arc::clone(self)));
            self.runtime.spawn(fly(flight, Arc::clone(link)));
        }
        match answer.await {
            Ok(value) => Ok(value),
            Err(_) => Err(match link.check() {
                Ok(()) => Fault::Lost("the connection was lost"),
                Err(error) => Fault::Unsent(error),
            }),
        }
    }

    /// Adds a read to the next flight; tells whether that is still to be started.
    fn push(&self, key: &str, sender: oneshot::Sender<Value>) -> bool {
        let mut queue = self.queue();
        let batch = queue.batch.get_or_insert_with(Batch::new);
        batch.command.arg(key);
        batch.waiting.push(sender);
        let start = queue.flights < FLIGHTS;
        queue.flights += usize::from(start);
        start
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what is queued until nothing is. Who is not answered learns it from the closed channel.
async fn fly(mut flight: Flight, link: Arc<Link>) {
    while let Some(Batch { command, waiting }) = flight.take() {
        if let Ok(values) = values::all(&link, &command).await {
            for (sender, value) in waiting.into_iter().zip(values) {
                // Nobody waits any more where this fails.
                drop(sender.send(value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flight_that_is_lost_gives_its_place_back_and_leaves_nobody_waiting() {
        let reads = Arc::new(Reads::new());
        let (sender, answer) = oneshot::channel();
        assert!(reads.push("key", sender), "the first read starts a flight");
        drop(Flight(Some(Arc::clone(&reads))));
        assert!(answer.await.is_err(), "whoever waits learns that nobody comes");
        assert_eq!(reads.queue().flights, 0);
        let (sender, _answer) = oneshot::channel();
        assert!(reads.push("key", sender), "and the next read starts another");
    }

    #[tokio::test]
    async fn a_flight_that_finds_nothing_gives_its_place_back_once() {
        let reads = Arc::new(Reads::new());
        let (sender, _answer) = oneshot::channel();
        assert!(reads.push("key", sender));
        let mut flight = Flight(Some(Arc::clone(&reads)));
        assert_eq!(flight.take().map(|batch| batch.waiting.len()), Some(1));
        assert!(flight.take().is_none());
        drop(flight);
        assert_eq!(reads.queue().flights, 0);
    }
}
