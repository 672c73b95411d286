//! Servers from Debian's packages, unpacked without installing them, so that nobody has to be root.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::install::{find, place};
use crate::{failure::Failure, process, steps::tests::emptied, terminal::Progress};

/// The package lists that `apt-get update` fetches.
const LISTS: &str = "/var/lib/apt/lists";

/// Puts the program of some packages into `bin`, and the libraries that they need and this machine
/// does not have into `lib`.
pub(super) fn fetch(
    packages: &[&str],
    program: &str,
    folder: &Path,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let unpacked = unpack(packages, &folder.join("scratch"), progress)?;
    let Some(found) = find(&unpacked.join("usr/bin"), program).or_else(|| find(&unpacked, program))
    else {
        return Err(Failure::new(format!("there is no `{program}` in {}", packages.join(", "))));
    };
    place(&found, &folder.join("bin"), program)?;
    for library in shared_objects(&unpacked) {
        if let Some(name) = library.file_name() {
            place(&library, &folder.join("lib"), &name.to_string_lossy())?;
        }
    }
    Ok(())
}

/// Unpacks some packages, and the libraries that they need and this machine does not have, into a
/// folder in `scratch`.
pub(super) fn unpack(
    packages: &[&str],
    scratch: &Path,
    progress: &mut Progress,
) -> Result<PathBuf, Failure> {
    let unpacked = emptied(scratch.join("unpacked"))?;
    let mut wanted: Vec<String> = packages.iter().map(|&package| package.to_owned()).collect();
    let mut seen: BTreeSet<String> = wanted.iter().cloned().collect();
    while let Some(package) = wanted.pop() {
        let file = download(&package, scratch, progress)?;
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("--extract").arg(&file).arg(&unpacked);
        run(unpack, progress)?;
        let mut ask = Command::new("dpkg-deb");
        ask.arg("--field").arg(&file).arg("Depends");
        for library in libraries(&run(ask, progress)?) {
            if seen.insert(library.to_owned()) && !is_installed(library, progress) {
                wanted.push(library.to_owned());
            }
        }
    }
    Ok(unpacked)
}

/// Downloads one package and says where it is.
fn download(package: &str, scratch: &Path, progress: &mut Progress) -> Result<PathBuf, Failure> {
    let downloads = emptied(scratch.join("downloads"))?;
    let fetch = |mut apt: Command| {
        apt.args(["download", "--quiet", package]).current_dir(&downloads);
        apt
    };
    // Lists that are too old name packages that are no longer there.
    if !has_lists() || run(fetch(Command::new("apt-get")), progress).is_err() {
        let lists = scratch.join("apt");
        if !lists.is_dir() {
            update(&lists, progress)?;
        }
        run(fetch(apt_with(&lists)), progress)?;
    }
    let file = fs::read_dir(&downloads).ok().and_then(|mut files| files.next());
    match file {
        Some(Ok(file)) => Ok(file.path()),
        _ => Err(Failure::new(format!("apt-get has downloaded nothing for {package}"))),
    }
}

fn has_lists() -> bool {
    let files = fs::read_dir(LISTS).into_iter().flatten().flatten();
    files.map(|file| file.file_name()).any(|name| name.to_string_lossy().contains("_Packages"))
}

/// Fetches package lists into a folder of our own: those of the system are for root to change.
fn update(folder: &Path, progress: &mut Progress) -> Result<(), Failure> {
    for part in ["lists/partial", "cache/archives/partial"] {
        let part = folder.join(part);
        fs::create_dir_all(&part)
            .map_err(Failure::while_doing(format!("cannot make {}", part.display())))?;
    }
    let mut apt = apt_with(folder);
    apt.args(["update", "--quiet"]);
    let updated = run(apt, progress).map(drop);
    if updated.is_err() {
        // The next package tries again. That it cannot be removed is a lesser failure.
        let _ = fs::remove_dir_all(folder);
    }
    updated
}

/// An `apt-get` with package lists of its own.
fn apt_with(folder: &Path) -> Command {
    let mut apt = Command::new("apt-get");
    for (option, part) in [("Dir::State::lists", "lists"), ("Dir::Cache", "cache")] {
        apt.arg("-o").arg(format!("{option}={}", folder.join(part).display()));
    }
    // As root it would otherwise act as a user who may not write here.
    apt.args(["-o", "APT::Sandbox::User=root"]);
    apt
}

fn is_installed(package: &str, progress: &mut Progress) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${db:Status-Abbrev}", package]);
    run(query, progress).is_ok_and(|status| status.starts_with("ii"))
}

fn run(command: Command, progress: &mut Progress) -> Result<String, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Ok(finished) = process::run_quietly(command, progress) else {
        return Err(Failure::new(format!("there is no `{name}`: this is not Debian")));
    };
    if finished.success {
        Ok(finished.output)
    } else {
        Err(Failure::new(format!("`{name}` failed\n{}", finished.output.trim())))
    }
}

/// The libraries among what a package depends on, the first of alternatives.
fn libraries(depends: &str) -> impl Iterator<Item = &str> {
    depends
        .split(',')
        .filter_map(|alternatives| alternatives.split('|').next()?.split_whitespace().next())
        .filter(|package| package.starts_with("lib"))
}

/// The shared libraries in a folder and those below it.
fn shared_objects(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name().to_string_lossy().contains(".so.") {
                found.push(path);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_the_dependencies() {
        let depends = "adduser, libatomic1 (>= 4.8), libssl3 | libssl1.1, libc6 (>= 2.34)\n";
        assert_eq!(libraries(depends).collect::<Vec<_>>(), ["libatomic1", "libssl3", "libc6"]);
        assert_eq!(libraries("").count(), 0);
    }

    #[test]
    fn a_tool_that_is_missing_says_that_this_is_not_debian() {
        let mut progress = Progress::start(crate::terminal::Terminal::detect(), "test");
        let failure = run(Command::new("no-such-tool"), &mut progress).unwrap_err();
        assert_eq!(failure.to_string(), "there is no `no-such-tool`: this is not Debian");
    }
}
