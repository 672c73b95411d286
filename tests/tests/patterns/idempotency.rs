//! `Idempotency`: carried out once, told to all, and never told before it has happened.

use std::{
    convert::Infallible,
    fmt::Debug,
    future::{Ready, ready},
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
    patterns::{Idempotency, Outcome, Run, RunError},
    prelude::*,
    store::TimeToLive,
};
use tests::servers::{dapr, nats, redis};
use tokio::sync::Notify;

use crate::callers::total;

const LEASE: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, StateKey, Validate)]
#[state(key = "payment:{request}", ttl = "1d")]
struct Payment {
    #[garde(length(min = 1, max = 64))]
    request: String,
    #[state(value)]
    #[garde(skip)]
    outcome: Outcome<Option<u32>>,
}

type Payments<B> = Idempotency<Payment, Option<u32>, B>;

fn key() -> PaymentKey {
    Payment::key("c0ffee")
}

fn memory() -> (StateStore<MemoryBackend>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    (StateStore::new(backend).unwrap(), clock)
}

fn payments<B: Cas + Ttl>(store: &StateStore<B>) -> Payments<B> {
    Idempotency::new(store, LEASE).unwrap()
}

/// An operation that gives `value`.
fn paid(value: Option<u32>) -> Ready<Result<Option<u32>, Infallible>> {
    ready(Ok(value))
}

/// An operation that must not be carried out.
async fn never() -> Result<Option<u32>, Infallible> {
    panic!("it was carried out once more")
}

#[tokio::test]
async fn a_duplicate_is_told_what_came_of_the_first() {
    let (store, clock) = memory();
    for value in [Some(7), None] {
        store.remove(key()).await.unwrap();
        let first = payments(&store).run(key(), || paid(value)).await.unwrap();
        assert_eq!(first, Run::Executed(value));
        let again = payments(&store).run(key(), never).await.unwrap();
        assert_eq!(again, Run::Replayed(value));
        assert_eq!(store.ttl(key()).await.unwrap(), Some(TimeToLive::Left(DAY)));
    }
    let later = payments(&store).try_run(key(), never).await.unwrap();
    assert_eq!(later, Some(Run::Replayed(None)));
    clock.advance(DAY);
    let anew = payments(&store).run(key(), || paid(Some(8))).await.unwrap();
    assert_eq!(anew, Run::Executed(Some(8)));
}

