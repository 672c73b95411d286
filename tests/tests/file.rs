//! The file backend: what is acknowledged stays, across closing and opening again.

use bytes::Bytes;
use state_runtime::{
    backend::{
        AddOptions, Backend, BatchOp, Condition, ErrorKind, GetOptions, RemoveOptions, Result,
        SetOptions, Want,
    },
    backends::file::FileBackend,
    key::Key,
};

fn key(text: &str) -> Key {
    Key::from_stored(text)
}

async fn put(backend: &FileBackend, name: &str, value: &'static str) -> Result<()> {
    backend.set(&key(name), Bytes::from_static(value.as_bytes()), SetOptions::default()).await?;
    Ok(())
}

async fn value(backend: &FileBackend, name: &str) -> Result<Option<Bytes>> {
    Ok(backend.get(&key(name), GetOptions::default()).await?.map(|entry| entry.value))
}

#[tokio::test]
async fn acknowledged_writes_are_there_after_reopening() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/state");
    let backend = FileBackend::open(&path).await?;
    put(&backend, "a", "1").await?;
    put(&backend, "b", "2").await?;
    backend.remove(&key("a"), RemoveOptions::default()).await?;
    assert_eq!(value(&backend, "b").await?.as_deref(), Some(b"2".as_slice()));
    backend.close().await?;
    assert_eq!(value(&backend, "b").await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(put(&backend, "b", "3").await.unwrap_err().kind(), ErrorKind::Closed);

    let backend = FileBackend::open(&path).await?;
    assert_eq!(value(&backend, "a").await?, None);
    assert_eq!(value(&backend, "b").await?.as_deref(), Some(b"2".as_slice()));
    Ok(())
}

#[tokio::test]
async fn a_revision_never_comes_back() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let backend = FileBackend::open(folder.path()).await?;
        for _ in 0..3 {
            let options = SetOptions { want_revision: true, ..Default::default() };
            let revision = backend.set(&key("a"), Bytes::from_static(b"1"), options).await?;
            let revision = revision.unwrap();
            assert!(seen.insert(revision.clone()), "{revision:?} was handed out twice");
            let read = GetOptions { want: Want::REVISION, renew: None };
            assert_eq!(backend.get(&key("a"), read).await?.unwrap().revision, Some(revision));
            backend.remove(&key("a"), RemoveOptions::default()).await?;
        }
        // Dropped, not closed: the next opening waits for the writer to let go of the folder.
    }
    Ok(())
}

#[tokio::test]
async fn a_conflict_fails_that_write_alone() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(folder.path()).await?;
    let create = || SetOptions { condition: Condition::IfAbsent, ..Default::default() };
    let (name, other) = (key("a"), key("b"));
    let (first, second, third) = tokio::join!(
        backend.set(&name, Bytes::from_static(b"1"), create()),
        backend.set(&name, Bytes::from_static(b"2"), create()),
        backend.set(&other, Bytes::from_static(b"3"), create()),
    );
    first?;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Conflict { index: 0 });
    third?;
    assert_eq!(value(&backend, "a").await?.as_deref(), Some(b"1".as_slice()));
    Ok(())
}

#[tokio::test]
async fn writes_that_share_a_commit_see_those_before_them() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(folder.path()).await?;
    let name = key("n");
    let set = |value: &'static str, condition| {
        let options = SetOptions { condition, want_revision: true, ..SetOptions::default() };
        backend.set(&name, Bytes::from_static(value.as_bytes()), options)
    };
    let one = AddOptions { delta: 1, min: 0, max: 8, ttl: None };
    let batch = |condition| {
        let set = |key, condition| {
            let options = SetOptions { condition, ..SetOptions::default() };
            BatchOp::Set { key, value: Bytes::from_static(b"20"), options }
        };
        backend.apply(vec![set(key("other"), Condition::Always), set(name.clone(), condition)])
    };
    // They are polled in this order, and handed over when they are polled first.
    let written = tokio::join!(
        backend.remove(&name, RemoveOptions::default()),
        set("7", Condition::IfAbsent),
        set("0", Condition::IfAbsent),
        backend.add(&name, one),
        backend.add(&name, one),
        batch(Condition::IfAbsent),
        set("3", Condition::Always),
        backend.add(&name, one),
        batch(Condition::Always),
    );
    written.0?;
    let first = written.1?;
    assert_eq!(written.2.unwrap_err().kind(), ErrorKind::Conflict { index: 0 });
    assert_eq!(written.3?, 8);
    assert_eq!(written.4.unwrap_err().kind(), ErrorKind::OutOfRange);
    assert_eq!(written.5.unwrap_err().kind(), ErrorKind::Conflict { index: 1 });
    let third = written.6?;
    assert!(first.is_some() && third.is_some() && first != third);
    assert_eq!(written.7?, 4);
    written.8?;
    assert_eq!(value(&backend, "n").await?.as_deref(), Some(b"20".as_slice()));
    let stale = set("1", Condition::IfRevision(third.unwrap())).await;
    assert_eq!(stale.unwrap_err().kind(), ErrorKind::Conflict { index: 0 });
    Ok(())
}
