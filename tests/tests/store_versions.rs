//! Versions: what another version of the program wrote is upgraded or left alone, never misread.

use std::sync::Arc;

use state_runtime::{
    StateError,
    backend::{Backend, GetOptions, SetOptions},
    backends::MemoryBackend,
    key::Key,
    prelude::*,
};
use tests::fakes::Counting;

mod v1 {
    use state_runtime::prelude::*;

    #[derive(Debug, Clone, PartialEq, StateKey, Validate)]
    #[state(key = "profile:{id}", persistent, superseded)]
    pub(crate) struct Profile {
        #[garde(skip)]
        pub(crate) id: u32,
        #[garde(skip)]
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, PartialEq, StateKey, Validate)]
    #[state(key = "folk:{id}", persistent, superseded)]
    pub(crate) struct Person {
        #[garde(skip)]
        pub(crate) id: u32,
        #[garde(skip)]
        pub(crate) name: String,
    }
}

/// A version that came with another key.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(
    key = "person:{id}",
    formerly = "folk:{id}",
    persistent,
    version = 2,
    upgrade_from = v1::Person
)]
struct Person {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    full_name: String,
}

impl From<v1::Person> for Person {
    fn from(old: v1::Person) -> Self {
        Self { id: old.id, full_name: old.name }
    }
}

/// The name in two parts. `nick` is optional, so a value of version 1 would decode.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "profile:{id}", persistent, version = 2, upgrade_from = v1::Profile)]
struct Profile {
    #[garde(skip)]
    id: u32,
    #[garde(length(min = 1))]
    first: String,
    #[garde(length(min = 1))]
    last: String,
}

impl TryFrom<v1::Profile> for Profile {
    type Error = String;

    fn try_from(old: v1::Profile) -> Result<Self, String> {
        let (first, last) = old.name.split_once(' ').ok_or(old.name.clone())?;
        Ok(Self { id: old.id, first: first.into(), last: last.into() })
    }
}

/// A type of today that knows nothing of versions.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "plain:{id}", persistent)]
#[serde(deny_unknown_fields)]
struct Plain {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    text: String,
}