#[tokio::test]
async fn the_stored_form_is_readable_and_hidden_in_debug_forms() {
    let (store, _) = memory();
    payments(&store).run(key(), || paid(Some(4711))).await.unwrap();
    let stored = store.get(key()).await.unwrap().unwrap();
    assert_eq!(serde_json::to_string(&stored.outcome).unwrap(), r#"{"done":4711}"#);
    assert!(!format!("{stored:?}").contains("4711"));
}

#[tokio::test]
async fn a_failed_operation_leaves_nothing_and_may_be_tried_again() {
    let (store, _) = memory();
    let failed = payments(&store).run(key(), async || Err::<Option<u32>, _>("no money")).await;
    assert!(matches!(failed, Err(RunError::Operation("no money"))), "{failed:?}");
    assert!(!store.exists(key()).await.unwrap());
    let run = payments(&store).run(key(), || paid(Some(1))).await.unwrap();
    assert_eq!(run, Run::Executed(Some(1)));
}

/// Starts an operation that goes on until it is told to end, and waits until it has begun.
async fn begun<B: Cas + Ttl>(
    store: &StateStore<B>,
) -> (tokio::task::JoinHandle<Run<Option<u32>>>, Arc<Notify>) {
    let (payments, begun, end) =
        (payments(store), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits) = (Arc::clone(&begun), Arc::clone(&end));
    let run = tokio::spawn(async move {
        let operation = async || {
            told.notify_one();
            waits.notified().await;
            paid(Some(1)).await
        };
        payments.run(key(), operation).await.unwrap()
    });
    begun.notified().await;
    (run, end)
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_meanwhile_is_told_so_or_waits() {
    let (store, _) = memory();
    let (run, end) = begun(&store).await;
    assert_eq!(payments(&store).try_run(key(), never).await.unwrap(), None);
    let waiting = payments(&store);
    let waiting = tokio::spawn(async move { waiting.run(key(), never).await.unwrap() });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    end.notify_one();
    assert_eq!(run.await.unwrap(), Run::Executed(Some(1)));
    assert_eq!(waiting.await.unwrap(), Run::Replayed(Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_long_operation_is_kept_from_others_for_as_long_as_it_takes() {
    let (store, clock) = memory();
    let (run, end) = begun(&store).await;
    for _ in 0..100 {
        // A renewal each third of the lease, by the clock of the program and by that of the store.
        tokio::time::sleep(LEASE / 3).await;
        clock.advance(LEASE / 3);
        assert_eq!(payments(&store).try_run(key(), never).await.unwrap(), None);
    }
    end.notify_one();
    assert_eq!(run.await.unwrap(), Run::Executed(Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_dies_delays_others_by_its_lease() {
    let (store, clock) = memory();
    let (run, _end) = begun(&store).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    assert_eq!(payments(&store).try_run(key(), never).await.unwrap(), None);
    clock.advance(LEASE);
    let second = payments(&store).run(key(), || paid(Some(2))).await.unwrap();
    assert_eq!(second, Run::Executed(Some(2)));
}

#[tokio::test(start_paused = true)]
async fn who_was_overtaken_tells_what_the_other_has_stored() {
    let (store, clock) = memory();
    let (run, end) = begun(&store).await;
    // It stands still for longer than its lease.
    clock.advance(LEASE);
    let second = payments(&store).run(key(), || paid(Some(2))).await.unwrap();
    assert_eq!(second, Run::Executed(Some(2)));
    end.notify_one();
    assert_eq!(run.await.unwrap(), Run::Replayed(Some(2)));
}

#[tokio::test(start_paused = true)]
async fn who_is_overtaken_and_ends_first_has_the_outcome_that_counts() {
    let (store, clock) = memory();
    let (first, end_first) = begun(&store).await;
    clock.advance(LEASE);
    let (second, end_second) = begun(&store).await;
    end_first.notify_one();
    assert_eq!(first.await.unwrap(), Run::Executed(Some(1)));
    let told = payments(&store).try_run(key(), never).await.unwrap();
    assert_eq!(told, Some(Run::Replayed(Some(1))));
    end_second.notify_one();
    assert_eq!(second.await.unwrap(), Run::Replayed(Some(1)));
}

#[tokio::test(start_paused = true)]
async fn who_was_overtaken_and_fails_leaves_the_other_its_claim() {
    let (store, clock) = memory();
    let overtaken = async || {
        clock.advance(LEASE);
        Err::<Option<u32>, _>(begun(&store).await)
    };
    let failed = payments(&store).run(key(), overtaken).await;
    let Err(RunError::Operation((other, end))) = failed else { panic!("it has failed") };
    assert_eq!(payments(&store).try_run(key(), never).await.unwrap(), None);
    end.notify_one();
    assert_eq!(other.await.unwrap(), Run::Executed(Some(1)));
}

#[tokio::test]
async fn an_outcome_that_cannot_be_stored_is_not_lost_to_the_caller() {
    let server = redis::Server::start(redis::Flavour::Redis7).await;
    let store = StateStore::connect(&server.url()).await.unwrap();
    let operation = async || {
        server.kill();
        paid(Some(3)).await
    };
    let run = payments(&store).run(key(), operation).await;
    assert!(matches!(run, Err(RunError::NotStored { value: Some(3), .. })), "{run:?}");
    let down = payments(&store).run(key(), never).await;
    assert!(matches!(down, Err(RunError::State(StateError::Unavailable { .. }))), "{down:?}");
}

#[tokio::test]
async fn a_lease_that_outlives_its_entries_is_refused() {
    let (store, _) = memory();
    for lease in [Duration::ZERO, DAY * 2] {
        let refused = Payments::new(&store, lease).err();
        assert!(matches!(refused, Some(StateError::InvalidSettings { .. })), "{refused:?}");
    }
}

/// Twenty callers at once carry it out once.
async fn check<B: Cas + Ttl + Debug>(store: StateStore<B>) {
    let executions = Arc::new(AtomicU32::new(0));
    let callers: Vec<_> = (0..20)
        .map(|_| {
            // A lease that outlasts whatever keeps a loaded machine busy.
            let payments = Payments::new(&store, DAY).unwrap();
            let executions = Arc::clone(&executions);
            tokio::spawn(async move {
                let operation = async || paid(Some(executions.fetch_add(1, SeqCst))).await;
                payments.run(key(), operation).await.unwrap()
            })
        })
        .collect();
    let mut executed = 0;
    for caller in callers {
        let run = caller.await.unwrap();
        executed += u32::from(!run.is_replayed());
        assert_eq!(run.into_value(), Some(0));
    }
    assert_eq!((executed, executions.load(SeqCst)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_once_carry_it_out_once_in_memory_and_in_a_file() {
    check(StateStore::new(MemoryBackend::new()).unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    check(StateStore::new(FileBackend::open(folder.path()).await.unwrap()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_once_carry_it_out_once_on_every_server() {
    let redis = redis::Server::start(redis::Flavour::Valkey9).await;
    check(StateStore::connect(&redis.url()).await.unwrap()).await;
    let nats = nats::Server::start(nats::Version::V2_11).await;
    check(StateStore::connect(&format!("{}/payments", nats.url())).await.unwrap()).await;
    if !dapr::is_left_out() {
        let sidecar = dapr::Sidecar::start(dapr::Component::redis(&redis)).await;
        check(StateStore::connect(&sidecar.url()).await.unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_many_processes_carry_it_out_once() {
    let redis = redis::Server::start(redis::Flavour::Redis7).await;
    assert_eq!(total(4, "idempotency", &redis.url(), 20), 1);
    let nats = nats::Server::start(nats::Version::V2_15).await;
    assert_eq!(total(4, "idempotency", &format!("{}/payments", nats.url()), 20), 1);
}
