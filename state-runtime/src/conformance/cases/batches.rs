//! Batches: several writes as one.

use core::time::Duration;

use bytes::Bytes;

use super::case;
use crate::{
    backend::{
        Backend, BatchOp, Condition, ErrorKind, Expiry, RemoveOptions, SetOptions, TtlChange,
    },
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, absent, ensure, holds, refused, same},
    },
    key::Key,
};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(an_empty_batch_does_nothing, Batch),
        case!(a_batch_of_one_is_a_write, Batch),
        case!(a_batch_writes_all_of_it, Batch),
        case!(a_batch_removes_and_writes, Batch),
        case!(a_batch_removes_what_is_absent, Batch),
        case!(a_batch_of_a_hundred_is_applied, Batch),
        case!(a_batch_replaces_values, Batch),
        case!(a_key_stands_in_a_batch_once, Batch),
        case!(a_batch_gives_ttls, Batch, Ttl),
        case!(a_batch_keeps_ttls, Batch, Ttl),
        case!(a_batch_of_conditions_that_hold_is_applied, Batch, Cas),
        case!(a_conflict_names_its_operation, Batch, Cas),
        case!(a_conflict_at_the_end_applies_nothing, Batch, Cas),
        case!(a_conflict_of_a_removal_applies_nothing, Batch, Cas),
        case!(a_mere_check_guards_a_batch, Batch, Cas),
        case!(a_batch_returns_the_revisions_in_order, Batch, Cas),
        case!(an_expired_entry_is_absent_to_a_batch, Batch, Cas, Ttl),
    ]
}

pub(super) fn write(key: &Key, value: impl Into<Bytes>) -> BatchOp {
    write_if(key, value, Condition::Always)
}

pub(super) fn write_if(key: &Key, value: impl Into<Bytes>, condition: Condition) -> BatchOp {
    let options = SetOptions { condition, ..SetOptions::default() };
    BatchOp::Set { key: key.clone(), value: value.into(), options }
}

fn write_ttl(key: &Key, ttl: TtlChange) -> BatchOp {
    let options = SetOptions { ttl, ..SetOptions::default() };
    BatchOp::Set { key: key.clone(), value: "ttl".into(), options }
}

fn delete(key: &Key) -> BatchOp {
    delete_if(key, Condition::Always)
}

fn delete_if(key: &Key, condition: Condition) -> BatchOp {
    BatchOp::Remove { key: key.clone(), options: RemoveOptions { condition } }
}

async fn an_empty_batch_does_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    same(t.apply(Vec::new()).await?.len(), 0, "the revisions of an empty batch")
}

async fn a_batch_of_one_is_a_write<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("a");
    t.apply(vec![write(&key, "1")]).await?;
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn a_batch_writes_all_of_it<B: Backend>(t: &Trial<B>) -> Checked {
    let [a, b, c] = ["a", "b", "c"].map(|name| t.key(name));
    t.apply(vec![write(&a, "1"), write(&b, ""), write(&c, b"\0\xff".as_slice())]).await?;
    holds(t.value(&a).await?.as_ref(), "1")?;
    holds(t.value(&b).await?.as_ref(), "")?;
    holds(t.value(&c).await?.as_ref(), b"\0\xff")
}

async fn a_batch_removes_and_writes<B: Backend>(t: &Trial<B>) -> Checked {
    let (old, new) = (t.key("old"), t.key("new"));
    t.put(&old, "1").await?;
    t.apply(vec![delete(&old), write(&new, "1")]).await?;
    absent(t.value(&old).await?.as_ref())?;
    holds(t.value(&new).await?.as_ref(), "1")
}

async fn a_batch_removes_what_is_absent<B: Backend>(t: &Trial<B>) -> Checked {
    let (gone, new) = (t.key("gone"), t.key("new"));
    t.apply(vec![delete(&gone), write(&new, "1")]).await?;
    absent(t.value(&gone).await?.as_ref())?;
    holds(t.value(&new).await?.as_ref(), "1")
}

async fn a_batch_of_a_hundred_is_applied<B: Backend>(t: &Trial<B>) -> Checked {
    let keys = t.keys(100);
    t.apply(keys.iter().map(|key| write(key, key.as_str().to_owned())).collect()).await?;
    for key in &keys {
        holds(t.value(key).await?.as_ref(), key.as_str())?;
    }
    t.apply(keys.iter().map(delete).collect()).await?;
    for key in &keys {
        absent(t.value(key).await?.as_ref())?;
    }
    Ok(())
}

async fn a_batch_replaces_values<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    t.put(&a, "old").await?;
    t.apply(vec![write(&a, "1"), write(&b, "2")]).await?;
    t.apply(vec![write(&b, "3"), write(&a, "4")]).await?;
    holds(t.value(&a).await?.as_ref(), "4")?;
    holds(t.value(&b).await?.as_ref(), "3")
}

async fn a_key_stands_in_a_batch_once<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    let twice = vec![write(&a, "1"), write(&b, "2"), write(&a, "3")];
    ensure(t.apply(twice).await.is_err(), "a batch may not write a key twice")?;
    let mixed = vec![write(&b, "1"), delete(&b)];
    ensure(t.apply(mixed).await.is_err(), "a batch may not write and remove a key")?;
    absent(t.value(&a).await?.as_ref())?;
    absent(t.value(&b).await?.as_ref())
}

