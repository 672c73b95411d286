// A watch of all values on a backend that can list its entries but tells of no changes.

use state_runtime::{
    backend::{Backend, Entry, GetOptions, RemoveOptions, Result, Revision, Scan, SetOptions},
    bytes::Bytes,
    key::Key,
    prelude::*,
};

/// A backend of the three methods that every backend has.
#[derive(Debug)]
pub struct Plain;

impl Backend for Plain {
    async fn get(&self, _: &Key, _: GetOptions) -> Result<Option<Entry>> {
        Ok(None)
    }
    async fn set(&self, _: &Key, _: Bytes, _: SetOptions) -> Result<Option<Revision>> {
        Ok(None)
    }
    async fn remove(&self, _: &Key, _: RemoveOptions) -> Result<()> {
        Ok(())
    }
}

impl Scan for Plain {}

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}

pub fn call(store: &StateStore<Plain>) {
    let _ = store.watch_all::<Session>();
}
