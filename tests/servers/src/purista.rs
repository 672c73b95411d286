//! PURISTA's TypeScript stores, run by node, as a peer that shares its state with a store of ours.
//!
//! They are the packages of `tests/purista`, installed by `cargo xtask setup`. Where there is no
//! node, or the gate could not install them, there is no peer, and that is said where no test
//! harness hides it.

use std::{
    collections::HashMap,
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, Once, PoisonError, mpsc},
    thread,
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{installed, skip};

/// The folder that the packages are installed in, among those of the servers.
const NAME: &str = "purista";

/// The folder with the packages that are to be installed, and with the program that uses them.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../purista");

/// Longer than node takes to start, or to answer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A store of PURISTA's. It ends when it is dropped, or with the program that started it.
///
/// Its requests block the thread, for as long as node takes to answer.
#[derive(Debug)]
pub struct Peer {
    node: Mutex<Node>,
}

#[derive(Debug)]
struct Node {
    process: Child,
    requests: ChildStdin,
    replies: mpsc::Receiver<String>,
}

/// What the store's error says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// As of HTTP.
    pub status: u16,
    /// For people.
    pub message: String,
}

#[derive(Deserialize)]
struct Reply {
    error: Option<Refusal>,
    #[serde(default)]
    states: HashMap<String, Option<String>>,
    #[serde(default)]
    gets: f64,
    #[serde(default)]
    milliseconds: f64,
}

impl Peer {
    /// `RedisStateStore` on the server at this address; `None` where it is left out.
    ///
    /// # Panics
    ///
    /// If node is there and the packages are not, or it does not start.
    pub fn redis(address: &str) -> Option<Self> {
        Self::start("redis", address)
    }

    /// `NatsStateStore` on the server at this address; `None` where it is left out.
    ///
    /// # Panics
    ///
    /// If node is there and the packages are not, or it does not start.
    pub fn nats(address: &str) -> Option<Self> {
        Self::start("nats", address)
    }

    fn start(store: &str, address: &str) -> Option<Self> {
        let node = usable_node()?;
        let mut command = Command::new(node);
        command.arg(Path::new(SOURCE).join("stores.mjs")).arg(packages()).args([store, address]);
        Some(Self { node: Mutex::new(Node::start(command).expect("node can be started")) })
    }

    /// `setState`, with a value as JSON has it.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub fn set(&self, name: &str, json: &str) -> Result<(), Refusal> {
        // The value stays the text that it is: serde_json would refuse a lone surrogate.
        let request = format!("{{\"set\":{},\"value\":{json}}}", Value::from(name));
        self.ask(&request).map(drop)
    }

    /// `getState` of one name, as `JSON.stringify` writes it; `None` for `undefined`.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    ///
    /// # Panics
    ///
    /// If the peer answers something else.
    pub fn get(&self, name: &str) -> Result<Option<String>, Refusal> {
        let mut reply = self.ask(&json!({"get": [name]}).to_string())?;
        Ok(reply.states.remove(name).expect("every name is answered"))
    }

    /// `removeState`.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub fn remove(&self, name: &str) -> Result<(), Refusal> {
        self.ask(&json!({"remove": name}).to_string()).map(drop)
    }

    /// `getState`, and `setState` of what that gave under the name `to`.
    ///
    /// # Errors
    ///
    /// What the store refuses.
    pub fn copy(&self, name: &str, to: &str) -> Result<(), Refusal> {
        self.ask(&json!({"copy": name, "to": to}).to_string()).map(drop)
    }

    /// How often a second `callers` get one of `names` each, a session that is then validated.
    ///
    /// # Panics
    ///
    /// If a name is not there, or not valid.
    pub fn gets_a_second(&self, names: &[String], callers: usize, slice: Duration) -> f64 {
        let milliseconds = slice.as_secs_f64() * 1e3;
        let measure = json!({"names": names, "callers": callers, "milliseconds": milliseconds});
        let reply = self.ask(&json!({"measure": measure}).to_string());
        let reply = reply.expect("every session is there and valid");
        reply.gets / reply.milliseconds * 1e3
    }

    fn ask(&self, request: &str) -> Result<Reply, Refusal> {
        let reply = self.node.lock().unwrap_or_else(PoisonError::into_inner).ask(request);
        let reply: Reply = serde_json::from_str(&reply).expect("a reply is an object");
        match reply.error {
            Some(refusal) => Err(refusal),
            None => Ok(reply),
        }
    }
}

impl Node {
    fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let requests = process.stdin.take().expect("its input is a pipe");
        let lines = BufReader::new(process.stdout.take().expect("its output is a pipe")).lines();
        let (sender, replies) = mpsc::channel();
        // A pipe cannot be read with a time limit, a channel can.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Ok(Self { process, requests, replies })
    }

    fn ask(&mut self, request: &str) -> String {
        writeln!(self.requests, "{request}").expect("node runs; why it does not, it has printed");
        self.replies.recv_timeout(PATIENCE).expect("node answers in time")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether there is no node, or `cargo xtask test` could not install the packages and goes on without
/// the tests that need them. A test asks once, and returns if it is: then it counts as skipped.
#[must_use]
pub fn is_left_out() -> bool {
    let left_out = usable_node().is_none();
    if left_out {
        skip(NAME);
    }
    left_out
}

/// Node, unless it or the packages are left out, which is said aloud.
fn usable_node() -> Option<PathBuf> {
    let node = node().filter(|_| !super::is_left_out(NAME));
    if node.is_none() {
        tell_once();
    }
    node
}

/// The program of this name that the shell would run.
fn node() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join("node")).find(|file| file.is_file())
}

/// The folder with the installed packages.
fn packages() -> PathBuf {
    const LOCK: &str = "package-lock.json";
    let folder = installed().join(NAME);
    let wanted = fs::read(Path::new(SOURCE).join(LOCK)).expect("the lock file can be read");
    assert!(
        fs::read(folder.join(LOCK)).is_ok_and(|lock| lock == wanted),
        "{} has not what tests/purista asks for: run `cargo xtask setup`",
        folder.display()
    );
    folder
}

/// Says that there is no peer, past the test harness, which shows nothing of a test that passes.
fn tell_once() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        // The line break parts it from what the harness may have begun to print.
        let told = io::stderr().write_all(
            b"\nleft out: PURISTA's stores, because node or their packages are not installed\n",
        );
        told.expect("standard error can be written to");
    });
}
