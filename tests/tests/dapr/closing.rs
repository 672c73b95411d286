//! What happens to operations in progress when the backend is closed.

use core::time::Duration;
use std::time::Instant;

use state_runtime::{
    backend::{Backend, Condition, ErrorKind, Result, SetOptions, TtlChange},
    backends::DaprBackend,
    key::Key,
};
use tokio::task::JoinHandle;

use crate::recorded::{Answer, Sidecar, in_memory, metadata, no_content, refusal};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn sqlite() -> Answer {
    metadata("state.sqlite", r#""ETAG","TRANSACTIONAL","TTL""#)
}

/// With more time for an answer than these tests have.
async fn connect(sidecar: &Sidecar) -> DaprBackend {
    DaprBackend::connect(sidecar.config().with_timeout(2 * PATIENCE)).await.unwrap()
}

fn write(backend: &DaprBackend, options: SetOptions) -> JoinHandle<Result<()>> {
    let backend = backend.clone();
    tokio::spawn(
        async move { backend.set(&Key::from_stored("a"), "1".into(), options).await.map(drop) },
    )
}

async fn outcome(write: JoinHandle<Result<()>>) -> ErrorKind {
    let ended = tokio::time::timeout(PATIENCE, write).await.expect("it ends with the backend");
    ended.unwrap().unwrap_err().kind()
}

async fn asked(sidecar: &Sidecar, times: usize) {
    let start = Instant::now();
    while sidecar.requests().len() < times {
        assert!(start.elapsed() < PATIENCE, "{:?}", sidecar.requests());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_write_that_has_no_answer_yet_ends_with_its_outcome_unknown() {
    let sidecar = Sidecar::start([in_memory(), Answer::Silence]).await;
    let backend = connect(&sidecar).await;
    let written = write(&backend, SetOptions::default());
    asked(&sidecar, 2).await;
    backend.close().await.unwrap();
    assert_eq!(outcome(written).await, ErrorKind::Indeterminate);
}

#[tokio::test]
async fn a_write_that_waits_for_its_turn_is_not_sent_any_more() {
    let sidecar = Sidecar::start([sqlite(), Answer::Silence]).await;
    let backend = connect(&sidecar).await;
    let first = write(&backend, SetOptions::default());
    asked(&sidecar, 2).await;
    let second = write(&backend, SetOptions::default());
    // Its future is polled by the time another task has had its turn.
    tokio::task::yield_now().await;
    backend.close().await.unwrap();
    assert_eq!(outcome(first).await, ErrorKind::Indeterminate);
    assert_eq!(outcome(second).await, ErrorKind::Closed);
    assert_eq!(sidecar.requests().len(), 2);
}

#[tokio::test]
async fn a_write_that_is_tried_again_is_not_sent_any_more() {
    let mismatch = refusal("409 Conflict", "ERR_STATE_SAVE", "possible etag mismatch");
    let answers = [in_memory(), no_content(), mismatch, Answer::Silence];
    let sidecar = Sidecar::start(answers).await;
    let backend = connect(&sidecar).await;
    let keep =
        SetOptions { condition: Condition::Always, ttl: TtlChange::Keep, ..SetOptions::default() };
    let written = write(&backend, keep);
    // It reads once more what is there, to try again.
    asked(&sidecar, 4).await;
    backend.close().await.unwrap();
    assert_eq!(outcome(written).await, ErrorKind::Closed);
    assert_eq!(sidecar.requests().len(), 4);
}
