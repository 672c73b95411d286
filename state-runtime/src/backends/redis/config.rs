//! How to reach the servers: addresses, credentials, TLS, time-outs.

use core::{fmt, time::Duration};
use std::path::{Path, PathBuf};

use crate::backend::{BackendError, ErrorKind, Result};

/// What [`RedisBackend::connect`](super::RedisBackend::connect) needs to know.
///
/// ```
/// use core::time::Duration;
/// use state_runtime::backends::redis::RedisConfig;
///
/// let config = RedisConfig::new("cache.internal:6379")
///     .with_username("shop")
///     .with_password("secret")
///     .with_response_timeout(Duration::from_secs(1));
/// assert!(!format!("{config:?}").contains("secret"));
/// assert!(!format!("{:?}", RedisConfig::new("redis://u:secret@h")).contains("secret"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "a configuration connects nothing until it is given to `RedisBackend::connect`"]
pub struct RedisConfig {
    pub(super) servers: Servers,
    pub(super) credentials: Credentials,
    pub(super) sentinel_credentials: Credentials,
    pub(super) database: u32,
    pub(super) client_name: Option<String>,
    pub(super) tls: Option<TlsFiles>,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
}

/// Where to find the server that has an entry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Servers {
    /// At one address.
    Single(String),
    /// At the address that one of these sentinels gives for `master`.
    Sentinel { sentinels: Vec<String>, master: String },
    /// On the node of a cluster that serves the slot of the key; these tell which.
    Cluster(Vec<String>),
}

/// Hides what is no address, which may be a URL with a password.
impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown();
        match self {
            Self::Single(_) => f.debug_tuple("Single").field(&shown.concat()).finish(),
            Self::Sentinel { master, .. } => f
                .debug_struct("Sentinel")
                .field("sentinels", &shown)
                .field("master", master)
                .finish(),
            Self::Cluster(_) => f.debug_tuple("Cluster").field(&shown).finish(),
        }
    }
}

/// Where to look: `a:6379, b:6379`.
impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Sentinel { master, .. } = self {
            write!(f, "the master `{master}` of the sentinels ")?;
        }
        f.write_str(&self.shown().join(", "))
    }
}

impl Servers {
    /// The addresses, with a note in place of what is none.
    pub(super) fn shown(&self) -> Vec<String> {
        let read = match self {
            Self::Sentinel { .. } => Address::of_sentinel,
            Self::Single(_) | Self::Cluster(_) => Address::parse,
        };
        let texts = match self {
            Self::Single(address) => core::slice::from_ref(address),
            Self::Sentinel { sentinels: several, .. } | Self::Cluster(several) => several,
        };
        let shown = |text: &String| match read(text) {
            Ok(address) => address.to_string(),
            Err(_) => "<no address>".to_owned(),
        };
        texts.iter().map(shown).collect()
    }
}

/// Who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

/// Hides the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish()
    }
}

/// The files that TLS needs beside the certificates that the machine trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    pub(super) authority: Option<PathBuf>,
    pub(super) client: Option<(PathBuf, PathBuf)>,
}

impl RedisConfig {
    /// One server at `address`, which is `host:port`, or a host alone for port 6379.
    pub fn new(address: impl Into<String>) -> Self {
        Self::of(Servers::Single(address.into()))
    }

    /// A cluster, of which some nodes are at `addresses`; they tell of the others. One of them that
    /// answers is enough. One without a port has port 6379.
    pub fn cluster<A: Into<String>>(addresses: impl IntoIterator<Item = A>) -> Self {
        Self::of(Servers::Cluster(addresses.into_iter().map(Into::into).collect()))
    }

    /// The server that the sentinels at `addresses` call the master of `master`. One of them that
    /// answers is enough. One without a port has port 26379, that of sentinels.
    pub fn sentinel<A: Into<String>>(
        addresses: impl IntoIterator<Item = A>,
        master: impl Into<String>,
    ) -> Self {
        let sentinels = addresses.into_iter().map(Into::into).collect();
        Self::of(Servers::Sentinel { sentinels, master: master.into() })
    }

