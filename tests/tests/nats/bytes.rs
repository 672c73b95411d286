//! What is stored, as clients of others see it, and what they store, as it is seen here.

use super::*;
use state_runtime::backend::{Cursor, RemoveOptions, ScanRequest};

const NAMES: [(&str, &str); 4] = [
    ("session:abc", "session.abc"),
    ("/acme/session:a=2Eb", "/acme/session.a=2Eb"),
    ("user:{tag}.x", "user.=7btag=7d=2ex"),
    ("=health", "=3dhealth"),
];

#[tokio::test]
async fn others_read_what_is_written_here() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "written")).await?;
        let store = store(server, "written").await?;
        for (key, name) in NAMES {
            put(&backend, key, "{\"a\":1}").await?;
            assert_eq!(store.get(name).await?.as_deref(), Some(b"{\"a\":1}".as_slice()), "{name}");
        }
        backend.remove(&key("session:abc"), RemoveOptions::default()).await?;
        let entry = store.entry("session.abc").await?.ok_or("the marker is there")?;
        assert_eq!(entry.operation, kv::Operation::Delete);
    }
    Ok(())
}

#[tokio::test]
async fn what_others_write_is_read_here() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "read")).await?;
        let store = store(server, "read").await?;
        for (key, name) in NAMES {
            store.put(name, "1".into()).await?;
            assert_eq!(value(&backend, key).await?.as_deref(), Some("1"), "{key}");
        }
        let read = revision(&backend, "session:abc").await?.ok_or("it is there")?;
        store.delete("session.abc").await?;
        assert_eq!(value(&backend, "session:abc").await?, None);
        let conflict = refused(backend.set(&key("session:abc"), "2".into(), replace(read))).await;
        assert_eq!(conflict, ErrorKind::Conflict { index: 0 });
        backend.set(&key("session:abc"), "3".into(), create()).await?;
        store.purge("session.abc").await?;
        assert_eq!(value(&backend, "session:abc").await?, None);
        backend.set(&key("session:abc"), "4".into(), create()).await?;
        assert_eq!(store.get("session.abc").await?.as_deref(), Some(b"4".as_slice()));
    }
    Ok(())
}

#[tokio::test]
async fn names_that_are_no_keys_are_left_out_of_a_scan() -> TestResult {
    let server = Server::shared(Version::V2_15).await;
    let backend = NatsBackend::connect(config(server, "names")).await?;
    let store = store(server, "names").await?;
    for name in ["a.b", "a.=zz", "a.=ff", "a.=6a"] {
        store.put(name, "1".into()).await?;
    }
    let listed = scan(&backend, "").await?;
    let keys: Vec<_> = listed.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a:b"]);
    Ok(())
}

#[tokio::test]
async fn a_verbatim_key_is_sent_as_it_is_or_not_at_all() -> TestResult {
    use state_runtime::backends::nats::KeyMapping;
    let server = Server::shared(Version::V2_11).await;
    let config = config(server, "verbatim").with_key_mapping(KeyMapping::Verbatim);
    let backend = NatsBackend::connect(config).await?;
    put(&backend, "session.abc", "1").await?;
    let store = store(server, "verbatim").await?;
    assert_eq!(store.get("session.abc").await?.as_deref(), Some(b"1".as_slice()));
    for name in ["session:abc", "session.*", ">", "*", "", "a..b", ".a", "a.", "a b", "{a}"] {
        assert_eq!(refused(put(&backend, name, "2")).await, ErrorKind::InvalidKey, "{name}");
        assert_eq!(refused(value(&backend, name)).await, ErrorKind::InvalidKey, "{name}");
        let key = key(name);
        let removed = backend.remove(&key, RemoveOptions::default());
        assert_eq!(refused(removed).await, ErrorKind::InvalidKey, "{name}");
    }
    assert_eq!(value(&backend, "session.abc").await?.as_deref(), Some("1"));
    Ok(())
}

#[tokio::test]
async fn a_scan_lists_the_last_value_of_a_bucket_that_keeps_earlier_ones() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let history = async_nats::jetstream::stream::Config {
            max_messages_per_subject: 5,
            ..plain("history")
        };
        raw(server).await?.create_stream(history).await?;
        let backend = NatsBackend::connect(config(server, "history")).await?;
        for round in 0..3 {
            put(&backend, "a:1", &format!("first {round}")).await?;
            put(&backend, "a:2", &format!("second {round}")).await?;
        }
        backend.remove(&key("a:2"), RemoveOptions::default()).await?;
        let found = scan(&backend, "a:").await?;
        assert_eq!(found, [("a:1".to_owned(), "first 2".to_owned())]);
    }
    Ok(())
}

#[tokio::test]
async fn a_page_holds_a_few_mebibytes_at_most() -> TestResult {
    for version in Version::ALL {
        let server = Server::shared(version).await;
        let backend = NatsBackend::connect(config(server, "large")).await?;
        let large = "x".repeat(1_000_000);
        for i in 0..12 {
            put(&backend, &format!("a:{i}"), &large).await?;
        }
        let first = backend.scan(request("a:", None)).await?;
        let size: usize = first.entries.iter().map(|(_, entry)| entry.value.len()).sum();
        assert!((1..=6_000_000).contains(&size), "{size} on {version:?}");
        assert_eq!(scan(&backend, "a:").await?.len(), 12);
    }
    Ok(())
}

fn request(prefix: &str, cursor: Option<Cursor>) -> ScanRequest {
    ScanRequest { prefix: prefix.to_owned(), cursor, limit: 1000, want: Want::VALUE }
}

/// All pages of a scan together.
pub(super) async fn scan(backend: &NatsBackend, prefix: &str) -> Result<Vec<(String, String)>> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = backend.scan(request(prefix, cursor)).await?;
        found.extend(page.entries.into_iter().map(|(key, entry)| {
            (key.into_string(), String::from_utf8_lossy(&entry.value).into_owned())
        }));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}
