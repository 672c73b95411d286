//! Every backend passes one suite, run through the same code, on every server that it is made for.
//!
//! With `STATE_CONFORMANCE_OUT=<folder>` each report is written there. What a backend cannot do is
//! printed with the cases that were left out for it.

mod dapr;
mod embedded;
mod nats;
mod redis;

use std::{error::Error, fs, path::Path, time::Duration};

use serde_json::json;
use state_runtime::{
    backend::Backend,
    conformance::{Report, Subject, run},
};

type TestResult = Result<(), Box<dyn Error>>;

/// What came of the suite on one server.
type Outcome = Result<Report, Box<dyn Error>>;

/// How long a server may take to answer: the suite is about what is answered, and many run at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the suite against a backend that needs no server.
async fn conforms<B: Backend>(label: &str, subject: Subject<B>) -> Outcome {
    let report = report(label, "", subject).await?;
    assert!(report.is_conforming(), "{label}: {report:#}");
    Ok(report)
}

/// Runs the suite, prints what was skipped and why, and files the report. A case that fails is not
/// yet a failure, so that the other servers get their turn.
async fn report<B: Backend>(label: &str, server: &str, subject: Subject<B>) -> Outcome {
    let report = run(&subject).await.map_err(|error| format!("{label} on {server}: {error}"))?;
    println!("{label} {server}: {report:#}");
    if let Some(folder) = std::env::var_os("STATE_CONFORMANCE_OUT") {
        let mut filed = serde_json::to_value(&report)?;
        filed["label"] = json!(label);
        filed["server"] = json!(server);
        let name = format!("{label} {server}").trim_end().replace(' ', "-").to_lowercase();
        fs::create_dir_all(&folder)?;
        let file = Path::new(&folder).join(format!("{name}.json"));
        fs::write(file, serde_json::to_vec_pretty(&filed)?)?;
    }
    Ok(report)
}

/// None of the reports may have a failed case.
fn all_conform(outcomes: Vec<Outcome>) -> TestResult {
    let failures: Vec<_> = outcomes
        .into_iter()
        .filter_map(|outcome| match outcome {
            Ok(report) if report.is_conforming() => None,
            Ok(report) => Some(format!("{report:#}")),
            Err(error) => Some(error.to_string()),
        })
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

/// Nothing was left out but for want of the capabilities named here.
fn lacks_only(report: &Report, missing: &[&str]) {
    for skipped in &report.skipped {
        let excused = skipped.missing.iter().any(|name| missing.contains(&name.as_str()));
        assert!(excused, "{} was skipped: no {}", skipped.case, skipped.missing.join(", no "));
    }
}
