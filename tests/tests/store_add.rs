//! `add`: counters that many writers change, within their range.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{
        Backend, Bytes, Capabilities, Capability, Cas, Entry, GetOptions, ManualClock,
        RemoveOptions, Result, Revision, SetOptions, Ttl,
    },
    backends::{FileBackend, MemoryBackend},
    key::Key,
    prelude::*,
    store::{Access, TimeToLive},
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

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "byte:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Byte {
    id: u32,
    #[state(value)]
    value: u8,
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "whole:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Whole {
    id: u32,
    #[state(value)]
    value: u64,
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

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "score:{id}", persistent, formerly = "points:{id}")]
#[garde(allow_unvalidated)]
struct Score {
    id: u32,
    #[state(value)]
    value: i16,
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

#[tokio::test]
async fn sums_are_returned_and_stored_as_plain_numbers() {
    let store = store();
    assert_eq!(store.add(Hits::key("home"), 1).await.unwrap(), 1);
    assert_eq!(store.add(Hits::key("home"), -4).await.unwrap(), -3);
    let stored = store.backend().get(&Key::from_stored("hits:home"), GetOptions::default()).await;
    assert_eq!(stored.unwrap().unwrap().value, "-3");
    assert_eq!(store.get(Hits::key("home")).await.unwrap().unwrap().count, -3);
}

#[tokio::test]
async fn a_sum_outside_of_the_rules_leaves_the_counter_as_it_was() {
    let store = store();
    for (start, delta) in [(1_000_000, 1), (-5, -1), (0, i64::MAX), (0, i64::MIN)] {
        store.set(&Hits { page: "home".into(), count: start }).await.unwrap();
        let error = store.add(Hits::key("home"), delta).await.unwrap_err();
        assert!(
            matches!(&error, StateError::OutOfRange { key, .. } if key.as_str() == "hits:home"),
            "{error:?}"
        );
        assert_eq!(store.get(Hits::key("home")).await.unwrap().unwrap().count, start);
    }
    let error = store.add(Hits::key("new"), -6).await.unwrap_err();
    assert!(matches!(error, StateError::OutOfRange { .. }));
    assert!(!store.exists(Hits::key("new")).await.unwrap(), "nothing was created");
}

#[tokio::test]
async fn the_range_of_a_type_is_a_rule_too() {
    let store = store();
    assert_eq!(store.add(Byte::key(1_u32), 255).await.unwrap(), 255);
    assert!(matches!(store.add(Byte::key(1_u32), 1).await, Err(StateError::OutOfRange { .. })));
    assert!(matches!(store.add(Byte::key(1_u32), -256).await, Err(StateError::OutOfRange { .. })));
    assert_eq!(store.add(Byte::key(1_u32), -255).await.unwrap(), 0);
    assert_eq!(store.add(Whole::key(1_u32), u64::MAX).await.unwrap(), u64::MAX);
    assert_eq!(store.get(Whole::key(1_u32)).await.unwrap().unwrap().value, u64::MAX);
    let error = store.add(Whole::key(1_u32), i128::MAX).await.unwrap_err();
    assert!(matches!(error, StateError::OutOfRange { .. }));
}

#[tokio::test]
async fn rules_that_are_more_than_a_range_are_run() {
    let store = store();
    assert_eq!(store.add(Even::key(1_u32), 2).await.unwrap(), 2);
    let error = store.add(Even::key(1_u32), 1).await.unwrap_err();
    assert!(matches!(error, StateError::Invalid { .. }), "{error:?}");
    let error = store.add(Even::key(1_u32), i64::MAX).await.unwrap_err();
    assert!(matches!(error, StateError::OutOfRange { .. }), "{error:?}");
    assert_eq!(store.get(Even::key(1_u32)).await.unwrap().unwrap().value, 2);
}

#[tokio::test]
async fn a_counter_moves_from_its_former_key() {
    let store = store();
    let former = Key::from_stored("points:1");
    store.backend().set(&former, "40".into(), SetOptions::default()).await.unwrap();
    assert_eq!(store.add(Score::key(1_u32), 2).await.unwrap(), 42);
    assert_eq!(store.backend().get(&former, GetOptions::default()).await.unwrap(), None);
    assert_eq!(store.get(Score::key(1_u32)).await.unwrap().unwrap().value, 42);
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

#[tokio::test]
async fn what_is_no_integer_is_left_alone() {
    let store = store();
    let key = Key::from_stored("hits:home");
    for stored in ["\"7\"", "{}", "1.5", "x"] {
        store.backend().set(&key, stored.into(), SetOptions::default()).await.unwrap();
        let error = store.add(Hits::key("home"), 1).await.unwrap_err();
        assert!(matches!(error, StateError::Decode { .. }), "{stored}: {error:?}");
        let kept = store.backend().get(&key, GetOptions::default()).await.unwrap().unwrap();
        assert_eq!(kept.value, stored);
    }
}

#[tokio::test]
async fn adding_needs_the_rights_to_read_and_write_and_a_valid_key() {
    let store = store();
    for access in [Access::READ, Access::WRITE] {
        let denied = store.restricted(access).add(Hits::key("home"), 1).await;
        assert!(matches!(denied, Err(StateError::Denied { .. })), "{denied:?}");
    }
    let error = store.add(Hits::key(""), 1).await.unwrap_err();
    assert!(matches!(error, StateError::InvalidKey { .. }), "{error:?}");
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
