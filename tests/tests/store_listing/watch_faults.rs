//! What a backend does to a watch: subscriptions that break, and more changes than it keeps hints of.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use state_runtime::{
    StateError,
    backend::{
        Backend, BackendError, Capabilities, Change, Changes, Entry, ErrorKind, GetOptions, Page,
        RemoveOptions, Result, Revision, Scan, ScanRequest, SetOptions, Ttl, Watch, WatchRequest,
    },
    backends::MemoryBackend,
    bytes::Bytes,
    key::Key,
    prelude::*,
};
use tokio::time::timeout;

use crate::{
    TestResult,
    types::{Line, line},
};

/// Longer than any pause of a watch.
const LONG: Duration = Duration::from_secs(60);

/// What the watches of a backend do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing is wrong; but each page of a scan is followed by as many changes of other entries.
    Writers(u32),
    /// They end with this error, when so many hints were told.
    Broken(ErrorKind, usize),
    /// They end without an error, at once.
    Ended,
    /// They tell all the time that anything may have changed.
    Noise,
}

/// A memory backend with a fault, which counts what it is asked for.
#[derive(Debug)]
struct Faulty {
    inner: MemoryBackend,
    fault: Fault,
    watches: AtomicUsize,
    scans: AtomicUsize,
}

/// More calls than any test here makes, where nothing runs in circles.
const MOST: usize = 2_000;

impl Faulty {
    fn new(fault: Fault) -> Self {
        let (watches, scans) = Default::default();
        Self { inner: MemoryBackend::new(), fault, watches, scans }
    }

    fn count(calls: &AtomicUsize) -> usize {
        let before = calls.fetch_add(1, SeqCst);
        assert!(before < MOST, "it runs in circles");
        before
    }
}

impl Backend for Faulty {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.inner.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.inner.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.inner.remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        let page = self.inner.scan(request).await?;
        let before = Self::count(&self.scans);
        if let Fault::Writers(changes) = self.fault {
            // They come to an end, so that a watch that never keeps up is found out.
            let round = u32::try_from(before).unwrap_or(u32::MAX);
            for number in (0..changes).filter(|_| round < 60) {
                let key = format!("line:a/order.b:{}", (round * changes + number) % ENTRIES);
                let value = format!("{{\"count\":{}}}", 2 + round);
                self.inner.set(&Key::from_stored(key), value.into(), SetOptions::default()).await?;
            }
        }
        Ok(page)
    }
    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        let changes = self.inner.watch(request).await?;
        Self::count(&self.watches);
        Ok(match self.fault {
            Fault::Writers(_) => changes,
            Fault::Broken(kind, told) => {
                let error = stream::once(async move { Err(BackendError::new(kind, "broken")) });
                changes.take(told).chain(error).boxed()
            }
            Fault::Ended => stream::empty().boxed(),
            Fault::Noise => stream::repeat_with(|| Ok(Change::Everything)).boxed(),
        })
    }
}

impl Scan for Faulty {}
impl Ttl for Faulty {}
impl Watch for Faulty {}

/// How many entries there are, some pages of them.
const ENTRIES: u32 = 3_000;

fn store(fault: Fault) -> core::result::Result<StateStore<Faulty>, StateError> {
    StateStore::new(Faulty::new(fault))
}

fn is_denied<T>(told: Option<core::result::Result<T, StateError>>) -> bool {
    let Some(Err(StateError::Backend { source, .. })) = told else { return false };
    source.kind() == ErrorKind::Denied
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_ends_with_an_error_that_will_not_pass_ends_the_watch() -> TestResult {
    for hints in [0, 1] {
        let store = store(Fault::Broken(ErrorKind::Denied, hints))?;
        store.set(&line("a", "b", 1)).await?;
        let (mut one, mut all) = (store.watch(Line::key("a", "b", 1)), store.watch_all::<Line>());
        for count in 1..=hints + 1 {
            let now = Line { count: u8::try_from(count)?, ..line("a", "b", 1) };
            store.set(&now).await?;
            let told = timeout(LONG, one.next()).await?.transpose()?;
            assert_eq!(told.flatten().as_ref(), Some(&now));
            let told = timeout(LONG, all.next()).await?.transpose()?;
            assert_eq!(told.and_then(|told| told.value), Some(now));
        }
        assert!(is_denied(timeout(LONG, one.next()).await?), "after {hints} hints");
        assert!(is_denied(timeout(LONG, all.next()).await?), "after {hints} hints");
        assert!(timeout(LONG, one.next()).await?.is_none());
        assert!(timeout(LONG, all.next()).await?.is_none());
        assert_eq!(store.backend().watches.load(SeqCst), 2, "neither subscribes again");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_breaks_all_the_time_is_made_anew_ever_more_seldom() -> TestResult {
    for fault in [Fault::Broken(ErrorKind::Unavailable, 0), Fault::Ended] {
        let store = store(fault)?;
        store.set(&line("a", "b", 1)).await?;
        let mut one = store.watch(Line::key("a", "b", 1));
        let mut all = store.watch_all::<Line>();
        assert!(timeout(LONG, one.next()).await?.transpose()?.is_some());
        assert!(timeout(LONG, all.next()).await?.transpose()?.is_some());
        store.backend().watches.store(0, SeqCst);
        assert!(timeout(LONG, one.next()).await.is_err(), "nothing has changed");
        assert!(timeout(LONG, all.next()).await.is_err(), "nothing has changed");
        let watches = store.backend().watches.load(SeqCst);
        assert!((20..=100).contains(&watches), "{fault:?}: {watches} subscriptions in two minutes");
        // What happens is told all the same.
        store.set(&Line { count: 2, ..line("a", "b", 1) }).await?;
        assert!(timeout(LONG, one.next()).await?.transpose()?.is_some());
        assert!(timeout(LONG, all.next()).await?.transpose()?.is_some());
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn passes_that_follow_one_another_pause_in_between() -> TestResult {
    let store = store(Fault::Noise)?;
    store.set(&line("a", "b", 1)).await?;
    let mut all = store.watch_all::<Line>();
    assert!(timeout(LONG, all.next()).await?.transpose()?.is_some());
    assert!(timeout(LONG, all.next()).await.is_err(), "nothing has changed");
    let scans = store.backend().scans.load(SeqCst);
    assert!((20..=100).contains(&scans), "{scans} passes in a minute");
    store.set(&Line { count: 2, ..line("a", "b", 1) }).await?;
    assert!(timeout(LONG, all.next()).await?.transpose()?.is_some());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn more_changes_during_a_pass_than_there_are_hints_of_are_no_reason_for_another() -> TestResult
{
    let store = store(Fault::Writers(300))?;
    for number in 0..ENTRIES {
        store.set(&line("a", "b", number)).await?;
    }
    let mut all = store.watch_all::<Line>();
    let mut told = vec![None; ENTRIES as usize];
    while let Ok(changed) = timeout(LONG, all.next()).await {
        let changed = changed.ok_or("the watch ended")??;
        let slot = told.get_mut(changed.key.line as usize).ok_or("there is no such line")?;
        *slot = changed.value;
    }
    let pages = ENTRIES.div_ceil(256) as usize + 1;
    let scans = store.backend().scans.load(SeqCst);
    assert!(scans <= pages, "{scans} pages were read of {pages}");
    let behind = StateStore::new(store.backend().inner.clone())?;
    let mut stored = behind.scan::<Line>().all().await?;
    stored.sort_unstable_by_key(|line| line.line);
    assert!(told.into_iter().flatten().eq(stored), "what was told last is what is there");
    Ok(())
}
