// Reading, changing and writing on a backend where others can come in between.

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

#[derive(StateKey, Validate)]
#[state(key = "session:{id}", persistent)]
pub struct Session {
    #[garde(skip)]
    pub id: u64,
    #[garde(skip)]
    pub user: String,
}

pub async fn call(store: &StateStore<Plain>) {
    let _ = store.update(Session::key(7_u64), |session| session.user.clear()).await;
}