fn ada() -> Profile {
    Profile { id: 1, first: "Ada".into(), last: "Lovelace".into() }
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

async fn plant<B: Backend>(store: &StateStore<B>, key: &str, value: &str) {
    let value = value.to_owned().into();
    store.backend().set(&Key::from_stored(key), value, SetOptions::default()).await.unwrap();
}

async fn raw<B: Backend>(store: &StateStore<B>, key: &str) -> String {
    let entry = store.backend().get(&Key::from_stored(key), GetOptions::default()).await.unwrap();
    String::from_utf8(entry.unwrap().value.to_vec()).unwrap()
}

#[tokio::test]
async fn a_versioned_value_carries_its_version() {
    let store = store();
    store.set(&ada()).await.unwrap();
    assert_eq!(raw(&store, "profile:1").await, r#"{"$v":2,"first":"Ada","last":"Lovelace"}"#);
    assert_eq!(store.get(Profile::key(1)).await.unwrap(), Some(ada()));
}

#[tokio::test]
async fn a_value_of_the_older_version_is_upgraded() {
    let store = store();
    plant(&store, "profile:1", r#"{"name":"Ada Lovelace"}"#).await;
    assert_eq!(store.get(Profile::key(1)).await.unwrap(), Some(ada()));
    plant(&store, "profile:1", r#"{"name":"Ada Lovelace","$v":1}"#).await;
    assert_eq!(store.get(Profile::key(1)).await.unwrap(), Some(ada()));
    // The old type still reads what it wrote.
    let old = store.get(v1::Profile::key(1)).await.unwrap().unwrap();
    assert_eq!(old.name, "Ada Lovelace");
}

#[tokio::test]
async fn an_older_value_that_happens_to_fit_is_upgraded_all_the_same() {
    let store = store();
    plant(&store, "profile:1", r#"{"name":"Ada Lovelace","first":"Eve","last":"Nobody"}"#).await;
    assert_eq!(store.get(Profile::key(1)).await.unwrap(), Some(ada()));
}

#[tokio::test]
async fn an_upgrade_that_fails_is_a_decode_error() {
    let store = store();
    plant(&store, "profile:1", r#"{"name":"Ada"}"#).await;
    let error = store.get(Profile::key(1)).await.unwrap_err();
    assert!(matches!(error, StateError::Decode { .. }), "{error:?}");
    assert!(error.to_string().contains("could not be upgraded"), "{error}");
    assert!(!format!("{error:?}").contains("Ada"), "{error:?}");
}

#[tokio::test]
async fn the_rules_hold_for_an_upgraded_value() {
    let store = store();
    plant(&store, "profile:1", r#"{"name":" Lovelace"}"#).await;
    let error = store.get(Profile::key(1)).await.unwrap_err();
    assert!(matches!(error, StateError::Invalid { .. }), "{error:?}");
}

#[tokio::test]
async fn a_newer_value_is_neither_read_nor_overwritten() {
    let store = store();
    let newer = r#"{"$v":3,"first":"Ada","last":"Lovelace"}"#;
    let stranger = r#"{"$v":3,"names":["Ada"]}"#;
    for stored in [newer, stranger] {
        plant(&store, "profile:1", stored).await;
        for error in [
            store.get(Profile::key(1)).await.unwrap_err(),
            store.set(&ada()).await.unwrap_err(),
            store.set_all(&[ada()]).await.unwrap_err(),
        ] {
            assert!(
                matches!(error, StateError::Version { found: 3, supported: 2, .. }),
                "{error:?}"
            );
        }
        assert_eq!(raw(&store, "profile:1").await, stored);
    }
}

#[tokio::test]
async fn a_newer_value_under_the_former_key_is_not_removed() {
    let store = store();
    let person = Person { id: 1, full_name: "Ada Lovelace".into() };
    let newer = r#"{"$v":3,"names":["Ada"]}"#;
    plant(&store, "folk:1", newer).await;
    for error in
        [store.set(&person).await.unwrap_err(), store.set_all([&person]).await.unwrap_err()]
    {
        assert!(matches!(error, StateError::Version { found: 3, .. }), "{error:?}");
    }
    assert_eq!(raw(&store, "folk:1").await, newer);
    plant(&store, "folk:1", r#"{"name":"Ada"}"#).await;
    store.set_all([&person]).await.unwrap();
    assert_eq!(store.get(Person::key(1)).await.unwrap(), Some(person));
}

#[tokio::test]
async fn a_write_of_a_versioned_type_survives_a_race() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    let writers: Vec<_> = (0..16)
        .map(|i| {
            tokio::spawn({
                let store = store.clone();
                async move { store.set(&Profile { first: format!("Ada{i}"), ..ada() }).await }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert!(store.get(Profile::key(1)).await.unwrap().unwrap().first.starts_with("Ada"));
}

#[tokio::test]
async fn a_type_without_a_version_never_misreads_data_of_tomorrow() {
    let store = store();
    plant(&store, "plain:1", r#"{"text":"x","$v":2}"#).await;
    let error = store.get(Plain::key(1)).await.unwrap_err();
    assert!(matches!(error, StateError::Version { found: 2, supported: 1, .. }), "{error:?}");
    // Other members of the runtime are not the type's business, whatever it denies.
    plant(&store, "plain:1", r#"{"$fence":7,"text":"x","$v":1}"#).await;
    assert_eq!(store.get(Plain::key(1)).await.unwrap().unwrap().text, "x");
}

#[tokio::test]
async fn a_version_that_is_no_number_is_a_decode_error() {
    let store = store();
    for version in [r#""2""#, "-1", "null", "1.5", "[]"] {
        plant(&store, "plain:1", &format!(r#"{{"text":"x","$v":{version}}}"#)).await;
        let error = store.get(Plain::key(1)).await.unwrap_err();
        assert!(matches!(error, StateError::Decode { .. }), "{version}: {error:?}");
    }
}
