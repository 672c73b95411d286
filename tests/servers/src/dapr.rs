//! Dapr sidecars with one state store.

use core::ops::Deref;
use std::{fs, path::Path, process::Command};

use serde_json::json;

use super::{Instance, command, instance::configure, ports, redis};

/// What a sidecar prints when it takes requests.
const READY: &str = "dapr initialized. Status: Running";

/// The name of the state store, unless it is given another.
const STORE: &str = "statestore";

/// Whether `cargo xtask test` could not install the sidecar, has said so, and goes on without the
/// tests that start one. A test asks once, and returns if it is: then it counts as skipped.
#[must_use]
pub fn is_left_out() -> bool {
    let left_out = super::is_left_out("dapr");
    if left_out {
        super::skip("dapr");
    }
    left_out
}

/// A state store that a sidecar is to offer.
#[derive(Debug, Clone)]
pub struct Component {
    kind: &'static str,
    name: String,
    metadata: Vec<(String, String)>,
}

impl Component {
    /// One that the sidecar keeps in its own memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new("state.in-memory")
    }

    /// One on a Redis server, which has to outlive the sidecar.
    #[must_use]
    pub fn redis(server: &redis::Server) -> Self {
        Self::redis_at(&server.address())
    }

    /// One on the Redis server at `host:port`.
    #[must_use]
    pub fn redis_at(address: &str) -> Self {
        Self::new("state.redis").with("redisHost", address)
    }

    /// One in a file of `folder`, which has to outlive the sidecar.
    #[must_use]
    pub fn sqlite(folder: &Path) -> Self {
        let file = folder.join("state.db");
        Self::new("state.sqlite")
            .with("connectionString", &file.display().to_string())
            // Writers wait for each other; the two seconds that they do otherwise are short on a
            // busy machine.
            .with("busyTimeout", "20s")
    }

    fn new(kind: &'static str) -> Self {
        Self { kind, name: STORE.to_owned(), metadata: Vec::new() }
    }

    /// Gives it another name than `statestore`.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Adds a setting: `("keyPrefix", "none")`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What it is called in Dapr: `state.redis`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    fn to_yaml(&self) -> String {
        let Self { kind, name, metadata } = self;
        let pairs = metadata.iter().map(|(name, value)| json!({"name": name, "value": value}));
        // What is JSON is YAML too.
        let component = json!({
            "apiVersion": "dapr.io/v1alpha1",
            "kind": "Component",
            "metadata": {"name": name},
            "spec": {"type": kind, "version": "v1", "metadata": pairs.collect::<Vec<_>>()},
        });
        component.to_string()
    }
}

/// A sidecar of an application that is not there.
#[derive(Debug)]
pub struct Sidecar {
    instance: Instance,
    store: String,
}

/// A sidecar that is yet to be started.
#[derive(Debug, Clone)]
pub struct Builder {
    component: Component,
    app: String,
    token: Option<String>,
    arguments: Vec<String>,
}

impl Sidecar {
    /// Starts a sidecar that lets everybody in.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn start(component: Component) -> Self {
        Self::builder(component).start().await
    }

    /// A sidecar with settings of its own.
    #[must_use]
    pub fn builder(component: Component) -> Builder {
        Builder { component, app: "app-a".to_owned(), token: None, arguments: Vec::new() }
    }

    /// The name of its state store.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// `dapr://127.0.0.1:<port>/<store>`
    pub fn url(&self) -> String {
        format!("dapr://{}/{}", self.address(), self.store)
    }

    /// Its version.
    ///
    /// # Panics
    ///
    /// If it cannot be run.
    pub fn version(&self) -> String {
        let printed = program().arg("--version").output().expect("the sidecar says its version");
        String::from_utf8_lossy(&printed.stdout).trim().to_owned()
    }
}

impl Deref for Sidecar {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl Builder {
    /// The identifier of the application, which is the prefix of the keys unless the component says
    /// otherwise.
    #[must_use]
    pub fn app(mut self, id: &str) -> Self {
        id.clone_into(&mut self.app);
        self
    }

    /// Lets in only who knows this token.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// An argument of the command line and its value.
    #[must_use]
    pub fn arg(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it is not installed, or does not get ready.
    pub async fn start(self) -> Sidecar {
        let Self { component, app, token, arguments } = self;
        let store = component.name.clone();
        let recipe = move |port: u16, folder: &Path| {
            let components = folder.join("components");
            fs::create_dir_all(&components).expect("the server's folder can be written to");
            configure(&components.join("store.yaml"), &component.to_yaml());
            let mut command = program();
            command.args(["--mode", "standalone", "--app-id", &app, "--resources-path"]);
            command.arg(components).args(["--dapr-http-port", &port.to_string()]);
            for other in ["--dapr-grpc-port", "--dapr-internal-grpc-port", "--metrics-port"] {
                command.args([other, &ports::free().to_string()]);
            }
            for listener in ["--dapr", "--dapr-internal-grpc", "--metrics"] {
                let plural = if listener == "--dapr" { "es" } else { "" };
                command.args([&format!("{listener}-listen-address{plural}"), "127.0.0.1"]);
            }
            if let Some(token) = &token {
                command.env("DAPR_API_TOKEN", token);
            }
            command.args(&arguments);
            command
        };
        let instance = Instance::start(READY, recipe).await;
        Sidecar { instance, store }
    }
}

fn program() -> Command {
    command("dapr", "daprd")
}
