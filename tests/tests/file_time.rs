//! Time and space in the file backend: expiry, clocks that step back, watching, growth.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use state_runtime::{
    backend::{
        Backend, Change, Changes, Clock, Expiry, GetOptions, ManualClock, Result, SetOptions,
        TtlChange, Want, WatchRequest,
    },
    backends::FileBackend,
    key::Key,
};
use tests::disk::CrashDisk;

const MINUTE: Duration = Duration::from_secs(60);
/// How long something may take that happens in the background.
const SOON: Duration = Duration::from_secs(20);

fn key(text: &str) -> Key {
    Key::from_stored(text)
}

async fn open(disk: &Arc<CrashDisk>, clock: &Arc<ManualClock>) -> Result<FileBackend> {
    let (storage, clock) = (Arc::clone(disk), Arc::clone(clock));
    FileBackend::builder("memory").with_storage(storage).with_clock(clock).open().await
}

async fn put(backend: &FileBackend, name: &str, ttl: TtlChange) -> Result<()> {
    let options = SetOptions { ttl, ..SetOptions::default() };
    backend.set(&key(name), Bytes::from_static(b"1"), options).await.map(drop)
}

async fn told(changes: &mut Changes) -> Option<Result<Change>> {
    tokio::time::timeout(SOON, changes.next()).await.expect("a hint comes")
}

#[tokio::test]
async fn a_clock_that_steps_back_brings_nothing_back() -> Result<()> {
    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let start = clock.now();
    let backend = open(&disk, &clock).await?;
    put(&backend, "a", TtlChange::After(MINUTE)).await?;
    clock.advance(Duration::from_millis(59_999));
    assert!(backend.exists(&key("a")).await?);
    clock.advance(Duration::from_millis(1));
    assert!(!backend.exists(&key("a")).await?);
    clock.set(start);
    assert!(!backend.exists(&key("a")).await?);
    backend.close().await?;

    let backend = open(&disk, &clock).await?;
    assert!(!backend.exists(&key("a")).await?);
    put(&backend, "b", TtlChange::After(MINUTE)).await?;
    let expiry = backend.expiry(&key("b")).await?;
    assert_eq!(expiry, Some(Expiry::At(start.after(2 * MINUTE))), "time went on from its mark");
    Ok(())
}

#[tokio::test]
async fn expired_entries_are_removed_in_the_background_and_told() -> Result<()> {
    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let backend = open(&disk, &clock).await?;
    // More than one portion, and among them one that outlives the others.
    let names: Vec<_> = (0..300).map(|n| format!("s:{n:03}")).collect();
    stream::iter(&names)
        .for_each_concurrent(None, async |name| {
            put(&backend, name, TtlChange::After(MINUTE)).await.unwrap();
        })
        .await;
    put(&backend, "s:299", TtlChange::After(2 * MINUTE)).await?;
    let mut changes = backend.watch(WatchRequest::Prefix("s:".into())).await?;
    clock.advance(MINUTE);
    let mut gone = Vec::new();
    while gone.len() < 299 {
        match told(&mut changes).await {
            Some(Ok(Change::Key(key))) => gone.push(key.into_string()),
            other => panic!("an unexpected hint: {other:?}"),
        }
    }
    gone.sort();
    assert_eq!(gone, names[..299]);
    // What was removed is gone even for a clock that has never been later.
    backend.close().await?;
    assert!(told(&mut changes).await.is_none(), "a watch ends with its backend");
    let backend = open(&disk, &Arc::new(ManualClock::default())).await?;
    assert!(backend.exists(&key("s:299")).await?);
    assert!(!backend.exists(&key("s:000")).await?);
    Ok(())
}

