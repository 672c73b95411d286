// Tokens of two locks cannot be compared.

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
#[state(key = "other:{name}", persistent)]
pub struct OtherLock {
    #[garde(skip)]
    pub name: String,
    #[state(value)]
    #[garde(skip)]
    pub lease: Lease,
}

#[derive(StateKey, Validate)]
#[state(key = "page:{id}", persistent, fenced_by = TheLock)]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}

pub async fn call(store: &StateStore<MemoryBackend>, guard: &LockGuard<OtherLock>, page: &Page) {
    let _ = store.fenced(guard.token()).set(page).await;
}