    fn of(servers: Servers) -> Self {
        Self {
            servers,
            credentials: Credentials::default(),
            sentinel_credentials: Credentials::default(),
            database: 0,
            client_name: None,
            tls: None,
            connect_timeout: Duration::from_secs(3),
            response_timeout: Duration::from_secs(3),
        }
    }

    /// The user of the server's access control lists. Without one it is `default`.
    pub fn with_username(mut self, username: impl Into<String>) -> Self {
        self.credentials.username = Some(username.into());
        self
    }

    /// The password of the user.
    pub fn with_password(mut self, password: impl Into<String>) -> Self {
        self.credentials.password = Some(password.into());
        self
    }

    /// The user that the sentinels know, if they ask for one.
    pub fn with_sentinel_username(mut self, username: impl Into<String>) -> Self {
        self.sentinel_credentials.username = Some(username.into());
        self
    }

    /// The password that the sentinels ask for.
    pub fn with_sentinel_password(mut self, password: impl Into<String>) -> Self {
        self.sentinel_credentials.password = Some(password.into());
        self
    }

    /// The number of the database, 0 unless said otherwise. A cluster has only that one.
    pub const fn with_database(mut self, database: u32) -> Self {
        self.database = database;
        self
    }

    /// The name that the connections have in `CLIENT LIST`, without a space.
    pub fn with_client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// Encrypts the connections. The server's certificate has to be of an authority that the
    /// machine trusts, or of [`with_ca_certificate`](Self::with_ca_certificate).
    pub fn with_tls(mut self) -> Self {
        self.tls.get_or_insert_default();
        self
    }

    /// Encrypts the connections, and trusts the authority whose certificates are in this PEM file
    /// in place of those that the machine trusts.
    pub fn with_ca_certificate(mut self, pem: impl AsRef<Path>) -> Self {
        self.tls.get_or_insert_default().authority = Some(pem.as_ref().to_owned());
        self
    }

    /// Encrypts the connections, and shows the server the certificate and the private key in these
    /// two PEM files.
    pub fn with_client_certificate(
        mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Self {
        let client = (certificate.as_ref().to_owned(), key.as_ref().to_owned());
        self.tls.get_or_insert_default().client = Some(client);
        self
    }

    /// How long it may take to connect, TLS and login included. Three seconds unless said otherwise.
    pub const fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// After how long without a sign of life a connection counts as dead, if an answer is due: a large
    /// answer that is still coming in is one. It should be below the deadline of the store's
    /// operations. Three seconds unless said otherwise.
    pub const fn with_response_timeout(mut self, limit: Duration) -> Self {
        self.response_timeout = limit;
        self
    }

    /// Refuses what can never work, before anything is sent.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |message| Err(BackendError::new(ErrorKind::Other, message));
        if self.connect_timeout.is_zero() || self.response_timeout.is_zero() {
            return refuse("a time-out of zero leaves no time to answer; give it a second or more");
        }
        if self.credentials.username.is_some() && self.credentials.password.is_none() {
            return refuse("a username without a password cannot log in; add `with_password`");
        }
        let Credentials { username, password } = &self.sentinel_credentials;
        if username.is_some() && password.is_none() {
            let message = "a username without a password cannot log in to the sentinels; add \
                           `with_sentinel_password`";
            return refuse(message);
        }
        let is_name =
            |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        if !self.client_name.as_ref().is_none_or(is_name) {
            let message =
                "the name of a client is letters, digits and signs of ASCII, without a space";
            return refuse(message);
        }
        match &self.servers {
            Servers::Cluster(nodes) if nodes.is_empty() => {
                refuse("a cluster needs the address of at least one node")
            }
            Servers::Cluster(_) if self.database != 0 => {
                refuse("a cluster has only database 0; leave out `with_database`")
            }
            Servers::Sentinel { sentinels, .. } if sentinels.is_empty() => {
                refuse("the address of at least one sentinel is needed")
            }
            _ => Ok(()),
        }
    }
}

