//! Keys that hold something else than a string.

use super::*;
use state_runtime::backend::{BatchOp, RemoveOptions, Revision, Want};

async fn with_a_hash(
    flavour: Flavour,
    name: &str,
) -> core::result::Result<RedisBackend, Box<dyn Error>> {
    let server = Server::shared(flavour).await;
    server.command::<()>(&["DEL", name]).await?;
    server.command::<()>(&["HSET", name, "field", "canary-71b"]).await?;
    Ok(connect(server).await?)
}

#[tokio::test]
async fn a_hash_is_foreign_to_every_read() -> TestResult {
    for flavour in Flavour::ALL {
        let backend = with_a_hash(flavour, "foreign:read").await?;
        let hash = key("foreign:read");
        for (want, renew) in [
            (Want::VALUE, None),
            (Want::REVISION, None),
            (Want::EXPIRY, None),
            (Want::ALL, Some(Duration::from_secs(60))),
            (Want::VALUE, Some(Duration::from_secs(60))),
        ] {
            let options = GetOptions { want, renew };
            let error = backend.get(&hash, options).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Foreign, "{options:?}");
            assert!(!format!("{error} {error:?}").contains("canary"));
            let many = [(key("foreign:none"), options), (hash.clone(), options)];
            assert_eq!(refused(backend.get_many(&many)).await, ErrorKind::Foreign, "{options:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_hash_is_foreign_to_writes_that_look_at_it() -> TestResult {
    for flavour in Flavour::ALL {
        let backend = with_a_hash(flavour, "foreign:write").await?;
        let hash = key("foreign:write");
        assert_eq!(refused(backend.add(&hash, plus(1))).await, ErrorKind::Foreign);
        let condition = Condition::IfRevision(Revision::from(1_u64));
        let replace = SetOptions { condition: condition.clone(), ..SetOptions::default() };
        let set = backend.set(&hash, "1".into(), replace.clone());
        assert_eq!(refused(set).await, ErrorKind::Foreign);
        let remove = backend.remove(&hash, RemoveOptions { condition });
        assert_eq!(refused(remove).await, ErrorKind::Foreign);
        let batch = vec![
            BatchOp::Set {
                key: key("foreign:other"),
                value: "1".into(),
                options: SetOptions::default(),
            },
            BatchOp::Set { key: hash.clone(), value: "1".into(), options: replace },
        ];
        assert_eq!(refused(backend.apply(batch)).await, ErrorKind::Foreign);
        assert_eq!(value(&backend, "foreign:other").await?, None, "a batch applies all or nothing");
        let create = backend.set(&hash, "1".into(), create());
        assert_eq!(refused(create).await, ErrorKind::Conflict { index: 0 });
        assert!(backend.exists(&hash).await?);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_beside_a_hash_is_read_all_the_same() -> TestResult {
    for flavour in Flavour::ALL {
        let backend = with_a_hash(flavour, "foreign:beside").await?;
        put(&backend, "foreign:there", "1").await?;
        let requests: Vec<_> = ["foreign:there", "foreign:nowhere"]
            .map(|name| (key(name), GetOptions::default()))
            .into();
        let found = backend.get_many(&requests).await?;
        let found: Vec<_> = found.iter().map(|entry| entry.as_ref().map(text)).collect();
        assert_eq!(found, [Some("1".to_owned()), None]);
    }
    Ok(())
}
