//! A backend of one's own: three methods are enough, and the typed store stands on them.
//!
//! ```text
//! cargo run --example custom_backend
//! ```
//!
//! It takes no `--store`, because the backend is what it is about.
//!
//! The tests run this backend through the conformance suite, as you should with yours.

mod backend;

use backend::MapBackend;
use examples::{Failure, Program, refused, say, step, title};
use state_runtime::{
    backend::{AnyBackend, Backend as _},
    prelude::*,
};

/// A feature that can be switched on and off.
#[derive(Debug, StateKey, Validate)]
#[state(key = "flag:{name}", persistent)]
struct Flag {
    #[garde(ascii, length(min = 1))]
    name: String,
    #[garde(range(max = 100))]
    percent: u8,
}

/// Lives for half an hour, which three methods cannot promise.
#[derive(Debug, StateKey, Validate)]
#[state(key = "session:{id}", ttl = "30m")]
struct Session {
    #[garde(skip)]
    id: u64,
    #[garde(length(min = 1))]
    user: String,
}

/// What the compiler says to `store.set(&session)`, where `store` is over a `MapBackend`.
const NO_TTL: &str = "\
error[E0277]: `MapBackend` cannot store this type of state: it is `Expiring`
   store.set(&session).await?;
             ^^^^^^^^ this state is `Expiring`
   note: a type with `ttl = \"…\"` is `Expiring` and needs a backend that
         implements `Ttl`; make it `persistent` or choose another backend";

const PROGRAM: Program = Program {
    name: "custom_backend",
    about: "Puts the typed store on a backend of three methods.",
    operands: &[],
    store: None,
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let _ = PROGRAM.arguments();
    title("A backend of one's own: get, set and remove");
    let store = StateStore::new(MapBackend::default())?;
    say("declares", format!("capabilities: {}", store.capabilities()));
    for risk in store.backend().risks().await? {
        say("risk", risk);
    }

    step("All that needs no more than three methods works");
    store.set(&Flag { name: "dark-mode".into(), percent: 25 }).await?;
    let flag = store.get(Flag::key("dark-mode")).await?;
    say("get", format!("{flag:?}"));
    let (one, none) = store.get_many((Flag::key("dark-mode"), Flag::key("other"))).await?;
    say("get_many", format!("{} and {}", found(one.as_ref()), found(none.as_ref())));
    refused("set", store.set(&Flag { name: "dark-mode".into(), percent: 101 }).await)?;

    step("What needs more does not compile");
    say("TTL", NO_TTL);

    step("Where the backend is known at run time alone, it is refused and never ignored");
    let store = StateStore::new(AnyBackend::new(MapBackend::default()))?;
    let session = Session { id: 1, user: "ada".into() };
    refused("set", store.set(&session).await)?;
    refused("create", store.create(&Flag { name: "beta".into(), percent: 1 }).await)?;
    Ok(())
}

fn found(flag: Option<&Flag>) -> &str {
    flag.map_or("nothing", |flag| &flag.name)
}
