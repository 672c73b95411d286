//! Watching: what becomes of every job, whoever works on it.
//!
//! ```text
//! cargo run --example watching
//! cargo run --example watching --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::time::Duration;

use examples::{Failure, Program, say, step, title};
use state_runtime::{StateError, prelude::*, store::Changed};

/// A job, until it is done and removed.
#[derive(Debug, StateKey, Validate)]
#[state(key = "work:{queue}:{id}", ttl = "10m")]
struct Job {
    #[garde(length(min = 1))]
    queue: String,
    #[garde(skip)]
    id: u32,
    #[garde(range(max = 100))]
    percent: u8,
}

const PROGRAM: Program = Program {
    name: "watching",
    about: "Shows what becomes of the jobs of a queue while others work on them.",
    operands: &[],
    store: Some("file:state"),
};

/// How many jobs there are.
const JOBS: u32 = 3;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    title("Every job of a queue");
    let store = StateStore::connect(&arguments.store).await?;
    // What another run may have left.
    store.remove_all().within(Job::prefix("night")).await?;
    for id in 1..=JOBS {
        store.set(&Job { queue: "night".into(), id, percent: 0 }).await?;
    }

    step("First what there is");
    let mut jobs = store.watch_all().within(Job::prefix("night"));
    for _ in 0..JOBS {
        show(jobs.next().await)?;
    }

    step("Then what becomes of it");
    let workers: Vec<_> = (1..=JOBS).map(|id| tokio::spawn(work(store.clone(), id))).collect();
    let mut open = JOBS;
    while open > 0 {
        // It waits for as long as it takes, over outages too.
        if show(jobs.next().await)? {
            open -= 1;
        }
    }
    for worker in workers {
        worker.await??;
    }
    say("all done", format!("{JOBS} jobs"));
    store.close(Duration::from_secs(5)).await?;
    Ok(())
}

/// Prints what has become of a job, and says whether it is gone.
fn show(changed: Option<Result<Changed<Job>, StateError>>) -> Result<bool, StateError> {
    // The store was closed.
    let Some(changed) = changed else { return Err(StateError::Closed) };
    match changed {
        // The latest state, not every one: of quick steps some may be left out.
        Ok(Changed { key, value: Some(job) }) => {
            say(&key.to_string(), format!("{} %", job.percent));
        }
        Ok(Changed { key, value: None }) => {
            say(&key.to_string(), "done and gone");
            return Ok(true);
        }
        // A job that is not valid, which the next change may mend. Were it the end, `None` would follow.
        Err(error) => say("error", error),
    }
    Ok(false)
}

/// Works on a job step by step. It knows nothing of who watches.
async fn work(store: StateStore, id: u32) -> Result<(), StateError> {
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(u64::from(20 * id))).await;
        store.update(Job::key("night", id), |job| job.percent += 25).await?;
    }
    store.remove(Job::key("night", id)).await
}
