//! One attempt to take a lock.

use core::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    Lock,
    lease::{Lease, Nonce},
    sightings::Sighting,
};
use crate::{
    backend::{Cas, Revision},
    error::{Result, StateError},
    schema::{Persistent, SoleValue, Writable},
};

/// Longer than the unit of the clock that tokens are made from where there is none to go by.
const TICK: Duration = Duration::from_millis(2);

pub(super) enum Attempt {
    /// It is taken.
    Taken(Claim),
    /// Somebody holds it, and may do so for this long without a sign of life.
    Held(Duration),
    /// Somebody was faster; who, has to be read.
    Lost,
}

pub(super) struct Claim {
    pub(super) lease: Lease,
    /// `None` where the write did not tell.
    pub(super) revision: Option<Revision>,
    /// Before the lease was sent.
    pub(super) sent: Instant,
}

impl<T, B> Lock<T, B>
where
    T: SoleValue<Lease> + Writable<Lifetime = Persistent>,
    B: Cas,
{
    /// Takes the lock if it is free, if its lease has run out, or if an earlier attempt with this nonce
    /// has taken it without hearing of it.
    pub(super) async fn attempt(&self, key: &T::Key, nonce: &Nonce) -> Result<Attempt> {
        // Whoever has freed it or seen it free can try without reading.
        let sighting = match self.sightings.free(key) {
            Some(sighting) => sighting,
            None => match self.store.get_versioned(key.clone()).await? {
                Some(found) => {
                    let lease = found.value.into_field();
                    self.sightings.note(key, lease, found.revision)
                }
                None => return self.take_absent(key, nonce).await,
            },
        };
        if sighting.lease.is_of(nonce) {
            return self.take(key, sighting.lease.renewed(), &sighting.revision).await;
        }
        if let Some(left) = sighting.left() {
            return Ok(Attempt::Held(left));
        }
        let token = self.next_token(key, &sighting)?;
        self.take(key, Lease::taken(token, nonce, self.length), &sighting.revision).await
    }

    async fn take(&self, key: &T::Key, lease: Lease, revision: &Revision) -> Result<Attempt> {
        let sent = Instant::now();
        self.sightings.forget(key);
        match self.put(key, lease.clone(), revision).await {
            Ok(revision) => Ok(Attempt::Taken(Claim { lease, revision: Some(revision), sent })),
            Err(StateError::Conflict { .. }) => Ok(Attempt::Lost),
            Err(error) => Err(error),
        }
    }

    /// Takes a lock of which nothing is stored: it is new, or its entry was removed. The clock then
    /// makes a token that is greater than those before, which it made as well.
    async fn take_absent(&self, key: &T::Key, nonce: &Nonce) -> Result<Attempt> {
        // So that it is not the tick of the token that went with the entry.
        sleep(TICK).await;
        let lease = Lease::taken(self.clock(), nonce, self.length);
        let sent = Instant::now();
        match self.store.create(&T::with_key(key.clone(), lease.clone())).await {
            Ok(()) => Ok(Attempt::Taken(Claim { lease, revision: None, sent })),
            Err(StateError::AlreadyExists { .. }) => Ok(Attempt::Lost),
            Err(error) => Err(error),
        }
    }

    /// Greater than the one before, whatever the clock says; and as great as the clock, so that tokens
    /// go on where they were if the entry is lost.
    fn next_token(&self, key: &T::Key, sighting: &Sighting) -> Result<u64> {
        match sighting.lease.token().checked_add(1) {
            Some(next) => Ok(next.max(self.clock())),
            None => Err(StateError::OutOfRange { key: Box::new(self.store.encode_key(key)?) }),
        }
    }

    /// The time in microseconds, as far as the clock of the backend tells them.
    fn clock(&self) -> u64 {
        self.store.backend().now().as_millis().saturating_mul(1_000)
    }

    /// Writes a lease in place of the one that has this revision.
    pub(super) async fn put(
        &self,
        key: &T::Key,
        lease: Lease,
        revision: &Revision,
    ) -> Result<Revision> {
        let is_held = lease.is_held();
        let written =
            self.store.replace(&T::with_key(key.clone(), lease.clone()), revision).await?;
        if !is_held {
            self.sightings.note(key, lease, written.clone());
        }
        Ok(written)
    }
}
