//! The conformance suite: running it alone, and the matrix of what each backend passes.
//!
//! A test that runs the suite against a backend writes its report as `<backend>.json` into the
//! folder that the environment names in `STATE_CONFORMANCE_OUT`. A further backend needs nothing
//! here: it appears in the matrix as soon as its test writes a report.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    args,
    failure::Failure,
    process,
    steps::tests::{emptied, run_tests},
    table::Table,
    terminal::{Progress, Terminal},
    workspace::Workspace,
};

/// Names the folder that reports are written to.
pub(crate) const REPORTS: &str = "STATE_CONFORMANCE_OUT";

/// What one backend passes, as `state_runtime::conformance::Report` is serialised.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    /// The name of the file: one backend may be tested in several ways.
    #[serde(default)]
    label: String,
    backend: String,
    capabilities: Vec<String>,
    passed: Vec<String>,
    failed: Vec<Failed>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    case: String,
    message: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Skipped {
    case: String,
    /// The capabilities that the backend lacks.
    missing: Vec<String>,
}

pub(crate) fn run(
    workspace: &Workspace,
    terminal: Terminal,
    options: &args::Conformance,
) -> Result<(), Failure> {
    let programs: Vec<&str> = workspace
        .members()
        .flat_map(|package| package.targets("test"))
        .filter(|name| name.contains("conformance"))
        .collect();
    if programs.is_empty() {
        return Err(Failure::new("no test program has `conformance` in its name"));
    }
    let mut cargo = process::cargo(terminal);
    // The same packages and features as the gate, so that nothing is compiled twice.
    cargo.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    for program in programs {
        cargo.args(["--test", program]);
    }
    let mut progress = Progress::start(terminal, "conformance");
    let outcome = run_tests(cargo, &fresh_reports(workspace)?, false, &mut progress)?;
    if !outcome.success {
        progress.line(outcome.explanation.trim_end());
    }
    if options.json {
        let json = serde_json::to_string_pretty(&reports(workspace)?)
            .map_err(Failure::while_doing("cannot write the reports as JSON"))?;
        println!("{json}");
    } else {
        print_matrix(workspace)?;
    }
    if outcome.success { Ok(()) } else { Err(Failure::new(outcome.note)) }
}

/// An empty folder for the reports of a run.
pub(crate) fn fresh_reports(workspace: &Workspace) -> Result<PathBuf, Failure> {
    emptied(workspace.target("conformance"))
}

/// Prints which backend passes what, and why the rest was left out.
pub(crate) fn print_matrix(workspace: &Workspace) -> Result<(), Failure> {
    let reports = reports(workspace)?;
    if reports.is_empty() {
        println!("  no backend has written a conformance report\n");
        return Ok(());
    }
    println!("{}", matrix(&reports).to_text());
    Ok(())
}

fn reports(workspace: &Workspace) -> Result<Vec<Report>, Failure> {
    let folder = workspace.target("conformance");
    let failed = || Failure::while_doing(format!("cannot list {}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    files.iter().map(|file| report(file)).collect()
}

fn report(file: &Path) -> Result<Report, Failure> {
    let shown = file.display();
    let json =
        fs::read_to_string(file).map_err(Failure::while_doing(format!("cannot read {shown}")))?;
    let report: Report = serde_json::from_str(&json)
        .map_err(Failure::while_doing(format!("{shown} is no conformance report")))?;
    let label = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Report { label, ..report })
}

fn matrix(reports: &[Report]) -> Table {
    let mut table = Table::new(&["backend", "passed", "failed", "skipped", "why"]);
    for report in reports {
        table.row([
            report.label.clone(),
            report.passed.len().to_string(),
            report.failed.len().to_string(),
            report.skipped.len().to_string(),
            why(report),
        ]);
    }
    table
}

/// The failed cases by name; what the backend lacks, with the number of cases that ask for it.
fn why(report: &Report) -> String {
    let mut lacking: BTreeMap<&str, usize> = BTreeMap::new();
    for capability in report.skipped.iter().flat_map(|skipped| &skipped.missing) {
        *lacking.entry(capability).or_default() += 1;
    }
    let failed = report.failed.iter().map(|failed| format!("failed {}", failed.case));
    let lacking = lacking.into_iter().map(|(lack, cases)| format!("no {lack} ({cases})"));
    failed.chain(lacking).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_counts_cases_and_says_why() {
        let report: Report = serde_json::from_str(
            r#"{
                "label": "mine, erased", "backend": "mine", "capabilities": ["TTL"], "passed": ["values::a", "values::b"],
                "failed": [{"case": "ttl::c", "message": "still there"}],
                "skipped": [
                    {"case": "scan::d", "missing": ["scan"]},
                    {"case": "scan::e", "missing": ["scan"]},
                    {"case": "batch::f", "missing": ["compare-and-swap", "atomic batch"]}
                ]
            }"#,
        )
        .unwrap();
        assert_eq!(
            matrix(&[report]).to_text(),
            "  backend       passed  failed  skipped  why\n  \
             mine, erased  2       1       3        failed ttl::c, \
             no atomic batch (1), no compare-and-swap (1), no scan (2)\n"
        );
    }
}
