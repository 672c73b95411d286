//! What the memory backend promises beyond what every backend does.

mod bounds;
mod expiry;
mod watch;

use std::{error::Error, panic::AssertUnwindSafe, sync::Arc, thread, time::Duration};

use futures_util::FutureExt;
use state_runtime::{
    backend::{
        Backend, BatchOp, Clock, Condition, Cursor, ErrorKind, GetOptions, ManualClock,
        RemoveOptions, Result, Revision, ScanRequest, SetOptions, Timestamp, TtlChange, Want,
    },
    backends::MemoryBackend,
    key::Key,
};

type TestResult = core::result::Result<(), Box<dyn Error>>;

fn key(text: &str) -> Key {
    Key::from_stored(text)
}

fn lasting(ttl: Duration) -> SetOptions {
    SetOptions { ttl: TtlChange::After(ttl), ..SetOptions::default() }
}

async fn put(backend: &MemoryBackend, name: &str, value: &str) -> Result<()> {
    backend.set(&key(name), value.to_owned().into(), SetOptions::default()).await.map(drop)
}

async fn value(backend: &MemoryBackend, name: &str) -> Result<Option<String>> {
    let entry = backend.get(&key(name), GetOptions::default()).await?;
    Ok(entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()))
}

/// A field of the debug form, which is where the backend tells how much it holds.
fn field(backend: &MemoryBackend, name: &str) -> usize {
    let text = format!("{backend:?}");
    let after = text.split(&format!("{name}: ")).nth(1).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no `{name}` in {text}"))
}

fn clocked() -> (Arc<ManualClock>, MemoryBackend) {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    (clock, backend)
}

#[tokio::test]
async fn a_clone_is_another_handle_to_the_same_entries() -> TestResult {
    let one = MemoryBackend::new();
    let two = one.clone();
    put(&one, "a", "1").await?;
    assert_eq!(value(&two, "a").await?.as_deref(), Some("1"));
    two.close().await?;
    assert_eq!(value(&one, "a").await.unwrap_err().kind(), ErrorKind::Closed);
    Ok(())
}

#[tokio::test]
async fn a_value_is_shared_and_not_copied() -> TestResult {
    let backend = MemoryBackend::new();
    put(&backend, "a", "a value of some length").await?;
    let one = backend.get(&key("a"), GetOptions::default()).await?.ok_or("absent")?;
    let two = backend.get(&key("a"), GetOptions::default()).await?.ok_or("absent")?;
    assert_eq!(one.value.as_ptr(), two.value.as_ptr());
    Ok(())
}

#[tokio::test]
async fn closing_frees_every_entry() -> TestResult {
    let backend = MemoryBackend::new();
    put(&backend, "a", "1").await?;
    assert_eq!(field(&backend, "stored"), 1);
    backend.close().await?;
    assert_eq!(field(&backend, "stored"), 0);
    Ok(())
}

#[tokio::test]
async fn revisions_of_another_instance_never_match() -> TestResult {
    let asking = SetOptions { want_revision: true, ..SetOptions::default() };
    let mut seen: Vec<Revision> = Vec::new();
    for _ in 0..50 {
        let backend = MemoryBackend::new();
        let revision = backend.set(&key("a"), "1".into(), asking.clone()).await?.ok_or("none")?;
        assert!(!seen.contains(&revision), "two instances gave one revision");
        let condition = Condition::IfRevision(seen.last().cloned().unwrap_or(0_u64.into()));
        let stale = backend.remove(&key("a"), RemoveOptions { condition }).await;
        assert_eq!(stale.unwrap_err().kind(), ErrorKind::Conflict { index: 0 });
        seen.push(revision);
    }
    Ok(())
}

#[test]
fn every_operation_is_done_when_first_polled() -> TestResult {
    let backend = MemoryBackend::new();
    put(&backend, "a", "1").now_or_never().ok_or("set waited")??;
    let read = value(&backend, "a").now_or_never().ok_or("get waited")??;
    assert_eq!(read.as_deref(), Some("1"));
    backend.close().now_or_never().ok_or("close waited")??;
    Ok(())
}

