//! Two workers want to write the same report: a lock lets one at a time, and a token tells who is late.
//!
//! ```text
//! cargo run --example lock
//! cargo run --example lock --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::time::Duration;

use examples::{Failure, Program, refused, say, step, title};
use state_runtime::{
    StateError,
    backend::Backend as _,
    patterns::{Lease, Lock},
    prelude::*,
};

/// Who may write a report. The entry stays when nobody does, with the last token.
#[derive(Debug, StateKey, Validate)]
#[state(key = "lock:report:{name}", persistent)]
struct ReportLock {
    #[garde(length(min = 1, max = 64))]
    name: String,
    #[state(value)]
    #[garde(skip)]
    lease: Lease,
}

/// What the lock protects: written with the token of its holder alone.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "report:{name}", persistent, fenced_by = ReportLock)]
struct Report {
    #[garde(length(min = 1, max = 64))]
    name: String,
    #[garde(length(max = 1_000))]
    text: String,
}

const LEASE: Duration = Duration::from_secs(2);
const WAIT: Duration = Duration::from_secs(10);

const PROGRAM: Program = Program {
    name: "lock",
    about: "Lets two workers write one report, one at a time.",
    operands: &[],
    store: Some("memory:"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    title("One report, two workers");
    let store = StateStore::connect(&arguments.store).await?;
    say("backend", store.backend().name());
    let lock = Lock::<ReportLock>::new(&store, LEASE)?;
    one_at_a_time(&lock).await?;
    a_lost_lock(&store, &lock).await?;
    Ok(())
}

fn nightly() -> ReportLockKey {
    ReportLock::key("nightly")
}

async fn one_at_a_time(lock: &Lock<ReportLock>) -> Result<(), Failure> {
    step("One at a time");
    let first = lock.acquire(nightly(), WAIT).await?;
    say("first worker", "holds the lock");
    let second = lock.try_acquire(nightly()).await?;
    say("second worker", if second.is_none() { "finds it taken" } else { "holds it too" });
    let waiting = lock.acquire(nightly(), WAIT);
    let (released, second) = tokio::join!(first.release(), waiting);
    released?;
    say("first worker", "has released it");
    let second = second?;
    say("second worker", format!("holds it: {}", second.is_held()));
    second.release().await?;
    Ok(())
}

/// A holder hears of the loss. One that does not is refused by what it writes to.
async fn a_lost_lock(store: &StateStore, lock: &Lock<ReportLock>) -> Result<(), Failure> {
    step("A lock that somebody has removed");
    let late = lock.acquire(nightly(), WAIT).await?;
    store.remove(nightly()).await?;
    let next = lock.acquire(nightly(), WAIT).await?;
    late.lost().await;
    say("late worker", format!("holds it: {}", late.is_held()));
    say("its token", if late.token() < next.token() { "smaller" } else { "not smaller" });
    let report = |text: &str| Report { name: "nightly".to_owned(), text: text.to_owned() };
    store.fenced(next.token()).set(&report("by the next worker")).await?;
    refused("a late write", store.fenced(late.token()).set(&report("by the late one")).await)?;
    let written = store.get(Report::key("nightly")).await?;
    say("the report", written.map_or_else(String::new, |report| report.text));
    match late.release().await {
        Err(error @ StateError::LeaseLost { .. }) => say("its release", error),
        other => other?,
    }
    store.fenced(next.token()).remove(Report::key("nightly")).await?;
    next.release().await?;
    Ok(())
}
