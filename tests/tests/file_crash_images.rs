//! Losses of power: whatever arrives of the writes since the last sync, acknowledged state is there.

use std::{
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use state_runtime::{
    backend::{Backend, BackendError, Result},
    backends::file::FileBackend,
};
use tests::{
    disk::{Crash, CrashDisk, Random},
    ledger::{self, WRITERS},
};

/// How many images the full run, and the ordinary one, look at.
fn images() -> usize {
    if std::env::var_os("STATE_TEST_FULL").is_some() { 2_400 } else { 240 }
}

async fn open(disk: &Arc<CrashDisk>) -> Result<FileBackend> {
    let storage = Arc::clone(disk);
    FileBackend::builder("memory").with_storage(storage).with_cache_size(1 << 20).open().await
}

/// Lets the writers work on a disk that crashes now and then, and returns what it left each time.
async fn history(seed: u64, ignore_sync: bool) -> Result<Vec<Crash>> {
    let progress: Arc<[AtomicU64]> = (0..WRITERS).map(|_| AtomicU64::new(0)).collect();
    let disk = CrashDisk::new(Vec::new());
    // A crash during the creation is the folder's business, which starts over.
    let backend = Arc::new(open(&disk).await?);
    disk.crash_at_one_in(60, Random::new(seed), Arc::clone(&progress));
    if ignore_sync {
        disk.ignore_sync();
    }
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (backend, progress) = (Arc::clone(&backend), Arc::clone(&progress));
            tokio::spawn(async move {
                for step in 1..=20 {
                    ledger::carry_out(&*backend, writer, step).await?;
                    progress[writer].store(step, Ordering::SeqCst);
                }
                Result::Ok(())
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer does not panic")?;
    }
    backend.close().await?;
    Ok(disk.crashes())
}

/// Opens what a crash left, with further crashes on the way, and checks it; then checks what those
/// left. Returns how many images were looked at.
async fn recover(crash: Crash, seed: u64) -> Result<usize, String> {
    let failed = |error: BackendError| {
        format!("opening failed: {error}: {:?}", error.source().map(ToString::to_string))
    };
    let disk = CrashDisk::new(crash.image);
    disk.crash_at_one_in(12, Random::new(seed), Arc::from([]));
    let backend = open(&disk).await.map_err(failed)?;
    ledger::check(&backend, &crash.progress).await?;
    backend.close().await.map_err(failed)?;
    let again = disk.crashes();
    let count = 1 + again.len();
    for Crash { image, .. } in again {
        let backend = open(&CrashDisk::new(image)).await.map_err(failed)?;
        ledger::check(&backend, &crash.progress).await.map_err(|e| format!("second: {e}"))?;
        backend.close().await.map_err(failed)?;
    }
    Ok(count)
}

#[tokio::test]
async fn acknowledged_writes_survive_every_loss_of_power() {
    let (mut looked_at, mut second, mut seed) = (0, 0, 0);
    while looked_at < images() {
        seed += 1;
        for crash in history(seed, false).await.expect("the disk does not fail") {
            let progress = crash.progress.clone();
            match recover(crash, seed).await {
                Ok(count) => {
                    looked_at += count;
                    second += count - 1;
                }
                Err(error) => panic!("seed {seed}, image {looked_at} at {progress:?}: {error}"),
            }
        }
    }
    assert!(second > images() / 10, "only {second} crashes hit a recovery");
}

#[tokio::test]
async fn without_syncs_the_same_check_finds_lost_writes() {
    let mut failures = Vec::new();
    for seed in 1..=3 {
        for crash in history(seed, true).await.expect("the disk does not fail") {
            failures.extend(recover(crash, seed).await.err());
        }
    }
    assert!(
        failures.iter().any(|failure| failure.contains("was told of step")),
        "a disk that never syncs lost nothing: {failures:?}"
    );
}
