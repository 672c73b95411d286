//! Where the sidecar is, which of its state stores to use, and how long to wait for it.

use core::{fmt, time::Duration};
use std::env;

use super::DaprBackend;
use crate::backend::Result;

/// What a sidecar takes for a request unless `--max-body-size` says otherwise.
const MAX_BODY: usize = 4 << 20;

/// How to reach a state store of a Dapr sidecar.
///
/// ```
/// use core::time::Duration;
/// use state_runtime::backends::DaprConfig;
///
/// let config = DaprConfig::new("127.0.0.1:3500", "statestore")
///     .with_api_token("hush")
///     .with_timeout(Duration::from_secs(2));
/// assert!(!format!("{config:?}").contains("hush"));
/// ```
#[derive(Clone)]
#[must_use = "a configuration connects nowhere until it is given to a backend"]
pub struct DaprConfig {
    pub(super) address: String,
    pub(super) store: String,
    pub(super) api_token: Option<String>,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) consistency: Consistency,
    pub(super) max_body: usize,
}

/// How fresh a read has to be, where the component of the store knows a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Consistency {
    /// What was acknowledged is read.
    #[default]
    Strong,
    /// What is read may be out of date. Conditional writes are safe all the same: one that is based
    /// on an outdated read is a conflict.
    Eventual,
}

impl DaprConfig {
    /// The state store called `store` of the sidecar at `address`, which is `host:port`.
    pub fn new(address: impl Into<String>, store: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            store: store.into(),
            api_token: None,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(4),
            consistency: Consistency::Strong,
            max_body: MAX_BODY,
        }
    }

    /// As the environment says: `DAPR_HOST` (else `127.0.0.1`), `DAPR_HTTP_PORT` (else 3500) and
    /// `DAPR_API_TOKEN`. A sidecar sets them for the program that it starts.
    pub fn from_env(store: impl Into<String>) -> Self {
        let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let host = named("DAPR_HOST").unwrap_or_else(|| "127.0.0.1".to_owned());
        let port = named("DAPR_HTTP_PORT").unwrap_or_else(|| "3500".to_owned());
        let config = Self::new(format!("{host}:{port}"), store);
        match named("DAPR_API_TOKEN") {
            Some(token) => config.with_api_token(token),
            None => config,
        }
    }

    /// What the sidecar wants to see before it answers. None unless said otherwise.
    pub fn with_api_token(mut self, token: impl Into<String>) -> Self {
        self.api_token = Some(token.into());
        self
    }

    /// How long a connection may take to open. One second unless said otherwise.
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one exchange with the sidecar may take. Four seconds unless said otherwise; keep
    /// it below the deadline of the store, which cannot tell why it was missed.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How fresh reads have to be. [`Consistency::Strong`] unless said otherwise.
    pub const fn with_consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// The largest request that the sidecar takes, in bytes: 4 MiB unless said otherwise here and
    /// by `--max-body-size` there.
    pub const fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// Those of [`DaprBackend::connect`].
    pub async fn connect(self) -> Result<DaprBackend> {
        DaprBackend::connect(self).await
    }
}

/// Hides the token.
impl fmt::Debug for DaprConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DaprConfig")
            .field("address", &self.address.rsplit('@').next())
            .field("store", &self.store)
            .field("api_token", &self.api_token.as_ref().map(|_| "***"))
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("consistency", &self.consistency)
            .field("max_body", &self.max_body)
            .finish()
    }
}
