//! Changing sessions that others change too, as both sides of a comparison do it.

use std::future::Future;

use state_runtime::{backend::Cas, store::StateStore};

use crate::{
    Failure,
    concurrent::Work,
    session::{self, Sample as _, Session},
    sessions::Numbers,
};

/// Where sessions are changed. Each caller has a clone.
pub trait Updates: Clone + Send + Sync + 'static {
    /// Gives the session with the number `id` the user with the number `user`, and loses no change
    /// that another caller makes meanwhile.
    fn update(&mut self, id: u64, user: u64) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl<B: Cas> Updates for StateStore<B> {
    async fn update(&mut self, id: u64, user: u64) -> Result<(), Failure> {
        let key = Session::key(session::id(id));
        Self::update(self, key, |session| session.renew(id, user)).await?;
        Ok(())
    }
}

/// Which sessions the callers change.
#[derive(Debug, Clone, Copy)]
pub enum Chosen {
    /// All of them, so that two callers hardly ever meet.
    Spread,
    /// One, so that all meet.
    One,
}

/// A caller that changes one session after the other.
#[derive(Debug)]
pub struct Changes<U> {
    sessions: U,
    numbers: Numbers,
    chosen: Chosen,
}

impl<U: Updates> Changes<U> {
    /// A caller with a clone of `sessions`.
    #[must_use]
    pub fn new(sessions: &U, numbers: &Numbers, chosen: Chosen) -> Self {
        Self { sessions: sessions.clone(), numbers: numbers.clone(), chosen }
    }
}

impl<U: Updates> Work for Changes<U> {
    async fn once(&mut self) -> Result<(), Failure> {
        let id = match self.chosen {
            Chosen::Spread => self.numbers.next_key(),
            Chosen::One => 0,
        };
        self.sessions.update(id, self.numbers.next()).await
    }
}

#[cfg(test)]
mod tests {
    use state_runtime::backends::MemoryBackend;

    use super::*;
    use crate::sessions::fill;

    #[tokio::test]
    async fn every_change_is_another_value_and_the_key_stays() {
        let mut store = StateStore::new(MemoryBackend::new()).unwrap();
        fill(&mut store).await.unwrap();
        let mut changes = Changes::new(&store, &Numbers::default(), Chosen::One);
        let key = || Session::key(session::id(0));
        let first = store.get(key()).await.unwrap().unwrap();
        changes.once().await.unwrap();
        changes.once().await.unwrap();
        let last = store.get(key()).await.unwrap().unwrap();
        assert_eq!(last.user_id, "customer-000000001");
        assert_eq!(Session { user_id: first.user_id.clone(), ..last }, first);
    }
}
