//! Opening a folder: what is refused, by which error, and that nothing is changed by it.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, mpsc},
    task::{Context, Wake},
    time::Duration,
};

use bytes::Bytes;
use state_runtime::{
    backend::{Backend, BackendError, ErrorKind, GetOptions, Result, SetOptions},
    backends::FileBackend,
    key::Key,
};

fn key() -> Key {
    Key::from_stored("a")
}

/// A closed store with one entry.
async fn store(path: &Path) -> Result<()> {
    let backend = FileBackend::open(path).await?;
    backend.set(&key(), Bytes::from_static(b"1"), SetOptions::default()).await?;
    backend.close().await
}

async fn holds_its_entry(path: &Path) -> Result<bool> {
    let backend = FileBackend::open(path).await?;
    let found = backend.get(&key(), GetOptions::default()).await?;
    backend.close().await?;
    Ok(found.is_some_and(|entry| entry.value == "1"))
}

fn contents(path: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect()
}

/// Opens what cannot be opened, and checks that the error names the folder and changes nothing.
async fn refused(path: &Path, remedy: &str) -> BackendError {
    let before = contents(path);
    let error = FileBackend::open(path).await.expect_err("it is refused");
    assert!(contents(path) == before, "{error}: the folder was changed");
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}: the folder is not named");
    assert!(text.contains(remedy), "{text}: `{remedy}` is not in it");
    error
}

#[tokio::test]
async fn a_folder_in_use_is_locked_until_it_is_closed() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    store(path).await?;
    let first = FileBackend::open(path).await?;
    assert_eq!(refused(path, "close it there").await.kind(), ErrorKind::Locked);
    first.close().await?;
    assert!(holds_its_entry(path).await?);
    // The handle may outlive its closing.
    drop(first);
    Ok(())
}

/// Tells when it is woken.
struct Woken(mpsc::SyncSender<()>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let _ = self.0.try_send(());
    }
}

#[tokio::test]
async fn an_opening_that_is_given_up_lets_go_of_the_folder() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    store(path).await?;
    // Given up while it opens.
    let mut opening = Box::pin(FileBackend::open(path));
    assert!(futures_util::poll!(&mut opening).is_pending());
    drop(opening);
    assert!(holds_its_entry(path).await?);

    // Given up once it is open, before anybody took it.
    let (sender, woken) = mpsc::sync_channel(1);
    let waker = Arc::new(Woken(sender)).into();
    let mut opening = Box::pin(FileBackend::open(path));
    let polled = opening.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    woken.recv_timeout(Duration::from_secs(20)).expect("it opens");
    drop(opening);
    assert!(holds_its_entry(path).await?);
    Ok(())
}

#[tokio::test]
async fn a_foreign_folder_is_refused() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    assert_eq!(refused(folder.path(), "empty or a new folder").await.kind(), ErrorKind::Foreign);

    // A database that somebody else made is not deleted either.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data.redb"), "mine").unwrap();
    assert_eq!(refused(folder.path(), "empty or a new folder").await.kind(), ErrorKind::Foreign);
    Ok(())
}

#[tokio::test]
async fn a_newer_or_unknown_format_is_refused() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (path, format) = (folder.path(), folder.path().join("FORMAT"));
    store(path).await?;
    let current = fs::read_to_string(&format).unwrap();
    fs::write(&format, current.replace('1', "2")).unwrap();
    assert_eq!(refused(path, "update the program").await.kind(), ErrorKind::Foreign);
    for unknown in ["", "something else 1", "\u{fffd}"] {
        fs::write(&format, unknown).unwrap();
        assert_eq!(refused(path, "restore").await.kind(), ErrorKind::Foreign);
    }
    fs::write(&format, current).unwrap();
    assert!(holds_its_entry(path).await?);
    Ok(())
}

#[tokio::test]
async fn a_file_in_place_of_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "mine").unwrap();
    let error = FileBackend::open(&path).await.unwrap_err();
    assert!(error.to_string().contains("this is a file; name a folder"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[tokio::test]
async fn a_store_without_its_database_is_not_taken_for_a_new_one() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path()).await?;
    fs::remove_file(folder.path().join("data.redb")).unwrap();
    let error = refused(folder.path(), "restore the folder from a backup").await;
    assert_eq!(error.kind(), ErrorKind::Corrupted);
    Ok(())
}

