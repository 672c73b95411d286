//! `formerly`: values under the key format of former days are found, and move when written.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use state_runtime::{
    StateError,
    backend::{
        Backend, Capabilities, Cas, Entry, Expiry, GetOptions, RemoveOptions, Result, Revision,
        SetOptions, Ttl, TtlChange,
    },
    backends::MemoryBackend,
    bytes::Bytes,
    key::Key,
    prelude::*,
};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "member:{org}:{id}", persistent, formerly = "user:{id}.{org}")]
struct Member {
    #[garde(skip)]
    org: String,
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    name: String,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "lease:{id}", ttl = "1m", formerly = "lease-of:{id}")]
struct Lease {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    holder: String,
}

/// A memory backend in which another program moves lease 1 to its present key after so many calls.
#[derive(Debug)]
struct Moving {
    inner: MemoryBackend,
    calls_left: AtomicUsize,
}

impl Moving {
    fn after(calls: usize) -> Self {
        Self { inner: MemoryBackend::new(), calls_left: AtomicUsize::new(calls) }
    }

    async fn plant(&self, key: &str, value: &str) {
        let options =
            SetOptions { ttl: TtlChange::After(Duration::from_secs(60)), ..SetOptions::default() };
        let value = value.to_owned().into();
        self.inner.set(&Key::from_stored(key), value, options).await.unwrap();
    }

    fn moved(&self) -> bool {
        self.calls_left.load(SeqCst) == usize::MAX
    }

