//! What a case works with: a backend, keys of its own, time, and checks.

use core::{fmt::Debug, ops::Deref, time::Duration};
use std::sync::Arc;

use bytes::Bytes;

use super::{
    case::{Checked, Failure},
    subject::{Open, Time},
};
use crate::{
    backend::{
        AddOptions, Backend, BackendError, Condition, Entry, ErrorKind, Expiry, GetOptions,
        RemoveOptions, Result, Revision, SetOptions, Timestamp, TtlChange, Want,
    },
    key::Key,
};

/// The surroundings of one case. It dereferences to the backend.
pub(super) struct Trial<B> {
    pub(super) backend: Arc<B>,
    pub(super) open: Open<B>,
    pub(super) prefix: String,
    pub(super) time: Time,
    pub(super) max_value: usize,
}

impl<B> Deref for Trial<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.backend
    }
}

impl<B: Backend> Trial<B> {
    /// Reads several entries in one call, all with the same options.
    pub(super) async fn read_many(
        &self,
        keys: &[Key],
        options: GetOptions,
    ) -> Result<Vec<Option<Entry>>> {
        let requests: Vec<_> = keys.iter().map(|key| (key.clone(), options)).collect();
        self.get_many(&requests).await
    }

    /// A key that only this case uses.
    pub(super) fn key(&self, name: &str) -> Key {
        Key::from_stored(format!("{}{name}", self.prefix))
    }

    /// Several keys, in the order of their numbers.
    pub(super) fn keys(&self, count: usize) -> Vec<Key> {
        (0..count).map(|i| self.key(&format!("{i:05}"))).collect()
    }

    /// Another instance, which the case may close.
    pub(super) async fn fresh(&self) -> Result<B> {
        (self.open)().await
    }

    /// Writes with no wishes.
    pub(super) async fn put(&self, key: &Key, value: impl Into<Bytes>) -> Result<()> {
        self.set(key, value.into(), SetOptions::default()).await.map(drop)
    }

    /// Writes something that expires.
    pub(super) async fn put_for(
        &self,
        key: &Key,
        value: impl Into<Bytes>,
        ttl: Duration,
    ) -> Result<()> {
        self.put_ttl(key, value, TtlChange::After(ttl)).await
    }

    /// Writes with a change of the expiry.
    pub(super) async fn put_ttl(
        &self,
        key: &Key,
        value: impl Into<Bytes>,
        ttl: TtlChange,
    ) -> Result<()> {
        let options = SetOptions { ttl, ..SetOptions::default() };
        self.set(key, value.into(), options).await.map(drop)
    }

    /// Writes under a condition.
    pub(super) async fn put_if(
        &self,
        key: &Key,
        value: impl Into<Bytes>,
        condition: Condition,
    ) -> Result<()> {
        let options = SetOptions { condition, ..SetOptions::default() };
        self.set(key, value.into(), options).await.map(drop)
    }

    /// Writes and returns the new revision.
    pub(super) async fn put_revision(
        &self,
        key: &Key,
        value: impl Into<Bytes>,
    ) -> Checked<Revision> {
        let options = SetOptions { want_revision: true, ..SetOptions::default() };
        let revision = self.set(key, value.into(), options).await?;
        revision.ok_or_else(|| Failure::new("set returned no revision although it was asked for"))
    }

    /// Writes something that expires, and returns its revision: on a slow machine it may be gone
    /// before it could be read.
    pub(super) async fn put_revision_for(&self, key: &Key, ttl: Duration) -> Checked<Revision> {
        let ttl = TtlChange::After(ttl);
        let options = SetOptions { ttl, want_revision: true, ..SetOptions::default() };
        let revision = self.set(key, "1".into(), options).await?;
        revision.ok_or_else(|| Failure::new("set returned no revision although it was asked for"))
    }

    /// Removes with no wishes.
    pub(super) async fn delete(&self, key: &Key) -> Result<()> {
        self.remove(key, RemoveOptions::default()).await
    }

    /// Removes under a condition.
    pub(super) async fn delete_if(&self, key: &Key, condition: Condition) -> Result<()> {
        self.remove(key, RemoveOptions { condition }).await
    }

    /// Reads a value.
    pub(super) async fn value(&self, key: &Key) -> Result<Option<Bytes>> {
        Ok(self.get(key, GetOptions::default()).await?.map(|entry| entry.value))
    }

    /// Reads the revision of an entry that has to be there.
    pub(super) async fn revision(&self, key: &Key) -> Checked<Revision> {
        let entry = self.get(key, wanting(Want::REVISION)).await?;
        let entry = entry.ok_or_else(|| Failure::new("the entry is absent"))?;
        entry.revision.ok_or_else(|| Failure::new("get filled in no revision although asked to"))
    }

