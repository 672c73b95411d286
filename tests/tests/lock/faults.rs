//! Connections that break at every byte of acquiring, renewing and releasing.
//!
//! A second client looks past the proxy: what a guard says is what is stored, nobody gets a lock whose
//! guard counts on it, and afterwards the lock can be had, with a greater token.

use std::time::Duration;

use futures_util::future::join_all;
use state_runtime::{StateError, patterns::LockGuard, prelude::*};
use tests::{
    cases::cases,
    proxy::{Action, Direction, Fault, Proxy},
    servers::{nats, redis},
};
use tokio::time::{Instant, sleep, timeout};

use super::{PATIENCE, TestLock, key, locks, stored};

const LEASE: Duration = Duration::from_millis(600);
/// Lanes side by side: most of the time is spent waiting for leases.
const LANES: u64 = 8;

#[derive(Debug, Clone, Copy)]
enum Step {
    Acquire,
    Renew,
    Release,
}

/// A client behind a proxy, and one that looks past it, at one lock.
struct Lane {
    proxy: Proxy,
    store: StateStore,
    direct: StateStore,
    name: String,
    token: u64,
}

impl Lane {
    async fn open(server: &str, url: &(dyn Fn(&str) -> String + Sync), number: u64) -> Self {
        let proxy = Proxy::start(server).await;
        let store = StateStore::connect(&url(&proxy.address())).await.unwrap();
        let direct = StateStore::connect(&url(server)).await.unwrap();
        Self { proxy, store, direct, name: format!("lane{number}"), token: 0 }
    }

    async fn acquire(&self) -> Result<LockGuard<TestLock>, StateError> {
        locks(&self.store, LEASE).acquire(key(&self.name), PATIENCE).await
    }

    /// Carries out the step once without a fault, and tells how many bytes pass each way.
    async fn measure(&mut self, step: Step) -> [(Direction, u64); 2] {
        let guard = match step {
            Step::Acquire => None,
            Step::Renew | Step::Release => Some(self.acquire().await.unwrap()),
        };
        self.proxy.record();
        let guard = match (step, guard) {
            (Step::Renew, Some(guard)) => {
                let before = stored(&self.direct, &self.name).await;
                until(async || stored(&self.direct, &self.name).await != before).await;
                guard
            }
            (Step::Release, Some(guard)) => {
                guard.release().await.unwrap();
                self.acquire().await.unwrap()
            }
            _ => self.acquire().await.unwrap(),
        };
        let recording = self.proxy.recorded();
        guard.release().await.unwrap();
        [Direction::ToServer, Direction::ToClient].map(|to| (to, recording.bytes(to)))
    }

    /// Lets `fault` happen in the step, and looks whether everything is as it should be.
    async fn strike(&mut self, step: Step, fault: Fault) {
        let acquired = match step {
            Step::Acquire => {
                self.proxy.arm(fault);
                self.acquire().await
            }
            Step::Renew | Step::Release => {
                let acquired = self.acquire().await;
                self.proxy.arm(fault);
                acquired
            }
        };
        let guard = acquired.unwrap_or_else(|error| panic!("{step:?}, {fault:?}: {error}"));
        let token = guard.token().get();
        assert!(token > self.token, "{step:?}, {fault:?}");
        self.token = token;
        if guard.is_held() {
            let lease = stored(&self.direct, &self.name).await;
            let is_ours = lease.is_some_and(|it| it.is_held() && it.token() == token);
            assert!(is_ours || !guard.is_held(), "{step:?}, {fault:?}");
        }
        if matches!(step, Step::Renew) {
            self.rival(&guard, fault).await;
        }
        let released = timeout(PATIENCE, guard.release()).await.expect("a release ends");
        self.proxy.disarm();
        if released.is_ok() {
            let lease = stored(&self.direct, &self.name).await.unwrap();
            assert!(!lease.is_held() || lease.token() > token, "{step:?}, {fault:?}");
        }
        let next = locks(&self.direct, LEASE).acquire(key(&self.name), PATIENCE).await.unwrap();
        assert!(next.token().get() > token, "{step:?}, {fault:?}");
        self.token = next.token().get();
        next.release().await.unwrap();
    }

    /// Somebody else wants the lock for a while in which it is renewed several times: it gets it only
    /// if the guard has given up.
    async fn rival(&self, guard: &LockGuard<TestLock>, fault: Fault) {
        let rival = locks(&self.direct, LEASE).acquire(key(&self.name), 2 * LEASE).await;
        match rival {
            Ok(rival) => {
                assert!(!guard.is_held(), "two holders, {fault:?}");
                rival.release().await.unwrap();
            }
            Err(error) => assert!(matches!(error, StateError::Timeout { .. }), "{error:?}"),
        }
    }
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came to be");
        sleep(Duration::from_millis(5)).await;
    }
}

/// At most `most` places of `len` bytes, the first and the last among them.
fn places(len: u64, most: u64) -> impl Iterator<Item = u64> {
    let steps = len.min(most.max(2)).max(1);
    (0..steps).map(move |step| step * len.saturating_sub(1) / (steps - 1).max(1))
}

async fn check(server: &str, url: &(dyn Fn(&str) -> String + Sync)) {
    let mut faults = Vec::new();
    let mut lane = Lane::open(server, url, 0).await;
    for step in [Step::Acquire, Step::Renew, Step::Release] {
        for (direction, len) in lane.measure(step).await {
            let most = u64::from(cases(8, 100_000));
            faults.extend(places(len, most).map(|at| (step, direction, at)));
        }
    }
    assert!(faults.len() > 30, "{} faults", faults.len());
    let lanes = (0..LANES).map(|number| {
        let faults = &faults;
        async move {
            let mut lane = Lane::open(server, url, number).await;
            let mine = faults.iter().skip(usize::try_from(number).unwrap());
            for (step, direction, at) in mine.step_by(usize::try_from(LANES).unwrap()) {
                lane.strike(*step, Fault::new(*direction, *at, Action::Reset)).await;
            }
        }
    });
    join_all(lanes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis_a_cut_anywhere_makes_no_second_holder_and_no_false_answer() {
    let server = redis::Server::start(redis::Flavour::Redis8).await;
    check(&server.address(), &|address| format!("redis://{address}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_nats_a_cut_anywhere_makes_no_second_holder_and_no_false_answer() {
    let server = nats::Server::start(nats::Version::V2_15).await;
    check(&server.address(), &|address| format!("nats://{address}/locks")).await;
}
