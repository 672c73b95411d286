//! What each operation does to the lifetime of an entry, on memory and file alike.

use std::{sync::Arc, time::Duration};

use state_runtime::{
    StateError,
    backend::{Batch, Cas, ManualClock, SetOptions, Ttl, TtlChange},
    backends::{FileBackend, MemoryBackend},
    key::Key,
    prelude::*,
    store::{Lifetime, TimeToLive},
};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "lease:{id}", ttl = "80s")]
#[garde(allow_unvalidated)]
struct Lease {
    id: u32,
    #[state(value)]
    holder: u32,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "session:{id}", ttl = "80s", sliding)]
#[garde(allow_unvalidated)]
struct Session {
    id: u32,
    user: String,
}

/// It counts, and lay under another key.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "quota:{id}", ttl = "80s", formerly = "limit:{id}")]
#[garde(allow_unvalidated)]
struct Quota {
    id: u32,
    #[state(value)]
    used: u32,
}

const LEASE: Lease = Lease { id: 1, holder: 7 };

struct Bench<B> {
    store: StateStore<B>,
    clock: Arc<ManualClock>,
}

/// What `ttl` answers where so many seconds are left.
#[expect(clippy::unnecessary_wraps, reason = "it is compared with what `ttl` answers")]
fn left(seconds: u64) -> Option<TimeToLive> {
    Some(TimeToLive::Left(Duration::from_secs(seconds)))
}

