//! `RateLimiter`: the limit is kept exactly, whoever asks, and an outage is what its user says.

use std::{future::pending, sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{
        Backend, Bytes, Capabilities, Cas, Clock as _, Entry, GetOptions, ManualClock,
        RemoveOptions, Result, Revision, SetOptions, ThrottleOptions, Throttled, Ttl,
    },
    backends::{FileBackend, MemoryBackend},
    key::{Key, KeyWriter},
    patterns::{Limit, OnOutage, RateLimiter, RateWindow},
    prelude::*,
    store::TimeToLive,
};
use tests::servers::{dapr, nats, redis};

use crate::callers::total;

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, StateKey, Validate)]
#[state(key = "rate:{principal}:{command}", ttl = "2m")]
struct Rate {
    #[garde(length(min = 1, max = 20))]
    principal: String,
    #[garde(length(min = 1, max = 20))]
    command: String,
    #[state(value)]
    #[garde(skip)]
    window: RateWindow,
}

fn key() -> RateKey {
    Rate::key("ada", "search")
}

fn memory() -> (StateStore<MemoryBackend>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    (StateStore::new(backend).unwrap(), clock)
}

fn limiter<B: Cas + Ttl>(store: &StateStore<B>, limit: Limit) -> RateLimiter<Rate, B> {
    RateLimiter::new(store, limit, OnOutage::Refuse).unwrap()
}

/// How many of `calls` are admitted.
async fn admitted<B: Cas + Ttl>(limiter: &RateLimiter<Rate, B>, calls: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..calls {
        admitted += usize::from(limiter.check(key()).await.unwrap().is_admitted());
    }
    admitted
}

#[tokio::test]
async fn over_a_long_time_as_many_are_admitted_as_the_limit_says() {
    // The last of ten windows has only just begun.
    for (limit, expected) in [(Limit::smooth(6, MINUTE), 60), (Limit::window(6, MINUTE), 55)] {
        let (store, clock) = memory();
        let limiter = limiter(&store, limit);
        assert_eq!(admitted(&limiter, 20).await, 6);
        let mut later = 0;
        // A call each second for ten minutes, most of them refused.
        for _ in 0..600 {
            clock.advance(Duration::from_secs(1));
            later += admitted(&limiter, 1).await;
        }
        assert_eq!(later, expected, "{limit:?}");
    }
}

