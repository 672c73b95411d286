//! `watch_all`: the present values first, then what each becomes.

use std::{collections::BTreeMap, sync::Arc, task::Poll, time::Duration};

use futures_util::poll;
use state_runtime::{
    StateError,
    backend::{Backend, Cas, ManualClock, RemoveOptions, Scan, Ttl, Watch},
    backends::{FileBackend, MemoryBackend},
    key::Key,
    prelude::*,
    store::{Changed, WatchAll},
};
use tests::fakes::Yielding;
use tokio::{task::yield_now, time::timeout};

use crate::{
    TestResult, memory,
    types::{Line, Member, line, member, plant},
};

/// Longer than anything takes on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn next<T, B>(watch: &mut WatchAll<T, B>) -> Option<Result<Changed<T>, StateError>>
where
    T: StateKey,
    B: Watch + Scan,
{
    timeout(PATIENCE, watch.next()).await.expect("nothing was told")
}

/// What is told is this value of line `number` in order `a`/`b`.
async fn tells<B: Watch + Scan>(
    watch: &mut WatchAll<Line, B>,
    number: u32,
    count: Option<u8>,
) -> TestResult {
    let told = next(watch).await.ok_or("the watch ended")??;
    let value = count.map(|count| Line { count, ..line("a", "b", number) });
    assert_eq!(told, Changed { key: Line::key("a", "b", number), value });
    Ok(())
}

async fn tells_what_becomes_of_each<B>(backend: B, clock: &ManualClock) -> TestResult
where
    B: Watch + Scan + Ttl + Cas,
{
    let store = StateStore::new(backend)?;
    store.set(&line("a", "b", 1)).await?;
    let mut watch = store.watch_all::<Line>();
    tells(&mut watch, 1, Some(1)).await?;
    store.set(&line("a", "b", 2)).await?;
    tells(&mut watch, 2, Some(1)).await?;
    // A write that changes nothing is not told.
    store.set(&line("a", "b", 1)).await?;
    store.update(Line::key("a", "b", 2), |line| line.count = 2).await?;
    tells(&mut watch, 2, Some(2)).await?;
    store.remove(Line::key("a", "b", 1)).await?;
    tells(&mut watch, 1, None).await?;
    // Neither is what came and went between two looks.
    store.set(&line("a", "b", 3)).await?;
    store.remove(Line::key("a", "b", 3)).await?;
    clock.advance(Duration::from_secs(3_600));
    tells(&mut watch, 2, None).await?;
    assert!(poll!(Box::pin(watch.next())).is_pending());
    let other = store.clone();
    let closing = tokio::spawn(async move { other.close(PATIENCE).await });
    assert!(next(&mut watch).await.is_none(), "the watch ends with the store");
    closing.await??;
    assert!(next(&mut watch).await.is_none());
    Ok(())
}

#[tokio::test]
async fn a_watch_in_memory_tells_what_becomes_of_each_value() -> TestResult {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    tells_what_becomes_of_each(backend, &clock).await
}

#[tokio::test]
async fn a_watch_on_disk_tells_what_becomes_of_each_value() -> TestResult {
    let clock = Arc::new(ManualClock::default());
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state");
    let backend = FileBackend::builder(path).with_clock(Arc::clone(&clock)).open().await?;
    tells_what_becomes_of_each(backend, &clock).await
}

#[tokio::test]
async fn a_slow_reader_is_told_the_latest_of_each_and_nothing_twice() -> TestResult {
    let store = memory();
    for number in 0..5 {
        store.set(&line("a", "b", number)).await?;
    }
    let mut watch = store.watch_all::<Line>();
    tells_any(&mut watch).await?;
    // More keys than the backend keeps hints of, and many changes of a few.
    for number in 5..3000 {
        store.set(&line("a", "b", number)).await?;
        store.set(&Line { count: (number % 100) as u8, ..line("a", "b", number % 5) }).await?;
    }
    store.set(&Line { count: 100, ..line("a", "b", 2999) }).await?;
    let mut told = BTreeMap::new();
    let mut count = 0;
    loop {
        let Changed { key, value } = tells_any(&mut watch).await?;
        count += 1;
        told.insert(key.line, value.map(|line| line.count));
        if told.len() == 3000 && told.get(&2999) == Some(&Some(100)) {
            break;
        }
    }
    // Each once; the first five perhaps once more, for what was on its way when they changed.
    assert!((3000..=3005).contains(&count), "{count}");
    assert!(poll!(Box::pin(watch.next())).is_pending());
    for line in store.scan::<Line>().all().await? {
        assert_eq!(told.get(&line.line), Some(&Some(line.count)), "line {}", line.line);
    }
    Ok(())
}

