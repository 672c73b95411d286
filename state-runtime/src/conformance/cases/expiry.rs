//! Expired entries: to everybody, they are not there.

use super::case;
use crate::{
    backend::{Backend, Condition, Expiry, GetOptions, MIN_TTL, SetOptions, Timestamp, TtlChange},
    conformance::{
        case::{Case, Checked},
        subject::Time,
        trial::{Trial, absent, conflict, ensure, holds, same},
    },
    key::Key,
};

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(an_entry_expires, Ttl),
        case!(an_entry_lives_to_its_last_millisecond, Ttl),
        case!(the_shortest_ttl_expires, Ttl),
        case!(an_expired_entry_does_not_exist, Ttl),
        case!(an_expired_entry_has_no_expiry, Ttl),
        case!(get_many_leaves_out_what_expired, Ttl),
        case!(removing_an_expired_entry_is_fine, Ttl),
        case!(an_expired_key_can_be_written_again, Ttl),
        case!(nothing_else_expires_along, Ttl),
        case!(what_replaces_an_expiring_entry_outlives_it, Ttl),
        case!(what_follows_a_removed_expiring_entry_outlives_it, Ttl),
        case!(keep_finds_nothing_to_keep_in_an_expired_entry, Ttl),
        case!(if_absent_creates_over_an_expired_entry, Cas, Ttl),
        case!(if_revision_refuses_an_expired_entry, Cas, Ttl),
        case!(remove_if_absent_holds_for_an_expired_entry, Cas, Ttl),
        case!(remove_if_revision_refuses_an_expired_entry, Cas, Ttl),
        case!(a_conditional_write_can_expire, Cas, Ttl),
    ]
}

/// Writes an entry and waits until it is gone.
async fn expired<B: Backend>(t: &Trial<B>, key: &Key) -> Checked {
    let (ttl, now) = (t.time.short(), t.time.now());
    t.put_for(key, "old", ttl).await?;
    t.outlive(key, now, ttl).await
}

async fn an_entry_expires<B: Backend>(t: &Trial<B>) -> Checked {
    expired(t, &t.key("value")).await
}

async fn an_entry_lives_to_its_last_millisecond<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl) = (t.key("value"), t.time.short());
    let before: Timestamp = t.time.now();
    t.put_for(&key, "1", ttl).await?;
    if let Time::Manual(clock) = &t.time {
        clock.set(Timestamp::from_millis(before.after(ttl).as_millis() - 1));
        return holds(t.value(&key).await?.as_ref(), "1");
    }
    // With a clock that runs by itself: whenever it is gone, its time was over.
    t.outlive(&key, before, ttl).await
}

async fn the_shortest_ttl_expires<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", MIN_TTL).await?;
    t.outlive(&key, now, MIN_TTL).await
}

async fn an_expired_entry_does_not_exist<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    expired(t, &key).await?;
    ensure(!t.exists(&key).await?, "exists says yes to an expired entry")
}

async fn an_expired_entry_has_no_expiry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    expired(t, &key).await?;
    same(t.expiry(&key).await?, None, "expiry of an expired entry")
}

async fn get_many_leaves_out_what_expired<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.key("other"));
    t.put(&other, "2").await?;
    expired(t, &key).await?;
    let entries = t.read_many(&[key, other], GetOptions::default()).await?;
    let there: Vec<_> = entries.iter().map(Option::is_some).collect();
    same(there, vec![false, true], "what get_many finds")
}

async fn removing_an_expired_entry_is_fine<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    expired(t, &key).await?;
    t.delete(&key).await?;
    absent(t.value(&key).await?.as_ref())
}

async fn an_expired_key_can_be_written_again<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    expired(t, &key).await?;
    t.put(&key, "new").await?;
    holds(t.value(&key).await?.as_ref(), "new")
}

async fn nothing_else_expires_along<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, long, forever) = (t.key("value"), t.key("long"), t.key("forever"));
    t.put_for(&long, "1", t.time.short() * 1000).await?;
    t.put(&forever, "2").await?;
    expired(t, &key).await?;
    holds(t.value(&long).await?.as_ref(), "1")?;
    holds(t.value(&forever).await?.as_ref(), "2")
}

async fn what_replaces_an_expiring_entry_outlives_it<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, clock) = (t.key("value"), t.key("clock"));
    t.put_for(&key, "1", t.time.short()).await?;
    t.put(&key, "2").await?;
    expired(t, &clock).await?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn what_follows_a_removed_expiring_entry_outlives_it<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, clock) = (t.key("value"), t.key("clock"));
    t.put_for(&key, "1", t.time.short()).await?;
    t.delete(&key).await?;
    t.put_ttl(&key, "2", TtlChange::Keep).await?;
    expired(t, &clock).await?;
    holds(t.value(&key).await?.as_ref(), "2")
}

async fn keep_finds_nothing_to_keep_in_an_expired_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    expired(t, &key).await?;
    t.put_ttl(&key, "new", TtlChange::Keep).await?;
    holds(t.value(&key).await?.as_ref(), "new")?;
    same(t.expires(&key).await?, Expiry::Never, "the expiry of the new entry")
}

async fn if_absent_creates_over_an_expired_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    expired(t, &key).await?;
    t.put_if(&key, "new", Condition::IfAbsent).await?;
    holds(t.value(&key).await?.as_ref(), "new")
}

async fn if_revision_refuses_an_expired_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("value"), t.time.short(), t.time.now());
    let revision = t.put_revision_for(&key, ttl).await?;
    t.outlive(&key, now, ttl).await?;
    conflict(t.put_if(&key, "2", Condition::IfRevision(revision)).await)?;
    absent(t.value(&key).await?.as_ref())
}

async fn remove_if_absent_holds_for_an_expired_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    expired(t, &key).await?;
    Ok(t.delete_if(&key, Condition::IfAbsent).await?)
}

async fn remove_if_revision_refuses_an_expired_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("value"), t.time.short(), t.time.now());
    let revision = t.put_revision_for(&key, ttl).await?;
    t.outlive(&key, now, ttl).await?;
    conflict(t.delete_if(&key, Condition::IfRevision(revision)).await)
}

async fn a_conditional_write_can_expire<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("value"), t.time.short(), t.time.now());
    let options = SetOptions {
        condition: Condition::IfAbsent,
        ttl: TtlChange::After(ttl),
        want_revision: false,
    };
    t.set(&key, "1".into(), options).await?;
    t.outlive(&key, now, ttl).await
}
