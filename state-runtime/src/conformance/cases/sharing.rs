//! Sharing: what one instance wrote is what every other one finds, and outlives it.

use core::time::Duration;

use bytes::Bytes;

use super::{batches::write, case, scans, watches};
use crate::{
    backend::{
        Backend, Condition, Entry, Expiry, GetOptions, RemoveOptions, Result, Revision, SetOptions,
        TtlChange, Want, WatchRequest,
    },
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, absent, adding, conflict, ensure, holds, same, wanting},
    },
    key::Key,
};

const HOUR: Duration = Duration::from_secs(3600);

/// How often each of two instances does it.
const ROUNDS: usize = 25;

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(a_value_of_another_instance_is_found, Shared),
        case!(a_value_of_another_instance_is_replaced, Shared),
        case!(a_removal_by_another_instance_is_seen, Shared),
        case!(get_many_finds_what_other_instances_wrote, Shared),
        case!(what_an_instance_wrote_outlives_it, Shared),
        case!(closing_an_instance_closes_no_other, Shared),
        case!(a_revision_is_one_for_all_instances, Shared, Cas),
        case!(a_revision_outlives_its_instance, Shared, Cas),
        case!(a_change_by_another_instance_is_a_conflict, Shared, Cas),
        case!(what_another_instance_created_cannot_be_created, Shared, Cas),
        case!(no_addition_of_two_instances_is_lost, Shared, Cas),
        case!(an_expiry_is_one_for_all_instances, Shared, Ttl),
        case!(an_expiry_outlives_its_instance, Shared, Ttl),
        case!(an_entry_expires_for_all_instances, Shared, Ttl),
        case!(a_batch_of_another_instance_is_found_whole, Shared, Batch),
        case!(a_scan_lists_what_another_instance_wrote, Shared, Scan),
        case!(a_write_of_another_instance_is_told, Shared, Watch),
        case!(a_removal_by_another_instance_is_told, Shared, Watch),
    ]
}

async fn put<B: Backend>(backend: &B, key: &Key, value: impl Into<Bytes>) -> Result<()> {
    backend.set(key, value.into(), SetOptions::default()).await.map(drop)
}

async fn put_for<B: Backend>(backend: &B, key: &Key, ttl: Duration) -> Result<()> {
    let options = SetOptions { ttl: TtlChange::After(ttl), ..SetOptions::default() };
    backend.set(key, "1".into(), options).await.map(drop)
}

async fn value<B: Backend>(backend: &B, key: &Key) -> Result<Option<Bytes>> {
    Ok(backend.get(key, GetOptions::default()).await?.map(|entry| entry.value))
}

async fn revision<B: Backend>(backend: &B, key: &Key) -> Checked<Revision> {
    let entry: Option<Entry> = backend.get(key, wanting(Want::REVISION)).await?;
    let revision = entry.and_then(|entry| entry.revision);
    revision.ok_or_else(|| Failure::new("another instance finds no entry, or no revision"))
}

async fn a_value_of_another_instance_is_found<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    // Whoever remembers that there was nothing has to forget it.
    absent(t.value(&key).await?.as_ref())?;
    put(&other, &key, "1").await?;
    holds(t.value(&key).await?.as_ref(), "1")?;
    ensure(t.exists(&key).await?, "what another instance wrote does not exist")
}

async fn a_value_of_another_instance_is_replaced<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    for round in 0..ROUNDS {
        put(&other, &key, format!("other {round}")).await?;
        holds(t.value(&key).await?.as_ref(), format!("other {round}"))?;
        t.put(&key, format!("mine {round}")).await?;
        holds(value(&other, &key).await?.as_ref(), format!("mine {round}"))?;
    }
    Ok(())
}

async fn a_removal_by_another_instance_is_seen<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    t.put(&key, "1").await?;
    holds(t.value(&key).await?.as_ref(), "1")?;
    other.remove(&key, RemoveOptions::default()).await?;
    absent(t.value(&key).await?.as_ref())
}

async fn get_many_finds_what_other_instances_wrote<B: Backend>(t: &Trial<B>) -> Checked {
    let (keys, other) = (t.keys(20), t.fresh().await?);
    for (i, key) in keys.iter().enumerate() {
        if i % 2 == 0 {
            put(&other, key, i.to_string()).await?;
        } else {
            t.put(key, i.to_string()).await?;
        }
    }
    let found = t.read_many(&keys, GetOptions::default()).await?;
    same(found.len(), keys.len(), "how many entries were answered")?;
    for (i, entry) in found.into_iter().enumerate() {
        holds(entry.map(|entry| entry.value).as_ref(), i.to_string())?;
    }
    Ok(())
}

async fn what_an_instance_wrote_outlives_it<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, gone) = (t.key("value"), t.key("gone"));
    let other = t.fresh().await?;
    put(&other, &key, "1").await?;
    put(&other, &gone, "1").await?;
    other.remove(&gone, RemoveOptions::default()).await?;
    other.close().await?;
    drop(other);
    let later = t.fresh().await?;
    holds(value(&later, &key).await?.as_ref(), "1")?;
    absent(value(&later, &gone).await?.as_ref())
}

