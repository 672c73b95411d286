//! How many increments of many callers at once are lost: by `update`, by `add`, and by reading and
//! writing back.

use std::time::{Duration, Instant};

use state_runtime::{StateError, backend::AnyBackend, prelude::*};
use tokio::task::{JoinSet, yield_now};

use crate::Failure;

/// Longer than all callers take together, so that none of them gives up.
const DEADLINE: Duration = Duration::from_secs(3_600);

/// How many operations of a store are on their way at once; all other callers wait.
const IN_FLIGHT: usize = 16;

#[derive(Debug, Clone, StateKey, Validate)]
#[state(key = "loss:{name}", persistent)]
struct Counter {
    #[garde(skip)]
    name: String,
    #[state(value)]
    #[garde(skip)]
    count: u64,
}

/// How a caller counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By [`StateStore::update_or_insert_with`].
    Update,
    /// By [`StateStore::add`].
    Add,
    /// By [`StateStore::get`] and [`StateStore::set`], with a moment between them in which others run.
    GetThenSet,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Update, Self::Add, Self::GetThenSet];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Add => "add",
            Self::GetThenSet => "get, then set",
        }
    }
}

/// What the callers were told, and what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Increments that were acknowledged.
    pub acknowledged: u64,
    /// Increments of unknown outcome: they may or may not be stored.
    pub unknown: u64,
    /// Attempts that certainly changed nothing, so that the caller tried again.
    pub again: u64,
    /// The number that is stored in the end.
    pub stored: u64,
    /// How long all of it took.
    pub time: Duration,
}

impl Counted {
    /// How many increments were acknowledged and are not stored, at least.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.acknowledged.saturating_sub(self.stored)
    }

    /// Whether what is stored is what was acknowledged, give or take what is unknown.
    #[must_use]
    pub const fn is_honest(&self) -> bool {
        self.acknowledged <= self.stored && self.stored <= self.acknowledged + self.unknown
    }
}

/// Lets as many callers as there are `increments` count by one each, all at once. They share the
/// backends, each of which has a store of its own, as in an instance of a service.
///
/// # Errors
///
/// Those of the store.
pub async fn count(backends: &[AnyBackend], way: Way, increments: u64) -> Result<Counted, Failure> {
    let stores = backends.iter().map(|backend| {
        let builder = StateStore::builder(backend.clone());
        builder.deadline(DEADLINE).max_in_flight(IN_FLIGHT).build()
    });
    let stores = stores.collect::<Result<Vec<_>, _>>()?;
    let Some(first) = stores.first() else { return Err("there is no backend".into()) };
    let name = format!("{way:?}-{increments}");
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for (_, store) in (0..increments).zip(stores.iter().cycle()) {
        callers.spawn(insist(store.clone(), name.clone(), way));
    }
    let mut counted =
        Counted { acknowledged: 0, unknown: 0, again: 0, stored: 0, time: Duration::ZERO };
    while let Some(caller) = callers.join_next().await {
        let (is_known, again) = caller??;
        counted.acknowledged += u64::from(is_known);
        counted.unknown += u64::from(!is_known);
        counted.again += again;
    }
    counted.time = start.elapsed();
    counted.stored = first.get(Counter::key(name)).await?.map_or(0, |counter| counter.count);
    Ok(counted)
}

/// Counts until it may have happened. Returns whether it certainly has, and how often it has not.
async fn insist(store: StateStore, name: String, way: Way) -> Result<(bool, u64), StateError> {
    let mut again = 0;
    loop {
        match increment(&store, &name, way).await {
            Ok(()) => return Ok((true, again)),
            Err(StateError::Indeterminate { .. }) => return Ok((false, again)),
            Err(error) if error.is_retryable() => again += 1,
            Err(error) => return Err(error),
        }
        yield_now().await;
    }
}

async fn increment(store: &StateStore, name: &str, way: Way) -> Result<(), StateError> {
    let zero = || Counter { name: name.to_owned(), count: 0 };
    match way {
        Way::Update => {
            let count = |counter: &mut Counter| counter.count += 1;
            store.update_or_insert_with(Counter::key(name), zero, count).await.map(drop)
        }
        Way::Add => store.add(Counter::key(name), 1).await.map(drop),
        Way::GetThenSet => {
            let mut counter = store.get(Counter::key(name)).await?.unwrap_or_else(zero);
            yield_now().await;
            counter.count += 1;
            store.set(&counter).await
        }
    }
}
