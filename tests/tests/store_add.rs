//! `add` under many callers, and what it does to a lifetime; `typed` has the rest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use state_runtime::{
    backend::{
        Backend, Bytes, Capabilities, Capability, Cas, Entry, GetOptions, ManualClock,
        RemoveOptions, Result, Revision, SetOptions, Ttl,
    },
    backends::{FileBackend, MemoryBackend},
    key::Key,
    prelude::*,
    store::TimeToLive,
};

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "hits:{page}", ttl = "1h")]
struct Hits {
    #[garde(length(min = 1))]
    page: String,
    #[state(value)]
    #[garde(range(min = -5, max = 1_000_000))]
    count: i64,
}

/// Only running the rule tells what is allowed.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "even:{id}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Even {
    id: u32,
    #[state(value)]
    #[garde(custom(is_even))]
    value: i32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes a reference")]
fn is_even(value: &i32, (): &()) -> garde::Result {
    if value % 2 == 0 { Ok(()) } else { Err(garde::Error::new("not even")) }
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

#[tokio::test]
async fn the_lifetime_starts_when_a_counter_is_created() {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    let store = StateStore::new(backend).unwrap();
    let left = |minutes: u64| Some(TimeToLive::Left(Duration::from_secs(minutes * 60)));
    store.add(Hits::key("home"), 1).await.unwrap();
    store.add(Even::key(1_u32), 2).await.unwrap();
    assert_eq!(store.ttl(Hits::key("home")).await.unwrap(), left(60));
    clock.advance(Duration::from_secs(20 * 60));
    store.add(Hits::key("home"), 1).await.unwrap();
    store.add(Even::key(1_u32), 2).await.unwrap();
    assert_eq!(store.ttl(Hits::key("home")).await.unwrap(), left(40));
    assert_eq!(store.ttl(Even::key(1_u32)).await.unwrap(), left(40));
    clock.advance(Duration::from_secs(40 * 60));
    assert_eq!(store.add(Hits::key("home"), 1).await.unwrap(), 1, "it expired and begins anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_addition_of_many_callers_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileBackend::open(folder.path().join("state")).await.unwrap();
    counts_all(StateStore::new(file).unwrap(), 20).await;
    counts_all(store(), 200).await;
}

async fn counts_all<B: Ttl + Cas>(store: StateStore<B>, each: i64) {
    let tasks = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..each {
                store.add(Hits::key("home"), 1).await.unwrap();
                store.add(Even::key(1_u32), 2).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(store.get(Hits::key("home")).await.unwrap().unwrap().count, 16 * each);
    let twice = i32::try_from(2 * 16 * each).unwrap();
    assert_eq!(store.get(Even::key(1_u32)).await.unwrap().unwrap().value, twice);
}

/// A backend that cannot add by itself, lets others run before each write, and counts the writes.
#[derive(Debug, Default)]
struct Unable {
    inner: MemoryBackend,
    writes: AtomicUsize,
}

impl Backend for Unable {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.inner.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        self.inner.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.inner.remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.with(Capability::Cas).with(Capability::Ttl)
    }
}

impl Cas for Unable {}
impl Ttl for Unable {}

#[tokio::test]
async fn callers_take_turns_where_the_backend_cannot_add() {
    let store = StateStore::builder(Unable::default()).namespaces::<(Hits,)>().build().unwrap();
    let callers = (0..64).map(|_| store.add(Hits::key("home"), 1));
    for sum in futures_util::future::join_all(callers).await {
        sum.unwrap();
    }
    assert_eq!(store.get(Hits::key("home")).await.unwrap().unwrap().count, 64);
    assert_eq!(store.backend().writes.load(Ordering::SeqCst), 64, "a write was in vain");
}