    /// Reads the expiry of an entry that has to be there.
    pub(super) async fn expires(&self, key: &Key) -> Checked<Expiry> {
        let entry = self.get(key, wanting(Want::EXPIRY)).await?;
        Ok(entry.ok_or_else(|| Failure::new("the entry is absent"))?.expiry)
    }

    /// Reads and renews.
    pub(super) async fn renew(&self, key: &Key, ttl: Duration) -> Result<Option<Entry>> {
        self.get(key, GetOptions { renew: Some(ttl), want: Want::EXPIRY }).await
    }

    /// Adds without bounds of note and without a time to live.
    pub(super) async fn plus(&self, key: &Key, delta: i128) -> Result<i128> {
        self.add(key, adding(delta)).await
    }

    /// Checks that `key` expires `ttl` after `from`, as far as the clocks can tell.
    pub(super) async fn expires_after(&self, key: &Key, from: Timestamp, ttl: Duration) -> Checked {
        self.near(self.expiry(key).await?, Some(Expiry::At(from.after(ttl))))
    }

    /// Two expiries have to be equal, as far as the clocks can tell.
    #[track_caller]
    pub(super) fn near(&self, found: Option<Expiry>, expected: Option<Expiry>) -> Checked {
        if let (Some(Expiry::At(a)), Some(Expiry::At(b))) = (found, expected) {
            let off = a.since(b).max(b.since(a));
            return ensure(off <= self.time.tolerance(), &format!("the expiry is {off:?} off"));
        }
        same(found, expected, "the expiry")
    }

    /// Lets `ttl` pass, then waits until `key` is absent, and checks that it was not so earlier.
    ///
    /// `written` is the time before the entry got its `ttl`.
    pub(super) async fn outlive(&self, key: &Key, written: Timestamp, ttl: Duration) -> Checked {
        if let Time::Manual(_) = self.time {
            self.time.pass(ttl).await;
            return ensure(self.value(key).await?.is_none(), "an entry outlives its TTL");
        }
        // The backend's own clock may run behind: what is checked is that it gets there at all.
        let mut left = ttl.saturating_add(Duration::from_secs(10));
        let step = Duration::from_millis(20);
        while self.value(key).await?.is_some() {
            ensure(!left.is_zero(), "an entry outlives its TTL by seconds")?;
            self.time.pass(step).await;
            left = left.saturating_sub(step);
        }
        let lived = self.time.now().since(written);
        ensure(lived >= ttl, "an entry expired before its time")
    }
}

/// Reads that fill in more than the value.
pub(super) fn wanting(want: Want) -> GetOptions {
    GetOptions { want, renew: None }
}

/// An addition without bounds of note and without a time to live.
pub(super) fn adding(delta: i128) -> AddOptions {
    AddOptions { delta, min: i128::MIN, max: i128::MAX, ttl: None }
}

/// Something has to hold.
#[track_caller]
pub(super) fn ensure(holds: bool, otherwise: &str) -> Checked {
    if holds { Ok(()) } else { Err(Failure::new(otherwise)) }
}

/// Two things have to be equal.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "what is compared is mostly a temporary")]
pub(super) fn same<T: PartialEq + Debug>(found: T, expected: T, what: &str) -> Checked {
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format_args!("{what}: expected {expected:?}, found {found:?}")))
}

/// A value has to be there and have these bytes.
#[track_caller]
pub(super) fn holds(found: Option<&Bytes>, expected: impl AsRef<[u8]>) -> Checked {
    let expected = expected.as_ref();
    let Some(found) = found else {
        return Err(Failure::new(format_args!("an entry of {} bytes is absent", expected.len())));
    };
    if found == expected {
        return Ok(());
    }
    let same = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let (found, expected) = (found.len(), expected.len());
    Err(Failure::new(format_args!(
        "wrote {expected} bytes, read {found}; they differ from byte {same} on"
    )))
}

/// An entry has to be absent.
#[track_caller]
pub(super) fn absent(found: Option<&Bytes>) -> Checked {
    ensure(found.is_none(), "there is an entry where none should be")
}

/// An operation has to fail in a certain way.
#[track_caller]
pub(super) fn refused<T>(result: Result<T>, expected: ErrorKind) -> Checked {
    match result {
        Err(error) if error.kind() == expected => Ok(()),
        Err(error) => Err(Failure::new(format_args!("expected {expected:?}, got `{error}`"))),
        Ok(_) => Err(Failure::new(format_args!("expected {expected:?}, but it succeeded"))),
    }
}

/// A single conditional write has to be refused.
#[track_caller]
pub(super) fn conflict<T>(result: Result<T>) -> Checked {
    refused(result, ErrorKind::Conflict { index: 0 })
}

/// Whether a write lost against another one, which is no failure of the backend.
pub(super) fn lost(error: &BackendError) -> bool {
    matches!(error.kind(), ErrorKind::Conflict { .. }) || error.kind().is_retryable()
}
