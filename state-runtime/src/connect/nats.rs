//! `nats:` and `tls+nats:` open a `NatsBackend`.

use super::{scheme::Kind, url::Url};
use crate::{
    backend::AnyBackend,
    backends::{
        NatsBackend, NatsConfig,
        nats::{KeyMapping, MissingBucket, Storage},
    },
    error::{InvalidUrl, Result},
};

pub(super) async fn open(url: Url) -> Result<AnyBackend> {
    Ok(AnyBackend::new(NatsBackend::connect(config(url)?).await?))
}

pub(super) fn config(mut url: Url) -> Result<NatsConfig, InvalidUrl> {
    let bucket = url.segment()?;
    let mut addresses = core::mem::take(&mut url.addresses).into_iter();
    let first = addresses.next().ok_or_else(|| url.misshapen())?;
    let mut config = addresses.fold(NatsConfig::new(first), NatsConfig::with_server);
    if let Some(bucket) = bucket {
        config = config.with_bucket(bucket);
    }
    config = sign_in(config, &mut url)?;
    let options = &mut url.options;
    if let Some(name) = options.text("client_name")? {
        config = config.with_client_name(name);
    }
    let mappings = [("mapped", KeyMapping::Mapped), ("verbatim", KeyMapping::Verbatim)];
    if let Some(mapping) = options.choice("key_mapping", &mappings)? {
        config = config.with_key_mapping(mapping);
    }
    if let Some(limit) = options.duration("connect_timeout")? {
        config = config.with_connect_timeout(limit);
    }
    if let Some(limit) = options.duration("response_timeout")? {
        config = config.with_response_timeout(limit);
    }
    let missing = [("create", MissingBucket::Create), ("refuse", MissingBucket::Refuse)];
    if let Some(missing) = options.choice("missing_bucket", &missing)? {
        config = config.with_missing_bucket(missing);
    }
    if let Some(replicas) = options.number("replicas")? {
        config = config.with_replicas(replicas);
    }
    let storages = [("file", Storage::File), ("memory", Storage::Memory)];
    if let Some(storage) = options.choice("storage", &storages)? {
        config = config.with_storage(storage);
    }
    if let Some(bytes) = options.size("max_bytes")? {
        config = config.with_max_bytes(bytes);
    }
    if url.scheme.kind == (Kind::Nats { tls: true }) {
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

/// `token@`, `user:password@`, or a key in an option: one of them.
fn sign_in(config: NatsConfig, url: &mut Url) -> Result<NatsConfig, InvalidUrl> {
    url.options.refuse_login()?;
    url.options.refuse("token", "a token stands in front of the address, as in `token@host`")?;
    let nkey = url.options.text("nkey")?;
    let file = url.options.text("credentials_file")?;
    match (url.user.take(), url.password.take(), nkey, file) {
        (None, None, None, None) => Ok(config),
        (Some(token), None, None, None) => Ok(config.with_token(token)),
        (Some(user), Some(password), None, None) => Ok(config.with_user(user, password)),
        (None, None, Some(seed), None) => Ok(config.with_nkey(seed)),
        (None, None, None, Some(path)) => Ok(config.with_credentials_file(path)),
        (None, Some(_), None, None) => {
            Err(InvalidUrl::new("a password needs a user in front of it, and a token no colon"))
        }
        _ => Err(InvalidUrl::new(
            "log in by one of `token@`, `user:password@`, `nkey` and `credentials_file`",
        )),
    }
}
