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

#[tokio::test]
async fn a_watch_that_ends_leaves_no_consumer_behind() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "consumers")).await?;
        let stream = raw(server).await?.get_stream("KV_consumers").await?;
        let consumers =
            async || Ok::<_, Box<dyn Error>>(stream.get_info().await?.state.consumer_count);
        let changes = backend.watch(WatchRequest::Prefix(String::new())).await?;
        assert_eq!(consumers().await?, 1);
        drop(changes);
        until("it is forgotten", async || consumers().await.is_ok_and(|count| count == 0)).await;
    }
    Ok(())
}

/// A server that makes every consumer and has nobody to ask it for messages.
#[tokio::test]
async fn consumers_that_are_lost_at_once_are_made_anew_after_longer_and_longer_pauses() -> TestResult
{
    let settings = r#"mappings { "$JS.API.CONSUMER.MSG.NEXT.*.*": "nowhere" }"#;
    let server = Server::builder(Version::V2_15).config(settings).start().await;
    let backend = NatsBackend::connect(config(&server, "state")).await?;
    let start = Instant::now();
    let mut changes = backend.watch(WatchRequest::Prefix(String::new())).await?;
    for _ in 0..5 {
        assert_eq!(next(&mut changes).await?, Change::Everything);
    }
    // Half of 100, 200, 400, 800 and 1,600 milliseconds, at least.
    assert!(start.elapsed() >= Duration::from_millis(1550), "{:?}", start.elapsed());
    Ok(())
}
