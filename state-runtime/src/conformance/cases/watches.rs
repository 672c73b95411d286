//! Watches: whoever asks is told of every change from then on.

use core::{future::poll_fn, time::Duration};
use std::collections::HashSet;

use super::{batches::write, case};
use crate::{
    backend::{Backend, Change, Changes, GetOptions, SetOptions, WatchRequest},
    conformance::{
        case::{Case, Checked, Failure},
        trial::{Trial, adding, ensure, holds},
    },
    key::Key,
};

/// Longer than a hint takes on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn cases<B: Backend>() -> Vec<Case<B>> {
    vec![
        case!(a_write_is_told, Watch),
        case!(every_later_write_is_told, Watch),
        case!(a_remove_is_told, Watch),
        case!(a_write_right_after_subscribing_is_told, Watch),
        case!(a_watch_of_a_key_is_told_of_nothing_else, Watch),
        case!(a_watch_of_a_prefix_is_told_of_all_under_it, Watch),
        case!(a_watch_of_a_prefix_is_told_of_nothing_else, Watch),
        case!(a_watch_of_the_empty_prefix_is_told_of_everything, Watch),
        case!(two_watches_are_both_told, Watch),
        case!(a_reader_that_was_told_finds_the_new_value, Watch),
        case!(a_watch_that_is_slow_misses_nothing, Watch),
        case!(a_dropped_watch_disturbs_nobody, Watch),
        case!(closing_ends_a_watch, Watch),
        case!(an_addition_is_told, Watch, Cas),
        case!(a_batch_is_told_key_by_key, Watch, Batch),
        case!(an_expiry_is_told, Watch, Ttl),
    ]
}

async fn watch_key<B: Backend>(t: &Trial<B>, key: &Key) -> Checked<Changes> {
    Ok(t.watch(WatchRequest::Key(key.clone())).await?)
}

async fn watch_prefix<B: Backend>(t: &Trial<B>, prefix: &str) -> Checked<Changes> {
    Ok(t.watch(WatchRequest::Prefix(prefix.to_owned())).await?)
}

/// The next hint, which has to come.
async fn next(changes: &mut Changes) -> Checked<Change> {
    let next = poll_fn(|cx| changes.as_mut().poll_next(cx));
    match tokio::time::timeout(PATIENCE, next).await {
        Ok(Some(change)) => Ok(change?),
        Ok(None) => Err(Failure::new("the watch ended by itself")),
        Err(_) => Err(Failure::new("a change was not told")),
    }
}

/// Waits until `key` was hinted at, and checks that nothing outside of `covered` was before.
pub(super) async fn told(
    changes: &mut Changes,
    key: &Key,
    covered: impl Fn(&str) -> bool,
) -> Checked {
    loop {
        match next(changes).await? {
            Change::Everything => return Ok(()),
            Change::Key(found) if found.as_str() == key.as_str() => return Ok(()),
            Change::Key(found) => {
                ensure(covered(found.as_str()), "a watch was told of a key outside of it")?;
            }
        }
    }
}

async fn a_write_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut changes = watch_key(t, &key).await?;
    t.put(&key, "1").await?;
    told(&mut changes, &key, |_| false).await
}

async fn every_later_write_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut changes = watch_key(t, &key).await?;
    for i in 0..5 {
        t.put(&key, i.to_string()).await?;
        told(&mut changes, &key, |_| false).await?;
    }
    Ok(())
}

async fn a_remove_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    t.put(&key, "1").await?;
    let mut changes = watch_key(t, &key).await?;
    t.delete(&key).await?;
    told(&mut changes, &key, |_| false).await
}

async fn a_write_right_after_subscribing_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    for key in t.keys(20) {
        let mut changes = watch_key(t, &key).await?;
        // The stream was never polled before the change.
        t.put(&key, "1").await?;
        told(&mut changes, &key, |_| false).await?;
    }
    Ok(())
}

async fn a_watch_of_a_key_is_told_of_nothing_else<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut changes = watch_key(t, &key).await?;
    for other in ["value:1", "valu", "other", "VALUE"] {
        t.put(&t.key(other), "1").await?;
    }
    t.put(&key, "1").await?;
    told(&mut changes, &key, |_| false).await
}

async fn a_watch_of_a_prefix_is_told_of_all_under_it<B: Backend>(t: &Trial<B>) -> Checked {
    let prefix = t.key("a");
    let mut changes = watch_prefix(t, prefix.as_str()).await?;
    for name in ["a", "ab", "a:b", "a/b/c"] {
        let key = t.key(name);
        t.put(&key, "1").await?;
        told(&mut changes, &key, |found| found.starts_with(prefix.as_str())).await?;
    }
    Ok(())
}

