//! Quickstart: a session, a counter and a job, in a folder with no server or wherever you like.
//!
//! ```text
//! cargo run --example quickstart                            # the state is in ./state
//! cargo run --example quickstart                            # and still there
//! cargo run --example quickstart -- --store file:elsewhere  # another folder
//! cargo run --example quickstart --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::time::Duration;

use examples::{Failure, Program, refused, say, step, title};
use serde::{Deserialize, Serialize};
use state_runtime::{
    backend::{Backend as _, SetOptions},
    key::Key,
    prelude::*,
    store::TimeToLive,
};

/// A visitor. Half an hour after the last write, the session is gone.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "session:{id}", ttl = "30m")]
#[serde(rename_all = "camelCase")]
struct Session {
    #[garde(length(min = 1, max = 64))]
    id: String, // named in the key: it lives there, not in the value
    #[garde(length(min = 1))]
    user_id: String,
    #[garde(length(max = 50), dive)]
    cart: Vec<CartItem>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Validate)]
struct CartItem {
    #[garde(ascii, length(min = 1))]
    sku: String,
    #[garde(range(min = 1, max = 99))]
    quantity: u32,
}

/// A number that stays. It is stored as `3`, not as `{"count":3}`.
#[derive(Debug, StateKey, Validate)]
#[state(key = "counter:{name}", persistent)]
struct Counter {
    #[garde(ascii)]
    name: String,
    #[state(value)]
    #[garde(range(max = 1_000_000))]
    count: u64,
}

/// A job that gets one step further in every run.
#[derive(Debug, StateKey, Validate)]
#[state(key = "job:{id}", persistent)]
struct Job {
    #[garde(skip)]
    id: u32,
    #[garde(length(min = 1, max = 200))]
    what: String,
    #[garde(skip)]
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Queued,
    Running,
    Done,
}

const PROGRAM: Program = Program {
    name: "quickstart",
    about: "Keeps a session, a counter and a job. Run it twice.",
    operands: &[],
    store: Some("file:state"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    title("state-runtime quickstart");

    let store = StateStore::connect(&arguments.store).await?;
    say("backend", store.backend().name());
    say("it can", store.capabilities());
    // With these, `StateStore::production` would refuse the backend; a first try may go on.
    for risk in store.backend().risks().await? {
        say("risk", risk);
    }
    let run = greet(&store).await?;
    write(&store, run).await?;
    a_write_that_breaks_a_rule(&store).await?;
    a_stored_value_that_breaks_a_rule(&store).await?;
    store.close(Duration::from_secs(5)).await?;

    step("Run it again: it finds all of this.");
    say("or look at", "cargo run --example pitfalls");
    Ok(())
}

/// Reads three types in one call to the backend, and tells what an earlier run has left.
async fn greet(store: &StateStore) -> Result<u64, Failure> {
    let keys = (Counter::key("runs"), Session::key("abc123"), Job::key(7_u32));
    let (runs, session, job) = store.get_many(keys).await?;
    let runs = runs.map_or(0, |counter| counter.count);
    if runs == 0 {
        step("This is the first run: nothing is stored yet.");
        return Ok(1);
    }
    step(&format!("Welcome back: this is run {}, and the last one has left", runs + 1));
    say("counter", format!("runs = {runs}"));
    match session {
        Some(Session { user_id, cart, .. }) => {
            say("session", format!("{user_id}, {} items in the cart", cart.len()));
        }
        None => say("session", "none any more: its half hour is over"),
    }
    if let Some(Job { what, status, .. }) = job {
        say("job", format!("{what}, {status:?}"));
    }
    Ok(runs + 1)
}

/// Every write is checked against the rules of its type before it leaves the program.
async fn write(store: &StateStore, run: u64) -> Result<(), Failure> {
    step("Three typed writes");
    let cart = vec![
        CartItem { sku: "tea-42".into(), quantity: 2 },
        CartItem { sku: "mug-7".into(), quantity: 1 },
    ];
    let session = Session { id: "abc123".into(), user_id: "ada".into(), cart };
    store.set(&session).await?;
    store.set(&Counter { name: "runs".into(), count: run }).await?;

    let status = match store.get(Job::key(7_u32)).await? {
        None | Some(Job { status: Status::Done, .. }) => Status::Queued,
        Some(Job { status: Status::Queued, .. }) => Status::Running,
        Some(Job { status: Status::Running, .. }) => Status::Done,
    };
    store.set(&Job { id: 7, what: "nightly report".into(), status }).await?;

    say(&session.state_key().to_string(), left(store.ttl(session.state_key()).await?));
    say("counter:runs", format!("{run}, kept for ever"));
    say("job:7", format!("{status:?}, kept for ever"));
    Ok(())
}

async fn a_write_that_breaks_a_rule(store: &StateStore) -> Result<(), Failure> {
    step("A write that breaks a rule never leaves the program");
    let cart = vec![CartItem { sku: "tea-42".into(), quantity: 1_000 }];
    let greedy = Session { id: "abc123".into(), user_id: "ada".into(), cart };
    refused("set", store.set(&greedy).await)?;

    let kept = store.get(Session::key("abc123")).await?.is_some_and(|it| it != greedy);
    say("still stored", if kept { "the cart of before" } else { "something else" });
    Ok(())
}

/// What other programs write is not trusted either: here one goes around the store.
async fn a_stored_value_that_breaks_a_rule(store: &StateStore) -> Result<(), Failure> {
    step("A stored value that breaks a rule cannot be read");
    let planted = r#"{"userId":"","cart":[{"sku":"tea-42","quantity":2}]}"#;
    let key = Key::from_stored("session:planted");
    store.backend().set(&key, planted.into(), SetOptions::default()).await?;
    say("planted", planted);
    refused("get", store.get(Session::key("planted")).await)?;

    step("And one that is not even of the type says where");
    let planted = r#"{"userId":"eve","cart":[{"sku":"tea-42","quantity":"many"}]}"#;
    store.backend().set(&key, planted.into(), SetOptions::default()).await?;
    say("planted", planted);
    refused("get", store.get(Session::key("planted")).await)?;

    store.remove(Session::key("planted")).await?;
    Ok(())
}

fn left(ttl: Option<TimeToLive>) -> String {
    match ttl {
        None => "gone".to_owned(),
        Some(TimeToLive::Forever) => "kept for ever".to_owned(),
        Some(TimeToLive::Left(left)) => {
            format!("expires in {} minutes", left.as_secs().div_ceil(60))
        }
    }
}
