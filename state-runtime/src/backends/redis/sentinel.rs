//! Finding the master through the sentinels that watch over it.
//!
//! The sentinels are asked anew for every connection, so whoever becomes the master is found as soon
//! as they agree on it. That the server there is a master, the login makes sure of.

use core::time::Duration;
use std::sync::{Arc, Weak};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    config::{Address, RedisConfig, Servers},
    dial::Dialer,
    error, first,
    link::Locate,
    node::{Node, reply},
};
use crate::backend::{BackendError, ErrorKind, Result};

/// How often the sentinels are asked whether there is another master by now. Mostly the connection to
/// the former one is lost first; but one that was cut off from the others may not know of it.
const PERIOD: Duration = Duration::from_secs(5);
/// Nobody waits for a sentinel longer than this, whatever the time-out for connecting.
const LONGEST: Duration = Duration::from_secs(60);

/// The sentinels of one master.
struct Sentinels {
    dialer: Dialer,
    addresses: Vec<Address>,
    master: String,
}

/// Asks the sentinels each time.
pub(super) fn locate(dialer: &Dialer, sentinels: &[String], master: &str) -> Result<Locate> {
    let addresses =
        sentinels.iter().map(|text| Address::of_sentinel(text)).collect::<Result<_>>()?;
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
    /// heard of the latest master yet. Once one has answered, the others get little time: one that
    /// is silent keeps nobody from the master.
    async fn ask(&self) -> Result<Address> {
        let limit = self.dialer.config.connect_timeout.min(LONGEST);
        // Something is left of it for the master itself.
        let mut end = Instant::now() + limit * 3 / 4;
        let mut asked: FuturesUnordered<_> =
            self.addresses.iter().map(|sentinel| self.ask_one(sentinel, end)).collect();
        let (mut answers, mut refusals) = (Vec::new(), Vec::new());
        while let Ok(Some(answer)) = timeout_at(end, asked.next()).await {
            match answer {
                Err(refusal) => refusals.push(refusal),
                Ok(address) => {
                    answers.push(address.clone());
                    if votes(&answers, &address) * 2 > self.addresses.len() {
                        return Ok(address);
                    }
                    end = end.min(Instant::now() + limit / 4);
                }
            }
        }
        let most = answers.iter().max_by_key(|address| votes(&answers, address));
        most.cloned().ok_or_else(|| first::none(&refusals))
    }

    async fn ask_one(&self, sentinel: &Address, end: Instant) -> Result<Address> {
        let mut command = redis::cmd("SENTINEL");
        command.arg("get-master-addr-by-name").arg(&self.master);
        let asking = async {
            let mut connected = self.dialer.dial(sentinel).await?;
            match connected.handle.send(&command).await {
                Ok(value) => reply(value).and_then(|value| self.read(&value)),
                Err(error) => Err(error::unavailable(error::of_transport(&error))),
            }
            .map_err(|error| error.about(sentinel))
        };
        let silent = || error::unavailable("the sentinel does not answer").about(sentinel);
        timeout_at(end, asking).await.unwrap_or_else(|_| Err(silent()))
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
