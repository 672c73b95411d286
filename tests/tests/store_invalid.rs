//! `on_invalid`: what a read does with a stored value that is not valid.

use state_runtime::{
    StateError,
    backend::{Backend, GetOptions, SetOptions},
    backends::MemoryBackend,
    key::Key,
    prelude::*,
    store::Access,
};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "cache:{id}", persistent, on_invalid = "discard")]
struct Cached {
    #[garde(skip)]
    id: u32,
    #[garde(range(max = 9))]
    n: u32,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "order:{id}", persistent, on_invalid = "quarantine")]
struct Order {
    #[garde(skip)]
    id: u32,
    #[garde(range(max = 9))]
    n: u32,
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

async fn plant(store: &StateStore<MemoryBackend>, key: &str, value: &str) {
    let value = value.to_owned().into();
    store.backend().set(&Key::from_stored(key), value, SetOptions::default()).await.unwrap();
}

async fn raw(store: &StateStore<MemoryBackend>, key: &str) -> Option<String> {
    let entry =
        store.backend().get(&Key::from_stored(key), GetOptions::default()).await.unwrap()?;
    Some(String::from_utf8(entry.value.to_vec()).unwrap())
}

#[tokio::test]
async fn an_invalid_value_is_discarded_and_the_read_finds_nothing() {
    let store = store();
    for invalid in ["nonsense", r#"{"n":10}"#, r#"{"m":1}"#] {
        plant(&store, "cache:1", invalid).await;
        assert_eq!(store.get(Cached::key(1)).await.unwrap(), None, "{invalid}");
        assert_eq!(raw(&store, "cache:1").await, None, "{invalid}");
    }
}

#[tokio::test]
async fn an_invalid_value_is_moved_to_quarantine() {
    let store = store();
    plant(&store, "order:1", r#"{"n":10}"#).await;
    let (one, two) = store.get_many((Order::key(1), Order::key(2))).await.unwrap();
    assert_eq!((one, two), (None, None));
    assert_eq!(raw(&store, "order:1").await, None);
    assert_eq!(raw(&store, "=invalid:order:1").await.as_deref(), Some(r#"{"n":10}"#));
}

#[tokio::test]
async fn where_quarantine_has_no_room_the_read_says_what_is_invalid() {
    let store = StateStore::new(MemoryBackend::builder().with_max_entries(1).build()).unwrap();
    plant(&store, "order:1", r#"{"n":10}"#).await;
    let error = store.get(Order::key(1)).await.unwrap_err();
    assert!(matches!(error, StateError::Invalid { .. }), "{error:?}");
    assert_eq!(raw(&store, "order:1").await.as_deref(), Some(r#"{"n":10}"#));
}

#[tokio::test]
async fn a_scan_sets_aside_what_is_invalid() {
    let store = store();
    store.set(&Cached { id: 1, n: 1 }).await.unwrap();
    plant(&store, "cache:2", "nonsense").await;
    let mut scan = store.scan::<Cached>();
    assert_eq!(scan.next().await.unwrap().unwrap().id, 1);
    assert!(scan.next().await.is_none());
    assert_eq!(raw(&store, "cache:2").await, None);
}

#[tokio::test]
async fn a_newer_version_and_a_large_value_are_never_set_aside() {
    let store = store();
    plant(&store, "cache:1", r#"{"n":1,"$v":2}"#).await;
    assert!(matches!(store.get(Cached::key(1)).await, Err(StateError::Version { .. })));
    plant(&store, "cache:2", &format!(r#"{{"n":1}}{}"#, " ".repeat(70_000))).await;
    assert!(matches!(store.get(Cached::key(2)).await, Err(StateError::TooLarge { .. })));
    assert!(raw(&store, "cache:1").await.is_some() && raw(&store, "cache:2").await.is_some());
}

#[tokio::test]
async fn without_the_right_to_remove_the_read_is_an_error() {
    let store = store();
    plant(&store, "cache:1", "nonsense").await;
    let reader = store.restricted(Access::READ);
    assert!(matches!(reader.get(Cached::key(1)).await, Err(StateError::Decode { .. })));
    assert!(raw(&store, "cache:1").await.is_some());
    // Quarantine is a write, too.
    plant(&store, "order:1", "nonsense").await;
    let consumer = store.restricted(Access::READ.with(Access::REMOVE));
    assert!(matches!(consumer.get(Order::key(1)).await, Err(StateError::Decode { .. })));
    assert!(raw(&store, "order:1").await.is_some());
}
