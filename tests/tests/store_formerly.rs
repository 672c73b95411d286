//! `formerly`: values under the key format of former days are found, and move when written.

use state_runtime::{
    StateError,
    backend::{Backend, GetOptions, SetOptions},
    backends::MemoryBackend,
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
async fn an_invalid_former_value_is_an_error_that_names_its_key() {
    let store = store().await;
    let former = Key::from_stored("user:1.acme");
    store.backend().set(&former, "nonsense".into(), SetOptions::default()).await.unwrap();
    let error = store.get(key(1)).await.unwrap_err();
    assert!(error.to_string().contains("`user:1.acme`"), "{error}");
}
