//! Source files: short, and each says in its first line what it is for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{failure::Failure, workspace::Package};

/// A file that is longer does more than one job.
const MOST_LINES: usize = 500;

/// What is wrong with the source files of `packages`.
pub(super) fn faults<'p>(
    root: &Path,
    packages: impl Iterator<Item = &'p Package>,
) -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    for package in packages {
        let folder = package.folder();
        for file in rust_files(folder)? {
            let text = read(&file)?;
            let needs_purpose = file.starts_with(folder.join("src"));
            let shown = file.strip_prefix(root).unwrap_or(&file).display();
            faults.extend(fault(&text, needs_purpose).map(|fault| format!("{shown}: {fault}")));
        }
    }
    Ok(faults)
}

fn fault(text: &str, needs_purpose: bool) -> Option<String> {
    let lines = text.lines().count();
    if lines > MOST_LINES {
        return Some(format!("{lines} lines; split it, {MOST_LINES} are the most"));
    }
    (needs_purpose && !text.starts_with("//! "))
        .then(|| "say in the first line, with `//!`, what the file is for".to_owned())
}

pub(super) fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file)
        .map_err(Failure::while_doing(format!("cannot read {}", file.display())))
}

/// The Rust files under a folder, sorted, those that cargo has built left out.
pub(super) fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = || Failure::while_doing(format!("cannot list {}", folder.display()));
        for entry in fs::read_dir(&folder).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_500_lines_is_a_fault() {
        let lines = |count: usize| format!("//! x\n{}", "\n".repeat(count - 1));
        assert_eq!(fault(&lines(500), true), None);
        assert_eq!(
            fault(&lines(501), false).as_deref(),
            Some("501 lines; split it, 500 are the most")
        );
    }

    #[test]
    fn a_source_file_says_what_it_is_for() {
        assert!(fault("use std::fmt;\n", true).is_some());
        assert_eq!(fault("use std::fmt;\n", false), None);
    }

    #[test]
    fn files_are_found_in_every_folder() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files = rust_files(&here).unwrap();
        assert!(files.contains(&here.join("steps/architecture/files.rs")));
    }
}
