//! Any operation may be dropped at any of its await points: the store stays consistent and usable.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use state_runtime::{
    StateError,
    backend::{Batch, Cas, Scan, Ttl, Watch},
    backends::{FileBackend, MemoryBackend},
    prelude::*,
};
use tests::fakes::Yielding;

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "pair:{id}", ttl = "1h", formerly = "two:{id}")]
#[garde(allow_unvalidated)]
struct Pair {
    id: u32,
    left: u32,
    right: u32,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "count:{id}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Count {
    id: u32,
    #[state(value)]
    count: u64,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "item:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Item {
    id: u32,
    left: u32,
    right: u32,
}

/// A page has 256.
const ITEMS: u32 = 300;

type Outcome = Result<(), StateError>;

fn pair(value: u32) -> Pair {
    Pair { id: 1, left: value, right: value }
}

/// Polls a future, each time that it is woken, `times` times at most, and drops it; its output if it
/// was done by then.
async fn dropped_after<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drops an operation at each of its await points. After each, what is stored is whole, and every
/// operation still works.
async fn survives<B>(name: &str, store: &StateStore<B>, operation: impl AsyncFn() -> Outcome)
where
    B: Cas + Ttl + Batch + Scan,
{
    let mut drops = 0;
    loop {
        store.set(&pair(1)).await.unwrap();
        store.set(&Count { id: 1, count: 1 }).await.unwrap();
        let done = dropped_after(drops, operation()).await;
        let found = store.get(Pair::key(1_u32)).await.unwrap();
        if let Some(found) = found {
            assert_eq!(found.left, found.right, "{name}, dropped after {drops} polls");
        }
        let count = store.add(Count::key(1_u32), 1).await.unwrap();
        assert!((1..=3).contains(&count), "{name}, dropped after {drops} polls: {count}");
        store
            .update_or_insert_with(Pair::key(1_u32), || pair(0), |it| *it = pair(it.left + 1))
            .await
            .unwrap();
        if let Some(outcome) = done {
            outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
            break;
        }
        drops += 1;
    }
    assert!(drops > 1, "{name} was never dropped halfway");
}

async fn every_operation_survives<B>(backend: B)
where
    B: Cas + Ttl + Batch + Scan + Watch,
{
    let store = &StateStore::new(backend).unwrap();
    let key = || Pair::key(1_u32);
    survives("get", store, async || store.get(key()).await.map(drop)).await;
    survives("get_many", store, async || {
        store.get_many((key(), Count::key(1_u32))).await.map(drop)
    })
    .await;
    survives("get_all", store, async || store.get_all([key()]).await.map(drop)).await;
    survives("get_versioned", store, async || store.get_versioned(key()).await.map(drop)).await;
    survives("exists", store, async || store.exists(key()).await.map(drop)).await;
    survives("ttl", store, async || store.ttl(key()).await.map(drop)).await;
    survives("set", store, async || store.set(&pair(2)).await).await;
    survives("set_all", store, async || store.set_all([&pair(2)]).await).await;
    survives("create", store, async || {
        store.remove(key()).await?;
        store.create(&pair(2)).await
    })
    .await;
    survives("remove", store, async || store.remove(key()).await).await;
    survives("take", store, async || store.take(key()).await.map(drop)).await;
    survives("touch", store, async || store.touch(key()).await.map(drop)).await;
    survives("persist", store, async || store.persist(key()).await.map(drop)).await;
    survives("add", store, async || store.add(Count::key(1_u32), 1).await.map(drop)).await;
    survives("update", store, async || {
        store.update(key(), |it| *it = pair(it.left + 1)).await.map(drop)
    })
    .await;
    survives("update_or_insert_with", store, async || {
        store.remove(key()).await?;
        let insert = || pair(2);
        store.update_or_insert_with(key(), insert, |it| *it = pair(it.left + 1)).await.map(drop)
    })
    .await;
    survives("try_update", store, async || {
        let change = |it: &mut Pair| {
            *it = pair(it.left + 1);
            Ok::<_, StateError>(())
        };
        store.try_update(key(), change).await.map(drop)
    })
    .await;
    survives("update_option", store, async || {
        store.update_option(key(), |it| *it = None).await.map(drop)
    })
    .await;
    survives("replace", store, async || {
        let Some(read) = store.get_versioned(key()).await? else { return Ok(()) };
        store.replace(&pair(2), &read.revision).await.map(drop)
    })
    .await;
    survives("commit", store, async || {
        let count = Count { id: 1, count: 2 };
        store.transaction().set(&pair(2)).set(&count).commit().await
    })
    .await;
    survives("scan", store, async || {
        let mut pairs = store.scan::<Pair>();
        while let Some(found) = pairs.next().await {
            found?;
        }
        Ok(())
    })
    .await;
    survives("partition", store, async || store.scan::<Pair>().partition().await.map(drop)).await;
    survives("keys", store, async || store.keys::<Pair>().all().await.map(drop)).await;
    survives("count", store, async || store.count::<Pair>().await.map(drop)).await;
    survives("remove_all", store, async || {
        store.remove_all::<Count>().await?;
        store.remove_all::<Pair>().await.map(drop)
    })
    .await;
    survives("watch", store, async || {
        let mut states = store.watch(key());
        states.next().await.transpose()?;
        store.set(&pair(2)).await?;
        states.next().await.transpose().map(drop)
    })
    .await;
    survives("watch_all", store, async || {
        let mut pairs = store.watch_all::<Pair>();
        pairs.next().await.transpose()?;
        store.set(&pair(2)).await?;
        pairs.next().await.transpose().map(drop)
    })
    .await;
    survives("health", store, async || store.health().await).await;
}

