//! What the optional methods of a backend do unless it knows better.

use bytes::Bytes;

use super::{
    AddOptions, Backend, BackendError, Capability, Condition, Entry, ErrorKind, Expiry, GetOptions,
    RemoveOptions, Result, SetOptions, ThrottleOptions, Throttled, TtlChange, Want, integer::sum,
    throttle::take,
};
use crate::key::{Key, KeyWriter};

/// How often a read-and-write under a condition starts again before it gives up. Each round that
/// fails is one in which another writer succeeded.
const ATTEMPTS: usize = 64;

pub(super) async fn get_many<B: Backend + ?Sized>(
    backend: &B,
    requests: &[(Key, GetOptions)],
) -> Result<Vec<Option<Entry>>> {
    let mut entries = Vec::with_capacity(requests.len());
    for (key, options) in requests {
        entries.push(backend.get(key, *options).await?);
    }
    Ok(entries)
}

pub(super) async fn expiry<B: Backend + ?Sized>(backend: &B, key: &Key) -> Result<Option<Expiry>> {
    if !backend.capabilities().contains(Capability::Ttl) {
        return Ok(backend.exists(key).await?.then_some(Expiry::Never));
    }
    let options = GetOptions { want: Want::EXPIRY, renew: None };
    Ok(backend.get(key, options).await?.map(|entry| entry.expiry))
}

pub(super) async fn touch<B: Backend + ?Sized>(
    backend: &B,
    key: &Key,
    ttl: TtlChange,
) -> Result<bool> {
    need(backend, Capability::Ttl)?;
    need(backend, Capability::Cas)?;
    for _ in 0..ATTEMPTS {
        let options = GetOptions { want: Want::REVISION, renew: None };
        let Some(Entry { value, revision, .. }) = backend.get(key, options).await? else {
            return Ok(false);
        };
        if replace(backend, key, value, condition(revision)?, ttl).await? {
            return Ok(true);
        }
    }
    Err(contended())
}

pub(super) async fn add<B: Backend + ?Sized>(
    backend: &B,
    key: &Key,
    options: AddOptions,
) -> Result<i128> {
    need(backend, Capability::Cas)?;
    let ttl = backend.capabilities().contains(Capability::Ttl);
    for _ in 0..ATTEMPTS {
        let entry = backend.get(key, GetOptions { want: Want::REVISION, renew: None }).await?;
        let keep = if ttl { TtlChange::Keep } else { TtlChange::Clear };
        let created = options.ttl.map_or(TtlChange::Clear, TtlChange::After);
        let (stored, condition, change) = match entry {
            Some(entry) => (Some(entry.value), condition(entry.revision)?, keep),
            None => (None, Condition::IfAbsent, created),
        };
        let sum = sum(stored.as_deref(), &options)?;
        let value = Bytes::from(sum.to_string());
        if replace(backend, key, value, condition, change).await? {
            return Ok(sum);
        }
    }
    Err(contended())
}

pub(super) async fn throttle<B: Backend + ?Sized>(
    backend: &B,
    key: &Key,
    options: ThrottleOptions,
) -> Result<Throttled> {
    need(backend, Capability::Ttl)?;
    need(backend, Capability::Cas)?;
    for _ in 0..ATTEMPTS {
        let entry = backend.get(key, GetOptions { want: Want::REVISION, renew: None }).await?;
        let stored = entry.as_ref().map(|entry| &*entry.value);
        let (answer, taken) = take(stored, &options, backend.now())?;
        let Some(taken) = taken else { return Ok(answer) };
        let condition = match entry {
            Some(entry) => condition(entry.revision)?,
            None => Condition::IfAbsent,
        };
        let ttl = TtlChange::After(taken.ttl);
        if replace(backend, key, taken.value, condition, ttl).await? {
            return Ok(answer);
        }
    }
    Err(contended())
}

pub(super) async fn health<B: Backend + ?Sized>(backend: &B) -> Result<()> {
    let mut writer = KeyWriter::new();
    writer.literal("=health");
    let key =
        writer.finish().map_err(|error| BackendError::new(ErrorKind::Other, error.to_string()))?;
    let probe = Bytes::from_static(b"\"ok\"");
    backend.set(&key, probe.clone(), SetOptions::default()).await?;
    let found = backend.get(&key, GetOptions::default()).await?;
    backend.remove(&key, RemoveOptions::default()).await?;
    // Another prober may have removed it in between: only other bytes are a fault.
    match found {
        Some(entry) if entry.value != probe => {
            Err(BackendError::new(ErrorKind::Corrupted, "the probe read back other bytes"))
        }
        _ => Ok(()),
    }
}

fn need<B: Backend + ?Sized>(backend: &B, capability: Capability) -> Result<()> {
    if backend.capabilities().contains(capability) {
        Ok(())
    } else {
        Err(BackendError::unsupported(capability))
    }
}

fn condition(revision: Option<super::Revision>) -> Result<Condition> {
    revision.map(Condition::IfRevision).ok_or_else(|| {
        BackendError::new(
            ErrorKind::Other,
            "the backend returned no revision although it was asked",
        )
    })
}

/// Writes under a condition; `false` where another writer was faster.
async fn replace<B: Backend + ?Sized>(
    backend: &B,
    key: &Key,
    value: Bytes,
    condition: Condition,
    ttl: TtlChange,
) -> Result<bool> {
    let options = SetOptions { condition, ttl, want_revision: false };
    match backend.set(key, value, options).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn contended() -> BackendError {
    BackendError::new(ErrorKind::Overloaded, "too many writers change this entry at once")
}
