//! Transactions, and writes in place of exactly the value that was read.

use std::sync::Arc;

use state_runtime::{
    StateError,
    backend::{Backend, GetOptions, Revision, SetOptions},
    backends::MemoryBackend,
    key::Key,
    prelude::*,
    store::Access,
};
use tests::fakes::Counting;

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "cart:{user}", ttl = "1d")]
struct Cart {
    #[garde(length(min = 1))]
    user: String,
    #[garde(length(max = 3))]
    items: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "order:{id}", persistent)]
struct Order {
    #[garde(skip)]
    id: u32,
    #[garde(length(min = 1))]
    items: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "member:{id}", persistent, formerly = "user:{id}")]
struct Member {
    #[garde(skip)]
    id: u32,
    #[garde(skip)]
    name: String,
}

mod v1 {
    use state_runtime::prelude::*;

    #[derive(Debug, Clone, PartialEq, StateKey, Validate)]
    #[state(key = "note:{id}", persistent, superseded)]
    #[garde(allow_unvalidated)]
    pub(crate) struct Note {
        pub(crate) id: u32,
    }
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "note:{id}", persistent, version = 2, upgrade_from = v1::Note)]
#[garde(allow_unvalidated)]
struct Note {
    id: u32,
    text: String,
}

impl From<v1::Note> for Note {
    fn from(old: v1::Note) -> Self {
        Self { id: old.id, text: String::new() }
    }
}

fn cart(items: &[&str]) -> Cart {
    Cart { user: "ada".into(), items: items.iter().map(ToString::to_string).collect() }
}

