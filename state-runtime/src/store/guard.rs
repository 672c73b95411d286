//! The one guard between the typed store and its backend.
//!
//! It bounds the operations in flight, gives each a deadline, and refuses what this instance of
//! the backend cannot do, so that no option is ever silently ignored.

use core::{future::Future, slice, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    deadline::within,
    gate::{Closed, Gate, Permit},
    turns::Turns,
};
use crate::{
    backend::{
        AddOptions, Backend, BackendError, BatchOp, Capabilities, Capability, Changes, Condition,
        Entry, ErrorKind, Expiry, GetOptions, Page, RemoveOptions, Revision, Risk, ScanRequest,
        SetOptions, ThrottleOptions, Throttled, TtlChange, Want, WatchRequest,
    },
    error::{Operation, Result, StateError},
    key::Key,
};

#[derive(Debug)]
pub(super) struct Guard<B> {
    pub(super) backend: B,
    capabilities: Capabilities,
    gate: Gate,
    pub(super) turns: Turns,
    deadline: Duration,
}

impl<B: Backend> Guard<B> {
    pub(super) fn new(backend: B, deadline: Duration, max_in_flight: usize) -> Self {
        let capabilities = backend.capabilities();
        Self {
            backend,
            capabilities,
            gate: Gate::new(max_in_flight),
            turns: Turns::default(),
            deadline,
        }
    }

    pub(super) const fn offers(&self, capability: Capability) -> bool {
        self.capabilities.contains(capability)
    }

    /// How long an operation may take.
    pub(super) const fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(super) fn require(&self, capability: Capability) -> Result<()> {
        if self.offers(capability) {
            Ok(())
        } else {
            Err(StateError::Unsupported { backend: self.backend.name(), capability })
        }
    }

    pub(super) async fn get(
        &self,
        operation: Operation,
        key: &Key,
        options: GetOptions,
    ) -> Result<Option<Entry>> {
        self.check_get(options)?;
        let entry =
            self.run(operation, slice::from_ref(key), || self.backend.get(key, options)).await?;
        check_entry(operation, entry.as_ref(), options.want)?;
        Ok(entry)
    }

    pub(super) async fn get_many(
        &self,
        operation: Operation,
        requests: &[(Key, GetOptions)],
    ) -> Result<Vec<Option<Entry>>> {
        for (_, options) in requests {
            self.check_get(*options)?;
        }
        let entries = self.run(operation, &[], || self.backend.get_many(requests)).await?;
        if entries.len() != requests.len() {
            let message = "it answered with another number of entries than it was asked for";
            return Err(broken(operation, message));
        }
        for (entry, (_, options)) in entries.iter().zip(requests) {
            check_entry(operation, entry.as_ref(), options.want)?;
        }
        Ok(entries)
    }

    pub(super) async fn set(
        &self,
        operation: Operation,
        key: &Key,
        value: Bytes,
        options: SetOptions,
    ) -> Result<Option<Revision>> {
        self.check_set(&options)?;
        let want_revision = options.want_revision;
        let set = || self.backend.set(key, value, options);
        let revision = self.run(operation, slice::from_ref(key), set).await?;
        if want_revision && revision.is_none() {
            return Err(no_revision(operation));
        }
        Ok(revision)
    }

    pub(super) async fn remove(
        &self,
        operation: Operation,
        key: &Key,
        options: RemoveOptions,
    ) -> Result<()> {
        self.check_condition(&options.condition)?;
        self.run(operation, slice::from_ref(key), || self.backend.remove(key, options)).await
    }

    pub(super) async fn exists(&self, key: &Key) -> Result<bool> {
        self.run(Operation::Exists, slice::from_ref(key), || self.backend.exists(key)).await
    }

