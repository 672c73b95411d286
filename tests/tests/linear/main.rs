//! Every backend is linearizable, while connections break and servers stand still; and what is not
//! is found.
//!
//! `STATE_TEST_SEED=<seed>` repeats the calls of a round that failed, and what broke in it.

mod dapr;
mod embedded;
mod nats;
mod redis;

use std::time::{Duration, Instant};

use state_runtime::{backend::AnyBackend, connect};
use tests::{
    cases::cases,
    linear::{Surroundings, Written, finds_bugs, finds_lies, is_linearizable},
    proxy::Proxy,
    servers::Instance,
};

/// How many connections there are to a server.
const CONNECTIONS: usize = 3;

/// How long a client waits for a server.
const LIMIT: Duration = Duration::from_millis(300);

/// Longer than connecting takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// As a setting in a URL.
const LIMIT_TEXT: &str = "300ms";

/// Puts a backend through everything. The `servers` stand behind the proxies, and `url` goes
/// through these.
async fn check(name: &str, url: &str, proxies: Vec<Proxy>, servers: Vec<&Instance>) {
    let backends = open(url).await;
    let is_dapr = url.starts_with("dapr:");
    let written = if is_dapr { Written::MayNotHold } else { Written::Holds };
    let surroundings =
        Surroundings { proxies, servers, limit: LIMIT, written, ..Surroundings::none() };
    let sum = is_linearizable(name, &backends, &surroundings, cases(2, 10).into()).await;
    assert!(sum.disturbed > 0, "{name}: nothing went wrong: {sum}");
    finds_lies(name, &backends, &surroundings).await;
    finds_bugs(name, &backends).await;
}

async fn open(url: &str) -> Vec<AnyBackend> {
    let mut backends = Vec::new();
    let start = Instant::now();
    while backends.len() < CONNECTIONS {
        match connect::backend(url).await {
            Ok(backend) => backends.push(backend),
            // The time-outs are short, and that a machine is busy is no fault.
            Err(error) if error.is_retryable() && start.elapsed() < PATIENCE => {}
            Err(error) => panic!("{url}: {error:?}"),
        }
    }
    backends
}
