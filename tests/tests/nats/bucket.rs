//! Buckets that are created, opened as they are, or refused; and what is to be feared of them.

use super::*;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RetentionPolicy, Source, StorageType, SubjectTransform,
};
use state_runtime::{
    backend::{BatchOp, Capability, RemoveOptions},
    backends::nats::{MissingBucket, Storage},
};

async fn settings(server: &Server, bucket: &str) -> core::result::Result<Config, Box<dyn Error>> {
    let stream = raw(server).await?.get_stream(format!("KV_{bucket}")).await?;
    Ok(stream.cached_info().config.clone())
}

async fn risks(backend: &NatsBackend) -> Result<Vec<&'static str>> {
    Ok(backend.risks().await?.iter().map(state_runtime::backend::Risk::name).collect())
}

#[tokio::test]
async fn a_missing_bucket_is_created_or_refused() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let refuse = config(server, "missing").with_missing_bucket(MissingBucket::Refuse);
        let error = NatsBackend::connect(refuse.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.to_string().contains("`missing`"), "{error}");
        let create = config(server, "missing").with_max_bytes(1 << 20);
        let backend = NatsBackend::connect(create).await?;
        NatsBackend::connect(refuse).await?;
        let found = settings(server, "missing").await?;
        assert_eq!((found.max_messages_per_subject, found.max_bytes), (1, 1 << 20));
        assert_eq!(found.allow_message_ttl, version != Version::V2_9);
        let batches = backend.capabilities().contains(Capability::Batch);
        assert_eq!(batches, version == Version::V2_15);
    }
    Ok(())
}

