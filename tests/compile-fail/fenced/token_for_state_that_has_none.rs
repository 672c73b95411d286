// A token means nothing to state that is not fenced.

use state_runtime::{backends::MemoryBackend, patterns::{Lease, LockGuard}, prelude::*};

#[derive(StateKey, Validate)]
#[state(key = "lock:{name}", persistent)]
pub struct TheLock {
    #[garde(skip)]
    pub name: String,
    #[state(value)]
    #[garde(skip)]
    pub lease: Lease,
}

#[derive(StateKey, Validate)]
#[state(key = "page:{id}", persistent)]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}

pub async fn call(store: &StateStore<MemoryBackend>, guard: &LockGuard<TheLock>, page: &Page) {
    let _ = store.fenced(guard.token()).set(page).await;
}
