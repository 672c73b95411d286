//! Rate limits: so many sign-ups a minute from one address, over all instances of a service.
//!
//! ```text
//! cargo run --example rate_limit
//! cargo run --example rate_limit --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::time::Duration;

use examples::{Failure, Program, say, step, title};
use state_runtime::{
    StateError,
    patterns::{Admission, Limit, OnOutage, RateLimiter, RateWindow},
    prelude::*,
};

/// How many sign-ups came from an address. It expires when all permits are there again, so its `ttl` is
/// only the longest time that a limit may take.
#[derive(Debug, StateKey, Validate)]
#[state(key = "sign-ups:{address}", ttl = "1h")]
struct SignUps {
    #[garde(length(min = 1, max = 45))]
    address: String,
    #[state(value)]
    #[garde(skip)]
    window: RateWindow,
}

const ADDRESS: &str = "203.0.113.7";
const MINUTE: Duration = Duration::from_secs(60);

const PROGRAM: Program = Program {
    name: "rate_limit",
    about: "Limits sign-ups from one address, and changes the limit.",
    operands: &[],
    store: Some("file:state"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    let store = StateStore::connect(&arguments.store).await?;
    // What another run may have left.
    store.remove(SignUps::key(ADDRESS)).await?;

    title("Three sign-ups in ten minutes, and no more");
    // Whether to go on without a limit while the store is down is for us to say.
    let limit = Limit::window(3, MINUTE * 10);
    let limiter = RateLimiter::<SignUps>::new(&store, limit, OnOutage::Refuse)?;
    for _ in 0..5 {
        show("sign-up", &limiter.check(SignUps::key(ADDRESS)).await?);
    }

    step("The next release allows five: it holds at once, and nothing was forgotten");
    let limiter = limiter.with_limit(Limit::window(5, MINUTE * 10))?;
    for _ in 0..3 {
        show("sign-up", &limiter.check(SignUps::key(ADDRESS)).await?);
    }

    step("A batch of four is admitted as a whole or not at all");
    store.remove(SignUps::key(ADDRESS)).await?;
    show("batch of 4", &limiter.check_many(SignUps::key(ADDRESS), 4).await?);
    show("batch of 4", &limiter.check_many(SignUps::key(ADDRESS), 4).await?);
    show("sign-up", &limiter.check(SignUps::key(ADDRESS)).await?);

    step("One every minute, with a burst of two: permits come back one by one");
    store.remove(SignUps::key(ADDRESS)).await?;
    let limiter = limiter.with_limit(Limit::smooth_with_burst(1, MINUTE, 2))?;
    for _ in 0..3 {
        show("sign-up", &limiter.check(SignUps::key(ADDRESS)).await?);
    }

    step("Many instances at once share the limit");
    store.remove(SignUps::key(ADDRESS)).await?;
    let limiter = limiter.with_limit(Limit::window(20, MINUTE * 10))?;
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(sign_up(limiter.clone()))).collect();
    let mut admitted = 0;
    for call in calls {
        admitted += u32::from(call.await??);
    }
    say("of 100 at once", format!("{admitted} admitted"));
    store.close(Duration::from_secs(5)).await?;
    Ok(())
}

async fn sign_up(limiter: RateLimiter<SignUps>) -> Result<bool, StateError> {
    Ok(limiter.check(SignUps::key(ADDRESS)).await?.is_admitted())
}

/// What an HTTP response would say.
fn show(label: &str, admission: &Admission) {
    let status = if admission.is_admitted() { "200" } else { "429" };
    let headers: Vec<_> =
        admission.headers().map(|(name, value)| format!("{name}: {value}")).collect();
    say(label, format!("{status}  {}", headers.join(", ")));
}
