//! A Redis cluster: masters that share the slots among them.

use std::time::{Duration, Instant};

use redis::RedisResult;

use super::{Flavour, Server};

/// Hash slots of every cluster.
const SLOTS: usize = 16_384;

/// Longer than nodes take to get to know each other on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Servers that form a cluster.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    /// Starts `masters` nodes, each with its share of the slots, and waits until all agree.
    ///
    /// # Panics
    ///
    /// If the server is not installed, or the nodes do not come to an agreement.
    pub async fn start(flavour: Flavour, masters: usize) -> Self {
        let node = || {
            Server::builder(flavour)
                .config("cluster-enabled yes")
                .config("cluster-node-timeout 2000")
                .start()
        };
        let nodes = futures_util::future::join_all((0..masters).map(|_| node())).await;
        let cluster = Self { nodes };
        cluster.form().await.expect("the nodes obey");
        cluster.agree().await;
        cluster
    }

    /// Its nodes.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// The addresses of all nodes, `127.0.0.1:<port>` each.
    pub fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.address()).collect()
    }

    /// `redis+cluster://127.0.0.1:<port>,127.0.0.1:<port>,…`
    pub fn url(&self) -> String {
        format!("redis+cluster://{}", self.addresses().join(","))
    }

    /// Waits until every node knows all others and says that the cluster works.
    ///
    /// # Panics
    ///
    /// If they do not get there.
    pub async fn agree(&self) {
        let deadline = Instant::now() + PATIENCE;
        for node in &self.nodes {
            loop {
                let info = node.command::<String>(&["CLUSTER", "INFO"]).await.unwrap_or_default();
                let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
                if info.contains("cluster_state:ok") && info.contains(&known) {
                    break;
                }
                assert!(Instant::now() < deadline, "{} does not agree: {info}", node.address());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Gives every node an epoch and slots of its own, and makes them meet.
    async fn form(&self) -> RedisResult<()> {
        let count = self.nodes.len();
        for (i, node) in self.nodes.iter().enumerate() {
            let slots: Vec<_> =
                (SLOTS * i / count..SLOTS * (i + 1) / count).map(|slot| slot.to_string()).collect();
            let mut add = vec!["CLUSTER", "ADDSLOTS"];
            add.extend(slots.iter().map(String::as_str));
            node.command::<()>(&add).await?;
            let epoch = (i + 1).to_string();
            node.command::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await?;
        }
        if let Some((first, others)) = self.nodes.split_first() {
            for node in others {
                let port = node.port().to_string();
                first.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port]).await?;
            }
        }
        Ok(())
    }
}
