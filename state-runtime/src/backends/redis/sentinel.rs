//! Finding the master through the sentinels that watch over it.
//!
//! The sentinels are asked anew for every connection, so whoever becomes the master is found as soon
//! as they agree on it. That the server there is a master, the login makes sure of.

use core::time::Duration;
use std::sync::{Arc, Weak};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::Value;
use tokio::time::{sleep, timeout};

use super::{
    config::{Address, RedisConfig, Servers},
    dial::Dialer,
    error,
    link::Locate,
    node::Node,
};
use crate::backend::{BackendError, ErrorKind, Result};

/// How often the sentinels are asked whether there is another master by now. Mostly the connection to
/// the former one is lost first; but one that was cut off from the others may not know of it.
const PERIOD: Duration = Duration::from_secs(5);

/// The sentinels of one master.
struct Sentinels {
    dialer: Dialer,
    addresses: Vec<Address>,
    master: String,
}

/// Asks the sentinels each time.
pub(super) fn locate(dialer: &Dialer, sentinels: &[String], master: &str) -> Result<Locate> {
    let addresses = sentinels.iter().map(|text| Address::parse(text)).collect::<Result<_>>()?;
    // They are servers of their own, with users of their own and no databases.
    let config = RedisConfig {
        servers: Servers::Single(String::new()),
        credentials: dialer.config.sentinel_credentials.clone(),
        database: 0,
        ..dialer.config.clone()
    };
    let dialer = Dialer::new(config)?;
    let sentinels = Arc::new(Sentinels { dialer, addresses, master: master.to_owned() });
    Ok(Arc::new(move || {
        let sentinels = Arc::clone(&sentinels);
        Box::pin(async move { sentinels.ask().await })
    }))
}

/// Leaves a server that the sentinels do not call the master any more, as long as there is `node`.
pub(super) async fn follow(locate: Locate, node: Weak<Node>) {
    loop {
        sleep(PERIOD).await;
        let Some(node) = node.upgrade() else { return };
        if let (Ok(master), Some(present)) = (locate().await, node.address())
            && master != present
        {
            node.suspect();
        }
    }
}

impl Sentinels {
    /// The address that most of them give, as soon as that is certain; one of them may not have
    /// heard of the latest master yet.
    async fn ask(&self) -> Result<Address> {
        let mut asked: FuturesUnordered<_> =
            self.addresses.iter().map(|sentinel| self.ask_one(sentinel)).collect();
        let (mut answers, mut failed) = (Vec::new(), None);
        while let Some(answer) = asked.next().await {
            match answer {
                Err(error) => failed = Some(error),
                Ok(address) => {
                    answers.push(address.clone());
                    if votes(&answers, &address) * 2 > self.addresses.len() {
                        return Ok(address);
                    }
                }
            }
        }
        match (answers.iter().max_by_key(|address| votes(&answers, address)), failed) {
            (Some(address), _) => Ok(address.clone()),
            (None, Some(error)) => Err(error),
            (None, None) => Err(error::unavailable("there is no sentinel to ask")),
        }
    }

    async fn ask_one(&self, sentinel: &Address) -> Result<Address> {
        let mut command = redis::cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(&self.master);
        let mut connected = self.dialer.dial(sentinel).await?;
        let limit = self.dialer.config.connect_timeout;
        let reply = timeout(limit, connected.handle.send(&command)).await;
        let value = match reply {
            Ok(Ok(Value::ServerError(error))) => Err(error::of_reply(&error)),
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error::unavailable(error::of_transport(&error))),
            Err(_) => Err(error::unavailable(format_args!("no answer within {limit:?}"))),
        };
        value.and_then(|value| self.read(&value)).map_err(|error| error.about(sentinel))
    }

    fn read(&self, answer: &Value) -> Result<Address> {
        match answer {
            Value::Nil => Err(BackendError::new(
                ErrorKind::Missing,
                format!("the sentinel knows no master called `{}`", self.master),
            )),
            Value::Array(parts) => address(parts).ok_or_else(error::strange),
            _ => Err(error::strange()),
        }
    }
}

fn votes(answers: &[Address], address: &Address) -> usize {
    answers.iter().filter(|answer| *answer == address).count()
}

fn address(parts: &[Value]) -> Option<Address> {
    let [Value::BulkString(host), Value::BulkString(port)] = parts else { return None };
    let host = core::str::from_utf8(host).ok()?.to_owned();
    Some(Address { host, port: core::str::from_utf8(port).ok()?.parse().ok()? })
}
