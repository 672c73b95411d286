//! Installing one server: into a folder beside, checked, then put in place in one step.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use super::servers::Server;
use crate::{
    failure::Failure,
    process,
    steps::tests::emptied,
    terminal::{Progress, human},
};

/// The file that says where an installed server came from. One that somebody has put there by hand
/// has none, and is left alone.
const MARKER: &str = "source";

/// Whether a server is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Since an earlier run, in this version.
    There(String),
    /// Since somebody has put it there by hand.
    Own(String),
    /// Since just now.
    Installed(String),
    /// It is not, and this is why.
    Missing(String),
}

impl Found {
    /// Its version, and how it came.
    pub(super) fn words(&self) -> (&str, &str) {
        match self {
            Self::There(version) => (version, "found"),
            Self::Own(version) => (version, "found, put there by hand"),
            Self::Installed(version) => (version, "installed"),
            Self::Missing(_) => ("", "missing"),
        }
    }

    /// Why it is missing, if it is.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Missing(why) => Some(why),
            _ => None,
        }
    }
}

/// The folder that holds the folders of all servers. Tests look there too.
pub(super) fn root() -> Result<PathBuf, Failure> {
    if let Some(folder) = env::var_os("STATE_SERVERS") {
        return Ok(folder.into());
    }
    let home = env::var_os("HOME").ok_or_else(|| {
        Failure::new("there is no HOME to install servers in; name a folder in STATE_SERVERS")
    })?;
    Ok(PathBuf::from(home).join(".cache/state-runtime/servers"))
}

/// Whether a server is there, of the source that is asked for now or put there by hand.
pub(super) fn is_there(server: &Server, root: &Path) -> bool {
    let folder = root.join(server.name);
    let source = fs::read_to_string(folder.join(MARKER)).ok();
    is_current(server, source.as_deref()) && folder.join("bin").join(server.program).is_file()
}

fn is_current(server: &Server, source: Option<&str>) -> bool {
    source.is_none_or(|source| source == server.source.marker())
}

/// Installs a server unless it is there already.
pub(super) fn ensure(server: &Server, root: &Path, progress: &mut Progress) -> Found {
    let folder = root.join(server.name);
    let source = fs::read_to_string(folder.join(MARKER)).ok();
    if is_current(server, source.as_deref())
        && let Ok(version) = version(server, &folder, progress)
    {
        return if source.is_some() { Found::There(version) } else { Found::Own(version) };
    }
    progress.doing(server.name);
    let begun = Instant::now();
    match install(server, root, progress) {
        Ok(version) => {
            let took = human(begun.elapsed());
            progress.line(&format!("  installed {} {version} in {took}", server.name));
            Found::Installed(version)
        }
        Err(failure) => {
            let Server { program, line, .. } = server;
            let place = folder.join("bin").join(program);
            let why = format!(
                "{failure}\n  or put a `{program}` of version {line} there yourself: {}",
                place.display()
            );
            progress.line(&format!("  {} could not be installed: {why}", server.name));
            Found::Missing(why)
        }
    }
}

/// Prepares the folder under another name, so that nobody ever sees half a server.
fn install(server: &Server, root: &Path, progress: &mut Progress) -> Result<String, Failure> {
    let beside = |what: &str| root.join(format!(".{}.{what}.{}", server.name, std::process::id()));
    let (new, old) = (emptied(beside("new"))?, beside("old"));
    let version = prepare(server, &new, progress).inspect_err(|_| {
        // What is left of a failure is of no use; that it cannot be removed is a lesser failure.
        let _ = fs::remove_dir_all(&new);
    })?;
    let folder = root.join(server.name);
    replace(&folder, &new, &old)
        .map_err(Failure::while_doing(format!("cannot replace {}", folder.display())))?;
    Ok(version)
}

fn prepare(server: &Server, folder: &Path, progress: &mut Progress) -> Result<String, Failure> {
    let scratch = emptied(folder.join("scratch"))?;
    server.source.fetch(server.program, folder, progress)?;
    let version = version(server, folder, progress)?;
    fs::remove_dir_all(&scratch)
        .and_then(|()| fs::write(folder.join(MARKER), server.source.marker()))
        .map_err(Failure::while_doing(format!("cannot finish {}", folder.display())))?;
    Ok(version)
}

fn replace(folder: &Path, new: &Path, old: &Path) -> io::Result<()> {
    match fs::rename(folder, old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(new, folder)?;
    if old.exists() { fs::remove_dir_all(old) } else { Ok(()) }
}

/// Runs the program and asks for its version, which has to be of the server's line.
fn version(server: &Server, folder: &Path, progress: &mut Progress) -> Result<String, Failure> {
    let program = folder.join("bin").join(server.program);
    let mut command = Command::new(&program);
    command.arg("--version").env("LD_LIBRARY_PATH", folder.join("lib"));
    let finished = process::run_quietly(command, progress)?;
    let printed = finished.output.trim();
    match version_in(printed) {
        Some(version) if finished.success && is_of(version, server.line) => Ok(version.to_owned()),
        _ => Err(Failure::new(format!(
            "it is not version {}: `{} --version` says {printed}",
            server.line, server.program
        ))),
    }
}

/// The first number with a dot in a text.
fn version_in(text: &str) -> Option<&str> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.'))
}