    /// The backend for one more call.
    async fn call(&self) -> &MemoryBackend {
        match self.calls_left.load(SeqCst) {
            usize::MAX => {}
            0 => {
                self.calls_left.store(usize::MAX, SeqCst);
                let former = Key::from_stored("lease-of:1");
                self.inner.remove(&former, RemoveOptions::default()).await.unwrap();
                self.plant("lease:1", r#"{"holder":"ada"}"#).await;
            }
            left => self.calls_left.store(left - 1, SeqCst),
        }
        &self.inner
    }
}

impl Backend for Moving {
    async fn get(&self, key: &Key, options: GetOptions) -> Result<Option<Entry>> {
        self.call().await.get(key, options).await
    }
    async fn set(&self, key: &Key, value: Bytes, options: SetOptions) -> Result<Option<Revision>> {
        self.call().await.set(key, value, options).await
    }
    async fn remove(&self, key: &Key, options: RemoveOptions) -> Result<()> {
        self.call().await.remove(key, options).await
    }
    async fn exists(&self, key: &Key) -> Result<bool> {
        self.call().await.exists(key).await
    }
    async fn expiry(&self, key: &Key) -> Result<Option<Expiry>> {
        self.call().await.expiry(key).await
    }
    async fn touch(&self, key: &Key, ttl: TtlChange) -> Result<bool> {
        self.call().await.touch(key, ttl).await
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

impl Cas for Moving {}
impl Ttl for Moving {}

fn member(id: u32, name: &str) -> Member {
    Member { org: "acme".into(), id, name: name.into() }
}

fn key(id: u32) -> MemberKey {
    Member::key("acme", id)
}

/// A store in which another version of the program wrote members 1 and 2.
async fn store() -> StateStore<MemoryBackend> {
    let store = StateStore::new(MemoryBackend::new()).unwrap();
    for (id, name) in [(1, "Ada"), (2, "Grace")] {
        let former = Key::from_stored(format!("user:{id}.acme"));
        let value = format!(r#"{{"name":"{name}"}}"#).into();
        store.backend().set(&former, value, SetOptions::default()).await.unwrap();
    }
    store
}

async fn raw(store: &StateStore<MemoryBackend>, key: &str) -> Option<String> {
    let entry =
        store.backend().get(&Key::from_stored(key), GetOptions::default()).await.unwrap()?;
    Some(String::from_utf8(entry.value.to_vec()).unwrap())
}

async fn names(store: &StateStore<MemoryBackend>) -> Vec<String> {
    let mut names = Vec::new();
    let mut scan = store.scan::<Member>();
    while let Some(member) = scan.next().await {
        names.push(member.unwrap().name);
    }
    names.sort();
    names
}

#[tokio::test]
async fn every_read_finds_a_value_under_its_former_key() {
    let store = store().await;
    assert_eq!(store.get(key(1)).await.unwrap(), Some(member(1, "Ada")));
    assert_eq!(store.get(key(3)).await.unwrap(), None);
    let (one, three) = store.get_many((key(1), key(3))).await.unwrap();
    assert_eq!((one, three), (Some(member(1, "Ada")), None));
    let all = store.get_all([key(2), key(3)]).await.unwrap();
    assert_eq!(all, [Some(member(2, "Grace")), None]);
    assert!(store.exists(key(1)).await.unwrap());
    assert!(store.ttl(key(1)).await.unwrap().is_some());
    assert_eq!(names(&store).await, ["Ada", "Grace"]);
    assert_eq!(raw(&store, "user:1.acme").await.as_deref(), Some(r#"{"name":"Ada"}"#));
}

#[tokio::test]
async fn writing_moves_a_value_to_its_present_key() {
    let store = store().await;
    store.set(&member(1, "Ada L.")).await.unwrap();
    assert_eq!(raw(&store, "member:acme:1").await.as_deref(), Some(r#"{"name":"Ada L."}"#));
    assert_eq!(raw(&store, "user:1.acme").await, None);
    assert_eq!(names(&store).await, ["Ada L.", "Grace"]);
    store.set_all(&[member(1, "Ada"), member(2, "Grace H.")]).await.unwrap();
    assert_eq!(raw(&store, "user:2.acme").await, None);
    assert_eq!(names(&store).await, ["Ada", "Grace H."]);
}

#[tokio::test]
async fn the_present_value_hides_a_former_one() {
    let store = store().await;
    let present = Key::from_stored("member:acme:1");
    let value = r#"{"name":"new"}"#.into();
    store.backend().set(&present, value, SetOptions::default()).await.unwrap();
    assert_eq!(store.get(key(1)).await.unwrap(), Some(member(1, "new")));
    assert_eq!(names(&store).await, ["Grace", "new"]);
}

#[tokio::test]
async fn create_remove_and_take_see_former_values() {
    let store = store().await;
    let error = store.create(&member(1, "x")).await.unwrap_err();
    assert!(matches!(error, StateError::AlreadyExists { .. }), "{error:?}");
    assert_eq!(raw(&store, "member:acme:1").await, None);
    store.remove(key(1)).await.unwrap();
    assert!(!store.exists(key(1)).await.unwrap());
    store.create(&member(1, "x")).await.unwrap();
    assert_eq!(store.take(key(2)).await.unwrap(), Some(member(2, "Grace")));
    assert_eq!(store.take(key(2)).await.unwrap(), None);
    assert_eq!(names(&store).await, ["x"]);
}

#[tokio::test]
async fn what_was_taken_leaves_no_older_value_behind() {
    let store = store().await;
    let present = Key::from_stored("member:acme:1");
    let value = r#"{"name":"new"}"#.into();
    store.backend().set(&present, value, SetOptions::default()).await.unwrap();
    assert_eq!(store.take(key(1)).await.unwrap(), Some(member(1, "new")));
    assert_eq!(store.get(key(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_value_that_is_moved_meanwhile_is_not_missed() {
    // The calls to the backend: the present key, and then, before the former one, the move.
    for operation in ["get", "take", "exists", "ttl", "touch"] {
        let backend = Arc::new(Moving::after(1));
        let store = StateStore::new(Arc::clone(&backend)).unwrap();
        let lease = Lease { id: 1, holder: "ada".into() };
        backend.plant("lease-of:1", r#"{"holder":"ada"}"#).await;
        let key = Lease::key(1u32);
        let found = match operation {
            "get" => store.get(key).await.unwrap() == Some(lease),
            "take" => store.take(key).await.unwrap() == Some(lease),
            "exists" => store.exists(key).await.unwrap(),
            "ttl" => store.ttl(key).await.unwrap().is_some(),
            _ => store.touch(key).await.unwrap(),
        };
        assert!(found, "{operation}");
        assert!(backend.moved(), "{operation} asked for nothing but the present key");
    }
}

#[tokio::test]
async fn an_invalid_former_value_is_an_error_that_names_its_key() {
    let store = store().await;
    let former = Key::from_stored("user:1.acme");
    store.backend().set(&former, "nonsense".into(), SetOptions::default()).await.unwrap();
    let error = store.get(key(1)).await.unwrap_err();
    assert!(error.to_string().contains("`user:1.acme`"), "{error}");
}