    pub(super) async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        let operation = Operation::Ttl;
        match self.run(operation, slice::from_ref(key), || self.backend.expiry(key)).await? {
            Some(Expiry::Unknown) => Err(broken(operation, "it did not tell the expiry")),
            expiry => Ok(expiry),
        }
    }

    pub(super) async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        self.require(Capability::Ttl)?;
        self.run(Operation::Touch, slice::from_ref(key), || self.backend.touch(key, ttl)).await
    }

    pub(super) async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        self.require(Capability::Cas)?;
        if options.ttl.is_some() {
            self.require(Capability::Ttl)?;
        }
        self.run(Operation::Add, slice::from_ref(key), || self.backend.add(key, options)).await
    }

    pub(super) async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        self.require(Capability::Cas)?;
        self.require(Capability::Ttl)?;
        let throttle = || self.backend.throttle(key, options);
        self.run(Operation::Throttle, slice::from_ref(key), throttle).await
    }

    pub(super) async fn apply(
        &self,
        operation: Operation,
        batch: Vec<BatchOp>,
    ) -> Result<Vec<Option<Revision>>> {
        self.require(Capability::Batch)?;
        for op in &batch {
            match op {
                BatchOp::Set { options, .. } => self.check_set(options)?,
                BatchOp::Remove { options, .. } => self.check_condition(&options.condition)?,
            }
        }
        let keys: Vec<Key> = batch.iter().map(BatchOp::key).cloned().collect();
        self.run(operation, &keys, || self.backend.apply(batch)).await
    }

    pub(super) async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.require(Capability::Scan)?;
        self.check_want(request.want)?;
        self.run(Operation::Scan, &[], || self.backend.scan(request)).await
    }

    pub(super) async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        self.require(Capability::Watch)?;
        self.run(Operation::Watch, &[], || self.backend.watch(request)).await
    }

    /// What ends a watch that the backend ends with this error.
    pub(super) fn watch_failed(&self, source: BackendError) -> StateError {
        self.failed(Operation::Watch, &[], source)
    }

    pub(super) async fn risks(&self) -> Result<Vec<Risk>> {
        self.run(Operation::Health, &[], || self.backend.risks()).await
    }

    pub(super) async fn health(&self) -> Result<()> {
        self.run(Operation::Health, &[], || self.backend.health()).await
    }

    /// Lets nobody in, waits for those inside, closes the backend: all of it within `limit`.
    pub(super) async fn close(&self, limit: Duration) -> Result<()> {
        let operation = Operation::Close;
        let start = Instant::now();
        self.gate.close();
        let drained = within(limit, self.gate.drained()).await.is_some();
        // Closed also where somebody is still inside: what they wait for ends with it.
        let left = limit.saturating_sub(start.elapsed());
        match within(left, self.backend.close()).await {
            Some(Ok(())) if drained => Ok(()),
            Some(Ok(())) | None => Err(StateError::Timeout { operation }),
            Some(Err(source)) => Err(self.failed(operation, &[], source)),
        }
    }

    /// Makes one call under the bound and the deadline, which includes the wait for a place. A
    /// backend may send as soon as it is called, so it is called only then.
    async fn run<T, F>(
        &self,
        operation: Operation,
        keys: &[Key],
        call: impl FnOnce() -> F,
    ) -> Result<T>
    where
        F: Future<Output = crate::backend::Result<T>>,
    {
        let (_permit, left) = self.enter(operation).await?;
        match within(left, call()).await {
            Some(Ok(output)) => Ok(output),
            Some(Err(source)) => Err(self.failed(operation, keys, source)),
            None => Err(self.expired(operation, keys)),
        }
    }

    async fn enter(&self, operation: Operation) -> Result<(Permit<'_>, Duration)> {
        match self.gate.try_enter() {
            Ok(Some(permit)) => return Ok((permit, self.deadline)),
            Ok(None) => {}
            Err(Closed) => return Err(StateError::Closed),
        }
        // In a box, so that the future of every operation is the smaller for it.
        Box::pin(self.wait(operation)).await
    }

    async fn wait(&self, operation: Operation) -> Result<(Permit<'_>, Duration)> {
        let start = Instant::now();
        match within(self.deadline, self.gate.enter()).await {
            Some(Err(Closed)) => Err(StateError::Closed),
            // With no time left, sending it could only make its outcome unknown.
            Some(Ok(permit)) if start.elapsed() < self.deadline => {
                Ok((permit, self.deadline.saturating_sub(start.elapsed())))
            }
            _ => Err(StateError::Overloaded { operation, source: None }),
        }
    }

    fn failed(&self, operation: Operation, keys: &[Key], source: BackendError) -> StateError {
        let backend = self.backend.name();
        tracing::debug!(backend, %operation, kind = ?source.kind(), "a backend call failed");
        StateError::of_backend(backend, operation, keys, source)
    }

    /// A read that took too long changed nothing; a write may have been applied, or may still be.
    fn expired(&self, operation: Operation, keys: &[Key]) -> StateError {
        tracing::debug!(backend = self.backend.name(), %operation, "a backend call took too long");
        if !operation.is_write() {
            return StateError::Timeout { operation };
        }
        let key = match keys {
            [key] => Some(Box::new(key.clone())),
            _ => None,
        };
        StateError::Indeterminate { key, operation, source: None }
    }

    fn check_get(&self, options: GetOptions) -> Result<()> {
        if options.renew.is_some() {
            self.require(Capability::Ttl)?;
        }
        self.check_want(options.want)
    }

    fn check_want(&self, want: Want) -> Result<()> {
        if want.revision {
            self.require(Capability::Cas)?;
        }
        if want.expiry {
            self.require(Capability::Ttl)?;
        }
        Ok(())
    }

    fn check_set(&self, options: &SetOptions) -> Result<()> {
        if options.ttl != TtlChange::Clear {
            self.require(Capability::Ttl)?;
        }
        if options.want_revision {
            self.require(Capability::Cas)?;
        }
        self.check_condition(&options.condition)
    }

    fn check_condition(&self, condition: &Condition) -> Result<()> {
        match condition {
            Condition::Always => Ok(()),
            Condition::IfAbsent | Condition::IfRevision(_) => self.require(Capability::Cas),
        }
    }
}

/// A write under the condition of a revision would otherwise become one without a condition.
fn check_entry(operation: Operation, entry: Option<&Entry>, want: Want) -> Result<()> {
    match entry {
        Some(Entry { revision: None, .. }) if want.revision => {
            Err(broken(operation, "it returned no revision although it was asked for one"))
        }
        _ => Ok(()),
    }
}

/// A write under the condition of a revision has nothing to go by.
pub(super) fn no_revision(operation: Operation) -> StateError {
    broken(operation, "it wrote, and returned no revision although it was asked for one")
}

/// The backend breaks its contract.
fn broken(operation: Operation, message: &'static str) -> StateError {
    StateError::Backend { operation, source: BackendError::new(ErrorKind::Other, message) }
}
