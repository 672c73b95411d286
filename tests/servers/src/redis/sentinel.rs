//! A Sentinel that watches over a master with one replica.

use core::time::Duration;
use std::{path::Path, time::Instant};

use redis::RedisResult;

use super::{Flavour, Server};
use crate::{Instance, instance::configure};

/// Longer than a replica takes to follow its master, or to replace it, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a Sentinel prints when it takes connections.
const READY: &str = "+monitor master";

/// A Sentinel, and the two servers that it watches over.
#[derive(Debug)]
pub struct Sentinel {
    sentinel: Server,
    servers: [Server; 2],
}

impl Sentinel {
    /// The name of the master.
    pub const MASTER: &'static str = "mymaster";

    /// Starts a master, its replica and a Sentinel, and waits until they know each other.
    ///
    /// # Panics
    ///
    /// If the server is not installed, or the three do not get ready.
    pub async fn start(flavour: Flavour) -> Self {
        let master = Server::start(flavour).await;
        let replica = Server::builder(flavour)
            .config(&format!("replicaof 127.0.0.1 {}", master.port()))
            .start()
            .await;
        let watched = master.port();
        let recipe = move |port: u16, folder: &Path| {
            let file = folder.join(format!("{port}.conf"));
            if !file.exists() {
                configure(&file, &settings(port, watched, folder));
            }
            let mut command = flavour.command();
            command.arg(file).arg("--sentinel");
            command
        };
        let instance = Instance::start(READY, recipe).await;
        let sentinel = Server { instance, flavour, tls: None, password: None };
        let this = Self { sentinel, servers: [master, replica] };
        // Otherwise it looks at its servers every ten seconds, and makes a former master a replica
        // only after eight. Redis 6 cannot be told, and takes that long.
        let often = ["SENTINEL", "DEBUG", "INFO-PERIOD", "100", "PUBLISH-PERIOD", "100"];
        let obeys = this.sentinel.command::<()>(&often).await.is_ok();
        assert!(obeys || flavour == Flavour::Redis6, "the Sentinel does not obey");
        this.follow().await;
        this
    }

    /// The Sentinel itself.
    pub fn sentinel(&self) -> &Server {
        &self.sentinel
    }

    /// Master and replica, in the order of their start.
    pub fn servers(&self) -> &[Server; 2] {
        &self.servers
    }

    /// `redis+sentinel://127.0.0.1:<port>/mymaster`
    pub fn url(&self) -> String {
        format!("redis+sentinel://{}/{}", self.sentinel.address(), Self::MASTER)
    }

    /// The server that the Sentinel says is the master.
    ///
    /// # Panics
    ///
    /// If the Sentinel does not answer, or names another server.
    pub async fn master(&self) -> &Server {
        let (_, port) = self.asked().await.expect("the Sentinel answers");
        let found = self.servers.iter().find(|server| server.port().to_string() == port);
        found.expect("the master is one of the two")
    }

    /// Makes the replica the master, and waits until both have their new parts.
    ///
    /// # Panics
    ///
    /// If it does not come to that.
    pub async fn fail_over(&self) {
        let old = self.master().await.port();
        let deadline = Instant::now() + PATIENCE;
        let order = ["SENTINEL", "FAILOVER", Self::MASTER];
        while self.master().await.port() == old {
            // It refuses as long as it has not heard from the replica that it follows, or is busy
            // with it; and it gives up if the replica did not answer in time.
            drop(self.sentinel.command::<()>(&order).await);
            self.wait(deadline, "the Sentinel still names the old master").await;
        }
        self.follow().await;
    }

    /// Waits until the replica follows the master and the Sentinel knows both.
    ///
    /// # Panics
    ///
    /// If it does not come to that.
    pub async fn follow(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_settled().await.unwrap_or(false) {
            self.wait(deadline, "the replica does not follow").await;
        }
    }

    async fn is_settled(&self) -> RedisResult<bool> {
        let master = self.master().await;
        let info: String = master.command(&["INFO", "replication"]).await?;
        let known: String = self.sentinel.command(&["INFO", "sentinel"]).await?;
        Ok(info.contains("role:master")
            && info.contains("state=online")
            && known.contains("status=ok")
            && known.contains("slaves=1"))
    }

    async fn asked(&self) -> RedisResult<(String, String)> {
        self.sentinel.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::MASTER]).await
    }

    async fn wait(&self, deadline: Instant, problem: &str) {
        assert!(Instant::now() < deadline, "{problem}\n{}", self.sentinel.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn settings(port: u16, watched: u16, folder: &Path) -> String {
    let (name, folder) = (Sentinel::MASTER, folder.display());
    format!(
        "bind 127.0.0.1\nport {port}\ndir \"{folder}\"\n\
         sentinel monitor {name} 127.0.0.1 {watched} 1\n\
         sentinel down-after-milliseconds {name} 1000\n\
         sentinel failover-timeout {name} 5000\n"
    )
}
