//! Watches cost bounded memory, end with the backend, and leave nothing behind.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use state_runtime::{
    backend::{Backend, Change, Changes, TtlChange, WatchRequest},
    backends::MemoryBackend,
    key::Key,
};

use crate::{TestResult, clocked, field, key, lasting, put, value};

async fn watch(backend: &MemoryBackend, prefix: &str) -> state_runtime::backend::Result<Changes> {
    backend.watch(WatchRequest::Prefix(prefix.to_owned())).await
}

/// What is told without waiting.
fn at_once(changes: &mut Changes) -> Vec<Change> {
    let next = || changes.next().now_or_never().flatten().and_then(Result::ok);
    std::iter::from_fn(next).collect()
}

fn hint(name: &str) -> Change {
    Change::Key(Key::from_stored(name))
}

#[tokio::test]
async fn a_key_waits_once_however_often_it_changes() -> TestResult {
    let backend = MemoryBackend::new();
    let mut changes = watch(&backend, "").await?;
    for _ in 0..10 {
        put(&backend, "a", "1").await?;
        put(&backend, "b", "1").await?;
    }
    assert_eq!(at_once(&mut changes), [hint("a"), hint("b")]);
    put(&backend, "a", "2").await?;
    assert_eq!(at_once(&mut changes), [hint("a")]);
    Ok(())
}

#[tokio::test]
async fn a_slow_watcher_is_told_to_look_at_everything() -> TestResult {
    let backend = MemoryBackend::new();
    let mut changes = watch(&backend, "k:").await?;
    for i in 0..1024 {
        put(&backend, &format!("k:{i}"), "1").await?;
    }
    put(&backend, "k:last", "1").await?;
    assert_eq!(at_once(&mut changes), [Change::Everything]);
    put(&backend, "k:0", "2").await?;
    assert_eq!(at_once(&mut changes), [hint("k:0")]);
    Ok(())
}

#[tokio::test]
async fn a_touch_is_told() -> TestResult {
    let backend = MemoryBackend::new();
    put(&backend, "a", "1").await?;
    let mut changes = watch(&backend, "a").await?;
    backend.touch(&key("a"), TtlChange::After(Duration::from_secs(1))).await?;
    assert_eq!(at_once(&mut changes), [hint("a")]);
    Ok(())
}

#[tokio::test]
async fn a_refused_write_is_not_told() -> TestResult {
    let backend = MemoryBackend::builder().with_max_entries(0).build();
    let mut changes = watch(&backend, "").await?;
    put(&backend, "a", "1").await.unwrap_err();
    assert_eq!(at_once(&mut changes), []);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_idle_watch_is_told_of_an_expiry() -> TestResult {
    let (clock, backend) = clocked();
    let ttl = Duration::from_secs(5);
    backend.set(&key("a"), "1".into(), lasting(ttl)).await?;
    let mut changes = watch(&backend, "a").await?;
    let told = tokio::time::timeout(Duration::from_secs(60), changes.next());
    assert!(told.await.is_err(), "it was told while the entry was alive");
    clock.advance(ttl);
    let told = tokio::time::timeout(Duration::from_secs(1), changes.next()).await?;
    assert_eq!(told.transpose()?, Some(hint("a")));
    assert_eq!(field(&backend, "stored"), 0, "what is told was swept");
    Ok(())
}

#[tokio::test]
async fn a_write_tells_of_what_it_swept() -> TestResult {
    let (clock, backend) = clocked();
    let ttl = Duration::from_secs(5);
    for i in 0..50 {
        backend.set(&key(&format!("old:{i}")), "1".into(), lasting(ttl)).await?;
    }
    let mut changes = watch(&backend, "old:").await?;
    clock.advance(ttl);
    for i in 0..1000 {
        put(&backend, &format!("new:{i}"), "1").await?;
    }
    let told = at_once(&mut changes);
    assert_eq!(told.len(), 50);
    assert!(told.iter().all(|change| matches!(change, Change::Key(_))));
    Ok(())
}

#[test]
fn a_watch_needs_no_runtime() -> TestResult {
    let (_, backend) = clocked();
    let mut changes = watch(&backend, "").now_or_never().ok_or("watch waited")??;
    let (name, ttl) = (key("a"), lasting(Duration::from_secs(5)));
    backend.set(&name, "1".into(), ttl).now_or_never().ok_or("set waited")??;
    assert_eq!(at_once(&mut changes), [hint("a")]);
    Ok(())
}

#[tokio::test]
async fn a_dropped_watch_is_forgotten() -> TestResult {
    let backend = MemoryBackend::new();
    let of_key = backend.watch(WatchRequest::Key(key("a"))).await?;
    let same_key = backend.watch(WatchRequest::Key(key("a"))).await?;
    let of_prefix = watch(&backend, "a").await?;
    assert_eq!(field(&backend, "watchers"), 3);
    drop((of_key, of_prefix));
    assert_eq!(field(&backend, "watchers"), 1);
    drop(same_key);
    assert_eq!(field(&backend, "watchers"), 0);
    put(&backend, "a", "1").await?;
    Ok(())
}

#[tokio::test]
async fn a_watch_ends_with_the_last_handle() -> TestResult {
    let backend = MemoryBackend::new();
    let other = backend.clone();
    let mut changes = watch(&backend, "").await?;
    put(&backend, "a", "1").await?;
    drop(backend);
    assert_eq!(value(&other, "a").await?.as_deref(), Some("1"));
    drop(other);
    assert!(changes.next().await.is_some_and(|change| change.is_ok()), "what was told is kept");
    assert!(changes.next().await.is_none());
    Ok(())
}

#[tokio::test]
async fn closing_wakes_a_waiting_watch() -> TestResult {
    let backend = MemoryBackend::new();
    let mut changes = watch(&backend, "").await?;
    let waiting = tokio::spawn(async move { changes.next().await });
    tokio::task::yield_now().await;
    backend.close().await?;
    assert!(waiting.await?.is_none());
    Ok(())
}
