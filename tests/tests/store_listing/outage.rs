//! A backend that cannot be reached for a moment ends no scan; one that stays away does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{
        Backend, BackendError, Capabilities, Entry, ErrorKind, GetOptions, Page, RemoveOptions,
        Result, Revision, Scan, ScanRequest, SetOptions, Ttl,
    },
    backends::{MemoryBackend, RedisBackend, RedisConfig},
    bytes::Bytes,
    key::Key,
    prelude::*,
};
use tests::{
    proxy::{Action, Direction, Fault, Proxy},
    servers::redis::{Flavour, Server},
};

use crate::{
    TestResult,
    types::{Line, line},
};

/// How often a call fails before it succeeds.
const FAILURES: usize = 3;

/// A memory backend that fails several times before each page and each removal.
#[derive(Debug)]
struct Flaky {
    inner: MemoryBackend,
    kind: ErrorKind,
    /// How often each key was to be removed, and under no key, how often a page was asked for.
    calls: Mutex<HashMap<String, usize>>,
    /// After so many calls for pages, it only fails.
    gone_after: usize,
}

impl Flaky {
    fn new(kind: ErrorKind, gone_after: usize) -> Self {
        Self { inner: MemoryBackend::new(), kind, calls: Mutex::default(), gone_after }
    }

    fn call(&self, key: &str) -> Result<&MemoryBackend> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let call = calls.entry(key.to_owned()).or_default();
        *call += 1;
        if *call > self.gone_after || !call.is_multiple_of(FAILURES + 1) {
            return Err(BackendError::new(self.kind, "not now"));
        }
        Ok(&self.inner)
    }
}

impl Backend for Flaky {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.inner.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.inner.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.call(key.as_str())?.remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.call("")?.scan(request).await
    }
}

impl Scan for Flaky {}
impl Ttl for Flaky {}

async fn store(backend: Flaky) -> Result<StateStore<Arc<Flaky>>, StateError> {
    let store = StateStore::new(Arc::new(backend))?;
    for number in 0..1000 {
        store.set(&line("a", "b", number)).await?;
    }
    Ok(store)
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_ends_no_scan_and_repeats_nothing() -> TestResult {
    for kind in [ErrorKind::Unavailable, ErrorKind::Overloaded, ErrorKind::Timeout] {
        let store = store(Flaky::new(kind, usize::MAX)).await?;
        let mut numbers: Vec<_> =
            store.scan::<Line>().all().await?.iter().map(|line| line.line).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
        assert_eq!(store.count::<Line>().await?, 1000);
        assert_eq!(store.keys::<Line>().all().await?.len(), 1000);
        assert_eq!(store.remove_all::<Line>().await?, 1000);
        assert_eq!(store.count::<Line>().await?, 0);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_is_an_error_at_the_deadline_and_then_the_end() -> TestResult {
    let store = store(Flaky::new(ErrorKind::Unavailable, 2 * (FAILURES + 1))).await?;
    let mut scan = store.scan::<Line>();
    let mut found = 0;
    let error = loop {
        match scan.next().await.ok_or("the outage is told")? {
            Ok(_) => found += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StateError::Unavailable { .. }), "{error:?}");
    assert_eq!(error.key(), None);
    assert!((1..1000).contains(&found), "{found}");
    assert!(scan.next().await.is_none());
    for error in [
        store.scan::<Line>().all().await.unwrap_err(),
        store.scan::<Line>().partition().await.unwrap_err(),
        store.count::<Line>().await.unwrap_err(),
        store.keys::<Line>().all().await.unwrap_err(),
        store.remove_all::<Line>().await.unwrap_err(),
    ] {
        assert!(matches!(error, StateError::Unavailable { .. }), "{error:?}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_error_that_will_not_pass_is_told_at_once() -> TestResult {
    let store = store(Flaky::new(ErrorKind::Other, usize::MAX)).await?;
    let start = tokio::time::Instant::now();
    assert!(store.count::<Line>().await.is_err());
    assert_eq!(start.elapsed(), Duration::ZERO);
    Ok(())
}

#[tokio::test]
async fn a_scan_of_a_server_survives_a_cut_between_two_pages_and_within_one() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    let proxy = Proxy::start(server.address()).await;
    let backend = RedisBackend::connect(RedisConfig::new(proxy.address())).await?;
    let store = StateStore::builder(backend).deadline(Duration::from_secs(30)).build()?;
    for number in 0..3000 {
        store.set(&line("a", "b", number)).await?;
    }
    let mut before = 0;
    for direction in [Direction::ToServer, Direction::ToClient] {
        let mut scan = store.scan::<Line>();
        let mut numbers = Vec::new();
        while let Some(found) = scan.next().await {
            if numbers.len() % 1000 == 0 {
                proxy.arm(Fault::new(direction, 20, Action::Reset));
            }
            numbers.push(found?.line);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..3000).collect::<Vec<_>>());
        proxy.disarm();
        let faults = proxy.traffic().faults;
        assert!(faults > before, "nothing was cut");
        before = faults;
    }
    Ok(())
}
