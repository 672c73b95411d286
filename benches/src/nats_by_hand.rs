//! NATS used directly: a key-value bucket as its client offers it.

use async_nats::jetstream::{self, kv};

use crate::{
    Failure,
    by_hand::{self, Session},
    sessions::Sessions,
};

/// Sessions in a bucket. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Nats {
    bucket: kv::Store,
}

impl Nats {
    /// Connects to a server and makes a bucket.
    ///
    /// # Errors
    ///
    /// Those of the client.
    pub async fn create(address: &str, bucket: &str) -> Result<Self, Failure> {
        let client = async_nats::connect(address).await?;
        let config = kv::Config { bucket: bucket.to_owned(), ..kv::Config::default() };
        let bucket = jetstream::new(client).create_key_value(config).await?;
        Ok(Self { bucket })
    }

    /// A colon cannot stand in a key of a bucket.
    fn key(id: &str) -> String {
        format!("session.{id}")
    }
}

impl Sessions for Nats {
    type Session = Session;

    async fn get(&mut self, id: String) -> Result<Option<Session>, Failure> {
        let stored = self.bucket.get(Self::key(&id)).await?;
        Ok(stored.map(|bytes| by_hand::decode(id, &bytes)).transpose()?)
    }

    async fn set(&mut self, session: &Session) -> Result<(), Failure> {
        let bytes = by_hand::encode(session)?;
        self.bucket.put(Self::key(&session.session_id), bytes).await?;
        Ok(())
    }
}