async fn a_watch_of_a_prefix_is_told_of_nothing_else<B: Backend>(t: &Trial<B>) -> Checked {
    let (prefix, key) = (t.key("a:"), t.key("a:1"));
    let mut changes = watch_prefix(t, prefix.as_str()).await?;
    for other in ["a", "ab:1", "b:a:1", "A:1"] {
        t.put(&t.key(other), "1").await?;
    }
    t.put(&key, "1").await?;
    told(&mut changes, &key, |_| false).await
}

async fn a_watch_of_the_empty_prefix_is_told_of_everything<B: Backend>(t: &Trial<B>) -> Checked {
    let mut changes = watch_prefix(t, "").await?;
    let scoped = Key::from_stored(format!("/{}scoped", t.prefix));
    for key in [t.key("value"), scoped] {
        t.put(&key, "1").await?;
        told(&mut changes, &key, |_| true).await?;
        t.delete(&key).await?;
    }
    Ok(())
}

async fn two_watches_are_both_told<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut of_key = watch_key(t, &key).await?;
    let mut again = watch_key(t, &key).await?;
    let mut of_prefix = watch_prefix(t, &t.prefix).await?;
    t.put(&key, "1").await?;
    for changes in [&mut of_key, &mut again, &mut of_prefix] {
        told(changes, &key, |_| false).await?;
    }
    Ok(())
}

async fn a_reader_that_was_told_finds_the_new_value<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut changes = watch_key(t, &key).await?;
    for i in 0..20 {
        t.put(&key, i.to_string()).await?;
        told(&mut changes, &key, |_| false).await?;
        holds(t.value(&key).await?.as_ref(), i.to_string())?;
    }
    Ok(())
}

async fn a_watch_that_is_slow_misses_nothing<B: Backend>(t: &Trial<B>) -> Checked {
    let mut changes = watch_prefix(t, &t.prefix).await?;
    let keys = t.keys(5000);
    for key in &keys {
        t.put(key, "1").await?;
    }
    let mut missing: HashSet<_> = keys.iter().map(Key::as_str).collect();
    while !missing.is_empty() {
        match next(&mut changes).await? {
            Change::Everything => return Ok(()),
            Change::Key(key) => missing.remove(key.as_str()),
        };
    }
    Ok(())
}

async fn a_dropped_watch_disturbs_nobody<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("value");
    let mut kept = watch_key(t, &key).await?;
    for _ in 0..20 {
        drop(watch_key(t, &key).await?);
        drop(watch_prefix(t, &t.prefix).await?);
    }
    t.put(&key, "1").await?;
    told(&mut kept, &key, |_| false).await
}

async fn closing_ends_a_watch<B: Backend>(t: &Trial<B>) -> Checked {
    let backend = t.fresh().await?;
    let key = t.key("value");
    let mut changes = backend.watch(WatchRequest::Prefix(t.prefix.clone())).await?;
    backend.set(&key, "1".into(), SetOptions::default()).await?;
    backend.get(&key, GetOptions::default()).await?;
    backend.close().await?;
    let end = async {
        // Hints from before, and an error that tells of the closing, may come first.
        while poll_fn(|cx| changes.as_mut().poll_next(cx)).await.is_some() {}
    };
    let ended = tokio::time::timeout(PATIENCE, end).await;
    ensure(ended.is_ok(), "a watch goes on after its backend was closed")
}

async fn an_addition_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    let key = t.key("n");
    let mut changes = watch_key(t, &key).await?;
    for _ in 0..3 {
        t.add(&key, adding(1)).await?;
        told(&mut changes, &key, |_| false).await?;
    }
    Ok(())
}

async fn a_batch_is_told_key_by_key<B: Backend>(t: &Trial<B>) -> Checked {
    let (a, b) = (t.key("a"), t.key("b"));
    let mut of_a = watch_key(t, &a).await?;
    let mut of_b = watch_key(t, &b).await?;
    t.apply(vec![write(&a, "1"), write(&b, "2")]).await?;
    told(&mut of_a, &a, |_| false).await?;
    told(&mut of_b, &b, |_| false).await
}

async fn an_expiry_is_told<B: Backend>(t: &Trial<B>) -> Checked {
    let (key, ttl) = (t.key("value"), t.time.short());
    t.put_for(&key, "1", ttl).await?;
    let mut changes = watch_key(t, &key).await?;
    t.time.pass(ttl).await;
    // A hint may come early or twice; what counts is that one comes when the entry is gone.
    while t.value(&key).await?.is_some() {
        told(&mut changes, &key, |_| false).await?;
    }
    told(&mut changes, &key, |_| false).await
}