fn order(items: &[&str]) -> Order {
    Order { id: 1, items: items.iter().map(ToString::to_string).collect() }
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

#[tokio::test]
async fn writes_of_different_types_happen_together() {
    let store = store();
    store.set(&cart(&["tea"])).await.unwrap();
    let member = Member { id: 7, name: "Ada".into() };
    let note = Note { id: 1, text: "thanks".into() };
    let transaction = store.transaction().create(&order(&["tea"])).remove(Cart::key("ada"));
    transaction.set(&member).set(&note).commit().await.unwrap();
    assert_eq!(store.get(Order::key(1_u32)).await.unwrap(), Some(order(&["tea"])));
    assert_eq!(store.get(Cart::key("ada")).await.unwrap(), None);
    assert_eq!(store.get(Member::key(7_u32)).await.unwrap(), Some(member));
    assert_eq!(store.get(Note::key(1_u32)).await.unwrap(), Some(note));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_stops_all_and_names_its_key() {
    let store = store();
    store.set(&order(&["tea"])).await.unwrap();
    let error = store.transaction().set(&cart(&["x"])).create(&order(&["y"])).commit().await;
    assert!(
        matches!(&error, Err(StateError::AlreadyExists { key, .. }) if key.as_str() == "order:1"),
        "{error:?}"
    );
    assert_eq!(store.get(Cart::key("ada")).await.unwrap(), None, "the other write happened");

    store.set(&cart(&["a"])).await.unwrap();
    let read = store.get_versioned(Cart::key("ada")).await.unwrap().unwrap();
    store.set(&cart(&["b"])).await.unwrap();
    let stale =
        store.transaction().remove(Order::key(1_u32)).replace(&cart(&["c"]), &read.revision);
    let error = stale.commit().await;
    assert!(
        matches!(&error, Err(StateError::Conflict { key, .. }) if key.as_str() == "cart:ada"),
        "{error:?}"
    );
    assert!(store.exists(Order::key(1_u32)).await.unwrap());
}

#[tokio::test]
async fn nothing_is_sent_of_a_transaction_with_a_wrong_value() {
    let backend = Arc::new(Counting::default());
    let store = StateStore::new(Arc::clone(&backend)).unwrap();
    let invalid = store.transaction().set(&cart(&[])).set(&order(&[])).set(&cart(&["later"]));
    let error = invalid.commit().await.unwrap_err();
    assert!(matches!(&error, StateError::Invalid { key, .. } if key.as_str() == "order:1"));
    let error = store.transaction().set(&cart(&[])).remove(Cart::key("ada")).commit().await;
    assert!(matches!(error, Err(StateError::InvalidKey { .. })), "twice: {error:?}");
    let error = store.transaction().remove(Cart::key("")).commit().await;
    assert!(matches!(error, Err(StateError::InvalidKey { .. })), "{error:?}");
    store.transaction().commit().await.unwrap();
    assert_eq!(backend.calls(), 0);
    store.transaction().set(&cart(&[])).create(&order(&["a"])).commit().await.unwrap();
    assert_eq!(backend.calls(), 1, "a transaction is one call");
}

#[tokio::test]
async fn a_transaction_needs_the_right_for_each_of_its_writes() {
    let store = store();
    let writer = store.restricted(Access::WRITE);
    writer.transaction().set(&cart(&[])).commit().await.unwrap();
    let denied = writer.transaction().set(&cart(&[])).remove(Order::key(1_u32)).commit().await;
    assert!(matches!(denied, Err(StateError::Denied { .. })), "{denied:?}");
    let denied = store.restricted(Access::REMOVE).transaction().set(&cart(&[])).commit().await;
    assert!(matches!(denied, Err(StateError::Denied { .. })), "{denied:?}");
}

#[tokio::test]
async fn a_newer_version_is_not_overwritten_in_a_transaction() {
    let store = store();
    let newer = r#"{"$v":3,"text":"x"}"#;
    let key = Key::from_stored("note:1");
    store.backend().set(&key, newer.into(), SetOptions::default()).await.unwrap();
    let note = Note { id: 1, text: "y".into() };
    let error = store.transaction().set(&cart(&[])).set(&note).commit().await.unwrap_err();
    assert!(matches!(error, StateError::Version { .. }), "{error:?}");
    assert!(!store.exists(Cart::key("ada")).await.unwrap());
}

#[tokio::test]
async fn former_values_go_with_the_transaction() {
    let store = store();
    let former = Key::from_stored("user:7");
    let plant = || store.backend().set(&former, r#"{"name":"A"}"#.into(), SetOptions::default());
    let is_left =
        async || store.backend().get(&former, GetOptions::default()).await.unwrap().is_some();
    let member = Member { id: 7, name: "B".into() };

    plant().await.unwrap();
    let error = store.transaction().create(&member).commit().await.unwrap_err();
    assert!(
        matches!(&error, StateError::AlreadyExists { key, .. } if key.as_str() == "member:7"),
        "{error:?}"
    );
    store.transaction().set(&member).commit().await.unwrap();
    assert!(!is_left().await);

    plant().await.unwrap();
    store.transaction().remove(Member::key(7_u32)).commit().await.unwrap();
    assert!(!is_left().await);
    assert_eq!(store.get(Member::key(7_u32)).await.unwrap(), None);

    plant().await.unwrap();
    let read = store.get_versioned(Member::key(7_u32)).await.unwrap().unwrap();
    assert_eq!(read.name, "A");
    store.transaction().replace(&member, &read.revision).commit().await.unwrap();
    assert!(!is_left().await);
    assert_eq!(store.get(Member::key(7_u32)).await.unwrap(), Some(member));
}

#[tokio::test]
async fn a_replacement_takes_the_place_of_what_was_read_only() {
    let store = store();
    assert_eq!(store.get_versioned(Cart::key("ada")).await.unwrap(), None);
    store.set(&cart(&["a"])).await.unwrap();
    let read = store.get_versioned(Cart::key("ada")).await.unwrap().unwrap();
    assert_eq!(read.value, cart(&["a"]));
    // The revision travels as text, through a form or a header.
    let travelled: Revision = read.revision.to_string().parse().unwrap();
    let next = store.replace(&cart(&["b"]), &travelled).await.unwrap();
    let error = store.replace(&cart(&["c"]), &travelled).await.unwrap_err();
    assert!(matches!(error, StateError::Conflict { .. }), "{error:?}");
    store.replace(&cart(&["d"]), &next).await.unwrap();
    store.remove(Cart::key("ada")).await.unwrap();
    let error = store.replace(&cart(&["e"]), &next).await.unwrap_err();
    assert!(matches!(error, StateError::Conflict { .. }), "{error:?}");
    assert_eq!(store.get(Cart::key("ada")).await.unwrap(), None);
}

#[tokio::test]
async fn a_replacement_finds_what_lies_under_the_former_key() {
    let store = store();
    let former = Key::from_stored("user:7");
    store.backend().set(&former, r#"{"name":"A"}"#.into(), SetOptions::default()).await.unwrap();
    let read = store.get_versioned(Member::key(7_u32)).await.unwrap().unwrap();
    let member = Member { id: 7, name: "B".into() };
    let next = store.replace(&member, &read.revision).await.unwrap();
    assert!(store.backend().get(&former, GetOptions::default()).await.unwrap().is_none());
    let again = store.get_versioned(Member::key(7_u32)).await.unwrap().unwrap();
    assert_eq!((again.value, again.revision), (member, next));
}

#[tokio::test]
async fn the_debug_form_of_a_transaction_hides_values() {
    let store = store();
    let shown = format!("{:?}", store.transaction().set(&cart(&["canary"])));
    assert!(shown.contains("cart:ada") && !shown.contains("canary"), "{shown}");
}
