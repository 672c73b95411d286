//! Revisions: what they tell of an entry.

use super::case;
use crate::{
    backend::{Backend, Condition, Want},
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, conflict, ensure, holds, same, wanting},
    },
};

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(get_tells_the_revision_that_set_returned, Cas),
        case!(get_tells_value_and_revision_of_one_moment, Cas),
        case!(an_untouched_entry_keeps_its_revision, Cas),
        case!(other_bytes_have_another_revision, Cas),
        case!(bytes_of_equal_length_have_other_revisions, Cas),
        case!(no_revision_comes_back_for_other_content, Cas, UniqueRevision),
        case!(no_revision_comes_back_after_a_remove, Cas, UniqueRevision),
        case!(no_revision_comes_back_after_an_expiry, Cas, Ttl, UniqueRevision),
        case!(a_change_and_its_undoing_are_seen, Cas, UniqueRevision),
    ]
}

async fn get_tells_the_revision_that_set_returned<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    for value in ["1", "2", "3"] {
        let returned = t.put_revision(&key, value).await?;
        same(t.revision(&key).await?, returned, "the revision that get tells")?;
    }
    Ok(())
}

async fn get_tells_value_and_revision_of_one_moment<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    let returned = t.put_revision(&key, "2").await?;
    let entry = t.get(&key, wanting(Want::REVISION)).await?;
    let entry = entry.ok_or_else(|| Failure::new("the entry is absent"))?;
    holds(Some(&entry.value), "2")?;
    same(entry.revision, Some(returned), "the revision beside the value")
}

async fn an_untouched_entry_keeps_its_revision<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, other) = (t.key("value"), t.key("other"));
    let before = t.put_revision(&key, "1").await?;
    t.put(&other, "2").await?;
    t.value(&key).await?;
    t.delete(&other).await?;
    same(t.revision(&key).await?, before, "the revision of an entry that nobody wrote")
}

async fn other_bytes_have_another_revision<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let first = t.put_revision(&key, "1").await?;
    let second = t.put_revision(&key, "something else").await?;
    ensure(first != second, "two values have one revision")
}

async fn bytes_of_equal_length_have_other_revisions<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut seen = Vec::new();
    for i in 0..100_u8 {
        let revision = t.put_revision(&key, vec![i; 8]).await?;
        ensure(!seen.contains(&revision), "two values have one revision")?;
        seen.push(revision);
    }
    Ok(())
}

async fn no_revision_comes_back_for_other_content<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut seen = Vec::new();
    for value in ["1", "2", "1", "1", "2", "1"] {
        let revision = t.put_revision(&key, value).await?;
        ensure(!seen.contains(&revision), "a revision came back")?;
        seen.push(revision);
    }
    Ok(())
}

async fn no_revision_comes_back_after_a_remove<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut seen = Vec::new();
    for _ in 0..5 {
        let revision = t.put_revision(&key, "1").await?;
        ensure(!seen.contains(&revision), "a revision came back with the entry")?;
        seen.push(revision);
        t.delete(&key).await?;
    }
    Ok(())
}

async fn no_revision_comes_back_after_an_expiry<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("value"), t.time.short(), t.time.now());
    let before = t.put_revision_for(&key, ttl).await?;
    t.outlive(&key, now, ttl).await?;
    let after = t.put_revision(&key, "1").await?;
    ensure(before != after, "a revision came back with the entry")
}

async fn a_change_and_its_undoing_are_seen<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let read = t.put_revision(&key, "1").await?;
    t.put(&key, "2").await?;
    t.put(&key, "1").await?;
    conflict(t.put_if(&key, "3", Condition::IfRevision(read)).await)?;
    holds(t.value(&key).await?.as_ref(), "1")
}
