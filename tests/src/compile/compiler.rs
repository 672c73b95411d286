//! Calls rustc on one source file, the way cargo would for a user of `state-runtime`.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde::Deserialize;

use super::Diagnostic;

/// The crates that a case may name.
const CRATES: [&str; 3] = ["state_runtime", "garde", "serde"];

/// Where cargo has put the crates that a case may name.
#[derive(Debug)]
pub struct Compiler {
    externs: Vec<(String, PathBuf)>,
    scratch: PathBuf,
}

/// What became of one source file.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it compiled.
    pub compiled: bool,
    /// Its errors, in the order of the source.
    pub errors: Vec<Diagnostic>,
}

impl Compiler {
    /// Has cargo check `state-runtime` and asks it where the results are.
    ///
    /// `scratch` is the `CARGO_TARGET_TMPDIR` of the calling test, which lies in the target folder:
    /// so what is already built is found again.
    ///
    /// # Errors
    ///
    /// Where cargo cannot be run or `state-runtime` does not compile.
    pub fn locate(scratch: &Path) -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        let output = Command::new(tool("CARGO", "cargo"))
            .args(["check", "--quiet", "--message-format=json", "--package", "state-runtime"])
            .args(["--no-default-features", "--features", "derive,memory", "--target-dir"])
            .arg(scratch.parent().unwrap_or(scratch))
            .current_dir(root)
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr)));
        }
        let externs = externs(&output);
        for name in CRATES {
            if !externs.iter().any(|(found, _)| found == name) {
                return Err(io::Error::other(format!("cargo names no artifact of `{name}`")));
            }
        }
        Ok(Self { externs, scratch: scratch.to_owned() })
    }

    /// Checks one file as the root of a library.
    ///
    /// # Errors
    ///
    /// Where rustc cannot be run or the file cannot be read.
    pub fn check(&self, file: &Path) -> io::Result<Outcome> {
        let source = fs::read_to_string(file)?;
        let output = self.rustc(file)?;
        let diagnostics = String::from_utf8_lossy(&output.stderr);
        let mut errors: Vec<_> =
            diagnostics.lines().filter_map(|line| Diagnostic::parse(line, &source)).collect();
        errors.sort();
        let all = errors.clone();
        errors.retain(|error| !all.iter().any(|other| error.repeats(other)));
        Ok(Outcome { compiled: output.status.success(), errors })
    }

    fn rustc(&self, file: &Path) -> io::Result<Output> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let metadata = self.scratch.join(name).with_extension("rmeta");
        let mut rustc = Command::new(tool("RUSTC", "rustc"));
        rustc
            .args(["--edition=2024", "--crate-type=lib", "--crate-name=case"])
            .args(["--error-format=json", "--allow=warnings"])
            .arg(flag("--emit=metadata=", &metadata))
            .arg(file);
        for (name, path) in &self.externs {
            rustc.arg("--extern").arg(flag(&format!("{name}="), path));
            if let Some(folder) = path.parent() {
                rustc.arg(flag("-Ldependency=", folder));
            }
        }
        let output = rustc.output();
        // There is none where the file has an error.
        let _ = fs::remove_file(metadata);
        output
    }
}

/// The tool that cargo tells its tests to use, or the one on the path.
fn tool(variable: &str, name: &str) -> OsString {
    env::var_os(variable).unwrap_or_else(|| name.into())
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}

/// Cargo's message for a crate that is built, or was already.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn externs(output: &Output) -> Vec<(String, PathBuf)> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter(|artifact| CRATES.contains(&artifact.target.name.as_str()))
        .filter_map(|artifact| {
            let mut files = artifact.filenames.into_iter();
            let file = files.find(|file| file.extension().is_some_and(|it| it == "rmeta"))?;
            Some((artifact.target.name, file))
        })
        .collect()
}
