//! `Cached`: computed by one of all who ask, told to all, and never told after it was taken back.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{Cas, ManualClock, Ttl},
    backends::{FileBackend, MemoryBackend},
    patterns::{CacheEntry, Cached},
    prelude::*,
    store::TimeToLive,
};
use tests::servers::{dapr, nats, redis};
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

use crate::callers::total;

const LEASE: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, StateKey, Validate)]
#[state(key = "report:{name}", ttl = "1h")]
struct Report {
    #[garde(length(min = 1, max = 64))]
    name: String,
    #[state(value)]
    #[garde(skip)]
    entry: CacheEntry<Option<u32>>,
}

type Reports<B> = Cached<Report, Option<u32>, B>;
type Computed = Result<Option<u32>, StateError>;

fn key() -> ReportKey {
    Report::key("sales")
}

fn memory() -> (StateStore<MemoryBackend>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    (StateStore::new(backend).unwrap(), clock)
}

/// Without early refreshes, which come by chance.
fn reports<B: Cas + Ttl>(store: &StateStore<B>) -> Reports<B> {
    Cached::new(store, LEASE).unwrap().with_early_refresh(0.0).unwrap()
}

/// Asks for the value, which would be computed as `value`.
async fn ask<B: Cas + Ttl>(reports: &Reports<B>, value: u32) -> Option<u32> {
    reports.get_or_compute(key(), async || Computed::Ok(Some(value))).await.unwrap()
}

#[tokio::test]
async fn a_value_is_computed_once_and_lives_as_long_as_its_type_says() {
    let (store, clock) = memory();
    let reports = reports(&store);
    assert_eq!(ask(&reports, 1).await, Some(1));
    assert_eq!(ask(&reports, 2).await, Some(1));
    assert_eq!(store.ttl(key()).await.unwrap(), Some(TimeToLive::Left(HOUR)));
    clock.advance(HOUR);
    assert_eq!(ask(&reports, 3).await, Some(3));
    store.remove(key()).await.unwrap();
    let nothing = reports.get_or_compute(key(), async || Computed::Ok(None)).await.unwrap();
    assert_eq!((nothing, ask(&reports, 4).await), (None, None));
}

#[tokio::test]
async fn the_stored_form_is_readable_and_hidden_in_debug_forms() {
    let (store, _) = memory();
    ask(&reports(&store), 4711).await;
    let stored = store.get(key()).await.unwrap().unwrap();
    let json = serde_json::to_value(&stored.entry).unwrap();
    assert_eq!(json["ready"]["value"], 4711);
    assert_eq!(json["ready"]["fresh_until"], 1_767_225_600_000_u64 + 3_600_000);
    assert!(!format!("{stored:?}").contains("4711"));
}

#[tokio::test]
async fn an_error_is_told_and_not_stored() {
    let (store, _) = memory();
    let reports = reports(&store);
    let failed = reports.get_or_compute(key(), async || Computed::Err(StateError::Closed)).await;
    assert!(matches!(failed, Err(StateError::Closed)), "{failed:?}");
    assert!(!store.exists(key()).await.unwrap());
    assert_eq!(ask(&reports, 1).await, Some(1));
}

