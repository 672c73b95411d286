//! Sizes: of a message, and of a bucket.

use super::*;

#[tokio::test]
async fn a_value_above_the_limit_of_the_server_is_too_large() -> TestResult {
    for version in Version::ALL {
        let server = Server::builder(version).config("max_payload: 1024").start().await;
        let backend = NatsBackend::connect(config(&server, "small")).await?;
        put(&backend, "a", &"x".repeat(1024)).await?;
        let large = refused(put(&backend, "a", &"y".repeat(1025))).await;
        assert_eq!(large, ErrorKind::TooLarge { size: 1025, limit: 1024 });
        // With its headers it does not fit.
        let options = lasting(Duration::from_secs(60));
        let large = refused(backend.set(&key("a"), "z".repeat(1024).into(), options)).await;
        assert!(matches!(large, ErrorKind::TooLarge { .. }), "{large:?}");
        assert_eq!(value(&backend, "a").await?.map(|value| value.len()), Some(1024));
        put(&backend, "a", "1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_full_bucket_takes_no_writes() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "full").with_max_bytes(4096)).await?;
        put(&backend, "kept", "1").await?;
        let mut refusal = None;
        for i in 0..64 {
            let written = put(&backend, &format!("a:{i}"), &"x".repeat(200)).await;
            refusal = refusal.or(written.err().map(|error| error.kind()));
        }
        assert_eq!(refusal, Some(ErrorKind::ReadOnly), "{version:?}");
        assert_eq!(value(&backend, "kept").await?.as_deref(), Some("1"));
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_too_long_for_a_subject_is_refused_before_it_is_sent() -> TestResult {
    let server = Server::shared(Version::V2_15).await;
    let backend = NatsBackend::connect(config(server, "long")).await?;
    put(&backend, &"{".repeat(1024), "1").await?;
    assert_eq!(value(&backend, &"{".repeat(1024)).await?.as_deref(), Some("1"));
    let long = refused(put(&backend, &" ".repeat(1024), "1")).await;
    assert_eq!(long, ErrorKind::InvalidKey);
    put(&backend, "a", "1").await?;
    Ok(())
}

#[tokio::test]
async fn a_value_above_the_limit_of_the_bucket_is_too_large() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let small =
            async_nats::jetstream::stream::Config { max_message_size: 300, ..plain("narrow") };
        raw(server).await?.create_stream(small).await?;
        let backend = NatsBackend::connect(config(server, "narrow")).await?;
        put(&backend, "a", &"x".repeat(300)).await?;
        let error = put(&backend, "a", &"y".repeat(301)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge { size: 301, limit: 300 });
        assert!(error.message().contains("`max_msg_size`"), "{error}");
        // With its headers it does not fit.
        let options = lasting(Duration::from_secs(60));
        let large = refused(backend.set(&key("a"), "z".repeat(300).into(), options)).await;
        assert!(matches!(large, ErrorKind::TooLarge { limit: 300, .. }), "{large:?}");
        assert_eq!(value(&backend, "a").await?, Some("x".repeat(300)));
    }
    Ok(())
}
