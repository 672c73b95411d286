//! `redis:` and its kin open a `RedisBackend`: one server, a cluster, or what sentinels watch over.

use super::{
    scheme::{Kind, Topology},
    url::Url,
};
use crate::{
    backend::AnyBackend,
    backends::{RedisBackend, RedisConfig},
    error::{InvalidUrl, Result},
};

pub(super) async fn open(url: Url) -> Result<AnyBackend> {
    Ok(AnyBackend::new(RedisBackend::connect(config(url)?).await?))
}

pub(super) fn config(mut url: Url) -> Result<RedisConfig, InvalidUrl> {
    let Kind::Redis { topology, tls } = url.scheme.kind else {
        return Err(url.misshapen());
    };
    let mut config = servers(&mut url, topology)?;
    if let Some(username) = url.user.take() {
        config = config.with_username(username);
    }
    if let Some(password) = url.password.take() {
        config = config.with_password(password);
    }
    let options = &mut url.options;
    if topology == Topology::Sentinel {
        if let Some(database) = options.number("database")? {
            config = config.with_database(database);
        }
        if let Some(username) = options.text("sentinel_username")? {
            config = config.with_sentinel_username(username);
        }
        if let Some(password) = options.text("sentinel_password")? {
            config = config.with_sentinel_password(password);
        }
    }
    if let Some(name) = options.text("client_name")? {
        config = config.with_client_name(name);
    }
    if let Some(limit) = options.duration("connect_timeout")? {
        config = config.with_connect_timeout(limit);
    }
    if let Some(limit) = options.duration("response_timeout")? {
        config = config.with_response_timeout(limit);
    }
    if tls {
        config = config.with_tls();
        if let Some(pem) = options.text("ca_certificate")? {
            config = config.with_ca_certificate(pem);
        }
        if let Some((certificate, key)) = options.both("client_certificate", "client_key")? {
            config = config.with_client_certificate(certificate, key);
        }
    }
    url.options.finish(url.scheme)?;
    Ok(config)
}

/// The addresses, and what the path means to them.
fn servers(url: &mut Url, topology: Topology) -> Result<RedisConfig, InvalidUrl> {
    let path = url.segment()?;
    let mut addresses = core::mem::take(&mut url.addresses).into_iter();
    match (topology, path) {
        (Topology::Cluster, None) => Ok(RedisConfig::cluster(addresses)),
        (Topology::Cluster, Some(_)) => {
            Err(InvalidUrl::new("a cluster has no path: its only database is 0"))
        }
        (Topology::Sentinel, Some(master)) => Ok(RedisConfig::sentinel(addresses, master)),
        (Topology::Sentinel, None) => Err(url.misshapen()),
        (Topology::Single, path) => {
            let address = addresses.next().ok_or_else(|| url.misshapen())?;
            let config = RedisConfig::new(address);
            match path.map(|database| database.parse()) {
                None => Ok(config),
                Some(Ok(database)) => Ok(config.with_database(database)),
                Some(Err(_)) => Err(url.misshapen()),
            }
        }
    }
}
