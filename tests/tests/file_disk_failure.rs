//! A disk that fails: what was acknowledged stays readable, and nothing pretends to be written.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use state_runtime::{
    backend::{Backend, ErrorKind, GetOptions, Result, ScanRequest, SetOptions, Want},
    backends::FileBackend,
    key::Key,
};
use tests::disk::{CrashDisk, FailingDisk};

fn key(number: u64) -> Key {
    Key::from_stored(format!("n:{number:03}"))
}

async fn put(backend: &FileBackend, number: u64, value: &'static str) -> Result<()> {
    let value = Bytes::from(value.repeat(200));
    backend.set(&key(number), value, SetOptions::default()).await.map(drop)
}

async fn holds(backend: &FileBackend, number: u64, value: &str) -> Result<bool> {
    let found = backend.get(&key(number), GetOptions::default()).await?;
    Ok(found.is_some_and(|entry| entry.value == value.repeat(200)))
}

async fn open(disk: &Arc<FailingDisk>) -> Result<FileBackend> {
    let storage = Arc::clone(disk);
    // A cache of nothing: every read meets the disk.
    FileBackend::builder("memory").with_storage(storage).with_cache_size(0).open().await
}

async fn count(backend: &FileBackend) -> Result<usize> {
    let request = ScanRequest { prefix: "n:".into(), cursor: None, limit: 1000, want: Want::VALUE };
    Ok(backend.scan(request).await?.entries.len())
}

#[tokio::test]
async fn a_disk_that_fills_up_at_any_call_leaves_the_store_readable() -> Result<()> {
    let mut calls = 0;
    loop {
        let memory = CrashDisk::new(Vec::new());
        let disk = FailingDisk::new(Arc::clone(&memory));
        let backend = open(&disk).await?;
        for number in 0..40 {
            put(&backend, number, "old").await?;
        }
        disk.fail_writes_after(calls);
        let outcome = put(&backend, 0, "new").await;
        if outcome.is_ok() && !disk.has_failed() {
            break;
        }
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Indeterminate, "{calls}: {error}");
        }
        // Some calls belong to work after the commit; the next write meets the failure then.
        let _ = put(&backend, 1, "old").await;
        for _ in 0..2 {
            let refused = put(&backend, 2, "new").await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ReadOnly, "{calls}: {refused}");
        }
        assert_eq!(backend.health().await.unwrap_err().kind(), ErrorKind::ReadOnly);
        for number in 1..40 {
            assert!(holds(&backend, number, "old").await?, "{calls}: {number} is lost");
        }
        let whole = holds(&backend, 0, "new").await? || holds(&backend, 0, "old").await?;
        assert!(whole, "{calls}: a write is there in part");
        assert_eq!(count(&backend).await?, 40);
        backend.close().await?;

        disk.fail_writes_after(u64::MAX);
        let backend = open(&disk).await?;
        for number in 1..40 {
            assert!(holds(&backend, number, "old").await?, "{calls}: {number} is lost");
        }
        put(&backend, 2, "new").await?;
        assert!(holds(&backend, 2, "new").await?);
        backend.close().await?;
        calls += 1;
    }
    assert!(calls > 3, "a write made only {calls} calls");
    Ok(())
}

/// Reads everything; the first error ends it.
async fn holds_all(backend: &FileBackend) -> Result<bool> {
    for number in 0..40 {
        if !holds(backend, number, "old").await? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[tokio::test]
async fn a_failed_read_is_retryable_and_ends_writing() -> Result<()> {
    let disk = FailingDisk::new(CrashDisk::new(Vec::new()));
    let backend = open(&disk).await?;
    for number in 0..40 {
        put(&backend, number, "old").await?;
    }
    // The reopening may meet the failure too, once and several times in a row.
    for failures in [1, 1, 2, 5] {
        disk.fail_reads(failures);
        let failed = holds_all(&backend).await.expect_err("a read meets the disk");
        assert!(failed.kind().is_retryable(), "{failures}: {failed}");
        assert_eq!(put(&backend, 0, "new").await.unwrap_err().kind(), ErrorKind::ReadOnly);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match holds_all(&backend).await {
                Ok(whole) => break assert!(whole, "{failures}: an entry is lost"),
                Err(error) => assert!(Instant::now() < deadline, "{failures}: {error}"),
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_disk_that_is_full_at_the_opening_says_so() -> Result<()> {
    let disk = FailingDisk::new(CrashDisk::new(Vec::new()));
    open(&disk).await?.close().await?;
    disk.fail_writes_after(0);
    let error = open(&disk).await.expect_err("an opening writes");
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    assert!(error.to_string().contains("free some space"), "{error}");
    disk.fail_writes_after(u64::MAX);
    open(&disk).await?.close().await
}
