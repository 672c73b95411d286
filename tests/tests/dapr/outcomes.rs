//! What is known of a write when something else than success is answered, or nothing.

use core::time::Duration;

use state_runtime::{
    backend::{
        Backend, BackendError, BatchOp, Condition, ErrorKind, GetOptions, Result, SetOptions, Want,
    },
    backends::DaprBackend,
    key::Key,
};

use crate::recorded::{
    Answer, Sidecar, in_memory, no_content, redis, refusal, reply, with_headers,
};

const FAILED: &str = "500 Internal Server Error";
const MISMATCH: &str = "failed saving state in state store statestore: possible etag mismatch. \
                        error from state store";

fn key() -> Key {
    Key::from_stored("session:secret-id")
}

fn conflict() -> ErrorKind {
    ErrorKind::Conflict { index: 0 }
}

/// A plain write.
async fn set(component: Answer, answer: Answer) -> Result<()> {
    let sidecar = Sidecar::start([component, answer]).await;
    let config = sidecar.config().with_timeout(Duration::from_millis(300));
    let backend = DaprBackend::connect(config).await?;
    backend.set(&key(), "1".into(), SetOptions::default()).await.map(drop)
}

/// A write under the revision of what was read.
async fn replace(component: Answer, answer: Answer) -> Result<()> {
    let stored = with_headers("200 OK", "Etag: 7\r\n", r#""$state\n1""#);
    let sidecar = Sidecar::start([component, stored, answer]).await;
    let backend = sidecar.connect().await;
    let options = GetOptions { want: Want::REVISION, renew: None };
    let revision = backend.get(&key(), options).await?.unwrap().revision.unwrap();
    let options =
        SetOptions { condition: Condition::IfRevision(revision), ..SetOptions::default() };
    backend.set(&key(), "2".into(), options).await.map(drop)
}

#[track_caller]
fn told(result: Result<()>, kind: ErrorKind) -> BackendError {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(!format!("{error:?} {error}").contains("secret-id"), "{error:?}");
    error
}

#[tokio::test]
async fn a_failure_after_handing_over_leaves_the_outcome_open() {
    let lost = refusal(FAILED, "ERR_STATE_SAVE", "failed to set key secret-id: i/o timeout");
    told(set(redis(), lost.clone()).await, ErrorKind::Indeterminate);
    told(set(in_memory(), lost).await, ErrorKind::Indeterminate);
    told(set(redis(), reply("502 Bad Gateway", "<html>")).await, ErrorKind::Indeterminate);
    told(set(redis(), reply("200 OK", "")).await, ErrorKind::Indeterminate);
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_the_outcome_open() {
    for answer in [
        Answer::Silence,
        Answer::Cut(String::new()),
        Answer::Cut("HTTP/1.1 204 No".to_owned()),
        Answer::Cut("HTTP/1.1 409 Conflict\r\nContent-Length: 50\r\n\r\n{\"err".to_owned()),
        Answer::Cut("gibberish\r\n\r\n".to_owned()),
    ] {
        told(set(in_memory(), answer).await, ErrorKind::Indeterminate);
    }
}

#[tokio::test]
async fn a_write_is_sent_once() {
    let sidecar = Sidecar::start([in_memory(), Answer::Cut(String::new()), no_content()]).await;
    let backend = sidecar.connect().await;
    told(
        backend.set(&key(), "1".into(), SetOptions::default()).await.map(drop),
        ErrorKind::Indeterminate,
    );
    assert_eq!(sidecar.requests().len(), 2);
    // The next one finds another connection.
    backend.set(&key(), "1".into(), SetOptions::default()).await.unwrap();
}

#[tokio::test]
async fn a_read_that_fails_changed_nothing() {
    for answer in [
        Answer::Cut(String::new()),
        refusal(FAILED, "ERR_STATE_GET", "fail to get secret-id from state store: dial tcp"),
    ] {
        let backend = Sidecar::start([redis(), answer]).await.connect().await;
        let read = backend.get(&key(), GetOptions::default()).await.map(drop);
        told(read, ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn a_mismatch_is_a_conflict_only_where_it_is_one() {
    let genuine = format!("{MISMATCH}: ERR user_script:14: failed to set key app-a||secret-id");
    let answer = refusal("409 Conflict", "ERR_STATE_SAVE", &genuine);
    told(replace(redis(), answer).await, conflict());
    // The Redis component says the same of every failure of a command that has an etag.
    let broken = refusal("409 Conflict", "ERR_STATE_SAVE", &format!("{MISMATCH}: i/o timeout"));
    told(replace(redis(), broken.clone()).await, ErrorKind::Indeterminate);
    told(replace(in_memory(), broken.clone()).await, conflict());
    told(set(redis(), broken).await, ErrorKind::Indeterminate);
}

#[tokio::test]
async fn a_full_or_read_only_database_is_told() {
    for message in [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.",
        "MISCONF Redis is configured to save RDB snapshots",
        "attempt to write a readonly database (8)",
        "database or disk is full (13)",
    ] {
        let answer = refusal(FAILED, "ERR_STATE_SAVE", message);
        told(set(redis(), answer).await, ErrorKind::ReadOnly);
        let answer = refusal("409 Conflict", "ERR_STATE_SAVE", &format!("{MISMATCH}: {message}"));
        told(replace(redis(), answer).await, ErrorKind::ReadOnly);
    }
}

#[tokio::test]
async fn words_in_a_key_are_no_proof() {
    let answer = refusal(FAILED, "ERR_STATE_SAVE", "failed to set key OOM:READONLY:WRONGTYPE");
    told(set(redis(), answer).await, ErrorKind::Indeterminate);
}

#[tokio::test]
async fn refusals_of_the_sidecar_are_told_apart() {
    let cases = [
        (reply("401 Unauthorized", "invalid api token"), ErrorKind::Denied),
        (refusal("400 Bad Request", "ERR_STATE_STORE_NOT_FOUND", "gone"), ErrorKind::Missing),
        (refusal(FAILED, "ERR_STATE_STORE_NOT_CONFIGURED", "gone"), ErrorKind::Missing),
        (reply("404 Not Found", "404 page not found"), ErrorKind::Missing),
        (refusal("400 Bad Request", "ERR_MALFORMED_REQUEST", "unexpected EOF"), ErrorKind::Other),
        (refusal(FAILED, "ERR_STATE_SAVE", "NOAUTH Authentication required."), ErrorKind::Denied),
        (refusal(FAILED, "ERR_STATE_SAVE", "database is locked (5)"), ErrorKind::Overloaded),
    ];
    for (answer, kind) in cases {
        told(set(redis(), answer).await, kind);
    }
}

#[tokio::test]
async fn a_dropped_write_is_not_sent_again() {
    let sidecar = Sidecar::start([in_memory(), Answer::Silence]).await;
    let backend = sidecar.connect().await;
    let key = key();
    let write = backend.set(&key, "1".into(), SetOptions::default());
    assert!(tokio::time::timeout(Duration::from_millis(100), write).await.is_err());
    let requests = sidecar.requests().len();
    backend.get(&key, GetOptions::default()).await.unwrap_err();
    assert!(sidecar.requests().iter().skip(requests).all(|request| request.starts_with("GET ")));
}

#[tokio::test]
async fn a_transaction_whose_guard_fails_is_planned_again() {
    let absent = reply("200 OK", r#"[{"key":"a:1"}]"#);
    let there = reply("200 OK", r#"[{"key":"a:1","data":"$state\n1","etag":"e1"}]"#);
    let failed = refusal(FAILED, "ERR_STATE_TRANSACTION", &MISMATCH.replace("save", "transact"));
    let answers = [in_memory(), absent, failed, there];
    let sidecar = Sidecar::start(answers).await;
    let options = SetOptions { condition: Condition::IfAbsent, ..SetOptions::default() };
    let batch = ["b:2", "a:1"].map(|name| {
        let options = if name == "a:1" { options.clone() } else { SetOptions::default() };
        BatchOp::Set { key: Key::from_stored(name), value: "2".into(), options }
    });
    let error = sidecar.connect().await.apply(batch.into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict { index: 1 });
    assert_eq!(sidecar.requests().len(), 4);
}

#[tokio::test]
async fn a_transaction_that_fails_otherwise_leaves_the_outcome_open() {
    let failed = refusal(FAILED, "ERR_STATE_TRANSACTION", "driver: bad connection");
    let sidecar = Sidecar::start([in_memory(), failed]).await;
    let op = BatchOp::Set { key: key(), value: "1".into(), options: SetOptions::default() };
    let applied = sidecar.connect().await.apply(vec![op]).await.map(drop);
    told(applied, ErrorKind::Indeterminate);
}
