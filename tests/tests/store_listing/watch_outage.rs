//! A watch of all values goes on after an outage, and tells what happened meanwhile.

use std::time::Duration;

use futures_util::{StreamExt, future::Either, stream};
use state_runtime::{
    backend::{
        Backend, BackendError, Capabilities, Changes, Entry, ErrorKind, GetOptions, Page,
        RemoveOptions, Result, Revision, Scan, ScanRequest, SetOptions, Ttl, Watch, WatchRequest,
    },
    backends::{MemoryBackend, NatsBackend, NatsConfig, RedisBackend, RedisConfig},
    bytes::Bytes,
    key::Key,
    prelude::*,
    store::{Changed, WatchAll},
};
use tests::{
    proxy::Proxy,
    servers::{
        nats::{self, Version},
        redis::{Flavour, Server},
    },
};
use tokio::{sync::watch, time::timeout};

use crate::{
    TestResult,
    types::{Line, line},
};

/// Longer than anything takes on any machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A memory backend that can be cut off: then every call fails, and every watch is lost.
#[derive(Debug)]
struct Cut {
    inner: MemoryBackend,
    off: watch::Sender<bool>,
}

impl Cut {
    fn call(&self) -> Result<&MemoryBackend> {
        if *self.off.borrow() {
            return Err(BackendError::new(ErrorKind::Unavailable, "cut off"));
        }
        Ok(&self.inner)
    }
}

impl Backend for Cut {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.call()?.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.call()?.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.call()?.remove(key, options).await
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    async fn scan(&self, request: ScanRequest) -> Result<Page> {
        self.call()?.scan(request).await
    }
    async fn watch(&self, request: WatchRequest) -> Result<Changes> {
        let changes = self.call()?.watch(request).await?;
        let mut off = self.off.subscribe();
        let end = async move {
            // A sender that is gone is a backend that is.
            drop(off.wait_for(|off| *off).await);
        };
        let cut = stream::once(end).map(Either::Right);
        let either = stream::select(changes.map(Either::Left), cut);
        let until_cut = either.map(|it| match it {
            Either::Left(change) => Some(change),
            Either::Right(()) => None,
        });
        Ok(Box::pin(
            until_cut
                .take_while(|it| core::future::ready(it.is_some()))
                .filter_map(core::future::ready),
        ))
    }
}

impl Scan for Cut {}
impl Ttl for Cut {}
impl Watch for Cut {}

async fn next<B: Watch + Scan>(
    watch: &mut WatchAll<Line, B>,
) -> core::result::Result<(u32, Option<u8>), Box<dyn std::error::Error>> {
    let told = timeout(PATIENCE, watch.next()).await?;
    let Changed { key, value } = told.ok_or("the watch ended")??;
    Ok((key.line, value.map(|line| line.count)))
}

/// The next `N`, in the order of the lines.
async fn some<B: Watch + Scan, const N: usize>(
    watch: &mut WatchAll<Line, B>,
) -> core::result::Result<[(u32, Option<u8>); N], Box<dyn std::error::Error>> {
    let mut told = [(0, None); N];
    for slot in &mut told {
        *slot = next(watch).await?;
    }
    told.sort_unstable();
    Ok(told)
}

#[tokio::test(start_paused = true)]
async fn what_vanished_in_an_outage_is_told_as_removed() -> TestResult {
    let backend = Cut { inner: MemoryBackend::new(), off: watch::Sender::new(false) };
    let store = StateStore::new(backend)?;
    let behind = StateStore::new(store.backend().inner.clone())?;
    for number in 1..=3 {
        store.set(&line("a", "b", number)).await?;
    }
    let mut watch = store.watch_all::<Line>();
    assert_eq!(some(&mut watch).await?, [(1, Some(1)), (2, Some(1)), (3, Some(1))]);
    for round in 2..5 {
        store.backend().off.send_replace(true);
        behind.remove(Line::key("a", "b", 1)).await?;
        behind.set(&Line { count: round, ..line("a", "b", 2) }).await?;
        behind.set(&Line { count: round, ..line("a", "b", 4) }).await?;
        let silence = timeout(Duration::from_secs(60), watch.next()).await;
        assert!(silence.is_err(), "{silence:?}");
        store.backend().off.send_replace(false);
        assert_eq!(
            some(&mut watch).await?,
            [(1, None), (2, Some(round)), (4, Some(round))],
            "after outage {round}"
        );
        store.set(&line("a", "b", 1)).await?;
        assert_eq!(next(&mut watch).await?, (1, Some(1)));
    }
    Ok(())
}

/// The same over a connection to a server, while `behind` reaches it by another.
async fn survives<B: Watch + Scan + Ttl>(
    store: &StateStore<B>,
    behind: &StateStore<B>,
    proxy: &Proxy,
) -> TestResult {
    for number in 1..=2 {
        behind.set(&line("a", "b", number)).await?;
    }
    let mut watch = store.watch_all().within(Line::prefix("a"));
    assert_eq!(some(&mut watch).await?, [(1, Some(1)), (2, Some(1))]);
    proxy.refuse().await;
    behind.remove(Line::key("a", "b", 1)).await?;
    behind.set(&Line { count: 2, ..line("a", "b", 2) }).await?;
    proxy.accept().await;
    assert_eq!(some(&mut watch).await?, [(1, None), (2, Some(2))]);
    behind.set(&line("a", "b", 3)).await?;
    assert_eq!(next(&mut watch).await?, (3, Some(1)));
    Ok(())
}

#[tokio::test]
async fn it_goes_on_after_the_connection_to_redis_was_lost() -> TestResult {
    let server = Server::start(Flavour::Valkey9).await;
    let proxy = Proxy::start(server.address()).await;
    let store = StateStore::new(RedisBackend::connect(RedisConfig::new(proxy.address())).await?)?;
    let behind = StateStore::new(RedisBackend::connect(RedisConfig::new(server.address())).await?)?;
    survives(&store, &behind, &proxy).await
}

#[tokio::test]
async fn it_goes_on_after_the_connection_to_nats_was_lost() -> TestResult {
    let server = nats::Server::start(Version::V2_15).await;
    let proxy = Proxy::start(server.address()).await;
    let store = StateStore::new(NatsBackend::connect(NatsConfig::new(proxy.address())).await?)?;
    let behind = StateStore::new(NatsBackend::connect(NatsConfig::new(server.address())).await?)?;
    survives(&store, &behind, &proxy).await
}