#[test]
fn get_many_never_sees_half_a_batch() -> TestResult {
    let backend = MemoryBackend::new();
    let keys: Vec<_> = (0..20).map(|i| key(&format!("k:{i}"))).collect();
    let requests: Vec<_> = keys.iter().map(|key| (key.clone(), GetOptions::default())).collect();
    let batch = |round: usize| -> Vec<_> {
        let set = |key: &Key| BatchOp::Set {
            key: key.clone(),
            value: round.to_string().into(),
            options: SetOptions::default(),
        };
        keys.iter().map(set).collect()
    };
    backend.apply(batch(0)).now_or_never().ok_or("apply waited")??;
    thread::scope(|scope| -> TestResult {
        let writer = scope.spawn(|| {
            for round in 1..2000 {
                let _ = backend.apply(batch(round)).now_or_never();
            }
        });
        while !writer.is_finished() {
            let read = backend.get_many(&requests).now_or_never();
            let mut values: Vec<_> =
                read.ok_or("get_many waited")??.into_iter().flatten().map(|e| e.value).collect();
            values.dedup();
            assert_eq!(values.len(), 1, "two batches seen at once: {values:?}");
        }
        Ok(())
    })
}

#[tokio::test]
async fn a_page_is_bounded_however_much_is_asked_for() -> TestResult {
    let backend = MemoryBackend::new();
    for i in 0..3000 {
        put(&backend, &format!("k:{i}"), "1").await?;
    }
    let mut request =
        ScanRequest { prefix: String::new(), cursor: None, limit: usize::MAX, want: Want::VALUE };
    let mut found = 0;
    loop {
        let page = backend.scan(request.clone()).await?;
        assert!(page.entries.len() <= 1024, "a page of {}", page.entries.len());
        found += page.entries.len();
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, 3000);
    Ok(())
}

#[tokio::test]
async fn a_scan_of_no_limit_still_advances() -> TestResult {
    let backend = MemoryBackend::new();
    put(&backend, "a", "1").await?;
    let request = ScanRequest { prefix: "a".into(), cursor: None, limit: 0, want: Want::VALUE };
    let page = backend.scan(request).await?;
    assert_eq!(page.entries.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_foreign_cursor_is_an_error_or_finds_nothing() -> TestResult {
    let backend = MemoryBackend::new();
    put(&backend, "a", "1").await?;
    for bytes in [&b""[..], b"x", b"\0\0\0\0\xff", b"\0\xff\0\0a"] {
        let cursor = Some(Cursor::from_bytes(bytes));
        let request = ScanRequest { prefix: String::new(), cursor, limit: 10, want: Want::VALUE };
        match backend.scan(request).await {
            Ok(page) => assert!(page.entries.is_empty() && page.next.is_none()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Other),
        }
    }
    Ok(())
}

/// A clock that a test can break.
#[derive(Debug, Default)]
struct Fragile(std::sync::atomic::AtomicBool);

impl Clock for Fragile {
    fn now(&self) -> Timestamp {
        assert!(!self.0.load(std::sync::atomic::Ordering::SeqCst), "the clock is broken");
        Timestamp::from_millis(1)
    }
}

#[tokio::test]
async fn a_panic_under_a_lock_leaves_it_usable() -> TestResult {
    let clock = Arc::new(Fragile::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    backend.set(&key("a"), "1".into(), lasting(Duration::from_secs(9))).await?;
    clock.0.store(true, std::sync::atomic::Ordering::SeqCst);
    let broken = AssertUnwindSafe(put(&backend, "a", "2")).catch_unwind().await;
    assert!(broken.is_err(), "the clock did not break");
    clock.0.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("1"));
    put(&backend, "a", "3").await?;
    assert_eq!(value(&backend, "a").await?.as_deref(), Some("3"));
    Ok(())
}
