//! Batches of which a message cannot be sent: nothing of them is.

use super::*;
use futures_util::StreamExt as _;
use state_runtime::backend::BatchOp;

fn ops<'a>(names: impl IntoIterator<Item = (&'a str, String)>) -> Vec<BatchOp> {
    let set = |(name, value): (&str, String)| BatchOp::Set {
        key: key(name),
        value: value.into(),
        options: SetOptions::default(),
    };
    names.into_iter().map(set).collect()
}

#[tokio::test]
async fn a_batch_with_a_message_that_is_too_large_is_refused_before_anything_is_sent() -> TestResult
{
    let server = Server::builder(Version::V2_15).config("max_payload: 1024").start().await;
    let backend = NatsBackend::connect(config(&server, "state")).await?;
    let client = async_nats::connect(server.url()).await?;
    let mut sent = client.subscribe("$KV.state.>").await?;
    // On one connection the server takes one thing after the other: what comes back proves that it
    // has taken the subscription before.
    let mut echo = client.subscribe("echo").await?;
    client.publish("echo", "".into()).await?;
    tokio::time::timeout(PATIENCE, echo.next()).await?.ok_or("it is connected")?;
    let batch = ops([("a", "1".into()), ("b", "x".repeat(1000)), ("c", "2".into())]);
    let refusal = refused(backend.apply(batch)).await;
    assert!(matches!(refusal, ErrorKind::TooLarge { limit: 1024, .. }), "{refusal:?}");
    put(&backend, "d", "3").await?;
    let first = tokio::time::timeout(PATIENCE, sent.next()).await?.ok_or("it is connected")?;
    assert_eq!(first.subject.as_str(), "$KV.state.d");
    Ok(())
}

#[tokio::test]
async fn a_batch_with_a_message_that_may_not_be_sent_is_denied() -> TestResult {
    const RIGHTS: &str = r#"authorization { users: [
      { user: "me", password: "secret", permissions: { publish: { deny: ["$KV.state.no.>"] } } }
    ] }"#;
    let server = Server::builder(Version::V2_15).config(RIGHTS).start().await;
    let backend = NatsBackend::connect(config(&server, "state").with_user("me", "secret")).await?;
    let names: Vec<_> = (0..300).map(|i| format!("no:{i}")).collect();
    let all_of_many: Vec<_> = names.iter().map(String::as_str).collect();
    let batches =
        [vec!["no:1", "a", "b"], vec!["a", "no:1", "b"], vec!["a", "b", "no:1"], all_of_many];
    for names in batches {
        let batch = ops(names.iter().map(|&name| (name, "1".to_owned())));
        assert_eq!(refused(backend.apply(batch)).await, ErrorKind::Denied, "{names:?}");
        for name in names {
            assert_eq!(value(&backend, name).await?, None, "{name}");
        }
    }
    backend.apply(ops([("a", "1".to_owned()), ("b", "1".to_owned())])).await?;
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    Ok(())
}
