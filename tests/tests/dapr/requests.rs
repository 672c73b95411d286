//! What is sent, and what answers of a sidecar are taken for.

use core::time::Duration;

use bytes::Bytes;
use serde_json::json;
use state_runtime::{
    backend::{
        Backend, Condition, ErrorKind, Expiry, GetOptions, RemoveOptions, SetOptions, Timestamp,
        TtlChange, Want,
    },
    key::Key,
};

use crate::recorded::{
    Answer, Sidecar, in_memory, no_content, redis, refusal, reply, with_headers,
};

fn key() -> Key {
    Key::from_stored("/acme/session:a=2Fb")
}

async fn read(answer: Answer) -> Option<Bytes> {
    let backend = Sidecar::start([in_memory(), answer]).await.connect().await;
    backend.get(&key(), GetOptions::default()).await.unwrap().map(|entry| entry.value)
}

#[tokio::test]
async fn a_key_is_one_segment_of_the_path() {
    let sidecar = Sidecar::start([in_memory(), no_content()]).await;
    sidecar.connect().await.get(&key(), GetOptions::default()).await.unwrap();
    let line = "GET /v1.0/state/statestore/%2Facme%2Fsession%3Aa%3D2Fb?consistency=strong HTTP/1.1";
    assert!(sidecar.requests()[1].starts_with(line), "{:?}", sidecar.requests());
}

#[tokio::test]
async fn a_value_is_stored_as_text_after_a_first_line() {
    let sidecar = Sidecar::start([in_memory(), no_content(), no_content()]).await;
    let backend = sidecar.connect().await;
    let value = r#"{"large":18446744073709551615,"exact":0.1234567890123}"#;
    backend.set(&key(), value.into(), SetOptions::default()).await.unwrap();
    let expected = json!([{
        "key": "/acme/session:a=2Fb",
        "value": format!("$state\n{value}"),
        "metadata": {"ttlInSeconds": "-1"},
        "options": {"consistency": "strong"},
    }]);
    assert_eq!(sidecar.bodies(), [expected]);
}

