//! Watches of what others do, and across an outage.

use core::future::poll_fn;

use super::*;
use state_runtime::backend::{Change, Changes, WatchRequest};

async fn next(changes: &mut Changes) -> core::result::Result<Change, Box<dyn Error>> {
    let next = poll_fn(|cx| changes.as_mut().poll_next(cx));
    let change = tokio::time::timeout(PATIENCE, next).await?;
    Ok(change.ok_or("the watch goes on")??)
}

#[tokio::test]
async fn what_others_write_and_remove_is_told() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "others")).await?;
        let store = store(server, "others").await?;
        let prefix = WatchRequest::Prefix("session:".to_owned());
        let mut changes = backend.watch(prefix).await?;
        store.put("session.a", "1".into()).await?;
        assert_eq!(next(&mut changes).await?, Change::Key(key("session:a")));
        store.delete("session.a").await?;
        assert_eq!(next(&mut changes).await?, Change::Key(key("session:a")));
    }
    Ok(())
}

#[tokio::test]
async fn an_expiry_of_what_was_there_before_is_told_where_no_server_collects() -> TestResult {
    let server = Server::shared(Version::V2_9).await;
    let backend = NatsBackend::connect(config(server, "clock")).await?;
    let options = lasting(Duration::from_millis(700));
    backend.set(&key("a"), "1".into(), options).await?;
    let mut changes = backend.watch(WatchRequest::Key(key("a"))).await?;
    assert_eq!(next(&mut changes).await?, Change::Key(key("a")));
    assert_eq!(value(&backend, "a").await?, None);
    Ok(())
}

#[tokio::test]
async fn after_an_outage_everything_may_have_changed() -> TestResult {
    for version in Version::ALL {
        let server = Server::start(version).await;
        let backend = NatsBackend::connect(config(&server, "state")).await?;
        let mut changes = backend.watch(WatchRequest::Prefix(String::new())).await?;
        put(&backend, "a", "1").await?;
        assert_eq!(next(&mut changes).await?, Change::Key(key("a")));
        server.restart().await;
        assert_eq!(next(&mut changes).await?, Change::Everything);
        until("it is back", async || put(&backend, "a", "2").await.is_ok()).await;
        while next(&mut changes).await? != Change::Key(key("a")) {}
    }
    Ok(())
}