async fn tells_any<B: Watch + Scan>(
    watch: &mut WatchAll<Line, B>,
) -> Result<Changed<Line>, Box<dyn std::error::Error>> {
    Ok(next(watch).await.ok_or("the watch ended")??)
}

#[tokio::test]
async fn what_is_invalid_or_foreign_is_no_end() -> TestResult {
    let store = memory();
    plant(&store, "line:a/order.b:1", "null").await?;
    plant(&store, "line:a/order.b:x", "null").await?;
    let mut watch = store.watch_all::<Line>();
    let error = next(&mut watch).await.ok_or("the watch ended")?.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    assert_eq!(error.key().map(ToString::to_string).as_deref(), Some("line:a/order.b:1"));
    plant(&store, "line:a/order.b:03", "null").await?;
    plant(&store, "line:a/order.b:1", "{").await?;
    let error = next(&mut watch).await.ok_or("the watch ended")?.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    store.set(&line("a", "b", 1)).await?;
    tells(&mut watch, 1, Some(1)).await
}

#[tokio::test]
async fn a_value_that_moves_from_its_former_key_is_no_other() -> TestResult {
    let store = memory();
    plant(&store, "user:1.acme", r#"{"name":"Ada"}"#).await?;
    plant(&store, "user:1.other", r#"{"name":"Ada"}"#).await?;
    let mut watch = store.watch_all().within(Member::prefix("acme"));
    let tells = |name: Option<&str>| Changed {
        key: Member::key("acme", 1),
        value: name.map(|name| member("acme", 1, name)),
    };
    assert_eq!(next(&mut watch).await.ok_or("the watch ended")??, tells(Some("Ada")));
    plant(&store, "user:1.other", r#"{"name":"Bob"}"#).await?;
    store.set(&member("acme", 1, "Ada")).await?;
    store.set(&member("acme", 1, "Eve")).await?;
    assert_eq!(next(&mut watch).await.ok_or("the watch ended")??, tells(Some("Eve")));
    plant(&store, "user:1.acme", r#"{"name":"older"}"#).await?;
    store.set(&member("acme", 1, "Eve")).await?;
    let key = Key::from_stored("member:acme:1");
    plant(&store, "user:1.acme", r#"{"name":"Zoe"}"#).await?;
    store.backend().remove(&key, RemoveOptions::default()).await?;
    assert_eq!(next(&mut watch).await.ok_or("the watch ended")??, tells(Some("Zoe")));
    store.remove(Member::key("acme", 1)).await?;
    assert_eq!(next(&mut watch).await.ok_or("the watch ended")??, tells(None));
    Ok(())
}

#[tokio::test]
async fn whoever_gives_up_waiting_misses_nothing() -> TestResult {
    let store = StateStore::new(Yielding(MemoryBackend::new()))?;
    for number in 0..300 {
        store.set(&line("a", "b", number)).await?;
    }
    let (mut scan, mut watch) = (store.scan::<Line>(), store.watch_all::<Line>());
    let mut found = Vec::new();
    timeout(PATIENCE, async {
        loop {
            match poll!(Box::pin(scan.next())) {
                Poll::Ready(Some(line)) => found.push(line?.line),
                Poll::Ready(None) => return Ok::<_, StateError>(()),
                Poll::Pending => yield_now().await,
            }
        }
    })
    .await??;
    found.sort_unstable();
    assert!(found.into_iter().eq(0..300), "the scan finds each once");
    let mut told = Vec::new();
    timeout(PATIENCE, async {
        while told.len() < 300 {
            match poll!(Box::pin(watch.next())) {
                Poll::Ready(Some(changed)) => told.push(changed?),
                Poll::Ready(None) => break,
                Poll::Pending => yield_now().await,
            }
        }
        Ok::<_, StateError>(())
    })
    .await??;
    let mut told: Vec<_> = told.into_iter().map(|changed| changed.key.line).collect();
    told.sort_unstable();
    assert!(told.into_iter().eq(0..300), "the watch tells each once");
    Ok(())
}
