//! One of several processes that use a pattern on one store: says `ready`, waits for a line, does its work and
//! prints what came of it.
//!
//! `pattern_caller <pattern> <url> <how often>`

use std::{
    error::Error,
    io::{Write as _, stdin, stdout},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use state_runtime::{
    StateError,
    patterns::{
        CacheEntry, Cached, Idempotency, Limit, OnOutage, Outcome as Stored, RateLimiter,
        RateWindow,
    },
    prelude::*,
};
use tokio::time::sleep;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How many tasks of a process call at once.
const TASKS: usize = 8;
/// Longer than a loaded machine stands still.
const LEASE: Duration = Duration::from_secs(60);
/// How long a computation takes, so that all others come meanwhile.
const WORK: Duration = Duration::from_millis(200);
/// So long that nothing comes back while a test runs.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug, StateKey, Validate)]
#[state(key = "calls:{name}", ttl = "366d")]
#[garde(allow_unvalidated)]
struct Calls {
    name: String,
    #[state(value)]
    window: RateWindow,
}

#[derive(Debug, StateKey, Validate)]
#[state(key = "report:{name}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Report {
    name: String,
    #[state(value)]
    entry: CacheEntry<u32>,
}

#[derive(Debug, StateKey, Validate)]
#[state(key = "payment:{request}", ttl = "1h")]
#[garde(allow_unvalidated)]
struct Payment {
    request: String,
    #[state(value)]
    outcome: Stored<u32>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [pattern, url, often] = arguments.as_slice() else { return Err("three arguments".into()) };
    let (store, often) = (StateStore::connect(url).await?, often.parse()?);
    store.health().await?;
    println!("ready");
    stdout().flush()?;
    stdin().read_line(&mut String::new())?;
    let count = match pattern.as_str() {
        "smooth" => admissions(&store, Limit::smooth(100, YEAR), often).await?,
        "window" => admissions(&store, Limit::window(100, YEAR), often).await?,
        "cached" => computations(&store, often).await?,
        "idempotency" => payments(&store, often).await?,
        other => return Err(format!("there is no pattern `{other}`").into()),
    };
    println!("{count}");
    Ok(())
}

/// How many of the calls were admitted, each task making `often`.
async fn admissions(store: &StateStore, limit: Limit, often: usize) -> Outcome<usize> {
    let limiter = RateLimiter::<Calls>::new(store, limit, OnOutage::Refuse)?;
    let mut tasks = Vec::with_capacity(TASKS);
    for _ in 0..TASKS {
        let limiter = limiter.clone();
        tasks.push(tokio::spawn(async move {
            let mut admitted = 0;
            for _ in 0..often {
                let admission = limiter.check(Calls::key("shared")).await?;
                if let Some(outage) = admission.outage() {
                    return Err(outage.to_string().into());
                }
                admitted += usize::from(admission.is_admitted());
            }
            Outcome::Ok(admitted)
        }));
    }
    let mut admitted = 0;
    for task in tasks {
        admitted += task.await??;
    }
    Ok(admitted)
}

/// How often this process, of which `callers` tasks ask at once, has computed.
async fn computations(store: &StateStore, callers: usize) -> Outcome<usize> {
    let reports = Cached::<Report, u32>::new(store, LEASE)?;
    let computed = Arc::new(AtomicUsize::new(0));
    let tasks = (0..callers).map(|_| {
        let (reports, computed) = (reports.clone(), Arc::clone(&computed));
        tokio::spawn(async move {
            let compute = async || {
                computed.fetch_add(1, SeqCst);
                sleep(WORK).await;
                Ok::<_, StateError>(7)
            };
            let value = reports.get_or_compute(Report::key("shared"), compute).await?;
            if value == 7 { Outcome::Ok(()) } else { Err("another value".into()) }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(computed.load(SeqCst))
}

/// How often this process, of which `callers` tasks pay at once, has paid.
async fn payments(store: &StateStore, callers: usize) -> Outcome<usize> {
    let payments = Idempotency::<Payment, u32>::new(store, LEASE)?;
    let paid = Arc::new(AtomicUsize::new(0));
    let tasks = (0..callers).map(|_| {
        let (payments, paid) = (payments.clone(), Arc::clone(&paid));
        tokio::spawn(async move {
            let pay = async || {
                paid.fetch_add(1, SeqCst);
                sleep(WORK).await;
                Ok::<_, StateError>(7)
            };
            let value = payments.run(Payment::key("shared"), pay).await?.into_value();
            if value == 7 { Outcome::Ok(()) } else { Err("another value".into()) }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(paid.load(SeqCst))
}
