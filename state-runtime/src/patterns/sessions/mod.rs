//! `Sessions`: state of a user between requests, under an id that nobody can guess.

mod id;

use core::fmt;
use std::sync::Arc;

pub use self::id::SessionId;
use super::settings::{check, require};
use crate::{
    backend::{AnyBackend, Backend, Batch, Capability, Cas, Ttl},
    error::Result,
    schema::{Expiring, Removable, StateKey, Writable},
    store::{StateStore, StoredIn},
};

/// Sessions of users: created under an id that nobody can guess, kept alive by being used, moved to
/// another id at a login, and destroyed.
///
/// ```standalone_crate
/// use state_runtime::{
///     StateError,
///     backends::MemoryBackend,
///     patterns::{SessionId, Sessions},
///     prelude::*,
/// };
///
/// #[derive(Debug, StateKey, Validate)]
/// #[state(key = "session:{id}", ttl = "30m", sliding)]
/// #[garde(allow_unvalidated)]
/// struct Session {
///     #[state(secret)]
///     id: SessionId,
///     user: Option<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StateError> {
/// # let store = StateStore::new(MemoryBackend::new())?;
/// let sessions = Sessions::new(&store, Session::key)?;
/// let guest = sessions.load_or_create(None, |id| Session { id, user: None }).await?;
///
/// // At the login the id changes, so that nobody has it who knew the old one.
/// store.update(guest.state_key(), |session| session.user = Some("ada".into())).await?;
/// let Some(session) = sessions.rotate(guest.id.as_str()).await? else { return Ok(()) };
/// assert!(session.user.is_some());
/// assert!(sessions.load(guest.id.as_str()).await?.is_none());
///
/// sessions.destroy(session.id.as_str()).await?;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// # use state_runtime::{StateError, patterns::{SessionId, Sessions}, prelude::*};
/// #[derive(Debug, StateKey, Validate)]
/// #[state(key = "session:{id}", ttl = "30m", sliding)]
/// #[garde(allow_unvalidated)]
/// struct Session {
///     id: SessionId, // would be in every log
///     user: Option<String>,
/// }
///
/// fn sessions(store: &StateStore) -> Result<Sessions<Session>, StateError> {
///     Sessions::new(store, Session::key)
/// }
/// # fn main() { let _ = sessions as fn(&StateStore) -> _; }
/// ```
///
/// The type says `sliding`, so that a session which is used lives on, and marks the id
/// `#[state(secret)]`, so that no log shows it: otherwise this does not compile. Ids come from
/// cookies, so they are text here; what is no id at all is a session that there is not.
pub struct Sessions<T: StateKey, B = AnyBackend> {
    store: StateStore<B>,
    key: Arc<dyn Fn(SessionId) -> T::Key + Send + Sync>,
}

impl<T: StateKey, B> Sessions<T, B> {
    /// Sessions of type `T`, whose key has an id in it: `Session::key`.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::StateError::Unsupported) if the backend lacks compare-and-swap, TTL or atomic
    /// batches.
    pub fn new(
        store: &StateStore<B>,
        key: impl Fn(SessionId) -> T::Key + Send + Sync + 'static,
    ) -> Result<Self>
    where
        T: Writable + Removable + StateKey<Lifetime = Expiring>,
        B: Cas + Ttl + Batch,
    {
        let () = Self::SOUND;
        require(store, &[Capability::Cas, Capability::Ttl, Capability::Batch])?;
        Ok(Self { store: store.clone(), key: Arc::new(key) })
    }
}

impl<T, B> Sessions<T, B>
where
    T: Writable + Removable + StateKey<Lifetime = Expiring>,
    B: Cas + Ttl + Batch,
{
    const SOUND: () = assert!(
        T::NAMESPACE.sliding && T::NAMESPACE.format.has_secrets(),
        "a session lives on while it is used and its id is a secret: say `sliding` and mark the id `#[state(secret)]`"
    );

    /// Creates a session under a new id.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`](crate::StateError::InvalidSettings) if the closure did not use its id, and those of
    /// [`StateStore::create`].
    pub async fn create(&self, begin: impl FnOnce(SessionId) -> T) -> Result<T>
    where
        T::Lifetime: StoredIn<B>,
    {
        let id = SessionId::random()?;
        let key = (self.key)(id.clone());
        let session = begin(id);
        check(
            session.state_key() == key,
            "Sessions",
            "the closure that begins a session has to put the id it is given into the key",
        )?;
        self.store.create(&session).await?;
        Ok(session)
    }

    /// Reads a session and prolongs its life.
    ///
    /// # Errors
    ///
    /// Those of [`StateStore::get`].
    pub async fn load(&self, id: &str) -> Result<Option<T>> {
        match id.parse() {
            Ok(id) => self.store.get((self.key)(id)).await,
            Err(_) => Ok(None),
        }
    }

    /// Reads the session of a cookie, or creates one. An id that there is no session of is never
    /// taken over, for it may be one that somebody else chose.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load) and [`create`](Self::create).
    pub async fn load_or_create(
        &self,
        id: Option<&str>,
        begin: impl FnOnce(SessionId) -> T,
    ) -> Result<T>
    where
        T::Lifetime: StoredIn<B>,
    {
        if let Some(id) = id
            && let Some(session) = self.load(id).await?
        {
            return Ok(session);
        }
        self.create(begin).await
    }

    /// Moves a session to a new id, in one step: at no time there are two, or none. What others
    /// write meanwhile moves along or finds no session. `None` if there is none.
    ///
    /// Call it whenever the rights of a session change, at a login above all.
    ///
    /// # Errors
    ///
    /// [`Overloaded`](crate::StateError::Overloaded) if others kept changing the session, and those of the
    /// backend. After [`Indeterminate`](crate::StateError::Indeterminate) the session may lie under an id
    /// that nobody knows, until it expires: its user has to begin anew.
    pub async fn rotate(&self, id: &str) -> Result<Option<T>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let next = (self.key)(SessionId::random()?);
        self.store.rename(&(self.key)(id), next).await
    }

    /// Removes a session. It is no error if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`StateStore::remove`].
    pub async fn destroy(&self, id: &str) -> Result<()> {
        match id.parse() {
            Ok(id) => self.store.remove((self.key)(id)).await,
            Err(_) => Ok(()),
        }
    }
}

impl<T: StateKey, B> Clone for Sessions<T, B> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), key: Arc::clone(&self.key) }
    }
}

impl<T: StateKey, B: Backend> fmt::Debug for Sessions<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("store", &self.store).finish_non_exhaustive()
    }
}