#[tokio::test]
async fn an_existing_bucket_is_left_as_it_is() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let theirs = Config { max_bytes: 4096, max_messages_per_subject: 5, ..plain("existing") };
        raw(server).await?.create_stream(theirs).await?;
        let before = settings(server, "existing").await?;
        let backend = NatsBackend::connect(config(server, "existing")).await?;
        put(&backend, "a", "1").await?;
        backend.set(&key("b"), "1".into(), lasting(Duration::from_secs(60))).await?;
        assert_eq!(settings(server, "existing").await?, before);
        assert!(!backend.capabilities().contains(Capability::Batch));
        let batch = vec![BatchOp::Remove { key: key("a"), options: RemoveOptions::default() }];
        let refusal = refused(backend.apply(batch)).await;
        assert_eq!(refusal, ErrorKind::Unsupported(Capability::Batch));
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_is_not_as_the_configuration_says_is_refused_and_not_changed() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let theirs = Config { max_bytes: 4096, max_messages_per_subject: 1, ..plain("different") };
        raw(server).await?.create_stream(theirs).await?;
        let before = settings(server, "different").await?;
        let config = || config(server, "different");
        for (config, setting, found, asked) in [
            (config().with_replicas(3), "`replicas`", "is 1", "not 3"),
            (config().with_storage(Storage::Memory), "`storage`", "is file", "not memory"),
            (config().with_max_bytes(1 << 20), "`max_bytes`", "is 4096", "not 1048576"),
        ] {
            let error = NatsBackend::connect(config).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Foreign, "{error}");
            for part in ["bucket `different`", setting, found, asked, "leave"] {
                assert!(error.to_string().contains(part), "{part:?} is not in {error}");
            }
        }
        let same = config().with_replicas(1).with_storage(Storage::File).with_max_bytes(4096);
        NatsBackend::connect(same).await?;
        assert_eq!(settings(server, "different").await?, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_no_bucket_is_refused() -> TestResult {
    let server = Server::shared(Version::V2_15).await;
    let stream = Config { subjects: vec!["orders.>".to_owned()], ..plain("orders") };
    raw(server).await?.create_stream(stream).await?;
    let refusal = refused(NatsBackend::connect(config(server, "orders"))).await;
    assert_eq!(refusal, ErrorKind::Foreign);
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_cannot_work_is_refused_and_the_setting_is_named() -> TestResult {
    let server = Server::shared(Version::V2_15).await;
    let theirs = || plain("unfit");
    let transform = SubjectTransform { source: "$KV.unfit.>".into(), destination: "b.>".into() };
    let counters = Config { allow_message_counter: true, discard: DiscardPolicy::Old, ..theirs() };
    for (unfit, setting) in [
        (Config { retention: RetentionPolicy::WorkQueue, ..theirs() }, "`retention`"),
        (Config { retention: RetentionPolicy::Interest, ..theirs() }, "`retention`"),
        (Config { no_ack: true, ..theirs() }, "`no_ack`"),
        (Config { subject_transform: Some(transform), ..theirs() }, "`subject_transform`"),
        (counters, "`allow_msg_counter`"),
        (Config { discard_new_per_subject: true, ..theirs() }, "`discard_new_per_subject`"),
        (Config { max_message_size: 256, ..theirs() }, "`max_msg_size`"),
    ] {
        raw(server).await?.create_stream(unfit).await?;
        let error = NatsBackend::connect(config(server, "unfit")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Foreign, "{setting}");
        assert!(error.message().contains("bucket `unfit`"), "{error}");
        assert!(error.message().contains(setting), "{error}");
        raw(server).await?.delete_stream("KV_unfit").await?;
    }
    Ok(())
}

/// Neither is used here, so it does not matter whether it is allowed.
#[tokio::test]
async fn a_bucket_that_forbids_removing_messages_works() -> TestResult {
    for (bucket, denied) in [("forbids", true), ("allows", false)] {
        let server = Server::shared(Version::V2_15).await;
        let theirs = Config {
            deny_delete: denied,
            deny_purge: denied,
            allow_rollup: !denied,
            ..plain(bucket)
        };
        raw(server).await?.create_stream(theirs).await?;
        let backend = NatsBackend::connect(config(server, bucket)).await?;
        put(&backend, "a", "1").await?;
        backend.remove(&key("a"), RemoveOptions::default()).await?;
        assert_eq!(value(&backend, "a").await?, None);
        assert_eq!(risks(&backend).await?, ["single-replica"]);
    }
    Ok(())
}

#[tokio::test]
async fn the_risks_of_a_bucket_are_told() -> TestResult {
    let server = Server::shared(Version::V2_11).await;
    let sound = NatsBackend::connect(config(server, "sound")).await?;
    assert_eq!(risks(&sound).await?, ["single-replica"]);
    assert!(sound.capabilities().contains(Capability::Durable));
    let memory = config(server, "memory").with_storage(Storage::Memory);
    let memory = NatsBackend::connect(memory).await?;
    assert_eq!(risks(&memory).await?, ["memory-storage", "single-replica"]);
    assert!(!memory.capabilities().contains(Capability::Durable));
    let unsound = Config {
        max_age: Duration::from_secs(3600),
        max_bytes: 1 << 20,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        ..plain("unsound")
    };
    raw(server).await?.create_stream(unsound).await?;
    let unsound = NatsBackend::connect(config(server, "unsound")).await?;
    assert_eq!(risks(&unsound).await?, ["max-age", "discard-old", "single-replica"]);
    let server = Server::shared(Version::V2_15).await;
    let hasty = Config { persist_mode: Some(PersistenceMode::Async), ..plain("hasty") };
    raw(server).await?.create_stream(hasty).await?;
    let hasty = NatsBackend::connect(config(server, "hasty")).await?;
    assert_eq!(risks(&hasty).await?, ["asynchronous-writes", "single-replica"]);
    let origin = Source { name: "KV_hasty".into(), ..Source::default() };
    let fed = Config { sources: Some(vec![origin]), ..plain("fed") };
    raw(server).await?.create_stream(fed).await?;
    let fed = NatsBackend::connect(config(server, "fed")).await?;
    assert_eq!(risks(&fed).await?, ["sources", "single-replica"]);
    Ok(())
}

#[tokio::test]
async fn a_server_without_jetstream_has_no_buckets() -> TestResult {
    let server = Server::builder(Version::V2_15).config("jetstream: false").start().await;
    let error = NatsBackend::connect(config(&server, "state")).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Missing | ErrorKind::Unavailable),
        "it is told in words: {error}"
    );
    assert!(error.to_string().contains("JetStream"), "{error}");
    Ok(())
}
