// Fenced state is written with a token alone.

use state_runtime::{backends::MemoryBackend, patterns::Lease, prelude::*};

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
#[state(key = "page:{id}", persistent, fenced_by = TheLock)]
pub struct Page {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub text: String,
}

pub async fn call(store: &StateStore<MemoryBackend>, page: &Page) {
    let _ = store.set(page).await;
}