/// Drops what goes through several pages at each of its await points. Afterwards each value is whole
/// or gone, and the same work can be done to the end.
async fn several_pages_survive<B>(
    name: &str,
    store: &StateStore<B>,
    work: impl AsyncFn() -> Outcome,
) where
    B: Cas + Ttl + Batch + Scan,
{
    let items: Vec<_> = (0..ITEMS).map(|id| Item { id, left: id, right: id }).collect();
    let (removes, mut drops) = (name == "remove_all", 0);
    loop {
        store.set_all(&items).await.unwrap();
        let done = dropped_after(drops, work()).await;
        let mut left = store.scan::<Item>().all().await.unwrap();
        left.sort_unstable_by_key(|item| item.id);
        assert!(left.iter().all(|item| items.get(item.id as usize) == Some(item)), "{name}");
        assert!(removes || left.len() == items.len(), "{name}, dropped after {drops} polls");
        // A removal that was handed over may come later than its caller has gone.
        let count = store.count::<Item>().await.unwrap();
        assert!(count <= left.len() as u64, "{name}, dropped after {drops} polls: {count}");
        assert!(store.remove_all::<Item>().await.unwrap() <= count, "{name}");
        assert_eq!(store.count::<Item>().await.unwrap(), 0, "{name}, dropped after {drops} polls");
        if let Some(outcome) = done {
            outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
            break;
        }
        drops += 1;
    }
    assert!(drops > 2, "{name} has no second page: {drops} polls");
}

async fn all_that_takes_several_pages_survives<B>(backend: B)
where
    B: Cas + Ttl + Batch + Scan + Watch,
{
    let store = &StateStore::new(backend).unwrap();
    several_pages_survive("scan", store, async || {
        let found = store.scan::<Item>().all().await?;
        assert_eq!(found.len(), ITEMS as usize);
        Ok(())
    })
    .await;
    several_pages_survive("keys", store, async || store.keys::<Item>().all().await.map(drop)).await;
    several_pages_survive("count", store, async || {
        assert_eq!(store.count::<Item>().await?, u64::from(ITEMS));
        Ok(())
    })
    .await;
    several_pages_survive("remove_all", store, async || {
        assert_eq!(store.remove_all::<Item>().await?, u64::from(ITEMS));
        Ok(())
    })
    .await;
    several_pages_survive("watch_all", store, async || {
        let mut items = store.watch_all::<Item>();
        for _ in 0..ITEMS {
            items.next().await.transpose()?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn every_operation_in_memory_can_be_dropped_anywhere() {
    every_operation_survives(Yielding(MemoryBackend::new())).await;
    all_that_takes_several_pages_survives(Yielding(MemoryBackend::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_on_disk_can_be_dropped_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileBackend::open(folder.path().join("state")).await.unwrap();
    every_operation_survives(Yielding(file)).await;
    let file = FileBackend::open(folder.path().join("pages")).await.unwrap();
    all_that_takes_several_pages_survives(Yielding(file)).await;
}

#[tokio::test]
async fn a_caller_that_gives_up_its_turn_holds_up_nobody() {
    let store = &StateStore::new(Yielding(MemoryBackend::new())).unwrap();
    store.set(&pair(0)).await.unwrap();
    let update = || store.update(Pair::key(1_u32), |it| *it = pair(it.left + 1));
    for polls in 1..12 {
        // Two that meet, so that one of them queues; then both are gone.
        let both = async { tokio::join!(update(), update()) };
        let _ = dropped_after(polls, both).await;
        update().await.unwrap();
    }
}
