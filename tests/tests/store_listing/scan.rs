//! Scans of values and of keys: rights, errors among the values, and what is asked of the backend.

use futures_util::StreamExt;
use state_runtime::{
    StateError,
    backend::{
        Backend, Capabilities, Entry, GetOptions, Page, RemoveOptions, Result, Revision, Scan,
        ScanRequest, SetOptions, Want,
    },
    backends::MemoryBackend,
    bytes::Bytes,
    key::Key,
    prelude::*,
    store::Access,
};

use crate::{
    TestResult, memory,
    types::{Line, Member, line, plant},
};

/// A memory backend that gives nothing to whoever asks for nothing.
#[derive(Debug, Default)]
struct Thrifty(MemoryBackend);

impl Backend for Thrifty {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.0.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.0.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.0.remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        let want = request.want;
        let mut page = self.0.scan(request).await?;
        if want == Want::KEY {
            page.entries.iter_mut().for_each(|(_, entry)| entry.value = Bytes::new());
        }
        Ok(page)
    }
}

impl Scan for Thrifty {}

#[tokio::test]
async fn keys_and_counts_do_without_the_values() -> TestResult {
    let store = StateStore::new(Thrifty::default())?;
    plant(&store, "member:a:1", r#"{"name":"Ada"}"#).await?;
    plant(&store, "user:2.a", r#"{"name":"Grace"}"#).await?;
    assert_eq!(store.count::<Member>().await?, 2);
    assert_eq!(store.keys::<Member>().all().await?, [Member::key("a", 2), Member::key("a", 1)]);
    assert_eq!(store.scan::<Member>().all().await?.len(), 2);
    assert_eq!(store.remove_all::<Member>().await?, 2);
    Ok(())
}

#[tokio::test]
async fn an_invalid_value_is_no_end_and_stops_only_who_wants_to() -> TestResult {
    let store = memory();
    for number in 0..600 {
        store.set(&line("a", "b", number)).await?;
    }
    for number in [0, 300, 599] {
        plant(&store, &format!("line:a/order.b:{number}"), "null").await?;
    }
    let mut scan = store.scan::<Line>();
    let (mut valid, mut invalid) = (0, 0);
    while let Some(found) = scan.next().await {
        match found {
            Ok(_) => valid += 1,
            Err(error) => {
                assert!(error.key().is_some(), "{error:?}");
                invalid += 1;
            }
        }
    }
    assert_eq!((valid, invalid), (597, 3));
    assert!(scan.next().await.is_none());
    let (valid, invalid) = store.scan::<Line>().partition().await?;
    assert_eq!((valid.len(), invalid.len()), (597, 3));
    let error = store.scan::<Line>().all().await.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_value_that_is_invalid_and_the_last_is_no_error_of_the_backend() -> TestResult {
    let store = memory();
    plant(&store, "line:a/order.b:1", "null").await?;
    let (valid, invalid) = store.scan::<Line>().partition().await?;
    assert_eq!((valid.len(), invalid.len()), (0, 1));
    Ok(())
}

#[tokio::test]
async fn what_is_left_of_a_scan_can_be_collected() -> TestResult {
    let store = memory();
    for number in 0..400 {
        store.set(&line("a", "b", number)).await?;
    }
    let mut scan = store.scan::<Line>();
    let first = scan.next().await.ok_or("there are some")??;
    let rest = scan.all().await?;
    assert_eq!(rest.len(), 399);
    assert!(!rest.contains(&first));
    let keys: Vec<_> = store.keys::<Line>().collect().await;
    assert_eq!(keys.len(), 400);
    assert_eq!(store.scan::<Line>().collect::<Vec<_>>().await.len(), 400);
    Ok(())
}

#[tokio::test]
async fn a_prefix_that_comes_late_begins_anew() -> TestResult {
    let store = memory();
    store.set(&line("a", "b", 1)).await?;
    store.set(&line("c", "b", 1)).await?;
    let mut scan = store.scan::<Line>();
    while scan.next().await.is_some() {}
    assert_eq!(scan.within(Line::prefix("a")).all().await?, [line("a", "b", 1)]);
    Ok(())
}

#[tokio::test]
async fn listing_needs_the_right_to_read() {
    let store = memory().restricted(Access::ALL.without(Access::READ));
    let denied = |outcome: core::result::Result<(), StateError>| {
        assert!(matches!(outcome, Err(StateError::Denied { .. })), "{outcome:?}");
    };
    denied(store.scan::<Line>().all().await.map(drop));
    denied(store.scan::<Line>().partition().await.map(drop));
    denied(store.keys::<Line>().all().await.map(drop));
    denied(store.count::<Line>().await.map(drop));
    denied(store.remove_all::<Line>().await.map(drop));
    let mut watch = store.watch_all::<Line>();
    denied(watch.next().await.expect("a refusal").map(drop));
    assert!(watch.next().await.is_none());
}