/// Begins to compute `value`, until it is told to end, and waits until it has begun.
async fn begun<B: Cas + Ttl>(
    reports: &Reports<B>,
    value: u32,
) -> (JoinHandle<Option<u32>>, Arc<Notify>) {
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits, reports) = (Arc::clone(&begun), Arc::clone(&end), reports.clone());
    let computing = tokio::spawn(async move {
        let compute = async || {
            told.notify_one();
            waits.notified().await;
            Computed::Ok(Some(value))
        };
        reports.get_or_compute(key(), compute).await.unwrap()
    });
    begun.notified().await;
    (computing, end)
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_meanwhile_waits_however_long_it_takes() {
    let (store, clock) = memory();
    let (computing, end) = begun(&reports(&store), 1).await;
    // One of this program, and one of another.
    let waiting: Vec<_> = [reports(&store), reports(&store)]
        .into_iter()
        .map(|reports| tokio::spawn(async move { ask(&reports, 2).await }))
        .collect();
    for _ in 0..50 {
        sleep(LEASE / 3).await;
        clock.advance(LEASE / 3);
    }
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    end.notify_one();
    assert_eq!(computing.await.unwrap(), Some(1));
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), Some(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_dies_delays_others_by_its_lease() {
    let (store, clock) = memory();
    let reports = reports(&store);
    let (computing, _end) = begun(&reports, 1).await;
    computing.abort();
    assert!(computing.await.unwrap_err().is_cancelled());
    let waiting = tokio::spawn(async move { ask(&reports, 2).await });
    sleep(LEASE * 5).await;
    assert!(!waiting.is_finished(), "it took no heed of the lease");
    clock.advance(LEASE);
    assert_eq!(waiting.await.unwrap(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_back_meanwhile_is_not_stored() {
    let (store, _) = memory();
    let reports = reports(&store);
    let (computing, end) = begun(&reports, 1).await;
    store.remove(key()).await.unwrap();
    end.notify_one();
    assert_eq!(computing.await.unwrap(), Some(1));
    assert_eq!(ask(&reports, 2).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn who_was_overtaken_stores_nothing() {
    let (store, clock) = memory();
    let (computing, end) = begun(&reports(&store), 1).await;
    // It stands still for longer than its lease, and another program begins anew.
    clock.advance(LEASE);
    assert_eq!(ask(&reports(&store), 2).await, Some(2));
    end.notify_one();
    assert_eq!(computing.await.unwrap(), Some(1));
    assert_eq!(ask(&reports(&store), 3).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn who_was_overtaken_does_not_speak_for_the_one_who_computes_now() {
    let (store, clock) = memory();
    let (first, end_first) = begun(&reports(&store), 1).await;
    clock.advance(LEASE);
    let (second, end_second) = begun(&reports(&store), 2).await;
    end_first.notify_one();
    assert_eq!(first.await.unwrap(), Some(1));
    let stored = store.get(key()).await.unwrap().unwrap();
    assert!(matches!(stored.entry, CacheEntry::Computing(_)), "{stored:?}");
    end_second.notify_one();
    assert_eq!(second.await.unwrap(), Some(2));
    assert_eq!(ask(&reports(&store), 3).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_computed_anew_by_one_and_used_by_all_others() {
    let (store, clock) = memory();
    let reports = reports(&store).with_fresh_for(MINUTE).unwrap();
    assert_eq!(ask(&reports, 1).await, Some(1));
    clock.advance(MINUTE);
    let (computing, end) = begun(&reports, 2).await;
    let step = LEASE / 4;
    for _ in 0..50 {
        sleep(step).await;
        clock.advance(step);
        assert_eq!(ask(&reports, 3).await, Some(1));
    }
    let left = store.ttl(key()).await.unwrap();
    let passed = MINUTE + step * 50;
    assert_eq!(left, Some(TimeToLive::Left(HOUR.saturating_sub(passed))), "a mark prolongs");
    end.notify_one();
    assert_eq!(computing.await.unwrap(), Some(2));
    assert_eq!(ask(&reports, 4).await, Some(2));
    assert_eq!(store.ttl(key()).await.unwrap(), Some(TimeToLive::Left(HOUR)));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_computed_anew_is_used_on() {
    let (store, clock) = memory();
    let reports = reports(&store).with_fresh_for(MINUTE).unwrap();
    ask(&reports, 1).await;
    clock.advance(MINUTE);
    let failing = async || Computed::Err(StateError::Closed);
    assert_eq!(reports.get_or_compute(key(), failing).await.unwrap(), Some(1));
    assert_eq!(ask(&reports, 2).await, Some(1), "it is not tried again at once");
    clock.advance(LEASE);
    assert_eq!(ask(&reports, 3).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn chance_computes_a_fresh_value_anew_before_it_expires() {
    let slow = |value| {
        async move || {
            sleep(Duration::from_secs(1)).await;
            Computed::Ok(Some(value))
        }
    };
    // So early that it is nearly always.
    for (beta, expected) in [(1e12, Some(2)), (0.0, Some(1))] {
        let (store, _) = memory();
        let reports = reports(&store).with_early_refresh(beta).unwrap();
        assert_eq!(reports.get_or_compute(key(), slow(1)).await.unwrap(), Some(1));
        assert_eq!(reports.get_or_compute(key(), slow(2)).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let (store, _) = memory();
    let settings = [
        Reports::new(&store, Duration::ZERO),
        Reports::new(&store, HOUR * 2),
        reports(&store).with_fresh_for(HOUR * 2),
        reports(&store).with_early_refresh(-1.0),
        reports(&store).with_early_refresh(f64::NAN),
    ];
    for refused in settings {
        assert!(matches!(refused, Err(StateError::InvalidSettings { .. })), "{refused:?}");
    }
}

/// Fifty callers of two programs at once: one of them computes.
async fn check<B: Cas + Ttl + Debug>(store: StateStore<B>) {
    // A lease that outlasts whatever keeps a loaded machine busy.
    let program = || Reports::new(&store, HOUR).unwrap().with_early_refresh(0.0).unwrap();
    let (programs, executions) = ([program(), program()], Arc::new(AtomicU32::new(0)));
    let callers: Vec<_> = (0..50)
        .map(|caller| {
            let (reports, executions) = (programs[caller % 2].clone(), Arc::clone(&executions));
            tokio::spawn(async move {
                let compute = async || Computed::Ok(Some(executions.fetch_add(1, SeqCst)));
                reports.get_or_compute(key(), compute).await.unwrap()
            })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Some(0));
    }
    assert_eq!(executions.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_once_compute_once_in_memory_and_in_a_file() {
    check(StateStore::new(MemoryBackend::new()).unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    check(StateStore::new(FileBackend::open(folder.path()).await.unwrap()).unwrap()).await;
}

/// A thousand callers in four processes.
#[tokio::test(flavor = "multi_thread")]
async fn callers_of_many_processes_compute_once_on_redis() {
    let server = redis::Server::start(redis::Flavour::Redis8).await;
    assert_eq!(total(4, "cached", &server.url(), 250), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_many_processes_compute_once_on_nats() {
    let server = nats::Server::start(nats::Version::V2_15).await;
    assert_eq!(total(4, "cached", &format!("{}/cached", server.url()), 250), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_many_processes_compute_once_on_dapr() {
    if dapr::is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sidecar = dapr::Sidecar::start(dapr::Component::sqlite(folder.path())).await;
    assert_eq!(total(4, "cached", &sidecar.url(), 250), 1);
}
