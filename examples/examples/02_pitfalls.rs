//! The pitfalls of a state store, one by one, and what becomes of each here.
//!
//! ```text
//! cargo run --example pitfalls
//! cargo run --example pitfalls --features redis -- --store redis://127.0.0.1:6379
//! ```
//!
//! It looks the same on every backend, but for the scan, which not every one has. What it stores, it
//! removes in the end.

use examples::{Failure, Program, refused, say, step, title};
use state_runtime::{
    backend::{Backend as _, Capability, SetOptions},
    backends::MemoryBackend,
    connect,
    key::Key,
    prelude::*,
    store::Access,
};

/// What a user may do. The key of user `ada` is `user:ada`.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "user:{name}", persistent)]
struct User {
    #[garde(length(min = 1, max = 64))]
    name: String,
    #[garde(length(min = 1))]
    role: String,
}

/// The notes of a user: at most a kilobyte.
#[derive(Debug, StateKey, Validate)]
#[state(key = "user:{name}:notes", persistent, max_size = "1KiB")]
struct Notes {
    #[garde(skip)]
    name: String,
    #[state(value)]
    #[garde(skip)]
    text: String,
}

/// Somebody else's idea of a key for users; it is the same as ours.
#[derive(Debug, StateKey, Validate)]
#[state(key = "user:{id}", ttl = "1h")]
struct UserCache {
    #[garde(skip)]
    id: u64,
    #[state(value)]
    #[garde(skip)]
    page: String,
}

/// A link from an e-mail. Who knows the token may set a new password.
#[derive(Debug, StateKey, Validate)]
#[state(key = "reset:{token}", ttl = "15m")]
struct Reset {
    #[state(secret)]
    #[garde(length(min = 7))]
    token: String,
    #[garde(skip)]
    user: u64,
}

