//! The tests that have done nothing because a server could not be installed.
//!
//! The test harness counts them as passed. So `tests/servers` writes a line with the name of the
//! server for each of them into the file that the environment names in `STATE_SKIPPED_OUT`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{failure::Failure, setup::LeftOut};

/// Names the file that tests add their lines to.
pub(crate) const SKIPPED: &str = "STATE_SKIPPED_OUT";

/// The file with a line for each skipped test of a run.
#[derive(Debug)]
pub(crate) struct Skipped(PathBuf);

/// A server that tests have done without.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotRun {
    pub(crate) server: String,
    pub(crate) why: String,
    /// How many there are.
    pub(crate) tests: u64,
}

impl Skipped {
    /// No test has been skipped yet.
    pub(crate) fn none_yet(file: PathBuf) -> Result<Self, Failure> {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::while_doing(format!("cannot remove {}", file.display()))(error))
            }
            _ => Ok(Self(file)),
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.0
    }

    /// How many tests have been skipped up to now.
    pub(crate) fn count(&self) -> u64 {
        self.lines().lines().map(|_| 1).sum()
    }

    /// What was not run for lack of a server.
    pub(crate) fn not_run(&self, left_out: &[LeftOut]) -> Vec<NotRun> {
        not_run(&self.lines(), left_out)
    }

    fn lines(&self) -> String {
        // No file, no line: the first test that is skipped makes it.
        fs::read_to_string(&self.0).unwrap_or_default()
    }
}

fn not_run(lines: &str, left_out: &[LeftOut]) -> Vec<NotRun> {
    let tests = |name: &str| lines.lines().filter(|&line| line == name).map(|_| 1).sum();
    let rows = left_out.iter().map(|LeftOut { name, why }| NotRun {
        server: (*name).to_owned(),
        why: why.clone(),
        tests: tests(name),
    });
    rows.filter(|row| row.tests > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_tests_are_told_by_server_with_the_reason() {
        let left_out = ["dapr", "purista"].map(|name| LeftOut { name, why: "no tool".to_owned() });
        let row = |server: &str, tests| NotRun {
            server: server.to_owned(),
            why: "no tool".to_owned(),
            tests,
        };
        let rows = not_run("dapr\npurista\ndapr\n", &left_out);
        assert_eq!(rows, [row("dapr", 2), row("purista", 1)]);
        // A server whose tests were not asked for is not told.
        assert_eq!(not_run("purista\n", &left_out), [row("purista", 1)]);
    }

    #[test]
    fn a_new_run_begins_without_skipped_tests() {
        let file = std::env::temp_dir().join(format!("state-xtask-{}-skipped", std::process::id()));
        fs::write(&file, "dapr\ndapr\n").unwrap();
        assert_eq!(Skipped(file.clone()).count(), 2);
        assert_eq!(Skipped::none_yet(file).unwrap().count(), 0);
    }
}
