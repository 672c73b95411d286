//! `remove_all`: rights, values that hide others, and outcomes that are not known.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{
        Backend, BackendError, Capabilities, Entry, ErrorKind, GetOptions, Page, RemoveOptions,
        Result, Revision, Scan, ScanRequest, SetOptions, Ttl,
    },
    backends::MemoryBackend,
    bytes::Bytes,
    key::Key,
    prelude::*,
    store::Access,
};
use tokio::time::sleep;

use crate::{
    TestResult, memory,
    types::{Line, Member, line, plant},
};

/// A memory backend whose answer to the removal of one line is lost.
#[derive(Debug, Default)]
struct Lost {
    inner: MemoryBackend,
    removals: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Backend for Lost {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.inner.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.inner.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.removals.fetch_add(1, SeqCst);
        let now = self.at_once.fetch_add(1, SeqCst) + 1;
        self.most_at_once.fetch_max(now, SeqCst);
        sleep(Duration::from_millis(1)).await;
        self.at_once.fetch_sub(1, SeqCst);
        if key.as_str().ends_with(":7") {
            return Err(BackendError::new(ErrorKind::Indeterminate, "no answer"));
        }
        self.inner.remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.inner.scan(request).await
    }
}

impl Scan for Lost {}
impl Ttl for Lost {}

#[tokio::test(start_paused = true)]
async fn a_removal_whose_outcome_is_unknown_is_told_and_not_repeated() -> TestResult {
    let store = StateStore::new(Lost::default())?;
    for number in 0..200 {
        store.set(&line("a", "b", number)).await?;
    }
    let mut told = 0;
    let removing = store.remove_all::<Line>().on_progress(|removed| told = removed);
    let error = removing.await.unwrap_err();
    let StateError::Indeterminate { key: Some(key), .. } = &error else { panic!("{error:?}") };
    assert_eq!(key.to_string(), "line:a/order.b:7");
    // Those of the same page were removed, and that is told.
    assert_eq!(told, 199);
    assert_eq!(store.backend().removals.load(SeqCst), 200);
    assert_eq!(store.scan::<Line>().all().await?, [line("a", "b", 7)]);
    let most = store.backend().most_at_once.load(SeqCst);
    assert!((2..=64).contains(&most), "{most} removals at once");
    Ok(())
}

#[tokio::test]
async fn removing_all_needs_the_rights_to_read_and_to_remove() -> TestResult {
    let store = memory();
    store.set(&line("a", "b", 1)).await?;
    for (access, allowed) in [
        (Access::READ, false),
        (Access::REMOVE, false),
        (Access::READ.with(Access::WRITE), false),
        (Access::READ.with(Access::REMOVE), true),
    ] {
        match store.restricted(access).remove_all::<Line>().await {
            Ok(removed) => assert!(allowed && removed == 1, "{access:?}"),
            Err(StateError::Denied { .. }) => assert!(!allowed, "{access:?}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_older_value_comes_to_light() -> TestResult {
    let store = memory();
    plant(&store, "user:1.acme", r#"{"name":"older"}"#).await?;
    plant(&store, "member:acme:1", r#"{"name":"newer"}"#).await?;
    plant(&store, "user:2.acme", "not valid").await?;
    assert_eq!(store.remove_all::<Member>().await?, 2);
    for number in [1, 2] {
        assert!(!store.exists(Member::key("acme", number)).await?);
    }
    assert_eq!(store.count::<Member>().await?, 0);
    Ok(())
}

#[tokio::test]
async fn nothing_is_removed_until_it_is_awaited() -> TestResult {
    let store = memory();
    store.set(&line("a", "b", 1)).await?;
    drop(store.remove_all::<Line>());
    assert_eq!(store.count::<Line>().await?, 1);
    Ok(())
}
