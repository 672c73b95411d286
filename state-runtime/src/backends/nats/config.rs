//! How to reach the servers, and which bucket: addresses, credentials, TLS, time-outs, settings.

use core::{fmt, time::Duration};
use std::path::{Path, PathBuf};

use super::subject::KeyMapping;
use crate::backend::{BackendError, ErrorKind, Result};

/// What [`NatsBackend::connect`](super::NatsBackend::connect) needs to know.
///
/// ```
/// use core::time::Duration;
/// use state_runtime::backends::nats::NatsConfig;
///
/// let config = NatsConfig::new("nats.internal:4222")
///     .with_bucket("shop")
///     .with_user("shop", "secret")
///     .with_response_timeout(Duration::from_secs(1));
/// assert!(!format!("{config:?}").contains("secret"));
/// assert!(!format!("{:?}", NatsConfig::new("me:secret@host")).contains("secret"));
/// ```
#[derive(Clone)]
#[must_use = "a configuration connects nothing until it is given to `NatsBackend::connect`"]
pub struct NatsConfig {
    pub(super) servers: Vec<String>,
    pub(super) bucket: String,
    pub(super) login: Login,
    pub(super) tls: Option<TlsFiles>,
    pub(super) client_name: Option<String>,
    pub(super) mapping: KeyMapping,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    pub(super) missing: MissingBucket,
    pub(super) settings: BucketSettings,
}

/// Hides a login that stands in an address, where it does not belong, and all other secrets.
impl fmt::Debug for NatsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().filter_map(|server| server.rsplit('@').next());
        f.debug_struct("NatsConfig")
            .field("servers", &servers.collect::<Vec<_>>())
            .field("bucket", &self.bucket)
            .field("login", &self.login)
            .field("tls", &self.tls)
            .field("client_name", &self.client_name)
            .field("mapping", &self.mapping)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("missing", &self.missing)
            .field("settings", &self.settings)
            .finish()
    }
}

/// What to do if there is no such bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingBucket {
    /// Create it.
    #[default]
    Create,
    /// Refuse to connect, with [`ErrorKind::Missing`].
    Refuse,
}

/// Where the servers keep a bucket that is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Storage {
    /// In files.
    #[default]
    File,
    /// In their memory: a restart of all of them loses everything.
    Memory,
}

/// What was said of the bucket: how it is created, and what one that is there has to be like.
#[derive(Debug, Clone, Default)]
pub(super) struct BucketSettings {
    pub(super) replicas: Option<usize>,
    pub(super) storage: Option<Storage>,
    pub(super) max_bytes: Option<u64>,
}

impl Storage {
    /// As a server writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Memory => "memory",
        }
    }
}

/// Who asks.
#[derive(Clone)]
pub(super) enum Login {
    Nobody,
    Token(String),
    User { name: String, password: String },
    NKey(String),
    File(PathBuf),
}

