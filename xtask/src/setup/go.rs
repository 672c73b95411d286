//! Servers that are compiled from a Go module of this project.

use std::{
    fs,
    hash::{DefaultHasher, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{failure::Failure, process, terminal::Progress};

/// The files that decide what is compiled.
const FILES: &[&str] = &["go.mod", "go.sum", "main.go"];

/// A mark that changes with the module.
pub(super) fn mark(module: &str) -> String {
    let mut hasher = DefaultHasher::new();
    for file in FILES {
        // A file that cannot be read fails the build, which says so.
        hasher.write(&fs::read(folder(module).join(file)).unwrap_or_default());
    }
    format!("{:016x}", hasher.finish())
}

/// Compiles the program of a module into `bin`. `flags` are for the linker.
pub(super) fn fetch(
    module: &str,
    flags: &str,
    program: &str,
    into: &Path,
    progress: &mut Progress,
) -> Result<(), Failure> {
    progress.line(&format!("  compiling {program}: minutes the first time, seconds later"));
    let mut go = Command::new("go");
    go.current_dir(folder(module)).args(["build", "-trimpath", "-ldflags", flags, "-o"]);
    go.arg(into.join("bin").join(program)).arg(".");
    // A Go that is too old is told, not replaced by one that would be downloaded.
    go.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=readonly");
    let Ok(finished) = process::run_quietly(go, progress) else {
        return Err(Failure::new(format!("there is no `go`: install the Go of {module}/go.mod")));
    };
    if finished.success {
        Ok(())
    } else {
        Err(Failure::new(format!("`go build` in {module} failed\n{}", finished.output.trim())))
    }
}

/// The folder of a module, which is named from the root of the workspace.
fn folder(module: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).join(module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::servers::{SERVERS, Source};

    #[test]
    fn the_modules_have_the_files_that_their_mark_is_made_of() {
        for source in SERVERS.iter().flat_map(|server| server.sources) {
            if let Source::Go { module, .. } = source {
                for file in FILES {
                    assert!(folder(module).join(file).is_file(), "{module}/{file}");
                }
                assert_ne!(mark(module), mark("no-such-module"));
            }
        }
    }
}
