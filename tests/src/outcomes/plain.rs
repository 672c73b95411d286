//! The smallest honest backend on Redis: one connection an operation, and no cleverness.
//!
//! The checks are tried on it before they judge anybody else, and liars are made of it.

use core::time::Duration;
use std::io;

use state_runtime::{
    backend::{
        AddOptions, Backend, BackendError, BatchOp, Bytes, Capabilities, Capability, Condition,
        Entry, ErrorKind, GetOptions, RemoveOptions, Result, Revision, SetOptions,
    },
    key::Key,
};
use tokio::time::timeout;

use super::Target;
use crate::raw::resp::{Client, Connection, Reply};

/// Writes several entries if all their conditions hold. Of each it takes the condition (`any`, `none`, or
/// `is` and a value) and what to store (`set` and a value, or `del`).
const APPLY: &[u8] = br"
for i, key in ipairs(KEYS) do
  local condition, expected = ARGV[i * 4 - 3], ARGV[i * 4 - 2]
  local found = redis.call('GET', key)
  if (condition == 'none' and found) or (condition == 'is' and found ~= expected) then return i end
end
for i, key in ipairs(KEYS) do
  if ARGV[i * 4 - 1] == 'set' then redis.call('SET', key, ARGV[i * 4]) else redis.call('DEL', key) end
end
return 0";

/// The backend. Its revisions are the values themselves, and `add` knows no bounds.
#[derive(Debug)]
pub struct Plain {
    address: String,
    limit: Duration,
}

impl Plain {
    async fn call(&self, command: &[&[u8]], is_write: bool) -> Result<Reply> {
        let unavailable = |_| BackendError::new(ErrorKind::Unavailable, "no connection");
        let opening = timeout(self.limit, Connection::open(&self.address)).await;
        let mut connection =
            opening.map_err(|_| io::ErrorKind::TimedOut.into()).flatten().map_err(unavailable)?;
        match timeout(self.limit, connection.call(command)).await {
            Ok(Ok(Reply::Error(message))) => Err(BackendError::new(ErrorKind::Other, message)),
            Ok(Ok(reply)) => Ok(reply),
            _ if is_write => {
                Err(BackendError::new(ErrorKind::Indeterminate, "no reply to a write"))
            }
            _ => Err(BackendError::new(ErrorKind::Unavailable, "no reply to a read")),
        }
    }

    async fn write(&self, batch: &[BatchOp]) -> Result<()> {
        let count = batch.len().to_string();
        let mut command: Vec<&[u8]> = vec![b"EVAL", APPLY, count.as_bytes()];
        command.extend(batch.iter().map(|op| op.key().as_str().as_bytes()));
        for op in batch {
            let (condition, stored): (_, [&[u8]; 2]) = match op {
                BatchOp::Set { value, options, .. } => (&options.condition, [b"set", value]),
                BatchOp::Remove { options, .. } => (&options.condition, [b"del", b""]),
            };
            let condition: [&[u8]; 2] = match condition {
                Condition::Always => [b"any", b""],
                Condition::IfAbsent => [b"none", b""],
                Condition::IfRevision(revision) => [b"is", revision.as_bytes()],
            };
            command.extend(condition.into_iter().chain(stored));
        }
        match self.call(&command, true).await? {
            Reply::Number(0) => Ok(()),
            Reply::Number(index) => {
                Err(BackendError::conflict(usize::try_from(index - 1).unwrap_or_default()))
            }
            _ => Err(strange()),
        }
    }
}

fn strange() -> BackendError {
    BackendError::new(ErrorKind::Other, "a strange reply")
}

impl Backend for Plain {
    async fn get(&self, key: &Key, _: GetOptions) -> Result<Option<Entry>> {
        match self.call(&[b"GET", key.as_str().as_bytes()], false).await? {
            Reply::Nil => Ok(None),
            Reply::Bytes(bytes) => {
                let revision = Some(Revision::from_bytes(&bytes));
                Ok(Some(Entry { revision, ..Entry::new(bytes.into()) }))
            }
            _ => Err(strange()),
        }
    }

    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        let revision = Some(Revision::from_bytes(&value));
        self.write(&[BatchOp::Set { key: key.clone(), value, options }]).await?;
        Ok(revision)
    }

    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.write(&[BatchOp::Remove { key: key.clone(), options }]).await
    }

    async fn add(&self, key: &Key, options: AddOptions) -> Result<i128> {
        let delta = options.delta.to_string();
        match self.call(&[b"INCRBY", key.as_str().as_bytes(), delta.as_bytes()], true).await? {
            Reply::Number(sum) => Ok(sum.into()),
            _ => Err(strange()),
        }
    }

    async fn apply(&self, batch: Vec<BatchOp>) -> Result<Vec<Option<Revision>>> {
        self.write(&batch).await?;
        Ok(vec![None; batch.len()])
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE.with(Capability::Cas).with(Capability::Batch).with(Capability::Counter)
    }
}

/// Opens the smallest honest backend on one server.
#[derive(Debug)]
pub struct PlainTarget {
    server: String,
    client: Client,
}

impl PlainTarget {
    /// On the server at `host:port`.
    #[must_use]
    pub fn new(server: String) -> Self {
        Self { client: Client::new(server.clone()), server }
    }
}

impl Target for PlainTarget {
    type Backend = Plain;

    fn server(&self) -> String {
        self.server.clone()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<Plain> {
        Ok(Plain { address, limit })
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.client.get(key.as_str()).await
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        self.client.put(key.as_str(), value).await
    }
}
