//! Listing: all lines of an order, found by how their keys begin; nobody keeps a list of them.
//!
//! ```text
//! cargo run --example listing
//! cargo run --example listing --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::time::Duration;

use examples::{Failure, Program, say, step, title};
use state_runtime::{
    backend::{Backend as _, SetOptions},
    key::Key,
    prelude::*,
};

/// A line of an order. Its key has two fields, so there is `Line::prefix(order)` for the first.
#[derive(Debug, StateKey, Validate)]
#[state(key = "order:{order}:line:{number}", ttl = "1d")]
struct Line {
    #[garde(length(min = 1, max = 32))]
    order: String,
    #[garde(skip)]
    number: u32,
    #[garde(length(min = 1, max = 100))]
    article: String,
    #[garde(range(min = 1, max = 999))]
    quantity: u32,
}

const PROGRAM: Program = Program {
    name: "listing",
    about: "Lists, counts and removes the lines of an order.",
    operands: &[],
    store: Some("file:state"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    title("All lines of an order");
    let store = StateStore::connect(&arguments.store).await?;
    write(&store).await?;
    list(&store).await?;
    what_is_not_valid(&store).await?;
    remove(&store).await?;
    store.close(Duration::from_secs(5)).await?;
    Ok(())
}

async fn write(store: &StateStore) -> Result<(), Failure> {
    step("Two orders whose names begin alike");
    for (order, number, article) in [("7", 1, "tea"), ("7", 2, "mug"), ("70", 1, "kettle")] {
        let line = Line { order: order.into(), number, article: article.into(), quantity: 1 };
        store.set(&line).await?;
        say(&line.state_key().to_string(), article);
    }
    Ok(())
}

async fn list(store: &StateStore) -> Result<(), Failure> {
    step("A prefix ends where a field ends");
    say("prefix", Line::prefix("7"));
    say("user input", Line::prefix("7*:"));
    // Page by page: an order of a million lines is never in memory as a whole.
    let mut lines = store.scan().within(Line::prefix("7"));
    while let Some(line) = lines.next().await {
        let Line { number, article, quantity, .. } = line?;
        say(&format!("line {number}"), format!("{quantity} × {article}"));
    }
    say("in all orders", store.count::<Line>().await?);
    Ok(())
}

/// What other programs write is not trusted; whether one such line ends the list is yours to say.
async fn what_is_not_valid(store: &StateStore) -> Result<(), Failure> {
    step("A line that breaks a rule");
    let key = Key::from_stored("order:7:line:3");
    let planted = r#"{"article":"spoon","quantity":0}"#;
    store.backend().set(&key, planted.into(), SetOptions::default()).await?;
    let (valid, invalid) = store.scan().within(Line::prefix("7")).partition().await?;
    say("valid", valid.len());
    for error in invalid {
        say("invalid", error);
    }
    match store.scan().within(Line::prefix("7")).all().await {
        Ok(lines) => say("all", lines.len()),
        Err(_) => say("all", "stops at the first that is not valid"),
    }
    Ok(())
}

async fn remove(store: &StateStore) -> Result<(), Failure> {
    step("Removing all of them, valid or not");
    let removed = store
        .remove_all()
        .within(Line::prefix("7"))
        .on_progress(|removed| say("so far", removed))
        .await?;
    say("removed", removed);
    for key in store.keys::<Line>().all().await? {
        say("still there", key);
    }
    Ok(())
}
