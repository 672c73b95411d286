//! Cached computations: a report that takes long, and that many ask for at once.
//!
//! ```text
//! cargo run --example cached
//! cargo run --example cached --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use examples::{Failure, Program, say, step, title};
use serde::{Deserialize, Serialize};
use state_runtime::{
    StateError,
    patterns::{CacheEntry, Cached},
    prelude::*,
};

/// What a year has brought in. It is forgotten after an hour.
#[derive(Debug, StateKey, Validate)]
#[state(key = "revenue:{year}", ttl = "1h")]
struct Revenue {
    #[garde(range(min = 2000))]
    year: u16,
    #[state(value)]
    #[garde(dive)]
    entry: CacheEntry<Sum>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
struct Sum {
    #[garde(range(min = 1))]
    cents: u64,
}

/// How often it was computed.
static COMPUTED: AtomicU32 = AtomicU32::new(0);

/// Goes through all the orders of the year.
async fn compute() -> Result<Sum, StateError> {
    COMPUTED.fetch_add(1, SeqCst);
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(Sum { cents: 1_234_500 })
}

const YEAR: u16 = 2026;

const PROGRAM: Program = Program {
    name: "cached",
    about: "Computes a report once, however many ask for it.",
    operands: &[],
    store: Some("file:state"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    let store = StateStore::connect(&arguments.store).await?;
    // What another run may have left.
    store.remove(Revenue::key(YEAR)).await?;
    // A process that dies while it computes keeps others waiting for so long.
    let revenues = Cached::<Revenue, Sum>::new(&store, Duration::from_secs(10))?;

    title("A hundred ask at once, for something that nobody has computed");
    let askers: Vec<_> = (0..100)
        .map(|_| {
            let revenues = revenues.clone();
            tokio::spawn(async move { revenues.get_or_compute(Revenue::key(YEAR), compute).await })
        })
        .collect();
    let mut told = 0;
    for asker in askers {
        told += u32::from(asker.await??.cents == 1_234_500);
    }
    say("told", format!("{told} of them"));
    say("computed", times());

    step("Later ones read it from the store");
    let sum = revenues.get_or_compute(Revenue::key(YEAR), compute).await?;
    say("cents", sum.cents);
    say("computed", times());

    step("Whoever changes an order removes the report");
    store.remove(Revenue::key(YEAR)).await?;
    revenues.get_or_compute(Revenue::key(YEAR), compute).await?;
    say("computed", times());

    step("Stale at once: one computes it anew, the others go on with what there is");
    let revenues = revenues.with_fresh_for(Duration::ZERO)?;
    let refresh = revenues.get_or_compute(Revenue::key(YEAR), compute);
    let (refreshed, other) = tokio::join!(refresh, async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        revenues.get_or_compute(Revenue::key(YEAR), compute).await
    });
    say("both are told", format!("{} and {}", refreshed?.cents, other?.cents));
    store.close(Duration::from_secs(5)).await?;
    Ok(())
}

fn times() -> String {
    match COMPUTED.load(SeqCst) {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}