#[tokio::test]
async fn a_damaged_database_is_corrupted() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (folder.path(), folder.path().join("data.redb"));
    store(path).await?;
    let whole = fs::read(&data).unwrap();
    let damages: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(5_000),
        |bytes| bytes[0] ^= 0xFF,
        |bytes| bytes[..512].fill(0xFF),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        fs::write(&data, bytes).unwrap();
        let error = FileBackend::open(path).await.expect_err("it is damaged");
        assert_eq!(error.kind(), ErrorKind::Corrupted, "{number}: {error}");
        let text = error.to_string();
        assert!(text.contains(&path.display().to_string()), "{number}: {text}");
        assert!(text.contains("restore the folder from a backup"), "{number}: {text}");
    }
    fs::write(&data, whole).unwrap();
    assert!(holds_its_entry(path).await?);
    Ok(())
}

#[tokio::test]
async fn the_integrity_check_finds_a_flipped_bit_in_a_value() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (folder.path(), folder.path().join("data.redb"));
    let backend = FileBackend::open(path).await?;
    backend.set(&key(), Bytes::from(vec![b'x'; 3_000]), SetOptions::default()).await?;
    backend.close().await?;
    FileBackend::builder(path).with_integrity_check().open().await?.close().await?;

    let mut bytes = fs::read(&data).unwrap();
    let mut flipped = 0;
    // The pages of older commits are still there; the newest cannot be told from them.
    for position in (0..bytes.len() - 100).filter(|at| at % 1_000 == 0) {
        if bytes[position..position + 100] == [b'x'; 100] {
            bytes[position] = b'y';
            flipped += 1;
        }
    }
    assert!(flipped > 0);
    fs::write(&data, bytes).unwrap();
    let opened = FileBackend::builder(path).with_integrity_check().open().await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Corrupted);
    Ok(())
}

#[tokio::test]
async fn a_crash_during_the_creation_starts_over() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    store(path).await?;
    // What a crash leaves before `FORMAT` has its name, with a database of which parts arrived.
    fs::rename(path.join("FORMAT"), path.join("FORMAT.new")).unwrap();
    let data = path.join("data.redb");
    let mut bytes = fs::read(&data).unwrap();
    bytes[..100].fill(0);
    fs::write(&data, bytes).unwrap();
    let backend = FileBackend::open(path).await?;
    assert!(!backend.exists(&key()).await?);
    backend.close().await?;
    store(path).await?;
    assert!(holds_its_entry(path).await?);
    assert_eq!(contents(path).into_keys().collect::<Vec<_>>(), ["FORMAT", "LOCK", "data.redb"]);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn missing_permissions_are_named() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    store(&path).await?;
    let allow = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    allow(0o000);
    let opened = FileBackend::open(&path).await;
    allow(0o700);
    match opened {
        Err(error) => {
            assert!(error.to_string().contains("give this user read and write access"), "{error}");
        }
        // The superuser may do everything; nothing can be refused to it.
        Ok(backend) => backend.close().await?,
    }
    assert!(holds_its_entry(&path).await?);
    Ok(())
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_loses_nothing() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let backend =
        FileBackend::builder(folder.path()).with_queue_bound(2, usize::MAX).open().await?;
    let keys: Vec<_> = (0..200).map(|n| Key::from_stored(format!("q:{n}"))).collect();
    let write = |key| backend.set(key, Bytes::from_static(b"1"), SetOptions::default());
    let written = futures_util::future::join_all(keys.iter().map(write)).await;
    let refused = written.iter().filter_map(|written| written.as_ref().err());
    let refused: Vec<_> = refused.map(BackendError::kind).collect();
    assert!(!refused.is_empty());
    assert!(refused.iter().all(|kind| *kind == ErrorKind::Overloaded), "{refused:?}");
    for (key, written) in keys.iter().zip(&written) {
        assert_eq!(backend.exists(key).await?, written.is_ok());
    }
    Ok(())
}
