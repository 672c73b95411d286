// A value that is no state.

use state_runtime::{
    backend::{Backend, Entry, GetOptions, RemoveOptions, Result, Revision, SetOptions},
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

pub struct Session {
    pub id: u64,
}

pub async fn call(store: &StateStore<Plain>, session: &Session) {
    let _ = store.set(session).await;
}
