//! `touch`: another expiry for the same value.

use core::time::Duration;

use super::case;
use crate::{
    backend::{Backend, Expiry, TtlChange},
    conformance::{
        case::{Case, Checked},
        trial::{Trial, absent, ensure, holds, same},
    },
};

/// So long that no case sees it expire.
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(touch_gives_a_ttl, Cas, Ttl),
        case!(touch_lengthens_a_ttl, Cas, Ttl),
        case!(touch_shortens_a_ttl, Cas, Ttl),
        case!(touch_clears_a_ttl, Cas, Ttl),
        case!(touch_keeps_a_ttl, Cas, Ttl),
        case!(touch_leaves_the_value, Cas, Ttl),
        case!(a_touched_entry_expires_by_its_new_ttl, Cas, Ttl),
        case!(touch_creates_nothing, Cas, Ttl),
        case!(touch_revives_nothing, Cas, Ttl),
    ]
}

async fn touch_gives_a_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put(&key, "1").await?;
    ensure(t.touch(&key, TtlChange::After(HOUR)).await?, "touch did not find the entry")?;
    t.expires_after(&key, now, HOUR).await
}

async fn touch_lengthens_a_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", HOUR).await?;
    ensure(t.touch(&key, TtlChange::After(HOUR * 2)).await?, "touch did not find the entry")?;
    t.expires_after(&key, now, HOUR * 2).await
}

async fn touch_shortens_a_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", HOUR * 2).await?;
    ensure(t.touch(&key, TtlChange::After(HOUR)).await?, "touch did not find the entry")?;
    t.expires_after(&key, now, HOUR).await
}

async fn touch_clears_a_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", HOUR).await?;
    ensure(t.touch(&key, TtlChange::Clear).await?, "touch did not find the entry")?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry after clearing it")
}

async fn touch_keeps_a_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", HOUR).await?;
    ensure(t.touch(&key, TtlChange::Keep).await?, "touch did not find the entry")?;
    t.expires_after(&key, now, HOUR).await
}

async fn touch_leaves_the_value<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, b"\0\xffbytes".as_slice()).await?;
    t.touch(&key, TtlChange::After(HOUR)).await?;
    t.touch(&key, TtlChange::Clear).await?;
    holds(t.value(&key).await?.as_ref(), b"\0\xffbytes")
}

async fn a_touched_entry_expires_by_its_new_ttl<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("value"), t.time.short(), t.time.now());
    t.put_for(&key, "1", HOUR).await?;
    t.touch(&key, TtlChange::After(ttl)).await?;
    t.outlive(&key, now, ttl).await
}

async fn touch_creates_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let found = t.touch(&key, TtlChange::After(HOUR)).await?;
    ensure(!found, "touch found an entry that is not there")?;
    absent(t.value(&key).await?.as_ref())
}

async fn touch_revives_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("value"), t.time.short(), t.time.now());
    t.put_for(&key, "1", ttl).await?;
    t.outlive(&key, now, ttl).await?;
    ensure(!t.touch(&key, TtlChange::After(HOUR)).await?, "touch found an expired entry")?;
    absent(t.value(&key).await?.as_ref())
}