#[tokio::test]
async fn a_burst_may_be_smaller_and_larger_than_what_comes_back_in_a_period() {
    for (burst, left) in [(1, 0), (10, 9)] {
        let (store, clock) = memory();
        let limiter = limiter(&store, Limit::smooth_with_burst(6, MINUTE, burst));
        let first = limiter.check(key()).await.unwrap();
        assert_eq!((first.limit(), first.remaining()), (burst, Some(left)));
        assert_eq!(admitted(&limiter, 20).await, left as usize);
        clock.advance(Duration::from_secs(9));
        assert_eq!(admitted(&limiter, 1).await, 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(admitted(&limiter, 2).await, 1);
    }
}

#[tokio::test]
async fn a_refused_call_is_told_when_to_come_back_and_is_admitted_then() {
    for limit in [Limit::smooth(7, MINUTE), Limit::window(7, MINUTE)] {
        let (store, clock) = memory();
        let limiter = limiter(&store, limit);
        assert_eq!(admitted(&limiter, 7).await, 7);
        clock.advance(Duration::from_millis(1234));
        let refused = limiter.check(key()).await.unwrap();
        let wait = refused.retry_after().unwrap();
        // The clock shows whole milliseconds.
        clock.advance(wait.saturating_sub(Duration::from_millis(1)));
        assert_eq!(admitted(&limiter, 1).await, 0, "{limit:?}");
        clock.advance(Duration::from_millis(2));
        assert_eq!(admitted(&limiter, 1).await, 1, "{limit:?}");
    }
}

#[tokio::test]
async fn the_headers_are_those_of_the_standards() {
    let (store, clock) = memory();
    let limiter = limiter(&store, Limit::smooth(6, MINUTE));
    let admitted = limiter.check_many(key(), 6).await.unwrap();
    let headers: Vec<_> = admitted.headers().collect();
    let expected = [("ratelimit-limit", 6), ("ratelimit-remaining", 0), ("ratelimit-reset", 60)];
    assert_eq!(headers, expected);
    clock.advance(Duration::from_millis(500));
    let refused = limiter.check(key()).await.unwrap();
    assert_eq!(refused.headers().last(), Some(("retry-after", 10)));
    assert_eq!(refused.reset(), Some(Duration::from_millis(59_500)));
}

#[tokio::test]
async fn another_release_with_another_limit_goes_on_from_what_was_taken() {
    let (store, clock) = memory();
    assert_eq!(admitted(&limiter(&store, Limit::window(5, MINUTE)), 9).await, 5);
    assert_eq!(admitted(&limiter(&store, Limit::window(8, MINUTE)), 9).await, 3);
    assert_eq!(admitted(&limiter(&store, Limit::window(6, MINUTE)), 9).await, 0);
    // A shorter window ends earlier.
    let shorter = limiter(&store, Limit::window(6, MINUTE / 4));
    let wait = shorter.check(key()).await.unwrap().retry_after();
    assert_eq!(wait, Some(MINUTE / 4));
    clock.advance(MINUTE);
    let smooth = limiter(&store, Limit::smooth(5, MINUTE));
    assert_eq!(admitted(&smooth, 9).await, 5);
    let other = smooth.with_limit(Limit::smooth(600, MINUTE)).unwrap();
    clock.advance(Duration::from_millis(100));
    assert_eq!(admitted(&other, 9).await, 1);
}

#[tokio::test]
async fn permits_that_come_back_faster_than_an_entry_can_expire_are_counted() {
    let (store, clock) = memory();
    let limit = Limit::smooth_with_burst(10_000, Duration::from_secs(1), 2);
    let limiter = limiter(&store, limit);
    for _ in 0..3 {
        assert_eq!(admitted(&limiter, 9).await, 2);
        clock.advance(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_answer_longer_than_a_period() {
    for limit in [Limit::smooth(5, MINUTE), Limit::window(5, MINUTE)] {
        let (store, clock) = memory();
        let start = clock.now();
        clock.advance(MINUTE * 600);
        let limiter = limiter(&store, limit);
        assert_eq!(admitted(&limiter, 9).await, 5);
        clock.set(start);
        let refused = limiter.check(key()).await.unwrap();
        assert!(refused.reset().unwrap() <= MINUTE, "{refused:?}");
    }
}

#[tokio::test]
async fn what_is_stored_can_be_read_expires_and_can_be_removed() {
    let (store, clock) = memory();
    let limiter = limiter(&store, Limit::smooth(6, MINUTE));
    let _ = limiter.check_many(key(), 3).await.unwrap();
    let stored = store.get(key()).await.unwrap().unwrap();
    assert_eq!(stored.window.free_at().since(store.backend().now()), MINUTE / 2);
    let left = store.ttl(key()).await.unwrap();
    assert_eq!(left, Some(TimeToLive::Left(MINUTE / 2)));
    store.remove(key()).await.unwrap();
    assert_eq!(admitted(&limiter, 9).await, 6);
    clock.advance(MINUTE);
    assert!(store.get(key()).await.unwrap().is_none());
}

#[tokio::test]
async fn an_outage_is_what_its_user_says() {
    for (choice, goes_on) in [(OnOutage::Admit, true), (OnOutage::Refuse, false)] {
        let server = redis::Server::start(redis::Flavour::Redis7).await;
        let store = StateStore::connect(&server.url()).await.unwrap();
        let limiter = RateLimiter::<Rate>::new(&store, Limit::smooth(5, MINUTE), choice).unwrap();
        assert!(limiter.check(key()).await.unwrap().outage().is_none());
        server.kill();
        let admission = limiter.check(key()).await.unwrap();
        assert_eq!(admission.is_admitted(), goes_on);
        let outage = admission.outage().unwrap();
        assert!(
            matches!(outage, StateError::Unavailable { .. } | StateError::Indeterminate { .. }),
            "{outage:?}"
        );
        assert_eq!((admission.remaining(), admission.headers().count()), (None, 0));
        // A mistake of the program is no outage.
        let wrong = limiter.check(Rate::key("", "search")).await;
        assert!(matches!(wrong, Err(StateError::InvalidKey { .. })), "{wrong:?}");
    }
}

/// Memory whose answers to `throttle` get lost.
#[derive(Debug)]
struct Silent(MemoryBackend);

impl Backend for Silent {
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
    async fn throttle(&self, key: &Key, options: ThrottleOptions) -> Result<Throttled> {
        self.0.throttle(key, options).await?;
        pending().await
    }
}

impl Cas for Silent {}
impl Ttl for Silent {}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_may_have_taken_a_permit_and_says_so() {
    let store = StateStore::new(Silent(MemoryBackend::new())).unwrap();
    let admission = limiter(&store, Limit::smooth(5, MINUTE)).check(key()).await.unwrap();
    assert!(!admission.is_admitted());
    let outage = admission.outage();
    assert!(matches!(outage, Some(StateError::Indeterminate { .. })), "{outage:?}");
    assert!(store.exists(key()).await.unwrap(), "the permit was taken");
}

#[tokio::test]
async fn something_else_under_the_key_is_an_error_and_stays() {
    let (store, _) = memory();
    let mut writer = KeyWriter::new();
    writer.literal("rate:ada:search");
    let raw = writer.finish().unwrap();
    let value = Bytes::from_static(b"\"canary-77\"");
    store.backend().set(&raw, value.clone(), SetOptions::default()).await.unwrap();
    let error = limiter(&store, Limit::smooth(5, MINUTE)).check(key()).await.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("canary"));
    let stored = store.backend().get(&raw, GetOptions::default()).await.unwrap();
    assert_eq!(stored.unwrap().value, value);
}

#[tokio::test]
async fn a_limit_that_outlives_its_entries_is_refused() {
    let (store, _) = memory();
    let long = RateLimiter::<Rate, _>::new(&store, Limit::window(1, MINUTE * 3), OnOutage::Admit);
    let error = long.unwrap_err();
    assert!(matches!(error, StateError::InvalidSettings { .. }), "{error:?}");
    assert!(error.to_string().contains("declare a longer `ttl`"), "{error}");
}

/// Fifty callers at once, on one store.
async fn check_one<B: Cas + Ttl>(store: &StateStore<B>) {
    for limit in [Limit::smooth(20, MINUTE * 2), Limit::window(20, MINUTE * 2)] {
        store.remove(key()).await.unwrap();
        let limiter = limiter(store, limit);
        let calls = (0..50).map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move { limiter.check_many(key(), 1).await.unwrap().is_admitted() })
        });
        let mut admitted = 0;
        for call in calls.collect::<Vec<_>>() {
            admitted += usize::from(call.await.unwrap());
        }
        // Smooth permits come back while a slow machine is at it: one in six seconds.
        let exact = limit == Limit::window(20, MINUTE * 2);
        assert!(if exact { admitted == 20 } else { (20..30).contains(&admitted) }, "{admitted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_file_admit_no_more_and_no_fewer() {
    check_one(&StateStore::new(MemoryBackend::new()).unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    check_one(&StateStore::new(FileBackend::open(folder.path()).await.unwrap()).unwrap()).await;
}

/// 1, 4 and 16 processes: together they are admitted exactly as often as the limit says.
fn check_processes(all: &[usize], mut url: impl FnMut(&str) -> String) {
    for kind in ["smooth", "window"] {
        for processes in all.iter().copied() {
            // Enough calls for a process alone to use up the limit.
            let url = url(&format!("{kind}{processes}"));
            assert_eq!(total(processes, kind, &url, 20), 100, "{kind}, {processes} processes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_redis_are_admitted_exactly_as_often_as_the_limit_says() {
    let server = redis::Server::start(redis::Flavour::Redis7).await;
    let mut database = 0;
    check_processes(&[1, 4, 16], |_| {
        database += 1;
        format!("{}/{database}", server.url())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_nats_are_admitted_exactly_as_often_as_the_limit_says() {
    let server = nats::Server::start(nats::Version::V2_15).await;
    check_processes(&[1, 4, 16], |bucket| format!("{}/{bucket}", server.url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_dapr_are_admitted_exactly_as_often_as_the_limit_says() {
    if dapr::is_left_out() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sidecar = dapr::Sidecar::start(dapr::Component::sqlite(folder.path())).await;
    let url = sidecar.url();
    assert_eq!(total(4, "window", &url, 20), 100);
}