async fn closing_an_instance_closes_no_other<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    put(&other, &key, "1").await?;
    other.close().await?;
    holds(t.value(&key).await?.as_ref(), "1")?;
    t.put(&key, "2").await?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn a_revision_is_one_for_all_instances<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    let read = t.put_revision(&key, "1").await?;
    same(revision(&other, &key).await?, read.clone(), "the revision that another instance finds")?;
    let options = SetOptions { condition: Condition::IfRevision(read), ..SetOptions::default() };
    other.set(&key, "2".into(), options).await?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn a_revision_outlives_its_instance<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    put(&other, &key, "1").await?;
    let read = revision(&other, &key).await?;
    other.close().await?;
    let later = t.fresh().await?;
    same(revision(&later, &key).await?, read.clone(), "the revision after a reconnect")?;
    t.put_if(&key, "2", Condition::IfRevision(read)).await?;
    holds(value(&later, &key).await?.as_ref(), "2")
}

async fn a_change_by_another_instance_is_a_conflict<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    let read = t.put_revision(&key, "1").await?;
    put(&other, &key, "2").await?;
    conflict(t.put_if(&key, "3", Condition::IfRevision(read.clone())).await)?;
    conflict(t.delete_if(&key, Condition::IfRevision(read)).await)?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn what_another_instance_created_cannot_be_created<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    let options = SetOptions { condition: Condition::IfAbsent, ..SetOptions::default() };
    other.set(&key, "1".into(), options).await?;
    conflict(t.put_if(&key, "2", Condition::IfAbsent).await)?;
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn no_addition_of_two_instances_is_lost<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("n"), t.fresh().await?);
    let mut theirs = {
        let key = key.clone();
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                other.add(&key, adding(1)).await?;
            }
            Ok(())
        })
    };
    for _ in 0..ROUNDS {
        t.plus(&key, 1).await?;
    }
    let result: Result<()> =
        (&mut theirs).await.map_err(|_| Failure::new("the other instance panicked"))?;
    result?;
    holds(t.value(&key).await?.as_ref(), (2 * ROUNDS).to_string())
}

async fn an_expiry_is_one_for_all_instances<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other, now) = (t.key("value"), t.fresh().await?, t.time.now());
    put_for(&other, &key, HOUR).await?;
    t.expires_after(&key, now, HOUR).await?;
    ensure(
        t.touch(&key, TtlChange::Clear).await?,
        "what another instance wrote cannot be touched",
    )?;
    same(other.expiry(&key).await?, Some(Expiry::Never), "the expiry that another instance finds")
}

async fn an_expiry_outlives_its_instance<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    let other = t.fresh().await?;
    put_for(&other, &key, HOUR).await?;
    other.close().await?;
    drop(other);
    let later = t.fresh().await?;
    t.near(later.expiry(&key).await?, Some(Expiry::At(now.after(HOUR))))
}

async fn an_entry_expires_for_all_instances<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    let (ttl, now) = (t.time.short(), t.time.now());
    put_for(&other, &key, ttl).await?;
    let found = t.value(&key).await?.is_some();
    ensure(found || t.time.now() >= now.after(ttl), "what another instance wrote is not found")?;
    t.outlive(&key, now, ttl).await?;
    absent(value(&other, &key).await?.as_ref())
}

async fn a_batch_of_another_instance_is_found_whole<B: Backend>(t: &Trial<B>) -> Checked {
    let (old, new, other) = (t.key("old"), t.key("new"), t.fresh().await?);
    t.put(&old, "1").await?;
    other.apply(vec![write(&old, "2"), write(&new, "2")]).await?;
    holds(t.value(&old).await?.as_ref(), "2")?;
    holds(t.value(&new).await?.as_ref(), "2")
}

async fn a_scan_lists_what_another_instance_wrote<B: Backend>(t: &Trial<B>) -> Checked {
    let (keys, other) = (t.keys(20), t.fresh().await?);
    for (i, key) in keys.iter().enumerate() {
        if i % 2 == 0 {
            put(&other, key, "1").await?;
        } else {
            t.put(key, "1").await?;
        }
    }
    let found = scans::names(t, scans::request(&t.prefix, 7)).await?;
    same(found, scans::texts(&keys), "the scan")
}

async fn a_write_of_another_instance_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    let mut changes = t.watch(WatchRequest::Key(key.clone())).await?;
    for i in 0..3 {
        put(&other, &key, i.to_string()).await?;
        watches::told(&mut changes, &key, |_| false).await?;
        holds(t.value(&key).await?.as_ref(), i.to_string())?;
    }
    Ok(())
}

async fn a_removal_by_another_instance_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.fresh().await?);
    t.put(&key, "1").await?;
    let mut changes = t.watch(WatchRequest::Prefix(t.prefix.clone())).await?;
    other.remove(&key, RemoveOptions::default()).await?;
    watches::told(&mut changes, &key, |_| false).await?;
    absent(t.value(&key).await?.as_ref())
}
