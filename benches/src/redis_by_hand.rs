//! Redis used directly: one multiplexed connection, one command an operation.

use redis::{AsyncCommands as _, Client, IntoConnectionInfo as _, aio::MultiplexedConnection};

use crate::{
    Failure,
    by_hand::{self, Session},
    sessions::Sessions,
};

/// Sessions on a Redis server. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Redis {
    connection: MultiplexedConnection,
}

impl Redis {
    /// Connects to a server.
    ///
    /// # Errors
    ///
    /// Those of the client.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        // As ours: without it, a command waits for the answer to the one before it.
        let info = url.into_connection_info()?;
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let connection =
            Client::open(info.set_tcp_settings(tcp))?.get_multiplexed_async_connection().await?;
        Ok(Self { connection })
    }
}

impl Sessions for Redis {
    type Session = Session;

    async fn get(&mut self, id: String) -> Result<Option<Session>, Failure> {
        let stored: Option<Vec<u8>> = self.connection.get(by_hand::encode_key(&id)).await?;
        Ok(stored.map(|bytes| by_hand::decode(id, &bytes)).transpose()?)
    }

    async fn set(&mut self, session: &Session) -> Result<(), Failure> {
        let bytes = by_hand::encode(session)?;
        let key = by_hand::encode_key(&session.session_id);
        let () = self.connection.set(key, &*bytes).await?;
        Ok(())
    }
}
