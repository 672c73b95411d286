//! `update` under many callers, what it costs, and what it does to a lifetime; `typed` has the rest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{Backend, ManualClock, SetOptions},
    backends::{FileBackend, MemoryBackend},
    key::Key,
    prelude::*,
    store::TimeToLive,
};
use tests::fakes::Counting;

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "cart:{user}", ttl = "1d")]
struct Cart {
    #[garde(length(min = 1))]
    user: String,
    #[garde(length(max = 3))]
    items: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "tally:{name}", persistent)]
struct Tally {
    #[garde(skip)]
    name: String,
    #[state(value)]
    #[garde(skip)]
    count: u64,
}

fn cart(items: &[&str]) -> Cart {
    Cart { user: "ada".into(), items: items.iter().map(ToString::to_string).collect() }
}

fn tally(count: u64) -> Tally {
    Tally { name: "all".into(), count }
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

async fn increment<B: state_runtime::backend::Cas>(
    store: &StateStore<B>,
) -> Result<(), StateError> {
    let zero = || tally(0);
    let count = |tally: &mut Tally| tally.count += 1;
    store.update_or_insert_with(Tally::key("all"), zero, count).await.map(drop)
}

async fn increments_from_many_tasks<B>(store: &StateStore<B>, tasks: usize, each: usize)
where
    B: state_runtime::backend::Cas,
{
    let tasks = (0..tasks).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..each {
                increment(&store).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_of_many_callers_is_lost() {
    let store = store();
    increments_from_many_tasks(&store, 64, 50).await;
    assert_eq!(store.get(Tally::key("all")).await.unwrap(), Some(tally(3_200)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_of_two_stores_over_one_backend_is_lost() {
    let backend = Arc::new(MemoryBackend::new());
    let one = StateStore::new(Arc::clone(&backend)).unwrap();
    let other = StateStore::new(backend).unwrap();
    let both = (increments_from_many_tasks(&one, 8, 50), increments_from_many_tasks(&other, 8, 50));
    tokio::join!(both.0, both.1);
    assert_eq!(one.get(Tally::key("all")).await.unwrap(), Some(tally(800)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_on_disk_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileBackend::open(folder.path().join("state")).await.unwrap();
    let store = StateStore::new(file).unwrap();
    increments_from_many_tasks(&store, 16, 10).await;
    assert_eq!(store.get(Tally::key("all")).await.unwrap(), Some(tally(160)));
}

#[tokio::test]
async fn an_update_costs_two_calls_to_the_backend() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.set(&tally(1)).await.unwrap();
    backend.calls();
    store.update(Tally::key("all"), |tally| tally.count += 1).await.unwrap();
    assert_eq!(backend.calls(), 2, "one read and one write");
}

#[tokio::test]
async fn the_closure_runs_again_when_somebody_else_was_faster() {
    let backend = Arc::new(MemoryBackend::new());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    store.set(&tally(1)).await.unwrap();
    let runs = AtomicUsize::new(0);
    let updated = store
        .update(Tally::key("all"), |tally| {
            if runs.fetch_add(1, SeqCst) == 0 {
                let key = Key::from_stored("tally:all");
                let rival = backend.set(&key, "10".into(), SetOptions::default());
                futures_util::FutureExt::now_or_never(rival).unwrap().unwrap();
            }
            tally.count += 1;
        })
        .await
        .unwrap();
    assert_eq!((updated.count, runs.into_inner()), (11, 2));
}

#[tokio::test]
async fn an_update_starts_the_lifetime_anew() {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    let store = StateStore::new(backend).unwrap();
    store.set(&cart(&[])).await.unwrap();
    clock.advance(Duration::from_secs(23 * 3_600));
    store.update(Cart::key("ada"), |_| ()).await.unwrap();
    let day = Duration::from_secs(24 * 3_600);
    assert_eq!(store.ttl(Cart::key("ada")).await.unwrap(), Some(TimeToLive::Left(day)));
}
