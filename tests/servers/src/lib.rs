//! Real servers for tests, each a process of its own on a free loopback port with a temporary folder.
//!
//! A server ends when it is dropped, when its test panics, and even when the test program is killed.
//! `cargo xtask setup` installs the programs. A test whose server is missing fails and says so.
//!
//! ```no_run
//! # async fn example() {
//! use servers::redis;
//!
//! let server = redis::Server::start(redis::Flavour::Redis7).await;
//! println!("{}", server.url());
//! server.kill();
//! server.restart().await; // same port, same data
//! # }
//! ```

pub mod certificates;
pub mod dapr;
mod instance;
pub mod nats;
mod ports;
mod process;
pub mod purista;
pub mod redis;

use std::{env, fs::File, io::Write as _, path::PathBuf, process::Command};

pub use self::instance::Instance;

/// The folder that `cargo xtask setup` installs servers into.
fn installed() -> PathBuf {
    if let Some(folder) = env::var_os("STATE_SERVERS") {
        return folder.into();
    }
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    home.join(".cache/state-runtime/servers")
}

/// Whether `cargo xtask test` could not install this one, has said so, and goes on without it.
fn is_left_out(name: &str) -> bool {
    let left_out = env::var("STATE_LEFT_OUT").unwrap_or_default();
    left_out.split(',').any(|other| other == name)
}

/// Tells `cargo xtask test` that the test of this thread does nothing for lack of a server. The test
/// harness cannot be told, and counts it as passed.
///
/// # Panics
///
/// If that cannot be written down: the test may not pass for one that has run.
fn skip(name: &str) {
    let Some(file) = env::var_os("STATE_SKIPPED_OUT") else { return };
    let file = File::options().create(true).append(true).open(file);
    // In one write, between which and those of other tests nothing can come.
    let told = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
    told.expect("a skipped test can be written down");
}

/// A command that runs `program` of the server that is installed as `name`.
fn command(name: &str, program: &str) -> Command {
    let folder = installed().join(name);
    let path = folder.join("bin").join(program);
    assert!(path.is_file(), "{} is not installed: run `cargo xtask setup`", path.display());
    let mut command = Command::new(path);
    let libraries = folder.join("lib");
    if libraries.is_dir() {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command
}
