//! A store of each side on the same server.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use state_runtime::{
    backend::AnyBackend,
    backends::{
        NatsBackend, NatsConfig, RedisBackend, RedisConfig,
        nats::{KeyMapping, MissingBucket},
    },
    store::StateStore,
};
use tests::servers::{
    nats::{self, Version},
    purista::{Peer, is_left_out},
    redis::{self, Flavour},
};

/// The bucket that PURISTA's store makes if it is not told another name.
pub(crate) const BUCKET: &str = "purista-state-store";

pub(crate) struct Pair {
    pub(crate) ours: StateStore<AnyBackend>,
    /// One for all tests of a server: node takes longer to start than all of them to run.
    pub(crate) theirs: &'static Peer,
    /// Keys of tests that run at the same time are told apart by it.
    case: &'static str,
}

impl Pair {
    /// On Redis; `None` without node.
    pub(crate) async fn on_redis(case: &'static str) -> Option<Self> {
        static PEER: OnceLock<Option<Peer>> = OnceLock::new();
        if is_left_out() {
            return None;
        }
        let server = redis::Server::shared(Flavour::Redis7).await;
        let theirs = PEER.get_or_init(|| Peer::redis(&server.address())).as_ref()?;
        let backend = RedisBackend::connect(RedisConfig::new(server.address())).await.unwrap();
        let ours = StateStore::new(AnyBackend::new(backend)).unwrap();
        Some(Self { ours, theirs, case })
    }

    /// On NATS, in the bucket that PURISTA's store has made; `None` without node.
    pub(crate) async fn on_nats(case: &'static str) -> Option<Self> {
        static PEER: OnceLock<Option<Peer>> = OnceLock::new();
        if is_left_out() {
            return None;
        }
        let server = nats::Server::shared(Version::V2_11).await;
        let theirs = PEER.get_or_init(|| {
            let peer = Peer::nats(&server.address())?;
            // It makes its bucket when it is used for the first time.
            assert_eq!(peer.get("nothing"), Ok(None));
            Some(peer)
        });
        let theirs = theirs.as_ref()?;
        let config = NatsConfig::new(server.address())
            .with_bucket(BUCKET)
            .with_key_mapping(KeyMapping::Verbatim)
            .with_missing_bucket(MissingBucket::Refuse);
        let ours = StateStore::new(AnyBackend::new(NatsBackend::connect(config).await.unwrap()));
        Some(Self { ours: ours.unwrap(), theirs, case })
    }

    /// A name that no other test uses.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.case)
    }
}

/// Waits until `holds` says so; fails after longer than that can take.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds().await {
        assert!(Instant::now() < deadline, "it does not come to hold");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
