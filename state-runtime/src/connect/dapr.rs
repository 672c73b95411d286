//! `dapr:` opens a `DaprBackend`.

use super::url::Url;
use crate::{
    backend::AnyBackend,
    backends::{DaprBackend, DaprConfig, dapr::Consistency},
    error::{InvalidUrl, Result},
};

pub(super) async fn open(url: Url) -> Result<AnyBackend> {
    Ok(AnyBackend::new(DaprBackend::connect(config(url)?).await?))
}

pub(super) fn config(mut url: Url) -> Result<DaprConfig, InvalidUrl> {
    if url.user.is_some() || url.password.is_some() {
        return Err(InvalidUrl::new(
            "a sidecar knows no users; give its token as `dapr://host:3500/store?api_token=…`",
        ));
    }
    let store = url.segment()?;
    let (Some(store), Some(address)) = (store, url.addresses.pop()) else {
        return Err(url.misshapen());
    };
    let mut config = DaprConfig::new(address, store);
    let options = &mut url.options;
    if let Some(token) = options.text("api_token")? {
        config = config.with_api_token(token);
    }
    let freshness = [("strong", Consistency::Strong), ("eventual", Consistency::Eventual)];
    if let Some(consistency) = options.choice("consistency", &freshness)? {
        config = config.with_consistency(consistency);
    }
    if let Some(limit) = options.duration("connect_timeout")? {
        config = config.with_connect_timeout(limit);
    }
    if let Some(limit) = options.duration("timeout")? {
        config = config.with_timeout(limit);
    }
    if let Some(bytes) = options.size("max_body")? {
        config = config.with_max_body(bytes);
    }
    url.options.finish(url.scheme)?;
    Ok(config)
}
