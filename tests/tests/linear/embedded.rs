//! The backends that need no server. Nothing breaks there but the patience of callers.

use state_runtime::{
    backend::AnyBackend,
    backends::{FileBackend, MemoryBackend},
};
use tests::{
    cases::cases,
    fakes::Yielding,
    linear::{Surroundings, finds_bugs, is_linearizable},
};

use crate::CONNECTIONS;

async fn check(name: &str, backend: AnyBackend) {
    // Several stores over one backend: their callers do not take turns.
    let backends = vec![backend; CONNECTIONS];
    is_linearizable(name, &backends, &Surroundings::none(), cases(4, 100).into()).await;
    finds_bugs(name, &backends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_is_linearizable() {
    check("memory", AnyBackend::new(MemoryBackend::new())).await;
}

#[tokio::test(start_paused = true)]
async fn memory_is_linearizable_where_others_run_before_and_after_each_call() {
    check("memory that yields", AnyBackend::new(Yielding(MemoryBackend::new()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn file_is_linearizable() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileBackend::open(folder.path().join("state")).await.unwrap();
    check("file", AnyBackend::new(file)).await;
}
