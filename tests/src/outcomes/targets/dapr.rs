//! `DaprBackend` on a sidecar.

use core::time::Duration;
use std::io;

use serde_json::Value;
use state_runtime::{
    backend::Result,
    backends::{DaprBackend, DaprConfig},
    key::Key,
};

use crate::{outcomes::Target, raw::http::request, servers::dapr::Sidecar};

/// A state store of a sidecar.
#[derive(Debug)]
pub struct Dapr {
    address: String,
    store: String,
}

impl Dapr {
    /// The state store of `sidecar`.
    #[must_use]
    pub fn new(sidecar: &Sidecar) -> Self {
        Self { address: sidecar.address(), store: sidecar.store().to_owned() }
    }

    fn path(&self, key: &Key) -> String {
        format!("/v1.0/state/{}/{}", self.store, key.as_str())
    }
}

impl Target for Dapr {
    type Backend = DaprBackend;

    fn server(&self) -> String {
        self.address.clone()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<DaprBackend> {
        let config = DaprConfig::new(address, &self.store);
        DaprBackend::connect(config.with_connect_timeout(limit / 2).with_timeout(limit)).await
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        match request(&self.address, "GET", &self.path(key), b"").await? {
            (204, _) => Ok(None),
            (200, body) => Ok(content(body)),
            (status, _) => Err(io::Error::other(format!("GET answered {status}"))),
        }
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        let (status, _) = match value {
            None => request(&self.address, "DELETE", &self.path(key), b"").await?,
            Some(value) => {
                let name = Value::from(key.as_str());
                let value: Value = serde_json::from_slice(value)?;
                let body = format!(r#"[{{"key":{name},"value":{value}}}]"#);
                let path = format!("/v1.0/state/{}", self.store);
                request(&self.address, "POST", &path, body.as_bytes()).await?
            }
        };
        if status == 204 { Ok(()) } else { Err(io::Error::other(format!("{status}"))) }
    }
}

/// The value in what a component holds: the backend writes a line of its own before it, which may say
/// that it is removed.
fn content(body: Vec<u8>) -> Option<Vec<u8>> {
    let text = serde_json::from_slice::<String>(&body).unwrap_or_default();
    match text.split_once('\n') {
        Some((line, _)) if line.contains("removed") => None,
        Some((line, value)) if line.starts_with("$state") => Some(value.into()),
        _ => Some(body),
    }
}
