//! Requests and answers that are too large.

use bytes::Bytes;
use state_runtime::{
    backend::{Backend, ErrorKind, GetOptions, SetOptions},
    backends::DaprBackend,
    key::Key,
};

use crate::recorded::{Answer, Sidecar, in_memory, refusal, reply};

/// The largest request of these tests.
const LARGEST: usize = 1000;
/// Longer than the answer to a read of the largest value can be.
const LONG: usize = 100_000;

fn key(name: &str) -> Key {
    Key::from_stored(name)
}

async fn connect(sidecar: &Sidecar) -> DaprBackend {
    DaprBackend::connect(sidecar.config().with_max_body(LARGEST)).await.unwrap()
}

/// An answer that does not say before how long it is.
fn in_one_chunk(body: &str) -> Answer {
    let length = body.len();
    Answer::Reply(format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
    ))
}

#[tokio::test]
async fn a_request_that_is_too_large_is_not_sent() {
    let sidecar = Sidecar::start([in_memory()]).await;
    let backend = connect(&sidecar).await;
    let value = Bytes::from(vec![b'x'; LARGEST]);
    let error = backend.set(&key("a"), value, SetOptions::default()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TooLarge { size, limit: LARGEST } if size > LARGEST));
    assert_eq!(sidecar.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_is_not_read_beyond_what_a_value_can_be() {
    let body = format!("\"{}\"", "x".repeat(LONG));
    for answer in [reply("200 OK", &body), in_one_chunk(&body)] {
        let sidecar = Sidecar::start([in_memory(), answer]).await;
        let read = connect(&sidecar).await.get(&key("a"), GetOptions::default()).await;
        let kind = read.unwrap_err().kind();
        let ErrorKind::TooLarge { size, limit } = kind else { panic!("{kind:?}") };
        assert!(size > limit && limit < LONG, "{kind:?}");
    }
}

#[tokio::test]
async fn the_largest_value_is_read_however_it_is_escaped() {
    let body = format!("\"{}\"", "\\u003c".repeat(LARGEST));
    let sidecar = Sidecar::start([in_memory(), reply("200 OK", &body)]).await;
    let read = connect(&sidecar).await.get(&key("a"), GetOptions::default()).await.unwrap();
    assert_eq!(read.unwrap().value, body.as_bytes());
}

#[tokio::test]
async fn what_is_too_long_together_is_read_one_by_one() {
    let all = format!(r#"[{{"key":"a","data":"{}"}}]"#, "x".repeat(LONG));
    let answers = [in_memory(), reply("200 OK", &all), reply("200 OK", "1"), reply("200 OK", "2")];
    let sidecar = Sidecar::start(answers).await;
    let requests = ["a", "b"].map(|name| (key(name), GetOptions::default()));
    let read = connect(&sidecar).await.get_many(&requests).await.unwrap();
    let values: Vec<_> = read.into_iter().map(|entry| entry.unwrap().value).collect();
    assert_eq!(values, ["1", "2"]);
}

#[tokio::test]
async fn an_answer_to_a_write_that_is_too_long_leaves_the_outcome_open() {
    // It would prove that nothing was written, if it were read.
    let message = format!("OOM command not allowed{}", "x".repeat(LONG));
    let answer = refusal("500 Internal Server Error", "ERR_STATE_SAVE", &message);
    let sidecar = Sidecar::start([in_memory(), answer]).await;
    let written = connect(&sidecar).await.set(&key("a"), "1".into(), SetOptions::default()).await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::Indeterminate);
}
