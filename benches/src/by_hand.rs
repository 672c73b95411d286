//! The same work as a careful engineer writes it without this framework.

use std::{
    collections::HashMap,
    fmt,
    hash::BuildHasher,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use garde::Validate;
use serde::{Deserialize, Serialize};

use crate::session::CartItem;

/// Nothing valid was found, or nothing valid was to be stored.
#[derive(Debug)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session is not valid")
    }
}

impl std::error::Error for Refused {}

/// The session, its id kept out of the stored value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The key.
    #[serde(skip)]
    #[garde(length(min = 1, max = 64))]
    pub session_id: String,
    /// Whose it is.
    #[garde(length(min = 1))]
    pub user_id: String,
    /// What is to be bought.
    #[garde(dive)]
    pub cart: Vec<CartItem>,
}

impl From<&crate::session::Session> for Session {
    fn from(session: &crate::session::Session) -> Self {
        let crate::session::Session { session_id, user_id, cart } = session.clone();
        Self { session_id, user_id, cart }
    }
}

/// The key of a session.
#[must_use]
pub fn encode_key(session_id: &str) -> String {
    format!("session:{session_id}")
}

/// The id in the key of a session.
#[must_use]
pub fn decode_key(key: &str) -> Option<String> {
    match key.split_once(':')? {
        ("session", id) if !id.is_empty() => Some(id.to_owned()),
        _ => None,
    }
}

/// Checks a session and gives its stored form.
///
/// # Errors
///
/// [`Refused`] if it is not valid.
pub fn encode(session: &Session) -> Result<Bytes, Refused> {
    session.validate().map_err(|_| Refused)?;
    serde_json::to_vec(session).map(Bytes::from).map_err(|_| Refused)
}

/// Reads a session back and checks it.
///
/// # Errors
///
/// [`Refused`] if it is not valid.
pub fn decode(session_id: String, bytes: &[u8]) -> Result<Session, Refused> {
    let decoded: Session = serde_json::from_slice(bytes).map_err(|_| Refused)?;
    let session = Session { session_id, ..decoded };
    session.validate().map_err(|_| Refused)?;
    Ok(session)
}

/// A sharded map of encoded values.
///
/// It is built like the memory backend: the same hash, the same number of shards, the same locks.
#[derive(Debug)]
pub struct Map<V> {
    shards: Box<[Shard<V>]>,
    hasher: RandomState,
}

/// Apart from its neighbours in the processor's cache.
#[derive(Debug)]
#[repr(align(128))]
struct Shard<V>(RwLock<HashMap<String, V, RandomState>>);

impl<V> Map<V> {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let shards = (threads * 4).next_power_of_two().clamp(8, 128);
        let hasher = RandomState::default();
        let shard = |_| Shard(RwLock::new(HashMap::with_hasher(hasher.clone())));
        Self { shards: (0..shards).map(shard).collect(), hasher }
    }

    fn shard(&self, key: &str) -> &RwLock<HashMap<String, V, RandomState>> {
        let hash = self.hasher.hash_one(key) >> 32;
        let place = usize::try_from(hash).unwrap_or_default() & (self.shards.len() - 1);
        &self.shards[place].0
    }

    fn read(&self, key: &str) -> RwLockReadGuard<'_, HashMap<String, V, RandomState>> {
        self.shard(key).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, key: &str) -> RwLockWriteGuard<'_, HashMap<String, V, RandomState>> {
        self.shard(key).write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Sessions that stay until they are replaced.
impl Map<Bytes> {
    /// Reads and checks a session.
    ///
    /// # Errors
    ///
    /// [`Refused`] if what is stored is not valid.
    pub fn get(&self, session_id: String) -> Result<Option<Session>, Refused> {
        let key = encode_key(&session_id);
        let found = self.read(&key).get(&key).cloned();
        found.map(|bytes| decode(session_id, &bytes)).transpose()
    }

    /// Checks and writes a session.
    ///
    /// # Errors
    ///
    /// [`Refused`] if it is not valid.
    pub fn set(&self, session: &Session) -> Result<(), Refused> {
        let key = encode_key(&session.session_id);
        let bytes = encode(session)?;
        self.write(&key).insert(key, bytes);
        Ok(())
    }
}

/// Sessions that expire.
impl Map<(Bytes, Instant)> {
    /// Reads and checks a session that has not expired.
    ///
    /// # Errors
    ///
    /// [`Refused`] if what is stored is not valid.
    pub fn get_live(&self, session_id: String) -> Result<Option<Session>, Refused> {
        let key = encode_key(&session_id);
        let found = self.read(&key).get(&key).cloned();
        let live = found.filter(|(_, expires)| Instant::now() < *expires);
        live.map(|(bytes, _)| decode(session_id, &bytes)).transpose()
    }

    /// Checks and writes a session that lives for `ttl`.
    ///
    /// # Errors
    ///
    /// [`Refused`] if it is not valid.
    pub fn set_for(&self, session: &Session, ttl: Duration) -> Result<(), Refused> {
        let key = encode_key(&session.session_id);
        let bytes = encode(session)?;
        let expires = Instant::now().checked_add(ttl).ok_or(Refused)?;
        self.write(&key).insert(key, (bytes, expires));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session;

    #[test]
    fn a_session_by_hand_has_the_same_stored_form_of_300_bytes() {
        let session = Session::from(&session::sample(7));
        let bytes = encode(&session).unwrap();
        assert_eq!(bytes.len(), 300);
        assert_eq!(session::encoded(7), bytes);
        assert_eq!(decode(session.session_id.clone(), &bytes).unwrap(), session);
    }

    #[test]
    fn the_map_by_hand_gives_back_what_is_valid_and_live() {
        let session = Session::from(&session::sample(7));
        let id = || session.session_id.clone();
        let map = Map::<Bytes>::new();
        assert_eq!(map.get(id()).unwrap(), None);
        map.set(&session).unwrap();
        assert_eq!(map.get(id()).unwrap().as_ref(), Some(&session));
        assert!(map.set(&Session { user_id: String::new(), ..session.clone() }).is_err());

        let expiring = Map::<(Bytes, Instant)>::new();
        expiring.set_for(&session, Duration::from_secs(60)).unwrap();
        assert_eq!(expiring.get_live(id()).unwrap().as_ref(), Some(&session));
        expiring.set_for(&session, Duration::ZERO).unwrap();
        assert_eq!(expiring.get_live(id()).unwrap(), None);
        assert_eq!(decode_key(&encode_key("abc")).as_deref(), Some("abc"));
    }
}
