//! Sessions on a server, as both sides of a comparison get and set them.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use state_runtime::{backend::Backend, store::StateStore};

use crate::{
    Failure,
    concurrent::Work,
    session::{self, Sample, Session},
};

/// How many sessions there are: every one is there before anything is measured.
pub const KEYS: u64 = 10_000;

/// Where sessions are kept. Each caller has a clone.
pub trait Sessions: Clone + Send + Sync + 'static {
    /// What a session is to this side.
    type Session: Sample;

    /// Reads and checks one.
    fn get(
        &mut self,
        id: String,
    ) -> impl Future<Output = Result<Option<Self::Session>, Failure>> + Send;

    /// Checks and writes one.
    fn set(&mut self, session: &Self::Session) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl<B: Backend> Sessions for StateStore<B> {
    type Session = Session;

    async fn get(&mut self, id: String) -> Result<Option<Session>, Failure> {
        Ok(Self::get(self, Session::key(id)).await?)
    }

    async fn set(&mut self, session: &Session) -> Result<(), Failure> {
        Ok(Self::set(self, session).await?)
    }
}

/// Gives every step of every caller a number that no other has.
#[derive(Debug, Clone, Default)]
pub struct Numbers(Arc<AtomicU64>);

impl Numbers {
    /// The next number.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of a session that is there, in an order that has nothing to do with that of keys.
    #[must_use]
    pub fn next_key(&self) -> u64 {
        self.next().wrapping_mul(6_151) % KEYS
    }
}

/// Writes every session once.
///
/// # Errors
///
/// Those of writing.
pub async fn fill<S: Sessions>(sessions: &mut S) -> Result<(), Failure> {
    for number in 0..KEYS {
        sessions.set(&S::Session::from(&session::sample(number))).await?;
    }
    Ok(())
}

/// A caller that gets one session after the other.
#[derive(Debug)]
pub struct Gets<S> {
    sessions: S,
    numbers: Numbers,
}

impl<S: Sessions> Gets<S> {
    /// A caller with a clone of `sessions`.
    #[must_use]
    pub fn new(sessions: &S, numbers: &Numbers) -> Self {
        Self { sessions: sessions.clone(), numbers: numbers.clone() }
    }
}

impl<S: Sessions> Work for Gets<S> {
    async fn once(&mut self) -> Result<(), Failure> {
        let id = session::id(self.numbers.next_key());
        match self.sessions.get(id).await? {
            Some(_) => Ok(()),
            None => Err("a session is missing".into()),
        }
    }
}

/// A caller that sets one session after the other, each to a value that was not there before.
#[derive(Debug)]
pub struct Sets<S: Sessions> {
    sessions: S,
    session: S::Session,
    numbers: Numbers,
}

impl<S: Sessions> Sets<S> {
    /// A caller with a clone of `sessions`.
    #[must_use]
    pub fn new(sessions: &S, numbers: &Numbers) -> Self {
        let session = S::Session::from(&session::sample(0));
        Self { sessions: sessions.clone(), session, numbers: numbers.clone() }
    }
}

impl<S: Sessions> Work for Sets<S> {
    async fn once(&mut self) -> Result<(), Failure> {
        self.session.renew(self.numbers.next_key(), KEYS + self.numbers.next());
        self.sessions.set(&self.session).await
    }
}

#[cfg(test)]
mod tests {
    use state_runtime::backends::MemoryBackend;

    use super::*;

    #[tokio::test]
    async fn callers_get_what_is_there_and_set_what_was_not() {
        let mut store = StateStore::new(MemoryBackend::new()).unwrap();
        let numbers = Numbers::default();
        let missing = Gets::new(&store, &numbers).once().await.unwrap_err();
        assert_eq!(missing.to_string(), "a session is missing");
        fill(&mut store).await.unwrap();
        Gets::new(&store, &numbers).once().await.unwrap();

        let mut setter = Sets::new(&store, &numbers);
        setter.once().await.unwrap();
        let stored = Sessions::get(&mut store, setter.session.session_id.clone()).await.unwrap();
        assert_eq!(stored.as_ref(), Some(&setter.session));
        let first = setter.session.user_id.clone();
        setter.once().await.unwrap();
        assert_ne!(setter.session.user_id, first);
    }
}
