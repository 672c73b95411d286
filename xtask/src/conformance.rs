//! The conformance suite: running it alone, and the matrix of what each backend passes.
//!
//! A test that runs the suite against a backend writes its report as a JSON file into the folder
//! that the environment names in `STATE_CONFORMANCE_OUT`, with a `label` and a `server` beside what
//! the suite reports. A further backend needs nothing here: it appears in the matrix as soon as its
//! test writes a report.

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
    setup::Servers,
    skipped::NotRun,
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
    /// One backend may be tested in several ways.
    label: String,
    /// The server that it was tested on, empty if there is none.
    #[serde(default)]
    server: String,
    backend: String,
    capabilities: Vec<String>,
    passed: Vec<String>,
    failed: Vec<Failed>,
    skipped: Vec<Skipped>,
    /// Why there is nothing to report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_run: Option<String>,
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

impl Report {
    /// The report of a backend whose server could not be installed.
    fn not_run(row: &NotRun) -> Self {
        let plural = if row.tests == 1 { "" } else { "s" };
        Self {
            label: row.server.clone(),
            server: String::new(),
            backend: row.server.clone(),
            capabilities: Vec::new(),
            passed: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
            not_run: Some(format!("{} ({} test{plural} skipped)", row.why, row.tests)),
        }
    }
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
    let mut progress = Progress::start(terminal, "conformance");
    let servers = Servers::default();
    let mut faults = servers.failures(&mut progress)?;
    let mut cargo = process::cargo(terminal);
    // The same packages and features as the gate, so that nothing is compiled twice.
    cargo.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    for program in programs {
        cargo.args(["--test", program]);
    }
    let outcome = run_tests(cargo, &fresh_reports(workspace)?, &servers, false, &mut progress)?;
    if !outcome.success {
        progress.line(outcome.explanation.trim_end());
    }
    if options.json {
        let json = serde_json::to_string_pretty(&reports(workspace, &outcome.not_run)?)
            .map_err(Failure::while_doing("cannot write the reports as JSON"))?;
        println!("{json}");
    } else {
        print_matrix(workspace, &outcome.not_run)?;
    }
    if !outcome.success {
        faults.push(outcome.note);
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::new(faults.join("\n"))) }
}

/// An empty folder for the reports of a run.
pub(crate) fn fresh_reports(workspace: &Workspace) -> Result<PathBuf, Failure> {
    emptied(workspace.target("conformance"))
}

/// Prints which backend passes what, and why the rest was left out.
pub(crate) fn print_matrix(workspace: &Workspace, not_run: &[NotRun]) -> Result<(), Failure> {
    let reports = reports(workspace, not_run)?;
    if reports.is_empty() {
        println!("  no backend has written a conformance report\n");
        return Ok(());
    }
    println!("{}", matrix(&reports).to_text());
    Ok(())
}

/// What the tests have written, and what they could not for lack of a server.
fn reports(workspace: &Workspace, not_run: &[NotRun]) -> Result<Vec<Report>, Failure> {
    let folder = workspace.target("conformance");
    let failed = || Failure::while_doing(format!("cannot list {}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    let mut reports: Vec<_> = files.iter().map(|file| report(file)).collect::<Result<_, _>>()?;
    reports.extend(not_run.iter().map(Report::not_run));
    reports.sort_by_cached_key(|report| (report.label.clone(), numbered(&report.server)));
    Ok(reports)
}

fn report(file: &Path) -> Result<Report, Failure> {
    let shown = file.display();
    let json =
        fs::read_to_string(file).map_err(Failure::while_doing(format!("cannot read {shown}")))?;
    serde_json::from_str(&json)
        .map_err(Failure::while_doing(format!("{shown} is no conformance report")))
}

/// What a server is sorted by: its name, and its version number by number.
fn numbered(server: &str) -> (String, Vec<u64>) {
    let (name, version) = server.rsplit_once(' ').unwrap_or((server, ""));
    (name.to_owned(), version.split('.').filter_map(|number| number.parse().ok()).collect())
}

fn matrix(reports: &[Report]) -> Table {
    let mut table = Table::new(&["backend", "server", "passed", "failed", "skipped", "why"]);
    for report in reports {
        let server = match report.not_run {
            Some(_) => "-",
            None if report.server.is_empty() => "none",
            None => &report.server,
        };
        // No number can be taken for a good one where nothing was counted.
        let count = |cases: usize| {
            report.not_run.as_ref().map_or_else(|| cases.to_string(), |_| "-".into())
        };
        table.row([
            report.label.clone(),
            server.to_owned(),
            count(report.passed.len()),
            count(report.failed.len()),
            count(report.skipped.len()),
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
    if let Some(why) = &report.not_run {
        return format!("not run: {why}");
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
                "label": "mine, erased", "server": "Mine 1.2.3", "backend": "mine", "capabilities": ["TTL"], "passed": ["values::a", "values::b"],
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
            "  backend       server      passed  failed  skipped  why\n  \
             mine, erased  Mine 1.2.3  2       1       3        failed ttl::c, \
             no atomic batch (1), no compare-and-swap (1), no scan (2)\n"
        );
    }

    #[test]
    fn a_backend_that_was_not_run_has_a_row_with_the_reason_and_no_numbers() {
        let why = "there is no `go`".to_owned();
        let row = NotRun { server: "dapr".to_owned(), why, tests: 3 };
        let report = Report::not_run(&row);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["not_run"], "there is no `go` (3 tests skipped)");
        assert_eq!(
            matrix(&[report]).to_text(),
            "  backend  server  passed  failed  skipped  why\n  \
             dapr     -       -       -       -        \
             not run: there is no `go` (3 tests skipped)\n"
        );
    }

    #[test]
    fn servers_are_sorted_by_name_and_number() {
        let mut servers = ["NATS 2.11.6", "Valkey 9.1.2", "NATS 2.9.10", "", "NATS 2.15.1"];
        servers.sort_by_cached_key(|server| numbered(server));
        assert_eq!(servers, ["", "NATS 2.9.10", "NATS 2.11.6", "NATS 2.15.1", "Valkey 9.1.2"]);
    }
}
