//! Packages of JavaScript that a folder of this project pins, installed for node.

use std::{
    fs,
    hash::{DefaultHasher, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use super::install::place;
use crate::{failure::Failure, process, terminal::Progress};

/// The files that decide what is installed.
const FILES: &[&str] =
    &[".npmrc", "package.json", "package-lock.json", "harness/package.json", "harness/index.js"];

/// The file that says, where the packages are installed, which version they are.
const VERSION: &str = "version";

/// A mark that changes with what is pinned.
pub(super) fn mark(package: &str) -> String {
    let mut hasher = DefaultHasher::new();
    for file in FILES {
        // A file that cannot be read fails the installation, which says so.
        hasher.write(&fs::read(source(package).join(file)).unwrap_or_default());
    }
    format!("{:016x}", hasher.finish())
}

/// Installs the packages, and puts `program` into `bin`, which says their version.
pub(super) fn fetch(
    package: &str,
    program: &str,
    into: &Path,
    progress: &mut Progress,
) -> Result<(), Failure> {
    for file in FILES {
        let (from, to) = (source(package).join(file), into.join(file));
        to.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(&from, &to))
            .map_err(Failure::while_doing(format!("cannot copy {}", from.display())))?;
    }
    let mut npm = Command::new("npm");
    // Exactly what the lock file says; nothing of it is run while it is installed.
    npm.current_dir(into).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    let Ok(finished) = process::run_quietly(npm, progress) else {
        return Err(Failure::new("there is no `npm`: install node 20 or newer"));
    };
    if !finished.success {
        return Err(Failure::new(format!("`npm ci` failed\n{}", finished.output.trim())));
    }
    place(&source(package).join(VERSION), &into.join("bin"), program)
}

/// The folder of a package, which is named from the root of the workspace.
fn source(package: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).join(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::servers::{SERVERS, Source};

    #[test]
    fn what_is_pinned_is_there_and_names_no_registry() {
        let packages =
            SERVERS.iter().flat_map(|server| server.sources).filter_map(|source| match source {
                Source::Npm { package } => Some(*package),
                _ => None,
            });
        for package in packages {
            for file in FILES.iter().chain(&[VERSION]) {
                assert!(source(package).join(file).is_file(), "{package}/{file}");
            }
            assert_ne!(mark(package), mark("no-such-package"));
            let lock = fs::read_to_string(source(package).join("package-lock.json")).unwrap();
            let resolved = lock.lines().filter(|line| line.contains("\"resolved\""));
            assert!(resolved.clone().all(|line| !line.contains("://")), "{package}");
        }
    }
}
