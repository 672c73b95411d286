//! `redis:` and its kin open a `RedisBackend`: one server, a cluster, or what sentinels watch over.

use super::{
    options::Options,
    scheme::{Kind, Topology},
    units,
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
    config = match (url.user.take(), url.password.take()) {
        (Some(username), Some(password)) => config.with_username(username).with_password(password),
        (None, Some(password)) => config.with_password(password),
        (None, None) => config,
        (Some(_), None) => {
            return Err(InvalidUrl::new(
                "a user without a password cannot log in; write `user:password@`, or \
                 `:password@` for the default user",
            ));
        }
    };
    let options = &mut url.options;
    options.refuse_login()?;
    match topology {
        Topology::Sentinel => config = of_sentinels(config, options)?,
        Topology::Cluster => options.refuse("database", "a cluster has only database 0")?,
        Topology::Single => {
            let instead = format!("the path is the number of the database: `{}`", url.scheme.form);
            options.refuse("database", instead)?;
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
    } else {
        options.refuse_tls(url.scheme)?;
    }
    url.options.finish(url.scheme)?;
    Ok(config)
}

/// What only sentinels, and what they watch over, are told by options.
fn of_sentinels(config: RedisConfig, options: &mut Options) -> Result<RedisConfig, InvalidUrl> {
    let config = match options.number("database")? {
        Some(database) => config.with_database(database),
        None => config,
    };
    match (options.text("sentinel_username")?, options.text("sentinel_password")?) {
        (Some(username), Some(password)) => {
            Ok(config.with_sentinel_username(username).with_sentinel_password(password))
        }
        (None, Some(password)) => Ok(config.with_sentinel_password(password)),
        (None, None) => Ok(config),
        (Some(_), None) => Err(InvalidUrl::new(
            "option `sentinel_username`: it cannot log in without `sentinel_password`",
        )),
    }
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
            match path.map(|database| units::number(&database)) {
                None => Ok(config),
                Some(Some(database)) => Ok(config.with_database(database)),
                Some(None) => Err(InvalidUrl::new(format!(
                    "the path is the number of a database; write the URL as `{}`",
                    url.scheme.form
                ))),
            }
        }
    }
}
