//! Whether a backend tells the truth about what happened, judged from the outside.
//!
//! A backend stands in front of a [`Proxy`](crate::proxy::Proxy) that breaks its connection at a known
//! place. What the backend then says of its operation is compared with what the server really holds,
//! which a client of another make reads past the proxy. The rules are those of the contract:
//!
//! - `Ok`: it happened, once, and the answer is right.
//! - `Indeterminate`, of a write: it happened once, or not at all.
//! - Unavailable, timed out, overloaded: it did not happen and never will.
//! - Anything else would be a lie: nobody but the backend itself touches the entry.
//!
//! And the same instance works again afterwards.

mod crowd;
mod cuts;
mod down;
mod dropped;
mod lane;
mod lying;
mod operation;
mod outage;
mod plain;
mod report;
mod strike;
mod sum;
pub mod targets;
mod verdict;

use core::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::io;

use state_runtime::{
    backend::{Backend, Result, Revision},
    key::Key,
};
use tokio::time::{Instant, sleep, timeout};

use self::operation::{Answer, Scenario};
pub use self::{
    crowd::crowds,
    cuts::cuts,
    down::{cut_off, down, freeze},
    dropped::drops,
    lying::{Liar, Lie, Lying},
    operation::Operation,
    outage::{Farewell, Frozen, Killed, Outage},
    plain::{Plain, PlainTarget},
    report::{Exchange, Report},
};
use crate::cases::cases;

/// A kind of backend in front of a server.
pub trait Target: Sync {
    /// The backend.
    type Backend: Backend;

    /// Where the server listens, as `host:port`.
    fn server(&self) -> String;

    /// Opens a backend at `address`, each of whose operations ends within `limit`.
    fn open(
        &self,
        address: String,
        limit: Duration,
    ) -> impl Future<Output = Result<Self::Backend>> + Send;

    /// What the server holds under a key, as another client sees it.
    fn stored(&self, key: &Key) -> impl Future<Output = io::Result<Option<Vec<u8>>>> + Send;

    /// Lets another client put a value under a key, or remove it.
    fn put(&self, key: &Key, value: Option<&[u8]>) -> impl Future<Output = io::Result<()>> + Send;

    /// The key that `name` stands for. Keys of one `group` can be written in one batch.
    fn key(&self, group: &str, name: &str) -> Key {
        Key::from_stored(format!("{group}:{name}"))
    }
}

/// How thoroughly to look.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The operations to carry out.
    pub operations: Vec<Operation>,
    /// At how many places of a direction to cut, at most.
    pub places: usize,
    /// How many operations are carried out at once, each on a backend of its own.
    pub lanes: usize,
    /// How long an operation may take before the backend itself gives it up.
    pub limit: Duration,
    /// How long a backend may take until it works again after a fault.
    pub recovery: Duration,
    /// How long to look, after all backends are gone, for writes that come late.
    pub settle: Duration,
}

impl Plan {
    /// Every byte if the environment says `STATE_TEST_FULL=1`, otherwise a few.
    #[must_use]
    pub fn usual() -> Self {
        Self {
            operations: Operation::ALL.to_vec(),
            places: cases(12, 4096).try_into().unwrap_or(usize::MAX),
            lanes: 12,
            limit: Duration::from_millis(600),
            recovery: Duration::from_secs(20),
            settle: Duration::from_secs(2),
        }
    }

    /// A few bytes, for one of several servers that are much alike.
    #[must_use]
    pub fn sampled() -> Self {
        Self { places: cases(6, 40).try_into().unwrap_or(usize::MAX), ..Self::usual() }
    }

    /// As few places as it takes to find a lie.
    #[must_use]
    pub fn brief() -> Self {
        Self { places: 3, ..Self::usual() }
    }

    /// Only these operations.
    #[must_use]
    pub fn of(mut self, operations: &[Operation]) -> Self {
        self.operations = operations.to_vec();
        self
    }

    /// All but these operations.
    #[must_use]
    pub fn without(mut self, operations: &[Operation]) -> Self {
        self.operations.retain(|operation| !operations.contains(operation));
        self
    }
}

/// Longer than an operation may ever take: the deadline that a store gives by default.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a fault is tried again that did not happen, as the exchange was shorter this time or ended
/// for another reason.
const BRINGING: Duration = Duration::from_secs(30);

/// How often a backend that does not work yet is tried.
const STEP: Duration = Duration::from_millis(10);

/// An operation that is ready to be carried out.
#[derive(Debug)]
struct Ready {
    scenario: Scenario,
    revision: Option<Revision>,
}

impl Ready {
    /// Carries the operation out; `None` if it does not return.
    async fn act<B: Backend>(&self, backend: &B) -> Option<Result<Answer>> {
        timeout(PATIENCE, self.scenario.act(backend, self.revision.clone())).await.ok()
    }
}

// By value, as `map_err` hands it over.
#[expect(clippy::needless_pass_by_value)]
fn unseen(error: io::Error) -> String {
    format!("cannot look at the server: {error}")
}

/// One check of one target: what its parts share.
#[derive(Debug)]
struct Run<'t, T> {
    target: &'t T,
    plan: &'t Plan,
    name: String,
    scenarios: AtomicUsize,
}

impl<'t, T: Target> Run<'t, T> {
    fn new(target: &'t T, plan: &'t Plan) -> Self {
        // Several runs share a server, and none may find what another one left.
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let name = format!("run{:03}", RUNS.fetch_add(1, Ordering::Relaxed));
        Self { target, plan, name, scenarios: AtomicUsize::new(0) }
    }

    /// A new scenario, on keys that nobody else has. They all have the same length, so that every
    /// exchange of an operation has.
    fn scenario(&self, operation: Operation) -> Scenario {
        let number = self.scenarios.fetch_add(1, Ordering::Relaxed);
        let group = format!("{}-{number:06}", self.name);
        let keys = ["a", "b"].map(|name| self.target.key(&group, name));
        Scenario::new(operation, number, group, keys)
    }

    /// An operation that is ready to be carried out.
    async fn ready(&self, backend: &T::Backend, operation: Operation) -> Result<Ready, String> {
        let scenario = self.scenario(operation);
        scenario.lay_out(self.target).await.map_err(unseen)?;
        let deadline = Instant::now() + self.plan.recovery;
        loop {
            match scenario.prepare(backend).await {
                Ok(revision) => return Ok(Ready { scenario, revision }),
                Err(error) if error.kind().is_retryable() && Instant::now() < deadline => {
                    sleep(STEP).await;
                }
                Err(error) => return Err(format!("it cannot be read: {error}")),
            }
        }
    }

    /// Opens a backend at `address`, patiently: a busy machine is no fault.
    async fn open(&self, address: String, limit: Duration) -> Result<T::Backend, String> {
        let deadline = Instant::now() + self.plan.recovery;
        loop {
            match self.target.open(address.clone(), limit).await {
                Ok(backend) => return Ok(backend),
                Err(error) if Instant::now() > deadline => {
                    return Err(format!("cannot be opened: {error}"));
                }
                Err(_) => sleep(STEP).await,
            }
        }
    }
}
