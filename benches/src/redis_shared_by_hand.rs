//! Shared state on Redis used directly: a compare-and-swap loop, a scan, and being told of changes.

use redis::{
    AsyncConnectionConfig, Client, Cmd, IntoConnectionInfo as _, ProtocolVersion, PushInfo,
    PushKind, aio::MultiplexedConnection, cmd,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{
    Failure,
    by_hand::{self, Session, decode_key, encode_key},
    session::{self, Sample as _},
    updates::Updates,
};

/// Writes in place of the value that was read, if it is still that.
const SWAP: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1";

/// Sessions that are changed on a Redis server. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Redis {
    connection: MultiplexedConnection,
    swap: String,
}

impl Redis {
    /// Connects to a server.
    ///
    /// # Errors
    ///
    /// Those of the client.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let mut connection = Client::open(url)?.get_multiplexed_async_connection().await?;
        let swap = cmd("SCRIPT").arg("LOAD").arg(SWAP).query_async(&mut connection).await?;
        Ok(Self { connection, swap })
    }

    async fn get(&mut self, key: &str) -> Result<Vec<u8>, Failure> {
        let stored: Option<Vec<u8>> = Cmd::get(key).query_async(&mut self.connection).await?;
        stored.ok_or_else(|| "a session is missing".into())
    }

    /// Reads and checks every session, page by page, and tells how many there are.
    ///
    /// # Errors
    ///
    /// Those of the client and of the values.
    pub async fn scan(&mut self, page: usize) -> Result<u32, Failure> {
        let (mut cursor, mut found) = (0_u64, 0);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg("session:*").arg("COUNT").arg(page);
            let (next, keys): (u64, Vec<String>) = scan.query_async(&mut self.connection).await?;
            if !keys.is_empty() {
                let values: Vec<Option<Vec<u8>>> =
                    Cmd::mget(&keys).query_async(&mut self.connection).await?;
                for (key, value) in keys.iter().zip(values) {
                    let (Some(id), Some(value)) = (decode_key(key), value) else { continue };
                    by_hand::decode(id, &value)?;
                    found += 1;
                }
            }
            if next == 0 {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

impl Updates for Redis {
    async fn update(&mut self, id: u64, user: u64) -> Result<(), Failure> {
        let id_text = session::id(id);
        let key = encode_key(&id_text);
        loop {
            let stored = self.get(&key).await?;
            let mut changed = by_hand::decode(id_text.clone(), &stored)?;
            changed.renew(id, user);
            let bytes = by_hand::encode(&changed)?;
            let mut swap = cmd("EVALSHA");
            swap.arg(&self.swap).arg(1).arg(&key).arg(&stored[..]).arg(&bytes[..]);
            if swap.query_async(&mut self.connection).await? {
                return Ok(());
            }
        }
    }
}

/// One session, and word of its changes.
#[derive(Debug)]
pub struct Watched {
    redis: Redis,
    id: String,
    pushes: UnboundedReceiver<PushInfo>,
}

impl Watched {
    /// Connects to a server and asks to be told of what becomes of the session with this id.
    ///
    /// # Errors
    ///
    /// Those of the client.
    pub async fn connect(url: &str, id: String) -> Result<Self, Failure> {
        let info = url.into_connection_info()?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(settings))?;
        let (sender, pushes) = unbounded_channel();
        let config = AsyncConnectionConfig::new().set_push_sender(sender);
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut track = cmd("CLIENT");
        track.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX").arg(encode_key(&id));
        let () = track.query_async(&mut connection).await?;
        Ok(Self { redis: Redis { connection, swap: String::new() }, id, pushes })
    }

    /// Waits for a change and reads what the session has become.
    ///
    /// # Errors
    ///
    /// Those of the client and of the value.
    pub async fn next(&mut self) -> Result<Session, Failure> {
        while let Some(push) = self.pushes.recv().await {
            if push.kind == PushKind::Invalidate {
                let stored = self.redis.get(&encode_key(&self.id)).await?;
                return Ok(by_hand::decode(self.id.clone(), &stored)?);
            }
        }
        Err("the connection is lost".into())
    }
}