async fn a_batch_gives_ttls<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b, now) = (t.key("a"), t.key("b"), t.time.now());
    t.apply(vec![write_ttl(&a, TtlChange::After(HOUR)), write_ttl(&b, TtlChange::After(HOUR * 2))])
        .await?;
    t.expires_after(&a, now, HOUR).await?;
    t.expires_after(&b, now, HOUR * 2).await
}

async fn a_batch_keeps_ttls<B: Backend>(t: &Trial<B>) -> Checked {
    let (kept, cleared, now) = (t.key("kept"), t.key("cleared"), t.time.now());
    t.put_for(&kept, "1", HOUR).await?;
    t.put_for(&cleared, "1", HOUR).await?;
    t.apply(vec![write_ttl(&kept, TtlChange::Keep), write_ttl(&cleared, TtlChange::Clear)]).await?;
    t.expires_after(&kept, now, HOUR).await?;
    t.near(t.expiry(&cleared).await?, Some(Expiry::Never))
}

async fn a_batch_of_conditions_that_hold_is_applied<B: Backend>(t: &Trial<B>) -> Checked {
    let [new, changed, gone] = ["new", "changed", "gone"].map(|name| t.key(name));
    let read = t.put_revision(&changed, "1").await?;
    let removed = t.put_revision(&gone, "1").await?;
    t.apply(vec![
        write_if(&new, "2", Condition::IfAbsent),
        write_if(&changed, "2", Condition::IfRevision(read)),
        delete_if(&gone, Condition::IfRevision(removed)),
    ])
    .await?;
    holds(t.value(&new).await?.as_ref(), "2")?;
    holds(t.value(&changed).await?.as_ref(), "2")?;
    absent(t.value(&gone).await?.as_ref())
}

async fn a_conflict_names_its_operation<B: Backend>(t: &Trial<B>) -> Checked {
    let [a, b, c] = ["a", "b", "c"].map(|name| t.key(name));
    t.put(&c, "old").await?;
    let absent = Condition::IfAbsent;
    let last = [&a, &b, &c].map(|key| write_if(key, "1", absent.clone()));
    refused(t.apply(last.to_vec()).await, ErrorKind::Conflict { index: 2 })?;
    let first = [&c, &a, &b].map(|key| write_if(key, "1", absent.clone()));
    refused(t.apply(first.to_vec()).await, ErrorKind::Conflict { index: 0 })
}

async fn a_conflict_at_the_end_applies_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let [new, old, gone, guard] = ["new", "old", "gone", "guard"].map(|name| t.key(name));
    for key in [&old, &gone, &guard] {
        t.put(key, "old").await?;
    }
    let batch = vec![
        write(&new, "1"),
        write(&old, "1"),
        delete(&gone),
        write_if(&guard, "1", Condition::IfAbsent),
    ];
    refused(t.apply(batch).await, ErrorKind::Conflict { index: 3 })?;
    absent(t.value(&new).await?.as_ref())?;
    for key in [&old, &gone, &guard] {
        holds(t.value(key).await?.as_ref(), "old")?;
    }
    Ok(())
}

async fn a_conflict_of_a_removal_applies_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let (new, changed) = (t.key("new"), t.key("changed"));
    let read = t.put_revision(&changed, "1").await?;
    t.put(&changed, "2").await?;
    let batch = vec![write(&new, "1"), delete_if(&changed, Condition::IfRevision(read))];
    refused(t.apply(batch).await, ErrorKind::Conflict { index: 1 })?;
    absent(t.value(&new).await?.as_ref())?;
    holds(t.value(&changed).await?.as_ref(), "2")
}

async fn a_mere_check_guards_a_batch<B: Backend>(t: &Trial<B>) -> Checked {
    let (guard, key) = (t.key("guard"), t.key("value"));
    let batch = || vec![delete_if(&guard, Condition::IfAbsent), write(&key, "1")];
    t.put(&guard, "there").await?;
    refused(t.apply(batch()).await, ErrorKind::Conflict { index: 0 })?;
    absent(t.value(&key).await?.as_ref())?;
    t.delete(&guard).await?;
    t.apply(batch()).await?;
    absent(t.value(&guard).await?.as_ref())?;
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn a_batch_returns_the_revisions_in_order<B: Backend>(t: &Trial<B>) -> Checked {
    let [a, b, c] = ["a", "b", "c"].map(|name| t.key(name));
    t.put(&b, "old").await?;
    let asking = |key: &Key| BatchOp::Set {
        key: key.clone(),
        value: key.as_str().to_owned().into(),
        options: SetOptions { want_revision: true, ..SetOptions::default() },
    };
    let revisions = t.apply(vec![asking(&c), delete(&b), asking(&a)]).await?;
    let [Some(of_c), _, Some(of_a)] = &*revisions else {
        return Err(Failure::new("a batch does not return the revisions that were asked for"));
    };
    same(&t.revision(&c).await?, of_c, "the revision of the first operation")?;
    same(&t.revision(&a).await?, of_a, "the revision of the last operation")
}

async fn an_expired_entry_is_absent_to_a_batch<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    let (ttl, now) = (t.time.short(), t.time.now());
    let read = t.put_revision_for(&a, ttl).await?;
    t.outlive(&a, now, ttl).await?;
    let stale = vec![write(&b, "1"), write_if(&a, "1", Condition::IfRevision(read))];
    refused(t.apply(stale).await, ErrorKind::Conflict { index: 1 })?;
    t.apply(vec![write_if(&a, "new", Condition::IfAbsent)]).await?;
    holds(t.value(&a).await?.as_ref(), "new")
}