fn is_of(version: &str, line: &str) -> bool {
    version.strip_prefix(line).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Copies a program, or a library, and lets everybody run it.
pub(super) fn place(from: &Path, folder: &Path, name: &str) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    let to = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, &to))
        .and_then(|_| fs::set_permissions(&to, fs::Permissions::from_mode(0o755)))
        .map_err(Failure::while_doing(format!("cannot copy {}", from.display())))
}

/// The first file of a name in a folder and those below it.
pub(super) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name() == name {
                return Some(path);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        setup::servers::{Need, Source},
        terminal::Terminal,
    };

    /// A server that can never be fetched: it comes from no package at all.
    const SERVER: Server = Server {
        name: "test-7",
        program: "test-server",
        line: "7.0",
        source: Source::Debian(&[]),
        need: Need::Required,
    };

    /// A folder of servers, in which the program says that it is of some version.
    struct Root(PathBuf);

    impl Root {
        fn new(name: &str) -> Self {
            let folder = format!("state-xtask-{}-{name}", std::process::id());
            Self(emptied(env::temp_dir().join(folder)).unwrap())
        }

        fn with_program(self, version: &str) -> Self {
            let script = self.0.join("script");
            fs::write(&script, format!("#!/bin/sh\necho 'Test server v={version} sha=0:0'\n"))
                .unwrap();
            place(&script, &self.0.join("test-7/bin"), "test-server").unwrap();
            self
        }

        fn with_marker(self, source: &str) -> Self {
            fs::write(self.0.join("test-7").join(MARKER), source).unwrap();
            self
        }

        fn ensure(&self) -> Found {
            ensure(&SERVER, &self.0, &mut Progress::start(Terminal::detect(), "test"))
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_server_that_somebody_put_there_is_left_alone() {
        let root = Root::new("own").with_program("7.0.15");
        assert_eq!(root.ensure(), Found::Own("7.0.15".to_owned()));
    }

    #[test]
    fn a_server_that_is_installed_is_not_installed_again() {
        let root = Root::new("there").with_program("7.0.15").with_marker("Debian: ");
        assert_eq!(root.ensure(), Found::There("7.0.15".to_owned()));
    }

    #[test]
    fn another_source_installs_anew_and_a_failure_leaves_what_was_there() {
        let root = Root::new("pin").with_program("7.0.15").with_marker("PyPI: other 1.0");
        let found = root.ensure();
        let why = found.reason().unwrap();
        assert!(why.contains("put a `test-server` of version 7.0 there yourself"), "{why}");
        assert!(root.0.join("test-7/bin/test-server").is_file());
        let left: Vec<_> =
            fs::read_dir(&root.0).unwrap().flatten().map(|it| it.file_name()).collect();
        assert_eq!(left.len(), 2, "only the server and its script are there: {left:?}");
    }

    #[test]
    fn a_server_of_an_outdated_source_does_not_count_as_there() {
        let root = Root::new("outdated").with_program("7.0.15");
        assert!(is_there(&SERVER, &root.0), "somebody put it there");
        let root = root.with_marker("Debian: ");
        assert!(is_there(&SERVER, &root.0));
        let root = root.with_marker("PyPI: other 1.0");
        assert!(!is_there(&SERVER, &root.0));
    }

    #[test]
    fn a_server_of_another_version_is_not_taken() {
        let root = Root::new("version").with_program("7.2.1");
        assert!(root.ensure().reason().is_some());
    }

    #[test]
    fn a_server_is_replaced_whole() {
        let root = Root::new("replace").with_program("7.0.1");
        let (folder, new, old) = (root.0.join("test-7"), root.0.join("new"), root.0.join("old"));
        fs::create_dir(&new).unwrap();
        replace(&folder, &new, &old).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        assert!(!new.exists() && !old.exists());
        // The first time, there is nothing to replace.
        fs::create_dir(&new).unwrap();
        fs::remove_dir(&folder).unwrap();
        replace(&folder, &new, &old).unwrap();
        assert!(folder.is_dir());
    }

    #[test]
    fn versions_are_found_in_what_servers_print() {
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        assert_eq!(version_in(redis), Some("7.0.15"));
        assert_eq!(version_in("nats-server: v2.9.10"), Some("2.9.10"));
        assert_eq!(version_in("1.18.3"), Some("1.18.3"));
        assert_eq!(version_in("no version here."), None);
    }

    #[test]
    fn a_line_is_no_mere_prefix() {
        assert!(is_of("2.9.10", "2.9"));
        assert!(is_of("2.9", "2.9"));
        assert!(!is_of("2.91.0", "2.9"));
        assert!(!is_of("2.11.6", "2.1"));
    }
}
