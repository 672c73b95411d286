//! Reads that have to wait anyway travel together.
//!
//! As long as few reads are on their way, each is a command of its own: putting two callers into
//! one command would make both wait for the slower. When there are many, server and client are busy
//! with the commands rather than with the values; what comes then is queued, and sent as one
//! command as soon as the one before it is answered. No read ever waits for a timer.
//!
//! One flight at a time carries the most: several share the same reads among more commands. Only
//! when so much waits that a flight would be full, as it does where the server is far away, there is
//! another one.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redis::{Cmd, Value};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    link::{Fault, Link},
    values,
};

/// While fewer reads than this are under way, each is sent on its own.
const DIRECT: usize = 24;
/// How many reads a flight takes along at most. The server serves nobody else while it answers, and
/// beyond this a read hardly gets cheaper.
const SEATS: usize = 256;
/// How many flights there are at most.
const FLIGHTS: usize = 4;

/// The reads of one link.
pub(super) struct Reads {
    /// The one that the link lives on: that of a caller may end before the flight does.
    runtime: Handle,
    under_way: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Only the last may have seats left.
    batches: VecDeque<Batch>,
    flights: usize,
}

/// What one flight takes along: a command that grows, and who waits for its values.
struct Batch {
    command: Cmd,
    waiting: Vec<oneshot::Sender<Value>>,
}

impl Batch {
    fn new() -> Self {
        Self { command: values::command(&[]), waiting: Vec::new() }
    }

    fn add(&mut self, key: &str, sender: oneshot::Sender<Value>) {
        self.command.arg(key);
        self.waiting.push(sender);
    }

    /// Without those who do not wait any more: the server need not read for them.
    fn still_wanted(self) -> Self {
        if !self.waiting.iter().any(oneshot::Sender::is_closed) {
            return self;
        }
        let (mut waiting, mut command) = (Vec::new(), values::command(&[]));
        for (key, sender) in values::keys(&self.command).zip(self.waiting) {
            if !sender.is_closed() {
                command.arg(key);
                waiting.push(sender);
            }
        }
        Self { command, waiting }
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
        let batch = queue.batches.pop_front();
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
                queue.batches.clear();
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
        match queue.batches.back_mut() {
            Some(batch) if batch.waiting.len() < SEATS => batch.add(key, sender),
            _ => {
                let mut batch = Batch::new();
                batch.add(key, sender);
                queue.batches.push_back(batch);
            }
        }
        let is_full = queue.batches.back().is_some_and(|batch| batch.waiting.len() == SEATS);
        let start = queue.flights == 0 || (is_full && queue.flights < FLIGHTS);
        queue.flights += usize::from(start);
        start
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what is queued until nothing is. Who is not answered learns it from the closed channel.
async fn fly(mut flight: Flight, link: Arc<Link>) {
    while let Some(batch) = flight.take() {
        let Batch { command, waiting } = batch.still_wanted();
        if waiting.is_empty() {
            continue;
        }
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
    async fn a_flight_takes_no_more_than_it_has_seats_for_and_nobody_stays_behind() {
        let reads = Arc::new(Reads::new());
        let mut started = Vec::new();
        let answers: Vec<_> = (0..=SEATS * 2)
            .map(|number| {
                let (sender, answer) = oneshot::channel();
                if reads.push(&number.to_string(), sender) {
                    started.push(number);
                }
                answer
            })
            .collect();
        assert_eq!(
            started,
            [0, SEATS - 1, SEATS * 2 - 1],
            "one at first, and one for all who fill it"
        );
        let mut flight = Flight(Some(Arc::clone(&reads)));
        let batches: Vec<_> = core::iter::from_fn(|| flight.take()).collect();
        let sizes: Vec<_> = batches.iter().map(|batch| batch.waiting.len()).collect();
        assert_eq!(sizes, [SEATS, SEATS, 1]);
        let keys: Vec<_> = batches.iter().flat_map(|batch| values::keys(&batch.command)).collect();
        assert_eq!(keys.len(), answers.len());
        assert_eq!(keys.last(), Some(&b"512".as_slice()));
    }

    #[test]
    fn whoever_does_not_wait_any_more_is_not_read_for() {
        let mut batch = Batch::new();
        let mut answers = Vec::new();
        for key in ["a", "b", "c"] {
            let (sender, answer) = oneshot::channel();
            batch.add(key, sender);
            answers.push(answer);
        }
        answers.remove(1);
        let batch = batch.still_wanted();
        let keys: Vec<_> = values::keys(&batch.command).collect();
        assert_eq!(keys, [b"a", b"c"]);
        for (sender, value) in batch.waiting.into_iter().zip([1, 2]) {
            sender.send(Value::Int(value)).unwrap();
        }
        let values: Vec<_> = answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect();
        assert_eq!(values, [Value::Int(1), Value::Int(2)]);
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