/// Tells of which sort it is, and hides the rest.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Token(_) => f.write_str("Token(***)"),
            Self::User { name, .. } => write!(f, "User({name:?}, ***)"),
            Self::NKey(_) => f.write_str("NKey(***)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// The files that TLS needs beside the certificates that the machine trusts.
#[derive(Debug, Clone, Default)]
pub(super) struct TlsFiles {
    pub(super) authority: Option<PathBuf>,
    pub(super) client: Option<(PathBuf, PathBuf)>,
}

impl NatsConfig {
    /// The bucket `state` on the server at `address`: `host:port`, or a host alone for port 4222.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            servers: vec![address.into()],
            bucket: "state".to_owned(),
            login: Login::Nobody,
            tls: None,
            client_name: None,
            mapping: KeyMapping::default(),
            connect_timeout: Duration::from_secs(3),
            response_timeout: Duration::from_secs(3),
            missing: MissingBucket::default(),
            settings: BucketSettings::default(),
        }
    }

    /// Another server of the same cluster, for when the first cannot be reached. The servers tell of
    /// each other, so the cluster need not be listed completely.
    pub fn with_server(mut self, address: impl Into<String>) -> Self {
        self.servers.push(address.into());
        self
    }

    /// The bucket, `state` unless said otherwise.
    pub fn with_bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = bucket.into();
        self
    }

    /// Logs in with a token.
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.login = Login::Token(token.into());
        self
    }

    /// Logs in as a user.
    pub fn with_user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Login::User { name: name.into(), password: password.into() };
        self
    }

    /// Logs in with an `NKey`, of which this is the seed.
    pub fn with_nkey(mut self, seed: impl Into<String>) -> Self {
        self.login = Login::NKey(seed.into());
        self
    }

    /// Logs in with the token and the key in a credentials file. It is read at every connection, so
    /// it may be replaced.
    pub fn with_credentials_file(mut self, path: impl AsRef<Path>) -> Self {
        self.login = Login::File(path.as_ref().to_owned());
        self
    }

    /// Refuses servers without TLS. One that asks for TLS gets it without this, too.
    pub fn with_tls(mut self) -> Self {
        self.tls.get_or_insert_default();
        self
    }

    /// Uses TLS, and trusts the authority whose certificates are in this PEM file in place of those
    /// that the machine trusts.
    pub fn with_ca_certificate(mut self, pem: impl AsRef<Path>) -> Self {
        self.tls.get_or_insert_default().authority = Some(pem.as_ref().to_owned());
        self
    }

    /// Uses TLS, and shows the server the certificate and the private key in these two PEM files.
    pub fn with_client_certificate(
        mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Self {
        let client = (certificate.as_ref().to_owned(), key.as_ref().to_owned());
        self.tls.get_or_insert_default().client = Some(client);
        self
    }

    /// The name that the connections have in the monitoring of the servers.
    pub fn with_client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// How keys become subjects, [`KeyMapping::Mapped`] unless said otherwise.
    pub const fn with_key_mapping(mut self, mapping: KeyMapping) -> Self {
        self.mapping = mapping;
        self
    }

    /// How long it may take to connect to a server, TLS and login included. Three seconds unless
    /// said otherwise.
    pub const fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an answer may take, after which the connection is given up. It should be below the
    /// deadline of the store's operations. Three seconds unless said otherwise.
    pub const fn with_response_timeout(mut self, limit: Duration) -> Self {
        self.response_timeout = limit;
        self
    }

    /// What to do if there is no such bucket: create it unless said otherwise.
    pub const fn with_missing_bucket(mut self, missing: MissingBucket) -> Self {
        self.missing = missing;
        self
    }

    /// On how many servers the bucket is kept, 1 to 5. One that is created is on 1 unless said otherwise,
    /// one that is there is as it is unless this is said: then it has to be on as many.
    pub const fn with_replicas(mut self, replicas: usize) -> Self {
        self.settings.replicas = Some(replicas);
        self
    }

    /// Where the bucket is kept. One that is created is in files unless said otherwise, one that is there
    /// is as it is unless this is said: then it has to be there.
    pub const fn with_storage(mut self, storage: Storage) -> Self {
        self.settings.storage = Some(storage);
        self
    }

    /// The most bytes that the bucket holds. When it is full it takes no writes
    /// ([`ErrorKind::ReadOnly`]). One that is created is unlimited unless said otherwise, one that is there
    /// is as it is unless this is said: then it has to have this limit.
    pub const fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.settings.max_bytes = Some(bytes);
        self
    }

    /// The addresses of the servers, each with its port.
    pub(super) fn addresses(&self) -> Vec<String> {
        let with_port = |server: &String| {
            let has_port = server.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
            if has_port { server.clone() } else { format!("{server}:4222") }
        };
        self.servers.iter().map(with_port).collect()
    }

    /// The stream of the bucket.
    pub(super) fn stream(&self) -> String {
        format!("KV_{}", self.bucket)
    }

    /// Refuses what can never work, before anything is sent.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |message| Err(BackendError::new(ErrorKind::Other, message));
        if self.connect_timeout.is_zero() || self.response_timeout.is_zero() {
            return refuse("a time-out of zero leaves no time to answer; give it a second or more");
        }
        if self.settings.replicas.is_some_and(|replicas| !(1..=5).contains(&replicas)) {
            return refuse("a bucket has 1 to 5 replicas");
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.bucket.is_empty() || !self.bucket.chars().all(allowed) {
            return refuse("the name of a bucket is made of letters, digits, `-` and `_`");
        }
        if self.servers.iter().any(|server| server.contains('@')) {
            return refuse("an address names no user; log in by `with_user` or `with_token`");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let config = NatsConfig::new("a");
        for config in [
            config.clone().with_token("tiger"),
            config.clone().with_user("me", "tiger"),
            config.with_nkey("tiger"),
        ] {
            assert!(!format!("{config:?}").contains("tiger"), "{config:?}");
        }
    }

    #[test]
    fn the_usual_port_is_added_where_there_is_none() {
        let config = NatsConfig::new("a").with_server("b:1").with_server("[::1]");
        assert_eq!(config.addresses(), ["a:4222", "b:1", "[::1]:4222"]);
    }

    #[test]
    fn what_can_never_work_is_refused() {
        let config = NatsConfig::new("a");
        assert!(config.check().is_ok());
        assert!(config.clone().with_response_timeout(Duration::ZERO).check().is_err());
        assert!(config.clone().with_replicas(0).check().is_err());
        for bucket in ["", "a.b", "a b", "*", "a>"] {
            assert!(config.clone().with_bucket(bucket).check().is_err(), "{bucket}");
        }
        assert!(NatsConfig::new("me:secret@a").check().is_err());
    }
}
