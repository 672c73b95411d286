//! A bounded backend refuses what does not fit, and never drops what it acknowledged.

use std::{sync::Arc, thread, time::Duration};

use futures_util::FutureExt;
use state_runtime::{
    backend::{AddOptions, Backend, BatchOp, ErrorKind, ManualClock, RemoveOptions, SetOptions},
    backends::MemoryBackend,
};

use crate::{TestResult, field, key, lasting, put, value};

fn full_kind<T: std::fmt::Debug>(result: state_runtime::backend::Result<T>) -> ErrorKind {
    result.expect_err("the backend is full").kind()
}

#[tokio::test]
async fn a_full_backend_refuses_another_entry() -> TestResult {
    let backend = MemoryBackend::builder().with_max_entries(2).build();
    put(&backend, "a", "1").await?;
    put(&backend, "b", "2").await?;
    assert_eq!(full_kind(put(&backend, "c", "3").await), ErrorKind::ReadOnly);
    let add = AddOptions { delta: 1, min: 0, max: 9, ttl: None };
    assert_eq!(full_kind(backend.add(&key("n"), add).await), ErrorKind::ReadOnly);
    assert_eq!(field(&backend, "stored"), 2);
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    assert_eq!(value(&backend, "b").await?.as_deref(), Some("2"));
    Ok(())
}

#[tokio::test]
async fn a_full_backend_lets_entries_be_replaced_and_removed() -> TestResult {
    let backend = MemoryBackend::builder().with_max_entries(1).with_max_bytes(4).build();
    put(&backend, "a", "123").await?;
    put(&backend, "a", "456").await?;
    put(&backend, "a", "7").await?;
    backend.remove(&key("a"), RemoveOptions::default()).await?;
    put(&backend, "b", "123").await?;
    assert_eq!(value(&backend, "b").await?.as_deref(), Some("123"));
    Ok(())
}

#[tokio::test]
async fn keys_and_values_count_as_bytes() -> TestResult {
    let backend = MemoryBackend::builder().with_max_bytes(20).build();
    put(&backend, "key-1", "12345").await?;
    put(&backend, "key-2", "1234").await?;
    assert_eq!(full_kind(put(&backend, "k", "1").await), ErrorKind::ReadOnly);
    put(&backend, "key-2", "12345").await?;
    assert_eq!(full_kind(put(&backend, "key-2", "123456").await), ErrorKind::ReadOnly);
    assert_eq!(value(&backend, "key-2").await?.as_deref(), Some("12345"));
    Ok(())
}

#[tokio::test]
async fn what_could_never_fit_is_too_large() -> TestResult {
    let backend = MemoryBackend::builder().with_max_bytes(10).build();
    let error = put(&backend, "key", "12345678").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge { size: 11, limit: 10 });
    put(&backend, "key", "1234567").await?;
    Ok(())
}

#[tokio::test]
async fn expired_entries_make_room() -> TestResult {
    let clock = Arc::new(ManualClock::default());
    let backend =
        MemoryBackend::builder().with_max_entries(1000).with_clock(Arc::clone(&clock)).build();
    for i in 0..1000 {
        let ttl = lasting(Duration::from_secs(5));
        backend.set(&key(&format!("k:{i}")), "1".into(), ttl).await?;
    }
    assert_eq!(full_kind(put(&backend, "new", "1").await), ErrorKind::ReadOnly);
    assert_eq!(full_kind(backend.health().await), ErrorKind::ReadOnly);
    clock.advance(Duration::from_secs(5));
    backend.health().await?;
    put(&backend, "new", "1").await?;
    assert_eq!(field(&backend, "stored"), 1);
    Ok(())
}

#[tokio::test]
async fn a_batch_that_does_not_fit_changes_nothing() -> TestResult {
    let backend = MemoryBackend::builder().with_max_entries(3).build();
    put(&backend, "old", "1").await?;
    let set = |name: &str| BatchOp::Set {
        key: key(name),
        value: "2".into(),
        options: SetOptions::default(),
    };
    let gone = BatchOp::Remove { key: key("old"), options: RemoveOptions::default() };
    let four = vec![gone.clone(), set("a"), set("b"), set("c"), set("d")];
    assert_eq!(full_kind(backend.apply(four).await), ErrorKind::ReadOnly);
    assert_eq!(value(&backend, "old").await?.as_deref(), Some("1"));
    assert_eq!(field(&backend, "stored"), 1);
    // What a batch removes makes room for what it writes.
    backend.apply(vec![set("a"), set("b"), set("c"), gone]).await?;
    assert_eq!(field(&backend, "stored"), 3);
    Ok(())
}

#[test]
fn no_race_gets_past_the_bounds() {
    let backend = MemoryBackend::builder().with_max_entries(100).build();
    let written: usize = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|thread| {
                let backend = &backend;
                scope.spawn(move || {
                    let name = |i| format!("{thread}:{i}");
                    let tried = (0..100).map(|i| put(backend, &name(i), "1").now_or_never());
                    tried.filter(|done| matches!(done, Some(Ok(())))).count()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap_or_default()).sum()
    });
    assert_eq!(written, 100);
    assert_eq!(field(&backend, "stored"), 100);
}
