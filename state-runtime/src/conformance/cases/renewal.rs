//! Reads that renew: only entries that expire, and only when less than 7/8 is left.

use core::time::Duration;

use super::case;
use crate::{
    backend::{Backend, Expiry, GetOptions, Want},
    conformance::{
        case::{Case, Checked, Failure},
        subject::Time,
        trial::{Trial, absent, ensure, holds, same},
    },
};

/// So long that no case sees it expire, and divisible by 8.
const TTL: Duration = Duration::from_secs(8000);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(a_plain_get_renews_nothing, Ttl),
        case!(a_read_renews_what_is_low, Ttl),
        case!(a_renewing_read_returns_the_value, Ttl),
        case!(a_renewing_read_tells_the_new_expiry, Ttl),
        case!(a_read_leaves_what_is_fresh, Ttl),
        case!(seven_eighths_left_is_fresh, Ttl),
        case!(a_renewal_never_shortens, Ttl),
        case!(a_renewal_gives_no_ttl_to_an_entry_without, Ttl),
        case!(a_renewal_creates_nothing, Ttl),
        case!(a_renewal_revives_nothing, Ttl),
        case!(get_many_renews_each_entry, Ttl),
        case!(a_renewal_keeps_the_value_and_what_guards_it, Cas, Ttl),
    ]
}

async fn a_plain_get_renews_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", TTL).await?;
    t.time.pass(t.time.short()).await;
    t.value(&key).await?;
    t.expires_after(&key, now, TTL).await
}

async fn a_read_renews_what_is_low<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, now) = (t.key("value"), t.time.now());
    t.put_for(&key, "1", TTL).await?;
    // Of a TTL ten times as long, a tenth is left.
    t.renew(&key, TTL * 10).await?;
    t.expires_after(&key, now, TTL * 10).await
}

async fn a_renewing_read_returns_the_value<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", TTL).await?;
    for ttl in [TTL, TTL * 10] {
        let entry = t.renew(&key, ttl).await?;
        holds(entry.map(|entry| entry.value).as_ref(), "1")?;
    }
    Ok(())
}

async fn a_renewing_read_tells_the_new_expiry<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", TTL).await?;
    let entry = t.renew(&key, TTL * 10).await?;
    let told = entry.ok_or_else(|| Failure::new("the entry is absent"))?.expiry;
    t.near(Some(told), t.expiry(&key).await?)
}

async fn a_read_leaves_what_is_fresh<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", TTL).await?;
    let before = t.expiry(&key).await?;
    t.time.pass(Duration::from_millis(50)).await;
    t.renew(&key, TTL).await?;
    t.near(t.expiry(&key).await?, before)
}

async fn seven_eighths_left_is_fresh<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", TTL).await?;
    let before = t.expiry(&key).await?;
    let Time::Manual(clock) = &t.time else {
        // What can be seen without moving a clock: of TTL * 9/8, nearly 8/9 is left.
        t.renew(&key, TTL * 9 / 8).await?;
        return t.near(t.expiry(&key).await?, before);
    };
    clock.advance(TTL / 8);
    t.renew(&key, TTL).await?;
    t.near(t.expiry(&key).await?, before)?;
    clock.advance(Duration::from_millis(1));
    let now = t.time.now();
    t.renew(&key, TTL).await?;
    t.expires_after(&key, now, TTL).await
}

async fn a_renewal_never_shortens<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", TTL).await?;
    let before = t.expiry(&key).await?;
    t.renew(&key, TTL / 10).await?;
    t.near(t.expiry(&key).await?, before)
}

async fn a_renewal_gives_no_ttl_to_an_entry_without<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    t.renew(&key, TTL).await?;
    same(t.expiry(&key).await?, Some(Expiry::Never), "the expiry of a persistent entry")
}

async fn a_renewal_creates_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    ensure(
        t.renew(&key, TTL).await?.is_none(),
        "a renewing read found an entry that is not there",
    )?;
    absent(t.value(&key).await?.as_ref())
}

async fn a_renewal_revives_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl, now) = (t.key("value"), t.time.short(), t.time.now());
    t.put_for(&key, "1", ttl).await?;
    t.outlive(&key, now, ttl).await?;
    ensure(t.renew(&key, TTL).await?.is_none(), "a renewing read found an expired entry")?;
    absent(t.value(&key).await?.as_ref())
}

async fn get_many_renews_each_entry<B: Backend>(t: &Trial<B>) -> Checked {
    let [low, forever, missing, high] = ["low", "forever", "missing", "high"].map(|n| t.key(n));
    let now = t.time.now();
    t.put_for(&low, "1", TTL).await?;
    t.put(&forever, "2").await?;
    t.put_for(&high, "3", TTL * 100).await?;
    let options = GetOptions { renew: Some(TTL * 10), want: Want::VALUE };
    let keys = [low.clone(), forever.clone(), missing, high.clone()];
    let found: Vec<_> = t.read_many(&keys, options).await?.iter().map(Option::is_some).collect();
    same(found, vec![true, true, false, true], "what get_many finds")?;
    t.expires_after(&low, now, TTL * 10).await?;
    t.expires_after(&high, now, TTL * 100).await?;
    same(t.expiry(&forever).await?, Some(Expiry::Never), "the expiry of a persistent entry")
}

async fn a_renewal_keeps_the_value_and_what_guards_it<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put_for(&key, "1", TTL).await?;
    t.renew(&key, TTL * 10).await?;
    let revision = t.revision(&key).await?;
    t.put(&key, "2").await?;
    ensure(t.revision(&key).await? != revision, "a change after a renewal is not seen")?;
    holds(t.value(&key).await?.as_ref(), "2")
}
