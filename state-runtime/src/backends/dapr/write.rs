//! Writing and removing one entry, under the conditions of the contract.
//!
//! A component knows of no expiry to the millisecond and of no mark of a removal, so to it an entry
//! may be there that is not. A condition is therefore carried out in terms of what is stored: the
//! etag of something expired or of a mark stands for "there is no entry" as nothing at all does.

use core::time::Duration;

use bytes::Bytes;

use super::{
    ATTEMPTS,
    api::{Found, Guard, Save},
    component::{Create, Removal},
    connection::Connection,
    contended, form, revision, time,
};
use crate::{
    backend::{
        BackendError, Capability, Clock, Condition, ErrorKind, RemoveOptions, Result, Revision,
        SetOptions, SystemClock, Timestamp, TtlChange, rules::check_ttl,
    },
    key::Key,
};

/// How long the mark of a removal is kept. A revision that was read before the removal and is used
/// after that time would be accepted by a component that [marks](Removal::Mark).
const MARKED: Duration = Duration::from_secs(60 * 60);

impl Connection {
    pub(super) async fn set(
        &self,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<Option<Revision>> {
        self.check_set(&options)?;
        let SetOptions { condition, ttl, want_revision } = options;
        let expires = match condition {
            Condition::Always => self.replace(key, &value, ttl).await?,
            Condition::IfAbsent => {
                let expires = expiry(ttl, None);
                self.create(key, &value, expires).await?;
                expires
            }
            Condition::IfRevision(revision) => {
                let (etag, current) = self.current(&revision)?;
                let expires = expiry(ttl, current);
                self.write(key, &value, expires, Guard::Etag(etag)).await?;
                expires
            }
        };
        if !want_revision {
            return Ok(None);
        }
        // It is written, so a failure from here on must not look as if it were not.
        let found = self.api.get(key).await.ok().flatten();
        Ok(Some(self.revision_of(found.as_ref(), &value, expires)))
    }

    pub(super) async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        match options.condition {
            Condition::Always => self.erase(key, None).await,
            Condition::IfAbsent => {
                self.need(Capability::Cas)?;
                let found = self.api.get(key).await?;
                match found.and_then(|found| found.live(SystemClock.now()).cloned()) {
                    Some(_) => Err(BackendError::conflict(0)),
                    None => Ok(()),
                }
            }
            Condition::IfRevision(revision) => {
                self.need(Capability::Cas)?;
                let (etag, _) = self.current(&revision)?;
                self.erase(key, Some(etag)).await
            }
        }
    }

    /// Writes one entry as the next of what `guard` says.
    pub(super) async fn write(
        &self,
        key: &Key,
        value: &[u8],
        expires: Option<Timestamp>,
        guard: Guard<'_>,
    ) -> Result<()> {
        self.api.save(self.behaviour.as_ref(), &save(key, value, expires, guard)).await
    }

    /// The revision of what was just written; one that never holds if it was replaced by then, or
    /// if nobody knows.
    pub(super) fn revision_of(
        &self,
        found: Option<&Found>,
        value: &Bytes,
        expires: Option<Timestamp>,
    ) -> Revision {
        let same = |found: &&Found| {
            found.stored.value.as_ref() == Some(value) && found.stored.expires == expires
        };
        match found.filter(same).map(Found::etag) {
            Some(Ok(etag)) => revision::of(etag, expires),
            _ => self.outdated.make(),
        }
    }

    /// Whether this backend can do what is asked of a write.
    pub(super) fn check_set(&self, options: &SetOptions) -> Result<()> {
        if options.want_revision || options.condition != Condition::Always {
            self.need(Capability::Cas)?;
        }
        match options.ttl {
            TtlChange::Clear => Ok(()),
            TtlChange::Keep => self.need(Capability::Ttl),
            TtlChange::After(ttl) => {
                self.need(Capability::Ttl)?;
                check_ttl(ttl)
            }
        }
    }

    /// How this component writes an entry only where there is none.
    pub(super) fn by_creation(&self) -> Result<Create> {
        let known = self.behaviour.map(|known| known.create);
        known.ok_or_else(|| BackendError::unsupported(Capability::Cas))
    }

    /// The etag and the expiry of an entry that is still alive, as its revision tells them.
    fn current<'a>(&self, revision: &'a Revision) -> Result<(&'a str, Option<Timestamp>)> {
        self.need(Capability::Cas)?;
        let parts = revision::parts(revision);
        let now = SystemClock.now();
        parts
            .filter(|(_, expires)| expires.is_none_or(|expires| expires > now))
            .ok_or_else(|| BackendError::conflict(0))
    }

    /// Writes whatever is there. Returns the expiry, which may be the one that is kept.
    async fn replace(&self, key: &Key, value: &[u8], ttl: TtlChange) -> Result<Option<Timestamp>> {
        if ttl != TtlChange::Keep {
            let expires = expiry(ttl, None);
            self.write(key, value, expires, Guard::Any).await?;
            return Ok(expires);
        }
        for _ in 0..ATTEMPTS {
            let found = self.api.get(key).await?;
            let now = SystemClock.now();
            let alive = found.as_ref().filter(|found| found.live(now).is_some());
            let expires = alive.and_then(|found| found.stored.expires);
            let guard = self.after(found.as_ref())?;
            if !is_conflict(self.write(key, value, expires, guard).await)? {
                return Ok(expires);
            }
        }
        Err(contended())
    }

    async fn create(&self, key: &Key, value: &[u8], expires: Option<Timestamp>) -> Result<()> {
        let mut found = None;
        for _ in 0..ATTEMPTS {
            let guard = self.after(found.as_ref())?;
            if !is_conflict(self.write(key, value, expires, guard).await)? {
                return Ok(());
            }
            found = self.api.get(key).await?;
            if found.as_ref().is_some_and(|found| found.live(SystemClock.now()).is_some()) {
                return Err(BackendError::conflict(0));
            }
        }
        Err(contended())
    }

    /// The guard of a write that follows what was found, be it an entry or not.
    fn after<'a>(&self, found: Option<&'a Found>) -> Result<Guard<'a>> {
        match found {
            Some(found) => found.etag().map(Guard::Etag),
            None => self.by_creation().map(Guard::Absent),
        }
    }

    async fn erase(&self, key: &Key, etag: Option<&str>) -> Result<()> {
        if self.behaviour.map(|known| known.removal) != Some(Removal::Mark) {
            return self.api.delete(key, etag).await;
        }
        let guard = etag.map_or(Guard::Any, Guard::Etag);
        let (text, seconds) = (form::removed(), Some(MARKED.as_secs()));
        self.api.save(self.behaviour.as_ref(), &Save { key, text, seconds, guard }).await
    }
}

/// An entry as the component is to store it.
pub(super) fn save<'a>(
    key: &'a Key,
    value: &[u8],
    expires: Option<Timestamp>,
    guard: Guard<'a>,
) -> Save<'a> {
    let seconds = expires.map(|expires| time::seconds_until(expires, SystemClock.now()));
    Save { key, text: form::write(value, expires), seconds, guard }
}

/// When an entry expires that is written with `ttl` in place of one that expires at `current`.
pub(super) fn expiry(ttl: TtlChange, current: Option<Timestamp>) -> Option<Timestamp> {
    match ttl {
        TtlChange::Clear => None,
        TtlChange::Keep => current,
        TtlChange::After(ttl) => Some(SystemClock.now().after(ttl)),
    }
}

/// Whether a guard did not hold; every other failure is passed on.
fn is_conflict(written: Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(false),
        Err(error) if matches!(error.kind(), ErrorKind::Conflict { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}
