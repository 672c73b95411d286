// Adding to state that is not one plain integer.

use state_runtime::{backends::MemoryBackend, prelude::*};

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", ttl = "30m")]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub visits: u64,
}

pub async fn call(store: &StateStore<MemoryBackend>) {
    let _ = store.add(Session::key(7), 1).await;
}
