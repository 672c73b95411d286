//! Buckets that take the place of one of the same name, whose sequences begin again.

use super::*;

#[tokio::test]
async fn a_revision_of_a_bucket_that_was_removed_never_holds_in_the_next_one() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        raw(server).await?.create_stream(plain("anew")).await?;
        let backend = NatsBackend::connect(config(server, "anew")).await?;
        put(&backend, "a", "1").await?;
        let old = revision(&backend, "a").await?.ok_or("it is there")?;
        let sequence = store(server, "anew").await?.entry("a").await?.map(|entry| entry.revision);
        raw(server).await?.delete_stream("KV_anew").await?;
        raw(server).await?.create_stream(plain("anew")).await?;
        let again = store(server, "anew").await?.put("a", "2".into()).await?;
        assert_eq!(sequence, Some(again), "the sequence is that of the old entry");

        let other = NatsBackend::connect(config(server, "anew")).await?;
        let conflict = refused(other.set(&key("a"), "3".into(), replace(old.clone()))).await;
        assert_eq!(conflict, ErrorKind::Conflict { index: 0 });
        // Nobody tells when the one that was connected throughout hears of it.
        until("it is noticed", async || {
            revision(&backend, "a").await.is_ok_and(|new| new.is_some_and(|new| new != old))
        })
        .await;
        let conflict = refused(backend.set(&key("a"), "3".into(), replace(old))).await;
        assert_eq!(conflict, ErrorKind::Conflict { index: 0 });
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("2"));
        let new = revision(&backend, "a").await?.ok_or("it is there")?;
        backend.set(&key("a"), "4".into(), replace(new)).await?;
    }
    Ok(())
}

/// One that may not hear of removals finds out by the sequence of what it writes.
#[tokio::test]
async fn a_sequence_that_goes_backwards_tells_of_another_bucket() -> TestResult {
    const RIGHTS: &str = r#"authorization { users: [
      { user: "admin", password: "secret" },
      { user: "me", password: "secret", permissions: { subscribe: { deny: ["$JS.EVENT.>"] } } }
    ] }"#;
    for version in Version::ALL {
        let server = Server::builder(version).config(RIGHTS).start().await;
        let login =
            async_nats::ConnectOptions::with_user_and_password("admin".into(), "secret".into());
        let admin = jetstream::new(login.connect(server.url()).await?);
        admin.create_stream(plain("state")).await?;
        let backend =
            NatsBackend::connect(config(&server, "state").with_user("me", "secret")).await?;
        put(&backend, "a", "1").await?;
        put(&backend, "a", "2").await?;
        let old = revision(&backend, "a").await?.ok_or("it is there")?;
        admin.delete_stream("KV_state").await?;
        admin.create_stream(plain("state")).await?;
        put(&backend, "b", "1").await?;
        let again = admin.get_key_value("state").await?.put("a", "3".into()).await?;
        assert_eq!(again, 2, "the sequence is that of the old entry");
        until("it is a conflict", async || {
            let replaced = refused(backend.set(&key("a"), "4".into(), replace(old.clone()))).await;
            assert!(
                replaced == ErrorKind::Unavailable || replaced == ErrorKind::Conflict { index: 0 }
            );
            replaced != ErrorKind::Unavailable
        })
        .await;
        assert_eq!(value(&backend, "a").await?.as_deref(), Some("3"));
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_is_created_here_does_not_repeat_the_sequences_of_an_earlier_one()
-> TestResult {
    for version in [Version::V2_11, Version::V2_15] {
        let server = Server::shared(version).await;
        let write = async || -> core::result::Result<u64, Box<dyn Error>> {
            let backend = NatsBackend::connect(config(server, "again")).await?;
            put(&backend, "a", "1").await?;
            let entry = store(server, "again").await?.entry("a").await?;
            Ok(entry.ok_or("it is there")?.revision)
        };
        let (first, second) = (write().await?, write().await?);
        assert_eq!(second, first + 1);
        raw(server).await?.delete_stream("KV_again").await?;
        assert!(write().await? > second);
    }
    Ok(())
}
