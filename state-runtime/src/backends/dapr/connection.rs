//! What is known of a sidecar and its state store after connecting.

use hyper::Method;
use serde::Deserialize;

use super::{
    api::Api,
    component::{Behaviour, Component},
    config::DaprConfig,
    error::{self, Access},
    link::{Call, Link},
    revision::Outdated,
};
use crate::backend::{BackendError, Capabilities, Capability, ErrorKind, Result, spoken};

/// A state store of a sidecar, and what is known of its component.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) api: Api,
    pub(super) component: Component,
    /// `None` where the component is not known well enough to promise anything of it.
    pub(super) behaviour: Option<Behaviour>,
    pub(super) offers: Capabilities,
    pub(super) outdated: Outdated,
}

/// What a sidecar says of itself.
#[derive(Deserialize)]
struct Metadata {
    /// Every sidecar names the application that it serves.
    #[serde(rename = "id")]
    _app: String,
    #[serde(default)]
    components: Vec<Component>,
}

impl Connection {
    /// Asks the sidecar for its components and looks for the store among them.
    pub(super) async fn open(config: &DaprConfig) -> Result<Self> {
        let link = Link::new(config)?;
        let address = [link.address().to_owned()];
        let finding = find(&link, &config.store);
        let component =
            spoken::connecting(&address, error::of_spoken, link.timeout(), finding).await?;
        let (behaviour, offers) = (component.behaviour(), component.offers());
        let api = Api::new(link, config, behaviour);
        Ok(Self { api, component, behaviour, offers, outdated: Outdated::new() })
    }

    /// Refuses what is not offered.
    pub(super) fn need(&self, capability: Capability) -> Result<()> {
        if self.offers.contains(capability) {
            Ok(())
        } else {
            Err(BackendError::unsupported(capability))
        }
    }
}

async fn find(link: &Link, store: &str) -> Result<Component> {
    let access = Access::Read;
    let path = "/v1.0/metadata";
    let call = Call { method: Method::GET, path, etag: None, body: Vec::new(), access };
    let reply = link.exchange(call).await?;
    if matches!(reply.status, 404 | 405) {
        return Err(error::no_sidecar().about(link.address()));
    }
    if reply.status != 200 {
        return Err(error::refused(&reply, access).about(link.address()));
    }
    let Ok(Metadata { components, .. }) = serde_json::from_slice(&reply.body) else {
        return Err(error::no_sidecar().about(link.address()));
    };
    let stores = components.into_iter().filter(|component| component.kind.starts_with("state."));
    let (mut found, others): (Vec<_>, Vec<_>) = stores.partition(|found| found.name == store);
    found.pop().ok_or_else(|| {
        let names: Vec<_> = others.iter().map(|other| format!("`{}`", other.name)).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let message = format!("the sidecar has no state store `{store}`; it has {there}");
        BackendError::new(ErrorKind::Missing, message).about(link.address())
    })
}
