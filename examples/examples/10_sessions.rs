//! Sessions: a guest becomes a user, under an id that nobody knew before.
//!
//! ```text
//! cargo run --example sessions
//! cargo run --example sessions --features redis -- --store redis://127.0.0.1:6379
//! ```

use std::time::Duration;

use examples::{Failure, Program, say, step, title};
use state_runtime::{
    patterns::{SessionId, Sessions},
    prelude::*,
};

/// What is known of a visitor. It lives for half an hour from the last request.
///
/// The doubled braces are braces in the key. They keep all sessions on one node of a Redis Cluster, so
/// that one can be moved in one step.
#[derive(Debug, StateKey, Validate)]
#[state(key = "{{visitor}}:{id}", ttl = "30m", sliding)]
struct Visitor {
    #[state(secret)]
    #[garde(skip)]
    id: SessionId,
    #[garde(inner(length(min = 1, max = 64)))]
    user: Option<String>,
    #[garde(length(max = 50))]
    cart: Vec<String>,
}

impl Visitor {
    fn guest(id: SessionId) -> Self {
        Self { id, user: None, cart: Vec::new() }
    }
}

const PROGRAM: Program = Program {
    name: "sessions",
    about: "Follows one visitor from the first request to the log-out.",
    operands: &[],
    store: Some("file:state"),
};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = PROGRAM.arguments();
    let store = StateStore::connect(&arguments.store).await?;
    let sessions = Sessions::new(&store, Visitor::key)?;

    title("The first request has no cookie");
    let guest = sessions.load_or_create(None, Visitor::guest).await?;
    let cookie = guest.id.as_str().to_owned();
    show("a guest", &guest);
    say("in a log", format!("{:?}", guest.state_key()));

    step("The next ones bring the cookie along, and change the session");
    let add = |visitor: &mut Visitor| visitor.cart.push("tea".to_owned());
    store.update(guest.state_key(), add).await?;
    let same = sessions.load_or_create(Some(&cookie), Visitor::guest).await?;
    show("the guest", &same);

    step("A cookie that nobody was given is not taken over");
    let other = sessions.load_or_create(Some(&"0".repeat(32)), Visitor::guest).await?;
    say("the id", if other.id.as_str() == "0".repeat(32) { "as chosen" } else { "another one" });

    step("At the login the id changes: whoever knew the old one knows nothing");
    let user = Some("ada".to_owned());
    store.update(guest.state_key(), |visitor| visitor.user.clone_from(&user)).await?;
    // Gone, if another request has destroyed it meanwhile.
    let moved = sessions.rotate(&cookie).await?;
    if let Some(moved) = &moved {
        show("logged in", moved);
        say("the old id", found(sessions.load(&cookie).await?.as_ref()));
        say("the new id", found(sessions.load(moved.id.as_str()).await?.as_ref()));
    }

    step("The log-out");
    for visitor in moved.iter().chain([&other]) {
        sessions.destroy(visitor.id.as_str()).await?;
    }
    if let Some(moved) = &moved {
        say("the new id", found(sessions.load(moved.id.as_str()).await?.as_ref()));
    }
    store.close(Duration::from_secs(5)).await?;
    Ok(())
}

fn show(label: &str, visitor: &Visitor) {
    let user = visitor.user.as_deref().unwrap_or("nobody");
    say(label, format!("{user}, in the cart: [{}]", visitor.cart.join(", ")));
}

fn found(visitor: Option<&Visitor>) -> &'static str {
    if visitor.is_some() { "is a session" } else { "is no session" }
}
