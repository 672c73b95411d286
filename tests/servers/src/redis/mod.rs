//! Redis and Valkey: one server, a cluster, or a Sentinel with its master and replica.

mod cluster;
mod sentinel;

use core::{fmt, ops::Deref, time::Duration};
use std::{fmt::Write as _, fs, path::Path, process::Command};

use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo as _, RedisConnectionInfo,
    RedisResult, TlsCertificates, aio::MultiplexedConnection,
};
use tokio::sync::OnceCell;

pub use self::{cluster::Cluster, sentinel::Sentinel};
use super::{Instance, certificates::Certificates, command, instance::configure};

/// What a server prints when it takes connections, whatever its version.
const READY: &str = "Ready to accept connections";

/// Which server, and of which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Redis 6.2.
    Redis6,
    /// Redis 7.0. The only one of these that was built with TLS.
    Redis7,
    /// Redis 8.
    Redis8,
    /// Valkey 9.
    Valkey9,
}

impl Flavour {
    /// All of them, the oldest first.
    pub const ALL: [Self; 4] = [Self::Redis6, Self::Redis7, Self::Redis8, Self::Valkey9];

    /// The folder that it is installed in.
    const fn folder(self) -> &'static str {
        match self {
            Self::Redis6 => "redis-6",
            Self::Redis7 => "redis-7",
            Self::Redis8 => "redis-8",
            Self::Valkey9 => "valkey-9",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Redis6 | Self::Redis7 | Self::Redis8 => "redis-server",
            Self::Valkey9 => "valkey-server",
        }
    }

    fn command(self) -> Command {
        command(self.folder(), self.program())
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis6 | Self::Redis7 | Self::Redis8 => "Redis",
            Self::Valkey9 => "Valkey",
        })
    }
}

/// One server. It appends writes to a file, and does so before it answers unless the disk is busy: what
/// it acknowledged in the last second may be gone after [`kill`](Instance::kill), unless it is
/// [`synced`](Builder::synced).
#[derive(Debug)]
pub struct Server {
    instance: Instance,
    flavour: Flavour,
    tls: Option<Certificates>,
    password: Option<String>,
}

/// A server that is yet to be started.
#[derive(Debug, Clone)]
pub struct Builder {
    flavour: Flavour,
    settings: String,
    arguments: Vec<String>,
    password: Option<String>,
    tls: bool,
}

impl Server {
    /// Starts a server with its usual settings and no password.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn start(flavour: Flavour) -> Self {
        Self::builder(flavour).start().await
    }

    /// A server with settings of its own.
    #[must_use]
    pub fn builder(flavour: Flavour) -> Builder {
        Builder {
            flavour,
            settings: String::new(),
            arguments: Vec::new(),
            password: None,
            tls: false,
        }
    }

    /// The server that all tests of a program share which mind nobody else's keys.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn shared(flavour: Flavour) -> &'static Self {
        static SHARED: [OnceCell<Server>; Flavour::ALL.len()] =
            [const { OnceCell::const_new() }; Flavour::ALL.len()];
        let place = Flavour::ALL.iter().position(|&other| other == flavour);
        let cell = place.and_then(|place| SHARED.get(place)).expect("ALL has every flavour");
        cell.get_or_init(|| Self::start(flavour)).await
    }

    /// `redis://127.0.0.1:<port>`, or `rediss://` with TLS. It names no user.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://{}", self.address())
    }

    /// Which server it is.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Its version, as it says itself.
    pub fn version(&self) -> String {
        self.printed(" version=")
    }

    /// What a client has to trust, if the server speaks TLS.
    pub fn certificates(&self) -> Option<&Certificates> {
        self.tls.as_ref()
    }

    /// Sends one command, as the default user.
    ///
    /// # Errors
    ///
    /// What the driver says.
    pub async fn command<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let mut connection = self.connect().await?;
        let mut command = ::redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut connection).await
    }

    /// Connects as the default user, with the driver and nothing else.
    ///
    /// # Errors
    ///
    /// What the driver says.
    pub async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let patience = Duration::from_secs(20);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(patience));
        self.client()?.get_multiplexed_async_connection_with_config(&config).await
    }

    fn client(&self) -> RedisResult<Client> {
        let mut user = RedisConnectionInfo::default();
        if let Some(password) = &self.password {
            user = user.set_password(password);
        }
        let info = self.url().into_connection_info()?.set_redis_settings(user);
        let Some(certificates) = &self.tls else { return Client::open(info) };
        let root_cert = Some(fs::read(certificates.authority())?);
        Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert })
    }
}

impl Deref for Server {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl Builder {
    /// An argument of the command line and its value: `("--maxmemory", "2mb")`.
    #[must_use]
    pub fn arg(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Every write is on the disk before it is acknowledged, so none is lost by a kill.
    #[must_use]
    pub fn synced(self) -> Self {
        self.arg("--appendfsync", "always")
    }

    /// A line of the file of settings: `"user ada on >secret ~app:* +@all"`.
    #[must_use]
    pub fn config(mut self, line: &str) -> Self {
        self.settings.push_str(line);
        self.settings.push('\n');
        self
    }

    /// A user beside the default one, with the rules of `ACL SETUSER`.
    #[must_use]
    pub fn user(self, name: &str, password: &str, rules: &str) -> Self {
        self.config(&format!("user {name} on >{password} {rules}"))
    }

    /// A password of the default user.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.config(&format!("requirepass {password}"))
    }

    /// Speaks TLS and nothing else. Clients may show a certificate; `("--tls-auth-clients", "yes")`
    /// makes them.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn start(self) -> Server {
        let Self { flavour, settings, arguments, password, tls } = self;
        let recipe = move |port: u16, folder: &Path| {
            let file = folder.join(format!("{port}.conf"));
            if !file.exists() {
                configure(&file, &format!("{}{settings}", basics(port, folder, tls)));
            }
            let mut command = flavour.command();
            command.arg(file).args(&arguments);
            command
        };
        let instance = Instance::start(READY, recipe).await;
        let tls = tls.then(|| Certificates::at(instance.folder()));
        Server { instance, flavour, tls, password }
    }
}

/// The settings of every server.
fn basics(port: u16, folder: &Path, tls: bool) -> String {
    let shown = folder.display();
    let mut settings = format!(
        "bind 127.0.0.1\ndir \"{shown}\"\nsave \"\"\nappendonly yes\nrepl-diskless-sync-delay 0\n"
    );
    let written = if tls {
        let certificates = Certificates::make(folder);
        let (certificate, key) = certificates.server();
        write!(
            settings,
            "port 0\ntls-port {port}\ntls-auth-clients optional\ntls-ca-cert-file \"{}\"\n\
             tls-cert-file \"{}\"\ntls-key-file \"{}\"\n",
            certificates.authority().display(),
            certificate.display(),
            key.display(),
        )
    } else {
        writeln!(settings, "port {port}")
    };
    written.expect("text can be written to a string");
    settings
}
