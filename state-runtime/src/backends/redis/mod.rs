//! `RedisBackend`: entries on a Redis or Valkey server that several programs share.

mod cluster;
mod config;
mod dial;
mod error;
mod link;
mod pulse;
mod router;
mod script;
mod sentinel;
mod tls;

use std::sync::Arc;

pub use self::config::RedisConfig;
use self::{dial::Dialer, router::Router};
use crate::backend::Result;

/// A backend on a Redis or Valkey server. A clone is another handle to the same connections.
#[derive(Debug, Clone)]
pub struct RedisBackend {
    router: Arc<Router>,
}

impl RedisBackend {
    /// Connects.
    ///
    /// # Errors
    ///
    /// What the server, or the way to it, refused.
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        let dialer = Arc::new(Dialer::new(config)?);
        Ok(Self { router: Arc::new(Router::connect(dialer).await?) })
    }
}
