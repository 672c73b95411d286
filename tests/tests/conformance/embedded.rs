//! The backends that need no server.

#[path = "../../../examples/examples/03_custom_backend/backend.rs"]
mod custom;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use custom::MapBackend;
use state_runtime::{
    backend::{AnyBackend, Backend, ManualClock},
    backends::{FileBackend, MemoryBackend},
    conformance::{Subject, cases},
};

use crate::{TestResult, conforms, lacks_only};

/// Each instance has entries of its own: a folder is opened by one process, and memory is its own.
const OWN: &[&str] = &["shared"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_conforms() -> TestResult {
    let report = conforms("memory", clocked(memory)).await?;
    lacks_only(&report, OWN);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_conforms_while_real_time_passes() -> TestResult {
    conforms("memory-real-time", Subject::new(|| async { Ok(MemoryBackend::new()) })).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn file_conforms() -> TestResult {
    let clock = Arc::new(ManualClock::default());
    let (folders, handle, number) = (tempfile::tempdir()?, Arc::clone(&clock), AtomicUsize::new(0));
    let subject = Subject::new(move || {
        let folder = folders.path().join(number.fetch_add(1, Ordering::Relaxed).to_string());
        FileBackend::builder(folder).with_clock(Arc::clone(&handle)).open()
    });
    let report = conforms("file", subject.with_clock(clock)).await?;
    lacks_only(&report, OWN);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn file_conforms_while_real_time_passes() -> TestResult {
    let (folders, number) = (tempfile::tempdir()?, AtomicUsize::new(0));
    let subject = Subject::new(move || {
        let folder = folders.path().join(number.fetch_add(1, Ordering::Relaxed).to_string());
        FileBackend::builder(folder).open()
    });
    conforms("file-real-time", subject).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_erased_backend_conforms() -> TestResult {
    let report = conforms("any", clocked(|clock| AnyBackend::new(memory(clock)))).await?;
    lacks_only(&report, OWN);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shared_backend_conforms() -> TestResult {
    let report = conforms("shared", clocked(|clock| Arc::new(memory(clock)))).await?;
    lacks_only(&report, OWN);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backend_of_three_methods_conforms() -> TestResult {
    let report = conforms("custom", Subject::new(|| async { Ok(MapBackend::default()) })).await?;
    let all = cases::<MapBackend>().len();
    assert_eq!(report.passed.len() + report.skipped.len(), all);
    for name in ["compare-and-swap", "TTL", "atomic batch", "scan", "watch"] {
        let named = report.skipped.iter().any(|skipped| skipped.missing.iter().any(|m| m == name));
        assert!(named, "no skipped case names {name}: {report:#}");
    }
    Ok(())
}

#[test]
fn the_suite_has_the_cases_that_it_promises() {
    let mut names: Vec<_> =
        cases::<MemoryBackend>().iter().map(|case| (case.theme(), case.name())).collect();
    assert!(names.len() >= 150, "only {} cases", names.len());
    names.sort_unstable();
    let listed = names.len();
    names.dedup();
    assert_eq!(names.len(), listed, "a case is listed twice");
}

fn memory(clock: Arc<ManualClock>) -> MemoryBackend {
    MemoryBackend::builder().with_clock(clock).build()
}

/// A subject whose time the suite moves by hand.
fn clocked<B: Backend>(open: impl Fn(Arc<ManualClock>) -> B + Send + Sync + 'static) -> Subject<B> {
    let clock = Arc::new(ManualClock::default());
    let handle = Arc::clone(&clock);
    Subject::new(move || {
        let backend = open(Arc::clone(&handle));
        async { Ok(backend) }
    })
    .with_clock(clock)
}
