//! Idempotency: a payment that is sent twice and made once.
//!
//! ```text
//! cargo run --example idempotency
//! cargo run --example idempotency --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::{
    error::Error,
    fmt,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use examples::{Failure, Program, say, step, title};
use serde::{Deserialize, Serialize};
use state_runtime::{
    patterns::{Idempotency, Outcome, Run, RunError},
    prelude::*,
};

/// What came of a payment, under the key that the client made up for its request.
#[derive(Debug, StateKey, Validate)]
#[state(key = "payment:{request}", ttl = "24h")]
struct Payment {
    #[garde(length(min = 4, max = 64))]
    request: String,
    #[state(value)]
    #[garde(dive)]
    outcome: Outcome<Receipt>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
struct Receipt {
    #[garde(range(min = 1))]
    number: u32,
    #[garde(range(min = 1))]
    cents: u32,
}

/// The payment service: it only counts.
static MADE: AtomicU32 = AtomicU32::new(0);

async fn pay(cents: u32) -> Result<Receipt, Refused> {
    // As long as a payment takes.
    tokio::time::sleep(Duration::from_millis(50)).await;
    if cents > 10_000 {
        return Err(Refused);
    }
    Ok(Receipt { number: MADE.fetch_add(1, SeqCst) + 1, cents })
}

const PROGRAM: Program = Program {
    name: "idempotency",
    about: "Sends payments twice, and makes each of them once.",
    operands: &[],
    store: Some("file:state"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    let store = StateStore::connect(&arguments.store).await?;
    // What another run may have left.
    for request in ["order-1", "order-2", "order-3"] {
        store.remove(Payment::key(request)).await?;
    }
    // A process that dies in the middle keeps others waiting for so long.
    let payments = Idempotency::<Payment, Receipt>::new(&store, Duration::from_secs(10))?;

    title("The client has not heard of its payment and sends it again");
    show(payments.run(Payment::key("order-1"), || pay(300)).await?);
    show(payments.run(Payment::key("order-1"), || pay(300)).await?);

    step("Ten times at once");
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let payments = payments.clone();
            tokio::spawn(async move { payments.run(Payment::key("order-2"), || pay(500)).await })
        })
        .collect();
    let mut replayed = 0;
    for call in calls {
        replayed += u32::from(call.await??.is_replayed());
    }
    say("of ten", format!("{replayed} were told what had come of it"));

    step("A payment that is refused is not made, and may be tried again");
    for cents in [20_000, 200] {
        match payments.run(Payment::key("order-3"), || pay(cents)).await {
            Ok(run) => show(run),
            Err(RunError::Operation(refused)) => say("refused", refused),
            Err(error) => return Err(error.into()),
        }
    }

    step("All in all");
    say("payments made", MADE.load(SeqCst));
    store.close(Duration::from_secs(5)).await?;
    Ok(())
}

fn show(run: Run<Receipt>) {
    let label = if run.is_replayed() { "told again" } else { "made" };
    let Receipt { number, cents } = run.into_value();
    say(label, format!("receipt {number} over {cents} cents"));
}

/// The payment service said no.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more than the card is good for")
    }
}

impl Error for Refused {}
