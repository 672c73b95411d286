//! `NatsBackend` on one server.

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::io;

use async_nats::{ConnectOptions, jetstream};
use state_runtime::{
    backend::Result,
    backends::{NatsBackend, NatsConfig},
    key::Key,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use crate::outcomes::Target;

/// How long the observer tries: it has to find a server again that was started anew.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bucket of its own on a server.
#[derive(Debug)]
pub struct Nats {
    server: String,
    bucket: String,
    client: OnceCell<jetstream::Context>,
}

impl Nats {
    /// On the server at `host:port`.
    #[must_use]
    pub fn new(server: String) -> Self {
        static BUCKETS: AtomicUsize = AtomicUsize::new(0);
        let bucket = format!("outcomes{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
        Self { server, bucket, client: OnceCell::new() }
    }

    /// Carries something out until it succeeds.
    async fn insist(&self, key: &Key, act: Act<'_>) -> io::Result<Option<Vec<u8>>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.carry_out(key, act).await {
                Ok(done) => return Ok(done),
                Err(error) if Instant::now() > deadline => return Err(io::Error::other(error)),
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn carry_out(
        &self,
        key: &Key,
        act: Act<'_>,
    ) -> Result<Option<Vec<u8>>, async_nats::Error> {
        let key = subject(key);
        let store = self.client().await?.get_key_value(&self.bucket).await?;
        match act {
            Act::Get => return Ok(store.get(key).await?.map(Into::into)),
            Act::Put(value) => drop(store.put(key, value.to_vec().into()).await?),
            Act::Delete => store.delete(key).await?,
        }
        Ok(None)
    }

    async fn client(&self) -> Result<&jetstream::Context, async_nats::Error> {
        let connect = || async {
            let options = ConnectOptions::new().request_timeout(Some(Duration::from_secs(2)));
            let client = options.connect(self.server.as_str()).await?;
            Ok(jetstream::new(client))
        };
        self.client.get_or_try_init(connect).await
    }
}

/// What another client does with an entry.
#[derive(Debug, Clone, Copy)]
enum Act<'a> {
    Get,
    Put(&'a [u8]),
    Delete,
}

/// A key as the backend writes it: NATS has no colons in its subjects.
fn subject(key: &Key) -> String {
    key.as_str().replace(':', ".")
}

impl Target for Nats {
    type Backend = NatsBackend;

    fn server(&self) -> String {
        self.server.clone()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<NatsBackend> {
        let config = NatsConfig::new(address)
            .with_bucket(&self.bucket)
            .with_connect_timeout(limit)
            .with_response_timeout(limit);
        NatsBackend::connect(config).await
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.insist(key, Act::Get).await
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        self.insist(key, value.map_or(Act::Delete, Act::Put)).await.map(drop)
    }
}
