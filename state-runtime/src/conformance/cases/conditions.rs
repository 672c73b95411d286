//! Conditional writes and removals.

use super::case;
use crate::{
    backend::{Backend, Condition, Revision, SetOptions},
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, absent, conflict, holds},
    },
};

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(if_absent_creates, Cas),
        case!(if_absent_leaves_an_existing_entry, Cas),
        case!(if_absent_creates_after_a_remove, Cas),
        case!(if_absent_finds_an_empty_value, Cas),
        case!(if_revision_replaces_what_was_read, Cas),
        case!(if_revision_leaves_what_was_changed, Cas),
        case!(if_revision_does_not_create, Cas),
        case!(if_revision_does_not_revive, Cas),
        case!(if_revision_leaves_what_was_created_anew, Cas),
        case!(an_unknown_revision_is_a_conflict, Cas),
        case!(a_revision_is_good_for_one_change, Cas),
        case!(each_write_returns_the_revision_for_the_next, Cas),
        case!(remove_if_revision_removes_what_was_read, Cas),
        case!(remove_if_revision_leaves_what_was_changed, Cas),
        case!(remove_if_revision_refuses_an_absent_entry, Cas),
        case!(remove_if_absent_is_a_mere_check, Cas),
    ]
}

async fn if_absent_creates<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_if(&key, "1", Condition::IfAbsent).await?;
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn if_absent_leaves_an_existing_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    conflict(t.put_if(&key, "2", Condition::IfAbsent).await)?;
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn if_absent_creates_after_a_remove<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    t.delete(&key).await?;
    t.put_if(&key, "2", Condition::IfAbsent).await?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn if_absent_finds_an_empty_value<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "").await?;
    conflict(t.put_if(&key, "2", Condition::IfAbsent).await)?;
    holds(t.value(&key).await?.as_ref(), "")
}

async fn if_revision_replaces_what_was_read<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    let read = t.revision(&key).await?;
    t.put_if(&key, "2", Condition::IfRevision(read)).await?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn if_revision_leaves_what_was_changed<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    let read = t.revision(&key).await?;
    t.put(&key, "2").await?;
    conflict(t.put_if(&key, "3", Condition::IfRevision(read)).await)?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn if_revision_does_not_create<B: Backend>(t: &Trial<B>) -> Checked {
    let (other, key) = (t.key("other"), t.key("value"));
    let revision = t.put_revision(&other, "1").await?;
    conflict(t.put_if(&key, "1", Condition::IfRevision(revision)).await)?;
    absent(t.value(&key).await?.as_ref())
}

async fn if_revision_does_not_revive<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let revision = t.put_revision(&key, "1").await?;
    t.delete(&key).await?;
    conflict(t.put_if(&key, "2", Condition::IfRevision(revision)).await)?;
    absent(t.value(&key).await?.as_ref())
}

async fn if_revision_leaves_what_was_created_anew<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let revision = t.put_revision(&key, "1").await?;
    t.delete(&key).await?;
    t.put(&key, "2").await?;
    conflict(t.put_if(&key, "3", Condition::IfRevision(revision)).await)?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn an_unknown_revision_is_a_conflict<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    for foreign in [b"".as_slice(), b"0", &[0; 8], &[255; 16], &[7; 40]] {
        let condition = Condition::IfRevision(Revision::from_bytes(foreign));
        conflict(t.put_if(&key, "2", condition.clone()).await)?;
        conflict(t.delete_if(&key, condition).await)?;
    }
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn a_revision_is_good_for_one_change<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let revision = t.put_revision(&key, "1").await?;
    t.put_if(&key, "2", Condition::IfRevision(revision.clone())).await?;
    conflict(t.put_if(&key, "3", Condition::IfRevision(revision)).await)?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn each_write_returns_the_revision_for_the_next<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut revision = t.put_revision(&key, "0").await?;
    for i in 1..20 {
        let options = SetOptions {
            condition: Condition::IfRevision(revision),
            want_revision: true,
            ..SetOptions::default()
        };
        let returned = t.set(&key, i.to_string().into(), options).await?;
        revision = returned.ok_or_else(|| Failure::new("set returned no revision"))?;
    }
    holds(t.value(&key).await?.as_ref(), "19")
}

async fn remove_if_revision_removes_what_was_read<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    let read = t.revision(&key).await?;
    t.delete_if(&key, Condition::IfRevision(read)).await?;
    absent(t.value(&key).await?.as_ref())
}

async fn remove_if_revision_leaves_what_was_changed<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let read = t.put_revision(&key, "1").await?;
    t.put(&key, "2").await?;
    conflict(t.delete_if(&key, Condition::IfRevision(read)).await)?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn remove_if_revision_refuses_an_absent_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let read = t.put_revision(&key, "1").await?;
    t.delete(&key).await?;
    conflict(t.delete_if(&key, Condition::IfRevision(read)).await)
}

async fn remove_if_absent_is_a_mere_check<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.delete_if(&key, Condition::IfAbsent).await?;
    absent(t.value(&key).await?.as_ref())?;
    t.put(&key, "1").await?;
    conflict(t.delete_if(&key, Condition::IfAbsent).await)?;
    holds(t.value(&key).await?.as_ref(), "1")
}
