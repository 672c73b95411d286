//! Installing one server: into a folder beside, checked, then put in place in one step.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use super::{
    exchange,
    servers::{PATH, Server, Source},
};
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
    /// Somebody has put something there by hand that is of no use, and this is why.
    Unusable(String),
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
            Self::Unusable(_) => ("", "put there by hand, not used"),
            Self::Missing(_) => ("", "missing"),
        }
    }

    /// Why it is missing, if it is.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Missing(why) | Self::Unusable(why) => Some(why),
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

/// Installs a server unless it is there already.
pub(super) fn ensure(server: &Server, root: &Path, progress: &mut Progress) -> Found {
    if let Some(found) = look(server, root, progress) {
        return found;
    }
    progress.doing(server.name);
    let begun = Instant::now();
    let installed = exchange::lock(root, progress).and_then(|_lock| {
        // Whoever had the lock before may have installed it.
        match look(server, root, progress) {
            Some(found) => Ok(found),
            None => install(server, root, progress).map(Found::Installed),
        }
    });
    match installed {
        Ok(found) => {
            if let Found::Installed(version) = &found {
                let took = human(begun.elapsed());
                progress.line(&format!("  installed {} {version} in {took}", server.name));
            }
            found
        }
        Err(failure) => {
            let place = root.join(server.name).join("bin").join(server.program);
            let why = format!(
                "{failure}\n  or put a `{}` of version {} there yourself: {}",
                server.program,
                server.versions(),
                place.display()
            );
            progress.line(&format!("  {} could not be installed: {why}", server.name));
            Found::Missing(why)
        }
    }
}

/// What is there; `None` if it can be installed.
fn look(server: &Server, root: &Path, progress: &mut Progress) -> Option<Found> {
    if let Some(lack) = server.lacks() {
        return Some(Found::Missing(lack.to_owned()));
    }
    let folder = root.join(server.name);
    let marker = fs::read(folder.join(MARKER)).ok();
    match (marker, version(server, &folder, progress)) {
        (None, Ok(version)) => Some(Found::Own(version)),
        // Somebody's own work is not for us to replace.
        (None, Err(why)) if !is_empty(&folder) => Some(Found::Unusable(format!(
            "what was put there by hand is not used: {why}\n  remove {} to have version {} installed",
            folder.display(),
            server.versions(),
        ))),
        (Some(marker), Ok(version)) if server.is_from(&String::from_utf8_lossy(&marker)) => {
            Some(Found::There(version))
        }
        _ => None,
    }
}

/// Whether nothing is in a folder, or it does not exist.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or_else(
        |error| error.kind() == io::ErrorKind::NotFound,
        |mut entries| entries.next().is_none(),
    )
}

/// Prepares the folder under another name, so that nobody ever sees half a server.
fn install(server: &Server, root: &Path, progress: &mut Progress) -> Result<String, Failure> {
    exchange::clear(root, server.name)?;
    let new = exchange::beside(root, server.name);
    let version = prepare(server, &new, progress).inspect_err(|_| {
        // What is left of a failure is of no use; that it cannot be removed is a lesser failure.
        let _ = fs::remove_dir_all(&new);
    })?;
    let folder = root.join(server.name);
    exchange::put(&new, &folder)
        .map_err(Failure::while_doing(format!("cannot replace {}", folder.display())))?;
    Ok(version)
}

/// Tries the sources one after the other, and then what this machine has by itself.
fn prepare(server: &Server, folder: &Path, progress: &mut Progress) -> Result<String, Failure> {
    let mut failures = Vec::new();
    for source in server.sources {
        match prepare_from(server, source, folder, progress) {
            Ok(version) => return finish(folder, &source.marker(), version),
            Err(failure) => failures.push((source.to_string(), failure)),
        }
    }
    if let Some(program) = server.stand_in() {
        let marker = format!("{PATH}{}", program.display());
        let placed = emptied(folder.to_owned())
            .and_then(|_| place(&program, &folder.join("bin"), server.program));
        match placed.and_then(|()| version(server, folder, progress)) {
            Ok(version) => return finish(folder, &marker, version),
            Err(failure) => failures.push((marker, failure)),
        }
    }
    if failures.len() == 1
        && let Some((_, only)) = failures.pop()
    {
        return Err(only);
    }
    let told: Vec<_> = failures.iter().map(|(from, why)| format!("{from}: {why}")).collect();
    Err(Failure::new(told.join("\n  ")))
}

