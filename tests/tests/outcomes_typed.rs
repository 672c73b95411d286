//! What the typed store makes of a server that fails: the right variant of `StateError`.

use core::time::Duration;
use std::time::Instant;

use garde::Validate;
use state_runtime::{
    StateError,
    backends::{RedisBackend, RedisConfig},
    prelude::*,
};
use tests::{
    proxy::{Action, Direction, Fault, Proxy},
    servers::redis::{Flavour, Server},
};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "outcome:{name}", persistent)]
struct Outcome {
    #[garde(length(min = 1))]
    name: String,
    #[garde(skip)]
    text: String,
}

fn outcome(name: &str, text: &str) -> Outcome {
    Outcome { name: name.to_owned(), text: text.to_owned() }
}

/// A store behind a proxy, in front of a server of its own.
async fn setup() -> TestResult<(Server, Proxy, StateStore<RedisBackend>)> {
    let server = Server::start(Flavour::Valkey9).await;
    let proxy = Proxy::start(server.address()).await;
    let config = RedisConfig::new(proxy.address());
    let store = StateStore::new(RedisBackend::connect(config).await?)?;
    Ok((server, proxy, store))
}

/// Waits until the store works again.
async fn recover(store: &StateStore<RedisBackend>) -> TestResult {
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = store.set(&outcome("probe", "")).await {
        assert!(Instant::now() < deadline, "the store does not work again: {error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_write_without_an_answer_is_indeterminate_and_not_to_be_repeated() -> TestResult {
    let (_server, proxy, store) = setup().await?;
    store.set(&outcome("a", "old")).await?;
    proxy.arm(Fault::new(Direction::ToClient, 0, Action::Reset));
    let error = store.set(&outcome("a", "new")).await.unwrap_err();
    assert!(matches!(error, StateError::Indeterminate { .. }), "{error:?}");
    assert!(!error.is_retryable());
    assert_eq!(error.key().map(ToString::to_string).as_deref(), Some("outcome:a"));
    recover(&store).await?;
    assert_eq!(store.get(Outcome::key("a")).await?, Some(outcome("a", "new")));
    Ok(())
}

#[tokio::test]
async fn a_creation_without_an_answer_does_not_already_exist() -> TestResult {
    let (_server, proxy, store) = setup().await?;
    store.set(&outcome("probe", "")).await?;
    proxy.arm(Fault::new(Direction::ToClient, 0, Action::Reset));
    let error = store.create(&outcome("a", "new")).await.unwrap_err();
    assert!(matches!(error, StateError::Indeterminate { .. }), "{error:?}");
    recover(&store).await?;
    let error = store.create(&outcome("a", "newer")).await.unwrap_err();
    assert!(matches!(error, StateError::AlreadyExists { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_read_without_an_answer_is_unavailable_and_may_be_repeated() -> TestResult {
    let (_server, proxy, store) = setup().await?;
    store.set(&outcome("a", "old")).await?;
    for direction in [Direction::ToServer, Direction::ToClient] {
        proxy.arm(Fault::new(direction, 1, Action::Reset));
        let error = store.get(Outcome::key("a")).await.unwrap_err();
        assert!(matches!(error, StateError::Unavailable { .. }), "{error:?}");
        assert!(error.is_retryable());
        recover(&store).await?;
    }
    assert_eq!(store.get(Outcome::key("a")).await?, Some(outcome("a", "old")));
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable_for_reads_and_writes_alike() -> TestResult {
    let (_server, proxy, store) = setup().await?;
    proxy.refuse().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match store.set(&outcome("a", "lost")).await {
            Err(StateError::Unavailable { .. }) => break,
            other => assert!(Instant::now() < deadline, "{other:?}"),
        }
    }
    let error = store.get(Outcome::key("a")).await.unwrap_err();
    assert!(matches!(error, StateError::Unavailable { .. }), "{error:?}");
    let error = store.remove(Outcome::key("a")).await.unwrap_err();
    assert!(matches!(error, StateError::Unavailable { .. }) && error.is_retryable(), "{error:?}");
    proxy.accept().await;
    recover(&store).await?;
    Ok(())
}

#[tokio::test]
async fn the_deadline_of_a_store_makes_a_write_indeterminate_and_a_read_time_out() -> TestResult {
    let (_server, proxy, store) = setup().await?;
    store.set(&outcome("a", "old")).await?;
    let backend = store.backend().clone();
    let hasty = StateStore::builder(backend).deadline(Duration::from_millis(200)).build()?;
    proxy.arm(Fault::new(Direction::ToClient, 0, Action::Hold));
    let error = hasty.set(&outcome("a", "new")).await.unwrap_err();
    assert!(matches!(error, StateError::Indeterminate { .. }), "{error:?}");
    let error = hasty.get(Outcome::key("a")).await.unwrap_err();
    assert!(matches!(error, StateError::Timeout { .. }) && error.is_retryable(), "{error:?}");
    // The answers that nobody waits for any more are not given to those who ask next.
    proxy.release();
    assert_eq!(store.get(Outcome::key("a")).await?, Some(outcome("a", "new")));
    Ok(())
}

#[tokio::test]
async fn what_is_not_of_the_type_is_told_from_what_is_not_there() -> TestResult {
    let (server, _proxy, store) = setup().await?;
    server.command::<()>(&["SET", "outcome:text", "not JSON"]).await?;
    let error = store.get(Outcome::key("text")).await.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    server.command::<()>(&["HSET", "outcome:hash", "field", "value"]).await?;
    let error = store.get(Outcome::key("hash")).await.unwrap_err();
    assert!(matches!(error, StateError::Backend { .. }), "{error:?}");
    let both = (Outcome::key("absent"), Outcome::key("hash"));
    let error = store.get_many(both).await.unwrap_err();
    assert!(matches!(error, StateError::Backend { .. }) && !error.is_retryable(), "{error:?}");
    Ok(())
}
