//! Takes the lock of `tests::fencing` on the server that is its argument, again and again, until it is
//! killed, and writes while it holds it. Prints `held <token>` and `lost <token>`.

use std::{
    io::{Write as _, stdout},
    time::Duration,
};

use state_runtime::{StateError, patterns::Lock, prelude::*};
use tests::fencing::{TheLock, write};

const LEASE: Duration = Duration::from_millis(200);
const WAIT: Duration = Duration::from_secs(600);

fn say(what: &str, token: impl std::fmt::Display) -> std::io::Result<()> {
    // One call for the whole line.
    stdout().lock().write_all(format!("{what} {token}\n").as_bytes())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::args().nth(1).ok_or("name a server")?;
    let store = StateStore::connect(&url).await?;
    let lock = Lock::<TheLock>::new(&store, LEASE)?;
    loop {
        let guard = lock.acquire(TheLock::key(), WAIT).await?;
        say("held", guard.token())?;
        while guard.is_held() {
            match write(&store, &guard).await {
                Ok(()) => {}
                Err(StateError::Fenced { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        say("lost", guard.token())?;
    }
}