/// What the compiler says to a type that does not tell how long it lives.
const FORGOTTEN_TTL: &str = "\
error: say how long the state lives: add `ttl = \"30m\"` or `persistent` to `#[state(…)]`
   struct Session {
          ^^^^^^^";

const PROGRAM: Program = Program {
    name: "pitfalls",
    about: "Runs into the pitfalls of a state store, one by one.",
    operands: &[],
    store: Some("memory:"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    title("Pitfalls of a state store, and what becomes of them");
    two_features_that_share_a_key()?;

    // A store checks every type that is linked into the program, so it would refuse this one.
    let backend = connect::backend(&arguments.store).await?;
    let store = StateStore::builder(backend).namespaces::<(User, Notes, Reset)>().build()?;
    remove_all(&store).await?;
    user_input_in_a_key(&store).await?;
    data_that_nobody_validated(&store).await?;
    a_forgotten_ttl();
    a_value_without_bound(&store).await?;
    two_writers_at_once(&store).await?;
    an_older_program(&store).await?;
    a_service_that_may_do_too_much(&store).await?;
    a_secret_in_the_log(&store).await?;
    remove_all(&store).await?;
    memory_in_production().await
}

fn two_features_that_share_a_key() -> Result<(), Failure> {
    step("Two features that share a key by accident");
    say("`User`", "has the key user:{name}");
    say("`UserCache`", "has the key user:{id}: user 7 and the page of user 7 would be one entry");
    refused("new", StateStore::new(MemoryBackend::new()))?;
    say("or sooner", "`assert_disjoint!(User, UserCache)` says the same at compile time");
    Ok(())
}

async fn user_input_in_a_key(store: &StateStore) -> Result<(), Failure> {
    step("User input that breaks out of its place in the key");
    let name = "ada:notes";
    say("the input", format!("a user who calls herself `{name}`"));
    say("by hand", format!("format!(\"user:{{name}}\") gives user:{name}, the notes of ada"));
    let key = User::key(name);
    say("here", &key);

    store.set(&Notes { name: "ada".into(), text: "private".into() }).await?;
    store.set(&User { name: name.into(), role: "guest".into() }).await?;
    let notes = store.get(Notes::key("ada")).await?.is_some_and(|notes| notes.text == "private");
    say("ada's notes", if notes { "as they were" } else { "overwritten" });
    let read: UserKey = key.to_string().parse()?;
    say("and back", format!("parsed, the key is that of user `{}`", read.name));
    Ok(())
}

async fn data_that_nobody_validated(store: &StateStore) -> Result<(), Failure> {
    step("Stored data that nobody validated");
    plant(store, "user:eve", r#"{"role":""}"#).await?;
    refused("get", store.get(User::key("eve")).await)?;
    refused("get_many", store.get_many((User::key("eve"), Notes::key("ada"))).await)?;

    if store.capabilities().contains(Capability::Scan) {
        let mut users = store.scan::<User>();
        let (mut valid, mut invalid) = (0, 0);
        while let Some(user) = users.next().await {
            if user.is_ok() { valid += 1 } else { invalid += 1 }
        }
        let counts = format!("{valid} valid and {invalid} not");
        say("a scan", format!("finds users, {counts}: there is no read without rules"));
    } else {
        say("a scan", "is not offered by this backend");
    }
    store.remove(User::key("eve")).await?;
    Ok(())
}

fn a_forgotten_ttl() {
    step("A forgotten TTL");
    say("the code", "#[state(key = \"session:{session_id}\")]\nstruct Session { … }");
    say("does not build", FORGOTTEN_TTL);
}

async fn a_value_without_bound(store: &StateStore) -> Result<(), Failure> {
    step("A value that grows without bound");
    say("here", "64 KiB are allowed, or what the type says; `Notes` says 1 KiB");
    let text = "and another thing; ".repeat(100);
    refused("set", store.set(&Notes { name: "ada".into(), text }).await)?;
    Ok(())
}

async fn two_writers_at_once(store: &StateStore) -> Result<(), Failure> {
    step("Two writers who both saw that there is nothing");
    let (first, second) = (
        User { name: "bob".into(), role: "admin".into() },
        User { name: "bob".into(), role: "guest".into() },
    );
    let (one, other) = tokio::join!(store.create(&first), store.create(&second));
    say("`create`", format!("of 2 writers at once, {} wins", count(&[&one, &other])));
    refused("the other", one.and(other))?;
    Ok(())
}

async fn an_older_program(store: &StateStore) -> Result<(), Failure> {
    step("An older program that meets the data of a newer one");
    let newer = r#"{"$v":2,"roles":["admin"]}"#;
    plant(store, "user:zoe", newer).await?;
    say("stored", newer);
    refused("get", store.get(User::key("zoe")).await)?;
    Ok(())
}

async fn a_service_that_may_do_too_much(store: &StateStore) -> Result<(), Failure> {
    step("A service that may do more than it has to");
    let reporting = store.restricted(Access::READ);
    let read = reporting.get(User::key("bob")).await?.is_some();
    say("reads", if read { "bob, as it may" } else { "nothing" });
    refused("remove", reporting.remove(User::key("bob")).await)?;
    Ok(())
}

async fn a_secret_in_the_log(store: &StateStore) -> Result<(), Failure> {
    step("A secret that ends up in the log");
    plant(store, "reset:hunter2", r#"{"user":"hunter2"}"#).await?;
    say("stored", "a password reset under its token, with a value of the wrong type");
    refused("get", store.get(Reset::key("hunter2")).await)?;
    say("in `Debug`", format!("{:?}", Reset::key("hunter2")));
    Ok(())
}

async fn memory_in_production() -> Result<(), Failure> {
    step("State in memory, in production");
    let store = StateStore::builder(MemoryBackend::new()).namespaces::<(User, Notes, Reset)>();
    refused("production", store.build_production().await)?;
    Ok(())
}

/// Removes what this program stores, so that it finds the same on every run.
async fn remove_all(store: &StateStore) -> Result<(), Failure> {
    for name in ["ada:notes", "eve", "bob", "zoe"] {
        store.remove(User::key(name)).await?;
    }
    store.remove(Notes::key("ada")).await?;
    store.remove(Reset::key("hunter2")).await?;
    Ok(())
}

/// Writes around the store, as a program in another language might.
async fn plant(store: &StateStore, key: &str, json: &'static str) -> Result<(), Failure> {
    let key = Key::from_stored(key);
    store.backend().set(&key, json.into(), SetOptions::default()).await?;
    Ok(())
}

fn count(outcomes: &[&Result<(), state_runtime::StateError>]) -> usize {
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}
