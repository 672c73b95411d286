//! What a transaction sends, needs and shows, and a replacement under a former key; `typed` has the rest.

use std::sync::Arc;

use state_runtime::{
    StateError,
    backend::{Backend, GetOptions, SetOptions},
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