/// Where one server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    const PORT: u16 = 6379;
    const SENTINEL_PORT: u16 = 26379;

    /// Reads `host:port`, `host`, `[v6]:port` or `[v6]` of a server.
    pub(super) fn parse(text: &str) -> Result<Self> {
        Self::read(text, Self::PORT)
    }

    /// The same of a sentinel.
    pub(super) fn of_sentinel(text: &str) -> Result<Self> {
        Self::read(text, Self::SENTINEL_PORT)
    }

    fn read(text: &str, usual: u16) -> Result<Self> {
        Self::split(text, usual).ok_or_else(|| {
            BackendError::new(
                ErrorKind::Other,
                // The text is not repeated: it may hold a login.
                "an address is `host:port`, without a scheme, a login or a path; \
                 a URL is for `StateStore::connect`",
            )
        })
    }

    /// Whether a URL, a path or a login was meant: nothing of that is a host.
    fn split(text: &str, usual: u16) -> Option<Self> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(v6) => v6.split_once(']')?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None if rest.is_empty() => usual,
            None => return None,
        };
        let foreign = |c: char| c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#');
        let sound = !host.is_empty() && !host.contains(foreign);
        sound.then(|| Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_perhaps_a_port() {
        let read = |text| Address::parse(text).map(|address| address.to_string()).ok();
        assert_eq!(read("localhost").as_deref(), Some("localhost:6379"));
        assert_eq!(read("127.0.0.1:7000").as_deref(), Some("127.0.0.1:7000"));
        assert_eq!(read("[::1]:7000").as_deref(), Some("[::1]:7000"));
        assert_eq!(read("[::1]").as_deref(), Some("[::1]:6379"));
        for text in ["", ":1", "a:", "a:0", "a:65536", "a:b", "::1", "redis://a", "me@a", "[::1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_sentinel_has_a_usual_port_of_its_own() {
        let read = |text| Address::of_sentinel(text).map(|address| address.to_string()).ok();
        assert_eq!(read("a").as_deref(), Some("a:26379"));
        assert_eq!(read("[::1]").as_deref(), Some("[::1]:26379"));
        assert_eq!(read("a:6379").as_deref(), Some("a:6379"));
        let servers = RedisConfig::sentinel(["a", "redis://u:tiger@h"], "shop").servers;
        let shown = "the master `shop` of the sentinels a:26379, <no address>";
        assert_eq!(servers.to_string(), shown);
        assert_eq!(RedisConfig::cluster(["a", "b:1"]).servers.to_string(), "a:6379, b:1");
    }

    #[test]
    fn passwords_are_hidden() {
        let config = RedisConfig::new("a").with_password("tiger").with_sentinel_password("lion");
        let shown = format!("{config:?}");
        assert!(!shown.contains("tiger") && !shown.contains("lion"), "{shown}");
    }

    #[test]
    fn what_can_never_work_is_refused() {
        let none: [&str; 0] = [];
        assert!(RedisConfig::new("a").check().is_ok());
        assert!(RedisConfig::new("a").with_connect_timeout(Duration::ZERO).check().is_err());
        assert!(RedisConfig::new("a").with_username("me").check().is_err());
        assert!(RedisConfig::sentinel(["a"], "m").with_sentinel_username("me").check().is_err());
        assert!(RedisConfig::new("a").with_client_name("shop:1").check().is_ok());
        for name in ["", "my shop", "shop\n", "läden"] {
            assert!(RedisConfig::new("a").with_client_name(name).check().is_err(), "{name}");
        }
        assert!(RedisConfig::cluster(none).check().is_err());
        assert!(RedisConfig::cluster(["a"]).with_database(1).check().is_err());
        assert!(RedisConfig::sentinel(none, "mymaster").check().is_err());
    }
}
