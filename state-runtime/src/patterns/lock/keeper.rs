//! The task that renews a lease while its guard lives, and frees the lock then.
//!
//! It alone writes for its holder, so it knows what it has said last. Where the outcome of a write is
//! unknown it reads: the lease carries a nonce, so it knows its own again.

use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    Lock,
    hold::Hold,
    lease::{Lease, Nonce},
    pause::{below, passes},
};
use crate::{
    backend::{Cas, Revision},
    error::{Result, StateError},
    key::Key,
    schema::{Persistent, SoleValue, StateKey, Writable},
};

/// How the guard says that it is done: with where to tell the outcome, or by being dropped.
pub(super) type Stop = oneshot::Receiver<oneshot::Sender<Result<()>>>;

pub(super) struct Keeper<T: StateKey, B> {
    pub(super) lock: Lock<T, B>,
    pub(super) key: T::Key,
    pub(super) encoded: Key,
    pub(super) nonce: Nonce,
    pub(super) lease: Lease,
    /// The revision of `lease`; `None` where it has to be read.
    pub(super) revision: Option<Revision>,
    pub(super) holds: watch::Sender<Hold>,
}

impl<T, B> Keeper<T, B>
where
    T: SoleValue<Lease> + Writable<Lifetime = Persistent>,
    B: Cas,
{
    /// Renews the lease, which was sent at `sent`, until it is told to stop, and frees the lock then.
    pub(super) async fn run(mut self, sent: Instant, mut stop: Stop) {
        let third = self.lock.length / 3;
        let mut next = sent + third;
        let stopped = loop {
            if let Ok(stopped) = timeout_at(next, &mut stop).await {
                break stopped;
            }
            if self.holds.borrow().is_over() {
                Hold::lose(&self.holds);
                break stop.await;
            }
            // No attempt takes so long that there is no time for another.
            match timeout(third, self.renew()).await {
                Ok(Ok(Some(sent))) => {
                    Hold::prolong(&self.holds, Hold::of(sent, self.lock.length));
                    next = sent + third;
                }
                Ok(Ok(None)) => {
                    Hold::lose(&self.holds);
                    break stop.await;
                }
                Ok(Err(_)) | Err(_) => next = Instant::now() + below(third / 8),
            }
        };
        let outcome = self.free().await;
        if let Ok(reply) = stopped {
            // Who asked may have given up.
            let _ = reply.send(outcome);
        }
    }

    /// Writes the next lease, and tells when that began; `None` if the lock is somebody else's.
    async fn renew(&mut self) -> Result<Option<Instant>> {
        let Ok(revision) = self.known_revision().await? else { return Ok(None) };
        let renewed = self.lease.renewed();
        let sent = Instant::now();
        let written = self.lock.put(&self.key, renewed.clone(), &revision).await?;
        (self.lease, self.revision) = (renewed, Some(written));
        Ok(Some(sent))
    }

    /// Frees the lock. Tries again what may pass, for as long as the lease lasts.
    async fn free(&mut self) -> Result<()> {
        let start = Instant::now();
        let mut may_be_free = false;
        loop {
            let error = match self.try_free(may_be_free).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            may_be_free |= matches!(error, StateError::Indeterminate { .. });
            if !passes(&error) || start.elapsed() >= self.lock.length {
                return Err(error);
            }
            sleep(below(self.lock.length / 16)).await;
        }
    }

    async fn try_free(&mut self, may_be_free: bool) -> Result<()> {
        let revision = match self.known_revision().await? {
            Ok(revision) => revision,
            Err(found) => {
                let freed = found.is_some_and(|lease| lease == self.lease.freed());
                // Nobody takes over before the hold has ended, so it was free before.
                let was_held = !self.holds.borrow().is_over();
                if may_be_free && (freed || was_held) {
                    return Ok(());
                }
                return Err(StateError::LeaseLost { key: Box::new(self.encoded.clone()) });
            }
        };
        self.lock.put(&self.key, self.lease.freed(), &revision).await.map(drop)
    }

    /// The revision of this holder's lease, read where it is not known: it is not known any more until
    /// the next write has come through. Or what is stored in its place.
    async fn known_revision(&mut self) -> Result<Result<Revision, Option<Lease>>> {
        if let Some(revision) = self.revision.take() {
            return Ok(Ok(revision));
        }
        let Some(found) = self.lock.store.get_versioned(self.key.clone()).await? else {
            return Ok(Err(None));
        };
        let lease = found.value.into_field();
        if !lease.is_of(&self.nonce) {
            return Ok(Err(Some(lease)));
        }
        self.lease = lease;
        Ok(Ok(found.revision))
    }
}
