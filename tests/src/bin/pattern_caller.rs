//! One of several processes that use a pattern on one store: says `ready`, waits for a line, does its work and
//! prints what came of it.
//!
//! `pattern_caller <pattern> <url> <how often>`

use std::{
    error::Error,
    io::{Write as _, stdin, stdout},
    time::Duration,
};

use state_runtime::{
    patterns::{Limit, OnOutage, RateLimiter, RateWindow},
    prelude::*,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How many tasks of a process call at once.
const TASKS: usize = 8;
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
