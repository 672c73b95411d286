//! Times to live: a header that everybody here goes by, and the server that collects later.

use super::*;
use crate::bytes::scan;
use async_nats::HeaderMap;
use state_runtime::backend::Expiry;

/// The stored headers of an entry.
async fn headers(
    server: &Server,
    bucket: &str,
    name: &str,
) -> core::result::Result<HeaderMap, Box<dyn Error>> {
    let stream = raw(server).await?.get_stream(format!("KV_{bucket}")).await?;
    let subject = format!("$KV.{bucket}.{name}");
    Ok(stream.get_last_raw_message_by_subject(&subject).await?.headers)
}

async fn expiry(backend: &NatsBackend, name: &str) -> Result<Option<Expiry>> {
    backend.expiry(&key(name)).await
}

#[tokio::test]
async fn the_header_tells_the_expiry_and_the_server_comes_later() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "headers")).await?;
        let options = lasting(Duration::from_millis(2500));
        backend.set(&key("a"), "1".into(), options).await?;
        let headers = headers(server, "headers", "a").await?;
        let written = headers.get("State-Expires").map(async_nats::HeaderValue::as_str);
        let Some(Expiry::At(at)) = expiry(&backend, "a").await? else {
            return Err("it expires".into());
        };
        assert_eq!(written, Some(at.as_millis().to_string().as_str()));
        let ttl = headers.get("Nats-TTL").map(async_nats::HeaderValue::as_str);
        // At least the whole life and a second, in whole seconds.
        let expected = if version == Version::V2_9 { None } else { Some("4s") };
        assert_eq!(ttl, expected, "{version:?}");
    }
    Ok(())
}

/// An entry that is updated all the time must not live longer for it.
#[tokio::test]
async fn an_update_that_keeps_the_expiry_keeps_it_to_the_millisecond() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "keep")).await?;
        let options = lasting(Duration::from_secs(100));
        backend.set(&key("a"), "0".into(), options).await?;
        let first = expiry(&backend, "a").await?;
        for round in 0..10 {
            let options = SetOptions { ttl: TtlChange::Keep, ..SetOptions::default() };
            backend.set(&key("a"), format!("{round}").into(), options).await?;
            let read = revision(&backend, "a").await?.ok_or("it is there")?;
            let options = SetOptions { ttl: TtlChange::Keep, ..replace(read) };
            backend.set(&key("a"), "x".into(), options).await?;
        }
        assert_eq!(expiry(&backend, "a").await?, first);
        let ttl = headers(server, "keep", "a").await?.get("Nats-TTL").is_some();
        assert_eq!(ttl, version != Version::V2_9, "a write without it would live for ever");
    }
    Ok(())
}

#[tokio::test]
async fn the_server_collects_what_has_expired() -> TestResult {
    for version in [Version::V2_11, Version::V2_15] {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "collected")).await?;
        backend.set(&key("a"), "1".into(), lasting(Duration::from_millis(300))).await?;
        let stream = raw(server).await?.get_stream("KV_collected").await?;
        until("the message is gone", async || {
            stream.get_info().await.is_ok_and(|info| info.state.messages == 0)
        })
        .await;
        backend.set(&key("a"), "2".into(), create()).await?;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("2"));
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_of_somebody_else_expires_entries_too() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        raw(server).await?.create_stream(plain("theirs")).await?;
        let backend = NatsBackend::connect(config(server, "theirs")).await?;
        let options =
            SetOptions { condition: Condition::IfAbsent, ..lasting(Duration::from_millis(200)) };
        backend.set(&key("a"), "1".into(), options.clone()).await?;
        let again = refused(backend.set(&key("a"), "2".into(), options.clone())).await;
        assert_eq!(again, ErrorKind::Conflict { index: 0 });
        until("it expires", async || value(&backend, "a").await.is_ok_and(|found| found.is_none()))
            .await;
        // It is stored, and absent all the same.
        let stored = headers(server, "theirs", "a").await?;
        assert!(stored.get("State-Expires").is_some() && stored.get("Nats-TTL").is_none());
        backend.set(&key("a"), "3".into(), options).await?;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("3"));
    }
    Ok(())
}

/// The server leaves a marker where it removed a message, and with it another last sequence.
#[tokio::test]
async fn an_entry_is_created_over_a_marker_of_the_server() -> TestResult {
    for version in [Version::V2_11, Version::V2_15] {
        let server = Server::shared(version).await;
        let marking = async_nats::jetstream::stream::Config {
            allow_message_ttl: true,
            subject_delete_marker_ttl: Some(Duration::from_secs(60)),
            ..plain("marked")
        };
        raw(server).await?.create_stream(marking).await?;
        let backend = NatsBackend::connect(config(server, "marked")).await?;
        backend.set(&key("a"), "1".into(), lasting(Duration::from_millis(300))).await?;
        until("the marker is there", async || {
            headers(server, "marked", "a")
                .await
                .is_ok_and(|headers| headers.get("Nats-Marker-Reason").is_some())
        })
        .await;
        assert_eq!(value(&backend, "a").await?, None);
        backend.set(&key("a"), "2".into(), create()).await?;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("2"));
    }
    Ok(())
}

/// Nobody can tell whether it is there: it is neither shown nor taken for absent.
#[tokio::test]
async fn an_entry_whose_expiry_is_no_time_is_foreign_and_ends_no_scan() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "strange")).await?;
        put(&backend, "a", "1").await?;
        let mut headers = HeaderMap::new();
        headers.insert("State-Expires", "soon");
        let strange = raw(server).await?;
        strange.publish_with_headers("$KV.strange.b", headers, "2".into()).await?.await?;
        put(&backend, "c", "3").await?;
        let error = value(&backend, "b").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Foreign);
        assert!(error.message().contains("`State-Expires`"), "{error}");
        let created = refused(backend.set(&key("b"), "4".into(), create())).await;
        assert_eq!(created, ErrorKind::Foreign);
        let keys = async || -> Result<Vec<String>> {
            Ok(scan(&backend, "").await?.into_iter().map(|(key, _)| key).collect())
        };
        assert_eq!(keys().await?, ["a", "c"], "{version:?}");
        put(&backend, "b", "5").await?;
        assert_eq!(value(&backend, "b").await?.as_deref(), Some("5"));
        assert_eq!(keys().await?, ["a", "c", "b"], "in the order of their writes");
    }
    Ok(())
}