#[tokio::test]
async fn an_entry_written_again_is_not_removed_by_its_old_expiry() -> Result<()> {
    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let backend = open(&disk, &clock).await?;
    for name in ["cleared", "kept", "longer", "gone"] {
        put(&backend, name, TtlChange::After(MINUTE)).await?;
    }
    put(&backend, "cleared", TtlChange::Clear).await?;
    put(&backend, "longer", TtlChange::After(3 * MINUTE)).await?;
    put(&backend, "kept", TtlChange::Keep).await?;
    assert!(backend.touch(&key("kept"), TtlChange::After(3 * MINUTE)).await?);
    let mut changes = backend.watch(WatchRequest::Prefix(String::new())).await?;
    clock.advance(2 * MINUTE);
    assert_eq!(told(&mut changes).await.unwrap()?, Change::Key(key("gone")));
    // Another removal would have come in the same portion.
    assert!(poll_fn(|cx| Poll::Ready(changes.poll_next_unpin(cx).is_pending())).await);
    for name in ["cleared", "kept", "longer"] {
        assert!(backend.exists(&key(name)).await?, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn reading_renews_once_an_eighth_has_passed() -> Result<()> {
    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let backend = open(&disk, &clock).await?;
    put(&backend, "a", TtlChange::After(8 * MINUTE)).await?;
    let first = backend.expiry(&key("a")).await?;
    let renew = GetOptions { renew: Some(8 * MINUTE), want: Want::ALL };
    clock.advance(MINUTE);
    let entry = backend.get(&key("a"), renew).await?.unwrap();
    assert_eq!(Some(entry.expiry), first);
    clock.advance(Duration::from_millis(1));
    let renewed = backend.get(&key("a"), renew).await?.unwrap();
    assert_eq!(renewed.expiry, Expiry::At(clock.now().after(8 * MINUTE)));
    assert_eq!(backend.expiry(&key("a")).await?, Some(renewed.expiry));
    assert_eq!(renewed.revision, entry.revision, "the bytes are the same");
    Ok(())
}

#[tokio::test]
async fn hints_come_in_the_order_of_the_writes_and_after_them() -> Result<()> {
    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let backend = open(&disk, &clock).await?;
    let mut changes = backend.watch(WatchRequest::Prefix("w:".into())).await?;
    let names: Vec<_> = (0..50).map(|n| format!("w:{:02}", (n * 37) % 50)).collect();
    let keep = || TtlChange::Keep;
    futures_util::future::join_all(names.iter().map(|name| put(&backend, name, keep()))).await;
    for name in &names {
        assert_eq!(told(&mut changes).await.unwrap()?, Change::Key(key(name)));
        assert!(backend.exists(&key(name)).await?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hint_tells_of_can_be_read_at_once() -> Result<()> {
    const WRITES: usize = 300;
    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let backend = Arc::new(open(&disk, &clock).await?);
    let mut changes = backend.watch(WatchRequest::Prefix("w:".into())).await?;
    let writer = Arc::clone(&backend);
    let writing = tokio::spawn(async move {
        for number in 0..WRITES {
            put(&writer, &format!("w:{number}"), TtlChange::Clear).await?;
        }
        Result::Ok(())
    });
    for _ in 0..WRITES {
        let Change::Key(key) = told(&mut changes).await.unwrap()? else {
            panic!("hints were lost")
        };
        assert!(backend.exists(&key).await?, "told of {key} before it could be read");
    }
    writing.await.expect("the writer does not panic")
}

#[tokio::test]
async fn overwriting_reuses_space() -> Result<()> {
    use state_runtime::backends::file::Storage as _;

    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let backend = open(&disk, &clock).await?;
    let mut len = 0;
    for round in 0..60_u8 {
        let writes = (0..100).map(|n| {
            let (key, value) = (key(&format!("k:{n}")), Bytes::from(vec![round; 2_000]));
            let backend = &backend;
            async move { backend.set(&key, value, SetOptions::default()).await }
        });
        for written in futures_util::future::join_all(writes).await {
            written?;
        }
        // A reader between the writes must not keep the old pages.
        assert!(backend.exists(&key("k:0")).await?);
        if round == 9 {
            len = disk.len().unwrap();
        }
    }
    // How many writes share a commit moves the length a little, either way; without reuse it would
    // be six times as long.
    let end = disk.len().unwrap();
    assert!(end <= 2 * len, "the file grew from {len} to {end} although nothing was added");
    Ok(())
}

#[tokio::test]
async fn dropped_writes_leave_the_backend_usable() -> Result<()> {
    let (disk, clock) = (CrashDisk::new(Vec::new()), Arc::new(ManualClock::default()));
    let backend = open(&disk, &clock).await?;
    for round in 0..50 {
        let name = format!("d:{round}");
        let mut write = Box::pin(put(&backend, &name, TtlChange::Clear));
        // Handed over, and given up before the answer.
        let _ = futures_util::poll!(&mut write);
        drop(write);
    }
    put(&backend, "last", TtlChange::Clear).await?;
    for round in 0..50 {
        assert!(backend.exists(&key(&format!("d:{round}"))).await?, "queued before, done before");
    }
    Ok(())
}
