//! `DaprBackend` on a sidecar.

use core::time::Duration;
use std::{
    io,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use state_runtime::{
    backend::Result,
    backends::{DaprBackend, DaprConfig},
    key::Key,
};

use crate::{
    outcomes::Target,
    raw::http::request,
    servers::dapr::{Component, Sidecar},
};

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

/// A state store on a Redis server, where not the way to the sidecar breaks but that from the sidecar
/// to the server. Each backend has a sidecar of its own.
#[derive(Debug)]
pub struct Behind {
    server: String,
    component: Vec<(&'static str, &'static str)>,
    sidecars: Mutex<Vec<Sidecar>>,
    observer: Dapr,
}

impl Behind {
    /// On the server at `host:port`, with more settings of the component; `observer` is on the same
    /// server.
    #[must_use]
    pub fn new(
        server: String,
        component: &[(&'static str, &'static str)],
        observer: &Sidecar,
    ) -> Self {
        let (component, observer) = (component.to_vec(), Dapr::new(observer));
        Self { server, component, sidecars: Mutex::default(), observer }
    }
}

impl Target for Behind {
    type Backend = DaprBackend;

    fn server(&self) -> String {
        self.server.clone()
    }

    async fn open(&self, address: String, limit: Duration) -> Result<DaprBackend> {
        let mut component = Component::redis_at(&address);
        for (name, value) in &self.component {
            component = component.with(name, value);
        }
        let sidecar = Sidecar::start(component).await;
        let opened = Dapr::new(&sidecar).open(sidecar.address(), limit).await;
        self.sidecars.lock().unwrap_or_else(PoisonError::into_inner).push(sidecar);
        opened
    }

    async fn stored(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.observer.stored(key).await
    }

    async fn put(&self, key: &Key, value: Option<&[u8]>) -> io::Result<()> {
        self.observer.put(key, value).await
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
