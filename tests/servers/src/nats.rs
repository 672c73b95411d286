//! NATS servers with their stream storage.

use core::{fmt, ops::Deref};
use std::{fmt::Write as _, path::Path};

use tokio::sync::OnceCell;

use super::{Instance, certificates::Certificates, command, instance::configure};

/// Which line of releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// Without time to live per key.
    V2_9,
    /// With it.
    V2_11,
    /// With atomic batches.
    V2_15,
}

impl Version {
    /// All of them, the oldest first.
    pub const ALL: [Self; 3] = [Self::V2_9, Self::V2_11, Self::V2_15];

    /// The folder that it is installed in.
    const fn folder(self) -> &'static str {
        match self {
            Self::V2_9 => "nats-2.9",
            Self::V2_11 => "nats-2.11",
            Self::V2_15 => "nats-2.15",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NATS")
    }
}

/// One server. It writes every message to a file before it answers, so a write that was
/// acknowledged survives [`kill`](Instance::kill).
#[derive(Debug)]
pub struct Server {
    instance: Instance,
    tls: Option<Certificates>,
}

/// A server that is yet to be started.
#[derive(Debug, Clone)]
pub struct Builder {
    version: Version,
    settings: String,
    tls: Option<Tls>,
}

/// What a server with TLS asks of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    /// That they trust it.
    Server,
    /// That they show a certificate too.
    Mutual,
}

impl Server {
    /// Starts a server that lets everybody in.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn start(version: Version) -> Self {
        Self::builder(version).start().await
    }

    /// A server with settings of its own.
    #[must_use]
    pub fn builder(version: Version) -> Builder {
        Builder { version, settings: String::new(), tls: None }
    }

    /// The server that all tests of a program share which mind nobody else's keys.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn shared(version: Version) -> &'static Self {
        static SHARED: [OnceCell<Server>; Version::ALL.len()] =
            [const { OnceCell::const_new() }; Version::ALL.len()];
        let place = Version::ALL.iter().position(|&other| other == version);
        let cell = place.and_then(|place| SHARED.get(place)).expect("ALL has every version");
        cell.get_or_init(|| Self::start(version)).await
    }

    /// `nats://127.0.0.1:<port>`, or `tls+nats://` with TLS. It names no user.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "tls+nats" } else { "nats" };
        format!("{scheme}://{}", self.address())
    }

    /// Its version, as it says itself.
    pub fn version(&self) -> String {
        self.printed("Version:")
    }

    /// What a client has to trust, if the server speaks TLS.
    pub fn certificates(&self) -> Option<&Certificates> {
        self.tls.as_ref()
    }
}

impl Deref for Server {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl Builder {
    /// Lines of the file of settings: `"max_payload: 1024"`.
    #[must_use]
    pub fn config(mut self, lines: &str) -> Self {
        self.settings.push_str(lines);
        self.settings.push('\n');
        self
    }

    /// Lets in only who knows this token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.config(&format!("authorization {{ token: \"{token}\" }}"))
    }

    /// Lets in only this user.
    #[must_use]
    pub fn user(self, name: &str, password: &str) -> Self {
        self.config(&format!("authorization {{ user: \"{name}\", password: \"{password}\" }}"))
    }

    /// Lets in only who holds the private part of this public `NKey`.
    #[must_use]
    pub fn nkey(self, public: &str) -> Self {
        self.config(&format!("authorization {{ users: [ {{ nkey: {public} }} ] }}"))
    }

    /// Speaks TLS.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = Some(Tls::Server);
        self
    }

    /// Speaks TLS with clients that show a certificate.
    #[must_use]
    pub fn mutual_tls(mut self) -> Self {
        self.tls = Some(Tls::Mutual);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn start(self) -> Server {
        let Self { version, settings, tls } = self;
        let recipe = move |port: u16, folder: &Path| {
            let file = folder.join(format!("{port}.conf"));
            if !file.exists() {
                configure(&file, &format!("{}{settings}", basics(port, folder, tls)));
            }
            let mut command = command(version.folder(), "nats-server");
            command.arg("-c").arg(file);
            command
        };
        let instance = Instance::start("Server is ready", recipe).await;
        let tls = tls.map(|_| Certificates::at(instance.folder()));
        Server { instance, tls }
    }
}

/// The settings of every server.
fn basics(port: u16, folder: &Path, tls: Option<Tls>) -> String {
    let store = folder.display();
    let mut settings =
        format!("listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{store}\" }}\n");
    if let Some(tls) = tls {
        let certificates = Certificates::make(folder);
        let (certificate, key) = certificates.server();
        writeln!(
            settings,
            "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: {} }}",
            certificate.display(),
            key.display(),
            certificates.authority().display(),
            tls == Tls::Mutual,
        )
        .expect("text can be written to a string");
    }
    settings
}