#[tokio::test]
async fn both_forms_of_a_value_are_read() {
    let cases = [
        (r#""$state\n{\"a\":1}""#, r#"{"a":1}"#),
        (r#""$state expires=99999999999999\n\"41\"""#, r#""41""#),
        (r#""$state base64\n/w==""#, "\u{fffd}"),
        ("$state\n1.50", "1.50"),
        (r#"{"a":1.50}"#, r#"{"a":1.50}"#),
        (r#""41""#, r#""41""#),
        ("9007199254740993", "9007199254740993"),
        ("not json", "not json"),
    ];
    for (body, expected) in cases {
        let value = read(reply("200 OK", body)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&value), expected, "{body}");
    }
    assert_eq!(read(no_content()).await, None);
    assert_eq!(read(reply("200 OK", r#""$state removed\n""#)).await, None);
    assert_eq!(read(reply("200 OK", r#""$state expires=1\n1""#)).await, None);
}

#[tokio::test]
async fn a_first_line_of_a_newer_version_is_foreign() {
    let answer = reply("200 OK", r#""$state zip\nsecret""#);
    let backend = Sidecar::start([in_memory(), answer]).await.connect().await;
    let error = backend.get(&key(), GetOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign);
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn the_expiry_of_another_programs_value_is_the_components() {
    let headers = "Etag: 7\r\nMetadata.ttlexpiretime: 2026-11-22T22:55:23Z\r\n";
    let late = headers.replace("2026", "2926");
    let answers = [in_memory(), with_headers("200 OK", &late, "1")];
    let backend = Sidecar::start(answers).await.connect().await;
    let options = GetOptions { want: Want::ALL, renew: None };
    let entry = backend.get(&key(), options).await.unwrap().unwrap();
    // The sidecar tells whole seconds; to expire early would be wrong.
    let expected = Timestamp::from_millis(30_196_623_323_999);
    assert_eq!(entry.expiry, Expiry::At(expected));
    assert!(entry.revision.is_some());
}

#[tokio::test]
async fn what_has_no_etag_has_no_revision() {
    let backend = Sidecar::start([redis(), reply("200 OK", "1")]).await.connect().await;
    let options = GetOptions { want: Want::REVISION, renew: None };
    let error = backend.get(&key(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign);
}

#[tokio::test]
async fn a_component_keeps_an_entry_longer_than_it_lives() {
    let sidecar = Sidecar::start([in_memory(), no_content()]).await;
    let ttl = TtlChange::After(Duration::from_millis(59_500));
    let options = SetOptions { ttl, ..SetOptions::default() };
    sidecar.connect().await.set(&key(), "1".into(), options).await.unwrap();
    assert_eq!(sidecar.bodies()[0][0]["metadata"]["ttlInSeconds"], "70");
    assert!(sidecar.bodies()[0][0]["value"].as_str().unwrap().starts_with("$state expires="));
}

#[tokio::test]
async fn creating_is_done_as_the_component_needs_it() {
    let create = SetOptions { condition: Condition::IfAbsent, ..SetOptions::default() };
    let sidecar = Sidecar::start([in_memory(), no_content()]).await;
    sidecar.connect().await.set(&key(), "1".into(), create.clone()).await.unwrap();
    assert_eq!(sidecar.bodies()[0][0]["options"]["concurrency"], "first-write");

    let sidecar = Sidecar::start([redis(), no_content()]).await;
    sidecar.connect().await.set(&key(), "1".into(), create).await.unwrap();
    assert_eq!(sidecar.bodies()[0][0]["etag"], "2147483647");
    assert_eq!(sidecar.bodies()[0][0]["options"]["concurrency"], json!(null));
}

#[tokio::test]
async fn a_removal_leaves_a_mark_where_the_component_forgets() {
    let sidecar = Sidecar::start([redis(), no_content()]).await;
    sidecar.connect().await.remove(&key(), RemoveOptions::default()).await.unwrap();
    assert_eq!(sidecar.bodies()[0][0]["value"], "$state removed\n");
    assert_eq!(sidecar.bodies()[0][0]["metadata"]["ttlInSeconds"], "3600");

    let sidecar = Sidecar::start([in_memory(), no_content()]).await;
    sidecar.connect().await.remove(&key(), RemoveOptions::default()).await.unwrap();
    assert!(sidecar.requests()[1].starts_with("DELETE /v1.0/state/statestore/"));
}

#[tokio::test]
async fn a_bulk_read_takes_both_names_of_the_value_in_any_order() {
    let answer = reply(
        "200 OK",
        r#"[{"key":"c:3","value":{"z":1.50},"etag":"2"},{"key":"b:2"},{"key":"a:1","data":"$state\n1","etag":"1"}]"#,
    );
    let sidecar = Sidecar::start([in_memory(), answer]).await;
    let requests = ["a:1", "b:2", "c:3", "a:1"];
    let requests = requests.map(|key| (Key::from_stored(key), GetOptions::default()));
    let entries = sidecar.connect().await.get_many(&requests).await.unwrap();
    let values: Vec<_> = entries.into_iter().map(|entry| entry.map(|entry| entry.value)).collect();
    let one = Some(Bytes::from("1"));
    assert_eq!(values, [one.clone(), None, Some(r#"{"z":1.50}"#.into()), one]);
    assert_eq!(sidecar.bodies()[0]["keys"], json!(["a:1", "b:2", "c:3"]));
}

#[tokio::test]
async fn one_value_that_spoils_a_bulk_answer_spoils_no_other() {
    let answers = [in_memory(), reply("200 OK", ""), reply("200 OK", "no json"), no_content()];
    let sidecar = Sidecar::start(answers).await;
    let requests = ["a:1", "b:2"].map(|key| (Key::from_stored(key), GetOptions::default()));
    let entries = sidecar.connect().await.get_many(&requests).await.unwrap();
    assert_eq!(entries[0].as_ref().map(|entry| &*entry.value), Some(b"no json".as_slice()));
    assert_eq!(entries[1], None);
}

#[tokio::test]
async fn an_error_of_one_entry_is_an_error_of_the_bulk_read() {
    let answer = reply(
        "200 OK",
        r#"[{"key":"a:1","error":"WRONGTYPE Operation against a key holding the wrong kind of value"}]"#,
    );
    let answers = [redis(), answer, wrong_type(), wrong_type()];
    let backend = Sidecar::start(answers).await.connect().await;
    let requests = [(Key::from_stored("a:1"), GetOptions::default())];
    let error = backend.get_many(&requests).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign);
}

#[tokio::test]
async fn what_is_said_to_be_foreign_once_is_read_again() {
    let answers = [redis(), wrong_type(), reply("200 OK", "41")];
    let backend = Sidecar::start(answers).await.connect().await;
    let entry = backend.get(&key(), GetOptions::default()).await.unwrap();
    assert_eq!(entry.map(|entry| entry.value), Some(Bytes::from("41")));
}

/// What the Redis component says of a key of another type, and of one that it could not read.
fn wrong_type() -> Answer {
    reply(
        "500 Internal Server Error",
        r#"{"errorCode":"ERR_STATE_GET","message":"WRONGTYPE Operation against a key holding the wrong kind of value"}"#,
    )
}

#[tokio::test]
async fn the_revision_of_a_replaced_write_never_holds() {
    let stored = |value: &str, etag: &str| {
        with_headers("200 OK", &format!("Etag: {etag}\r\n"), &format!(r#""$state\n{value}""#))
    };
    let want = SetOptions { want_revision: true, ..SetOptions::default() };
    // Ours, then another writer's in the place of ours, then no answer at all.
    let answers = [in_memory(), no_content(), stored("1", "e1"), no_content(), stored("2", "e2")];
    let broken = [no_content(), refusal("500 Internal Server Error", "ERR_STATE_GET", "down")];
    let sidecar = Sidecar::start(answers.into_iter().chain(broken)).await;
    let backend = sidecar.connect().await;
    let mine = backend.set(&key(), "1".into(), want.clone()).await.unwrap().unwrap();
    assert!(mine.as_bytes().ends_with(b"e1"));
    for _ in 0..2 {
        let lost = backend.set(&key(), "1".into(), want.clone()).await.unwrap().unwrap();
        let before = sidecar.requests().len();
        let next = SetOptions { condition: Condition::IfRevision(lost), ..SetOptions::default() };
        let error = backend.set(&key(), "3".into(), next).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict { index: 0 });
        assert_eq!(sidecar.requests().len(), before, "it cannot hold, so nothing is sent");
    }
}
