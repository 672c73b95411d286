//! Ways for a server to be away, and what becomes of a backend meanwhile.

use core::future::Future;

use state_runtime::backend::Backend;
use tokio::time::timeout;

use super::PATIENCE;
use crate::{proxy::Proxy, servers::Instance};

/// A way for a server to be away.
pub trait Outage: Sync {
    /// Whether other clients still reach the server.
    const SERVER_RUNS: bool;

    /// Where the backend connects to.
    fn address(&self) -> String;

    /// From now on the server is away.
    fn begin(&self) -> impl Future<Output = ()> + Send;

    /// From now on it is there again.
    fn end(&self) -> impl Future<Output = ()> + Send;
}

/// Nothing gets through.
impl Outage for Proxy {
    const SERVER_RUNS: bool = true;

    fn address(&self) -> String {
        Self::address(self)
    }

    async fn begin(&self) {
        self.refuse().await;
    }

    async fn end(&self) {
        self.accept().await;
    }
}

/// The server's process ends at once, and starts again with its data.
#[derive(Debug)]
pub struct Killed<'s>(pub &'s Instance);

impl Outage for Killed<'_> {
    const SERVER_RUNS: bool = false;

    fn address(&self) -> String {
        self.0.address()
    }

    async fn begin(&self) {
        self.0.kill();
    }

    async fn end(&self) {
        self.0.restart().await;
    }
}

/// The server's process stops, keeps its connections, and goes on later.
#[derive(Debug)]
pub struct Frozen<'s>(pub &'s Instance);

impl Outage for Frozen<'_> {
    const SERVER_RUNS: bool = false;

    fn address(&self) -> String {
        self.0.address()
    }

    async fn begin(&self) {
        self.0.pause();
    }

    async fn end(&self) {
        self.0.resume();
    }
}

/// What becomes of the backend while the server is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// It is kept, and has to work again.
    Kept,
    /// It is thrown away, and must not do anything any more.
    ThrownAway,
    /// It is closed, and must not do anything any more, even as long as it is there.
    Closed,
}

impl Farewell {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kept, Self::ThrownAway, Self::Closed];

    /// Takes leave of a backend; what is left of it.
    pub(super) async fn take<B: Backend>(self, backend: B) -> Result<Option<B>, String> {
        match self {
            Self::Kept => Ok(Some(backend)),
            Self::ThrownAway => Ok(None),
            Self::Closed => {
                let closed = timeout(PATIENCE, backend.close()).await;
                let closed = closed.map_err(|_| "closing it takes too long".to_owned())?;
                closed.map_err(|error| format!("it cannot be closed: {error}"))?;
                Ok(Some(backend))
            }
        }
    }
}
