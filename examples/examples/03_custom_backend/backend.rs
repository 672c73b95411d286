//! The smallest backend: three methods over a map.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use state_runtime::{
    backend::{Backend, Bytes, Entry, GetOptions, RemoveOptions, Result, Revision, SetOptions},
    key::Key,
};

/// Keeps entries in a map. It declares no capability, so all options arrive empty.
#[derive(Default)]
pub(crate) struct MapBackend(Mutex<HashMap<String, Bytes>>);

impl MapBackend {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for MapBackend {
    async fn get(&self, key: &Key, _: GetOptions) -> Result<Option<Entry>> {
        Ok(self.map().get(key.as_str()).cloned().map(Entry::new))
    }

    async fn set(&self, key: &Key, value: Bytes, _: SetOptions) -> Result<Option<Revision>> {
        self.map().insert(key.as_str().to_owned(), value);
        Ok(None)
    }

    async fn remove(&self, key: &Key, _: RemoveOptions) -> Result<()> {
        self.map().remove(key.as_str());
        Ok(())
    }
}

/// Written out, because a derived one would print every stored value.
impl fmt::Debug for MapBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapBackend").finish_non_exhaustive()
    }
}
