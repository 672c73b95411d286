//! All tests of the workspace, doc tests included.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use super::{Context, Outcome};
use crate::{
    conformance,
    counts::Counts,
    failure::Failure,
    process,
    setup::Servers,
    skipped::{SKIPPED, Skipped},
    terminal::{Progress, human},
};

/// Tells property and crash tests to run their full number of cases.
const FULL: &str = "STATE_TEST_FULL";

/// Tells tests which servers they have to do without.
const LEFT_OUT: &str = "STATE_LEFT_OUT";

pub(super) fn run(context: &Context<'_>, progress: &mut Progress) -> Result<Outcome, Failure> {
    let mut cargo = process::cargo(context.terminal);
    cargo.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    let reports = conformance::fresh_reports(context.workspace)?;
    run_tests(cargo, &reports, context.servers, context.full, progress)
}

/// Runs a `cargo test` command, with a line for each test program.
pub(crate) fn run_tests(
    mut cargo: Command,
    reports: &Path,
    servers: &Servers,
    full: bool,
    progress: &mut Progress,
) -> Result<Outcome, Failure> {
    cargo.env(conformance::REPORTS, reports);
    let left_out = servers.left_out(progress)?;
    let names: Vec<_> = left_out.iter().map(|server| server.name).collect();
    cargo.env(LEFT_OUT, names.join(","));
    let skipped = Skipped::none_yet(reports.join("skipped"))?;
    cargo.env(SKIPPED, skipped.file());
    if full {
        cargo.env(FULL, "1");
    } else {
        cargo.env_remove(FULL);
    }
    let mut watcher = Watcher { program: None, sum: Counts::default(), skipped: &skipped };
    let finished = process::run(cargo, progress, |line, progress| watcher.line(line, progress))?;
    let counts = watcher.sum;
    let nothing_ran = counts == Counts::default();
    Ok(Outcome {
        success: finished.success && counts.failed == 0 && !nothing_ran,
        note: if nothing_ran { "no test ran".to_owned() } else { counts.to_string() },
        explanation: if finished.success { String::new() } else { finished.explanation() },
        counts,
        not_run: skipped.not_run(&left_out),
    })
}

/// Follows the output of `cargo test`.
#[derive(Debug)]
struct Watcher<'a> {
    /// The test program that runs, and since when.
    program: Option<(String, Instant)>,
    sum: Counts,
    skipped: &'a Skipped,
}

impl Watcher<'_> {
    fn line(&mut self, line: &str, progress: &mut Progress) {
        if let Some(program) = started(line) {
            progress.doing(&program);
            self.program = Some((program, Instant::now()));
        } else if let Some(counts) = Counts::parse(line) {
            // The programs run one after the other: what is new is of this one.
            let counts = counts.with_skipped(self.skipped.count() - self.sum.skipped);
            self.sum += counts;
            if let Some((program, since)) = &self.program
                && counts != Counts::default()
            {
                progress.line(&format!("    {program}: {counts} ({})", human(since.elapsed())));
            }
        } else if self.program.is_none() {
            progress.doing(line);
        } else if line.ends_with("... FAILED") {
            progress.line(&format!("    {line}"));
        } else {
            progress.tick();
        }
    }
}

/// The test program that a line of cargo announces.
fn started(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(package) = line.strip_prefix("Doc-tests ") {
        return Some(format!("doc tests of {package}"));
    }
    let (source, binary) = line.strip_prefix("Running ")?.split_once(" (")?;
    // `…/deps/keys-0123456789abcdef)`: the name without the hash tells packages apart.
    let file = binary.trim_end_matches(')').rsplit('/').next()?;
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    Some(format!("{name} ({})", source.trim_start_matches("unittests ")))
}

/// A folder that exists and holds nothing.
pub(crate) fn emptied(folder: PathBuf) -> Result<PathBuf, Failure> {
    let failed = || Failure::while_doing(format!("cannot empty {}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed())?;
    }
    fs::create_dir_all(&folder).map_err(failed())?;
    Ok(folder)
}

#[cfg(test)]
mod watcher_tests {
    use super::*;

    #[test]
    fn the_running_program_is_recognised() {
        assert_eq!(
            started("     Running tests/keys.rs (target/debug/deps/keys-0a1b2c3d4e5f6a7b)"),
            Some("keys (tests/keys.rs)".to_owned())
        );
        assert_eq!(
            started("     Running unittests src/lib.rs (target/debug/deps/state_runtime-0a1b)"),
            Some("state_runtime (src/lib.rs)".to_owned())
        );
        assert_eq!(
            started("   Doc-tests state_runtime"),
            Some("doc tests of state_runtime".to_owned())
        );
        assert_eq!(started("test running ... ok"), None);
    }
}
