//! What concerns NATS alone: a bucket that the other side has made.

use async_nats::jetstream::{self, stream::Config};
use state_runtime::{StateError, prelude::*};
use tests::servers::nats::{Server, Version};

use crate::{
    pair::{BUCKET, Pair, until},
    types::Code,
};

/// How the bucket is set up, as the server says.
async fn settings() -> Config {
    let server = Server::shared(Version::V2_11).await;
    let context = jetstream::new(async_nats::connect(server.address()).await.unwrap());
    let stream = context.get_stream(format!("KV_{BUCKET}")).await.unwrap();
    stream.cached_info().config.clone()
}

#[tokio::test]
async fn the_bucket_of_the_other_side_is_used_as_it_is() {
    let Some(before) = Pair::on_nats("as_it_is").await else { return };
    drop(before);
    let found = settings().await;
    let pair = Pair::on_nats("as_it_is").await.expect("node was there before");
    let name = pair.name("code");
    pair.ours.set(&Code { name, digits: "4711".to_owned() }).await.unwrap();
    assert!(!found.allow_message_ttl);
    assert_eq!(settings().await, found);
}

#[tokio::test]
async fn what_has_expired_here_is_still_there_for_typescript() {
    let Some(pair) = Pair::on_nats("expired").await else { return };
    let name = pair.name("code");
    pair.ours.set(&Code { name: name.clone(), digits: "4711".to_owned() }).await.unwrap();
    until(async || pair.ours.get(Code::key(name.as_str())).await.unwrap().is_none()).await;
    // It knows nothing of the header that says until when, and its bucket removes nothing by itself.
    let read = pair.theirs.get(&format!("code.{name}")).unwrap();
    assert_eq!(read.as_deref(), Some(r#"{"digits":"4711"}"#));
    pair.ours.remove(Code::key(name.as_str())).await.unwrap();
    assert_eq!(pair.theirs.get(&format!("code.{name}")).unwrap(), None);
}

#[tokio::test]
async fn a_name_that_the_server_does_not_take_is_refused_by_both() {
    let Some(pair) = Pair::on_nats("refused").await else { return };
    let refusal = pair.theirs.set("colon:abc", "1").unwrap_err();
    assert_eq!(refusal.status, 500);
    let error = pair.ours.set(&Colon { name: "abc".to_owned(), value: 1 }).await.unwrap_err();
    assert!(matches!(error, StateError::InvalidKey { .. }), "{error:?}");
}

#[derive(Debug, StateKey, Validate)]
#[state(key = "colon:{name}", persistent)]
struct Colon {
    #[garde(skip)]
    name: String,
    #[state(value)]
    #[garde(skip)]
    value: u32,
}
