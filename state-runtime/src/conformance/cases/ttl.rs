//! What a write does to the expiry of its entry, and what is told of it.

use core::time::Duration;

use super::case;
use crate::{
    backend::{Backend, Expiry, MAX_TTL, TtlChange},
    conformance::{
        case::{Case, Checked},
        trial::{Trial, holds, same},
    },
};

/// So long that no case sees it expire.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(an_entry_with_ttl_is_read_back, Ttl),
        case!(expiry_tells_when_an_entry_expires, Ttl),
        case!(get_tells_when_an_entry_expires, Ttl),
        case!(get_tells_that_an_entry_never_expires, Ttl),
        case!(the_longest_ttl_is_held, Ttl),
        case!(a_plain_set_clears_the_ttl, Ttl),
        case!(after_gives_a_ttl_to_an_entry_without, Ttl),
        case!(after_replaces_a_shorter_ttl, Ttl),
        case!(after_replaces_a_longer_ttl, Ttl),
        case!(keep_leaves_the_ttl_as_it_is, Ttl),
        case!(keep_leaves_an_entry_without_ttl_so, Ttl),
        case!(keep_creates_entries_that_live_for_ever, Ttl),
        case!(a_remove_takes_the_ttl_along, Ttl),
    ]
}

async fn an_entry_with_ttl_is_read_back<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", HOUR).await?;
    holds(t.value(&key).await?.as_ref(), "1")
}

async fn expiry_tells_when_an_entry_expires<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", HOUR).await?;
    t.expires_after(&key, now, HOUR).await
}

async fn get_tells_when_an_entry_expires<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", HOUR).await?;
    t.near(Some(t.expires(&key).await?), t.expiry(&key).await?)
}

async fn get_tells_that_an_entry_never_expires<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    same(t.expires(&key).await?, Expiry::Never, "the expiry that get tells")
}

async fn the_longest_ttl_is_held<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", MAX_TTL).await?;
    holds(t.value(&key).await?.as_ref(), "1")?;
    t.expires_after(&key, now, MAX_TTL).await
}

async fn a_plain_set_clears_the_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", HOUR).await?;
    t.put(&key, "2").await?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry after a plain set")
}

async fn after_gives_a_ttl_to_an_entry_without<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put(&key, "1").await?;
    t.put_for(&key, "2", HOUR).await?;
    t.expires_after(&key, now, HOUR).await
}

async fn after_replaces_a_shorter_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", HOUR).await?;
    t.put_for(&key, "2", HOUR * 5).await?;
    t.expires_after(&key, now, HOUR * 5).await
}

async fn after_replaces_a_longer_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", HOUR * 5).await?;
    t.put_for(&key, "2", HOUR).await?;
    t.expires_after(&key, now, HOUR).await
}

async fn keep_leaves_the_ttl_as_it_is<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", HOUR).await?;
    t.time.pass(t.time.short()).await;
    t.put_ttl(&key, "2", TtlChange::Keep).await?;
    holds(t.value(&key).await?.as_ref(), "2")?;
    t.expires_after(&key, now, HOUR).await
}

async fn keep_leaves_an_entry_without_ttl_so<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    t.put_ttl(&key, "2", TtlChange::Keep).await?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry that was kept")
}

async fn keep_creates_entries_that_live_for_ever<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_ttl(&key, "1", TtlChange::Keep).await?;
    holds(t.value(&key).await?.as_ref(), "1")?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry of a new entry")
}

async fn a_remove_takes_the_ttl_along<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", HOUR).await?;
    t.delete(&key).await?;
    same(t.expiry(&key).await?, None, "the expiry of a removed entry")?;
    t.put_ttl(&key, "2", TtlChange::Keep).await?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry of the entry after it")
}