impl<B: Ttl + Cas + Batch> Bench<B> {
    fn new(backend: B, clock: Arc<ManualClock>) -> Self {
        Self { store: StateStore::new(backend).unwrap(), clock }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn ttl(&self) -> Option<TimeToLive> {
        self.store.ttl(Lease::key(1_u32)).await.unwrap()
    }

    /// The table of the documentation, row by row.
    async fn the_table_holds(&self) {
        let Self { store, .. } = self;
        let key = || Lease::key(1_u32);
        store.create(&LEASE).await.unwrap();
        assert_eq!(self.ttl().await, left(80), "create starts it");
        self.pass(10);
        store.get(key()).await.unwrap();
        store.get_versioned(key()).await.unwrap();
        assert_eq!(self.ttl().await, left(70), "a read leaves it");
        store.add(key(), 1).await.unwrap();
        assert_eq!(self.ttl().await, left(70), "add keeps it");
        store.set(&LEASE).await.unwrap();
        assert_eq!(self.ttl().await, left(80), "set starts it anew");
        self.pass(10);
        store.update(key(), |lease| lease.holder += 1).await.unwrap();
        assert_eq!(self.ttl().await, left(80), "update starts it anew");
        self.pass(10);
        let revision = store.get_versioned(key()).await.unwrap().unwrap().revision;
        store.replace(&LEASE, &revision).await.unwrap();
        assert_eq!(self.ttl().await, left(80), "replace starts it anew");
        self.pass(10);
        store.transaction().set(&LEASE).commit().await.unwrap();
        assert_eq!(self.ttl().await, left(80), "a transaction starts it anew");
        self.pass(10);
        assert!(store.touch(key()).await.unwrap());
        assert_eq!(self.ttl().await, left(80), "touch starts it anew");
        assert!(store.persist(key()).await.unwrap());
        assert_eq!(self.ttl().await, Some(TimeToLive::Forever), "persist ends it");
        store.add(key(), 1).await.unwrap();
        assert_eq!(self.ttl().await, Some(TimeToLive::Forever), "add keeps that, too");
        store.set(&LEASE).await.unwrap();
        assert_eq!(self.ttl().await, left(80), "a write gives back that of the type");
        self.pass(80);
        assert_eq!(store.get(key()).await.unwrap(), None, "it ends when it ends");
        assert!(!store.touch(key()).await.unwrap() && !store.persist(key()).await.unwrap());
    }

    async fn a_handle_overrides_what_the_type_says(&self) {
        let Self { store, .. } = self;
        let key = || Lease::key(1_u32);
        let longer = store.with_lifetime(Lifetime::For(Duration::from_secs(200)));
        longer.set(&LEASE).await.unwrap();
        assert_eq!(self.ttl().await, left(200));
        self.pass(50);
        let keeping = store.with_lifetime(Lifetime::Keep);
        keeping.set(&LEASE).await.unwrap();
        keeping.update(key(), |lease| lease.holder += 1).await.unwrap();
        keeping.transaction().set(&LEASE).commit().await.unwrap();
        assert_eq!(self.ttl().await, left(150));
        longer.touch(key()).await.unwrap();
        assert_eq!(self.ttl().await, left(200));
        store.with_lifetime(Lifetime::Forever).set(&LEASE).await.unwrap();
        assert_eq!(self.ttl().await, Some(TimeToLive::Forever));
        store.remove(key()).await.unwrap();
        longer.add(key(), 1).await.unwrap();
        assert_eq!(self.ttl().await, left(200), "a counter that is created");
        let endless = store.with_lifetime(Lifetime::For(Duration::MAX));
        let error = endless.set(&LEASE).await.unwrap_err();
        assert!(matches!(error, StateError::InvalidTtl { .. }), "{error:?}");
    }

    async fn a_read_renews_what_slides_when_an_eighth_is_over(&self) {
        let Self { store, .. } = self;
        let session = Session { id: 1, user: "ada".into() };
        let ttl = async || store.ttl(session.state_key()).await.unwrap();
        store.set(&session).await.unwrap();
        self.pass(10);
        store.get(session.state_key()).await.unwrap();
        assert_eq!(ttl().await, left(70), "seven eighths are left");
        self.pass(1);
        store.get(session.state_key()).await.unwrap();
        assert_eq!(ttl().await, left(80));
        self.pass(20);
        store.get_versioned(session.state_key()).await.unwrap();
        assert_eq!(ttl().await, left(80), "as every read does");
        self.pass(20);
        store.get_many((session.state_key(), Lease::key(9_u32))).await.unwrap();
        assert_eq!(ttl().await, left(80));
        store.persist(session.state_key()).await.unwrap();
        store.get(session.state_key()).await.unwrap();
        assert_eq!(ttl().await, Some(TimeToLive::Forever), "what never ends is not renewed");
    }

    async fn what_is_kept_moves_along_from_a_former_key(&self) {
        let Self { store, .. } = self;
        let former = Key::from_stored("limit:1");
        let plant = async || {
            store.remove(Quota::key(1_u32)).await.unwrap();
            let ttl = TtlChange::After(Duration::from_secs(60));
            let options = SetOptions { ttl, ..SetOptions::default() };
            store.backend().set(&former, "3".into(), options).await.unwrap();
        };
        let ttl = async || store.ttl(Quota::key(1_u32)).await.unwrap();
        let keeping = store.with_lifetime(Lifetime::Keep);
        plant().await;
        assert_eq!(store.add(Quota::key(1_u32), 1).await.unwrap(), 4);
        assert_eq!(ttl().await, left(60), "add keeps what was left under the former key");
        plant().await;
        keeping.update(Quota::key(1_u32), |quota| quota.used += 1).await.unwrap();
        assert_eq!(ttl().await, left(60));
        plant().await;
        keeping.set(&Quota { id: 1, used: 7 }).await.unwrap();
        assert_eq!(ttl().await, left(60));
        plant().await;
        keeping.transaction().set(&Quota { id: 1, used: 7 }).commit().await.unwrap();
        assert_eq!(ttl().await, left(60));
        plant().await;
        let revision = store.get_versioned(Quota::key(1_u32)).await.unwrap().unwrap().revision;
        keeping.replace(&Quota { id: 1, used: 7 }, &revision).await.unwrap();
        assert_eq!(ttl().await, left(60));
    }

    async fn everything_holds(&self) {
        self.what_is_kept_moves_along_from_a_former_key().await;
        self.the_table_holds().await;
        self.a_handle_overrides_what_the_type_says().await;
        self.a_read_renews_what_slides_when_an_eighth_is_over().await;
    }
}

#[tokio::test]
async fn lifetimes_in_memory() {
    let clock = Arc::new(ManualClock::default());
    let backend = MemoryBackend::builder().with_clock(Arc::clone(&clock)).build();
    Bench::new(backend, clock).everything_holds().await;
}

#[tokio::test]
async fn lifetimes_on_disk() {
    let clock = Arc::new(ManualClock::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let backend = FileBackend::builder(path).with_clock(Arc::clone(&clock)).open().await.unwrap();
    Bench::new(backend, clock).everything_holds().await;
}