fn prepare_from(
    server: &Server,
    source: &Source,
    folder: &Path,
    progress: &mut Progress,
) -> Result<String, Failure> {
    emptied(folder.to_owned())?;
    let scratch = emptied(folder.join("scratch"))?;
    source.fetch(server.program, folder, progress)?;
    let version = version(server, folder, progress)?;
    fs::remove_dir_all(&scratch)
        .map_err(Failure::while_doing(format!("cannot remove {}", scratch.display())))?;
    Ok(version)
}

fn finish(folder: &Path, marker: &str, version: String) -> Result<String, Failure> {
    fs::write(folder.join(MARKER), marker)
        .map_err(Failure::while_doing(format!("cannot finish {}", folder.display())))?;
    Ok(version)
}

/// Runs the program and asks for its version, which has to be of the server's line.
fn version(server: &Server, folder: &Path, progress: &mut Progress) -> Result<String, Failure> {
    let program = folder.join("bin").join(server.program);
    let mut command = Command::new(&program);
    command.arg("--version").env("LD_LIBRARY_PATH", folder.join("lib"));
    let finished = process::run_quietly(command, progress)?;
    let printed = finished.output.trim();
    match version_in(printed) {
        Some(version)
            if finished.success && server.lines.iter().any(|line| is_of(version, line)) =>
        {
            Ok(version.to_owned())
        }
        _ => Err(Failure::new(format!(
            "it is not version {}: `{} --version` says {printed}",
            server.versions(),
            server.program
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
    use crate::{setup::servers::Need, terminal::Terminal};

    /// A server that can never be fetched: it comes from no package at all.
    const SERVER: Server = Server {
        name: "test-7",
        program: "test-server",
        lines: &["7.0"],
        sources: &[Source::Debian(&[])],
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
        assert_eq!(left.len(), 3, "only the server, its script and the lock are there: {left:?}");
    }

    #[test]
    fn a_server_of_an_outdated_source_does_not_count_as_there() {
        let mut progress = Progress::start(Terminal::detect(), "test");
        let root = Root::new("outdated").with_program("7.0.15").with_marker("PyPI: other 1.0");
        assert_eq!(look(&SERVER, &root.0, &mut progress), None);
        let root = root.with_marker("Debian: ");
        let there = Found::There("7.0.15".to_owned());
        assert_eq!(look(&SERVER, &root.0, &mut progress), Some(there));
    }

    #[test]
    fn a_server_of_another_version_that_somebody_put_there_is_neither_used_nor_touched() {
        let root = Root::new("version").with_program("7.2.1");
        let found = root.ensure();
        let Found::Unusable(why) = &found else { panic!("{found:?}") };
        assert!(why.contains("says Test server v=7.2.1") && why.contains("remove "), "{why}");
        assert!(root.0.join("test-7/bin/test-server").is_file());
        assert!(!root.0.join("test-7").join(MARKER).exists());
    }

    #[test]
    fn a_program_of_this_machine_stands_in_where_no_source_has_it() {
        // Every machine that has a shell has it, and one of its own version too: that of no line.
        let server = Server { program: "sh", ..SERVER };
        let root = Root::new("path");
        let mut progress = Progress::start(Terminal::detect(), "test");
        let found = ensure(&server, &root.0, &mut progress);
        let why = found.reason().unwrap();
        assert!(why.contains("Debian: : ") && why.contains("PATH: /"), "every way is told: {why}");
        assert!(is_empty(&root.0.join("test-7")));
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
