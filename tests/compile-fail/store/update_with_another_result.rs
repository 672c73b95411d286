// A closure that returns what it happened to compute last.

use state_runtime::{backends::MemoryBackend, prelude::*};

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", ttl = "30m")]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub pages: Vec<String>,
}

pub async fn call(store: &StateStore<MemoryBackend>) {
    let _ = store.update(Session::key(7), |session| session.pages.pop()).await;
}
