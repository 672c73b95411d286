//! Transactions: all writes or none.

use state_runtime::{StateError, prelude::*};

use crate::{plant, stored};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "{{shop}}:basket:{user}", ttl = "1d")]
#[garde(allow_unvalidated)]
struct Basket {
    user: String,
    items: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "{{shop}}:order:{id}", persistent)]
struct Order {
    #[garde(skip)]
    id: u32,
    #[garde(length(min = 1))]
    items: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "{{shop}}:guest:{id}", persistent, formerly = "{{shop}}:visitor:{id}")]
#[garde(allow_unvalidated)]
struct Guest {
    id: u32,
    name: String,
}

mod v1 {
    use state_runtime::prelude::*;

    #[derive(Debug, Clone, PartialEq, StateKey, Validate)]
    #[state(key = "{{shop}}:note:{id}", persistent, superseded)]
    #[garde(allow_unvalidated)]
    pub(crate) struct Note {
        pub(crate) id: u32,
    }
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "{{shop}}:note:{id}", persistent, version = 2, upgrade_from = v1::Note)]
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

fn basket(user: &str, items: &[&str]) -> Basket {
    Basket { user: user.into(), items: items.iter().map(ToString::to_string).collect() }
}

fn order(id: u32, items: &[&str]) -> Order {
    Order { id, items: items.iter().map(ToString::to_string).collect() }
}

pub(crate) async fn all(store: &StateStore) {
    writes_of_different_types_happen_together(store).await;
    a_condition_that_does_not_hold_stops_all_and_names_its_key(store).await;
    nothing_is_written_of_a_transaction_with_a_wrong_value(store).await;
    a_newer_version_is_not_overwritten(store).await;
    former_values_go_with_the_transaction(store).await;
}

async fn writes_of_different_types_happen_together(store: &StateStore) {
    store.set(&basket("ada", &["tea"])).await.unwrap();
    let guest = Guest { id: 1, name: "Ada".into() };
    let note = Note { id: 1, text: "thanks".into() };
    let transaction = store.transaction().create(&order(1, &["tea"])).remove(Basket::key("ada"));
    transaction.set(&guest).set(&note).commit().await.unwrap();
    assert_eq!(store.get(Order::key(1_u32)).await.unwrap(), Some(order(1, &["tea"])));
    assert_eq!(store.get(Basket::key("ada")).await.unwrap(), None);
    assert_eq!(store.get(Guest::key(1_u32)).await.unwrap(), Some(guest));
    assert_eq!(store.get(Note::key(1_u32)).await.unwrap(), Some(note));
}

async fn a_condition_that_does_not_hold_stops_all_and_names_its_key(store: &StateStore) {
    store.set(&order(2, &["tea"])).await.unwrap();
    let refused = store.transaction().set(&basket("bo", &["x"])).create(&order(2, &["y"]));
    let error = refused.commit().await.unwrap_err();
    assert!(
        matches!(&error, StateError::AlreadyExists { key, .. } if key.as_str() == "{shop}:order:2"),
        "{error:?}"
    );
    assert_eq!(store.get(Basket::key("bo")).await.unwrap(), None, "the other write happened");

    store.set(&basket("bo", &["a"])).await.unwrap();
    let read = store.get_versioned(Basket::key("bo")).await.unwrap().unwrap();
    store.set(&basket("bo", &["b"])).await.unwrap();
    let stale = store
        .transaction()
        .remove(Order::key(2_u32))
        .replace(&basket("bo", &["c"]), &read.revision);
    let error = stale.commit().await.unwrap_err();
    assert!(
        matches!(&error, StateError::Conflict { key, .. } if key.as_str() == "{shop}:basket:bo"),
        "{error:?}"
    );
    assert!(store.exists(Order::key(2_u32)).await.unwrap());
}

async fn nothing_is_written_of_a_transaction_with_a_wrong_value(store: &StateStore) {
    let invalid = store.transaction().set(&basket("cy", &[])).set(&order(3, &[]));
    let error = invalid.commit().await.unwrap_err();
    assert!(
        matches!(&error, StateError::Invalid { key, .. } if key.as_str() == "{shop}:order:3"),
        "{error:?}"
    );
    assert!(!store.exists(Basket::key("cy")).await.unwrap());
    store.transaction().commit().await.unwrap();
}

async fn a_newer_version_is_not_overwritten(store: &StateStore) {
    let newer = r#"{"$v":3,"text":"x"}"#;
    plant(store, "{shop}:note:2", newer).await;
    let note = Note { id: 2, text: "y".into() };
    let both = store.transaction().set(&basket("di", &[])).set(&note);
    let error = both.commit().await.unwrap_err();
    assert!(matches!(error, StateError::Version { .. }), "{error:?}");
    assert!(!store.exists(Basket::key("di")).await.unwrap());
    assert_eq!(stored(store, "{shop}:note:2").await.as_deref(), Some(newer));
}

async fn former_values_go_with_the_transaction(store: &StateStore) {
    const FORMER: &str = "{shop}:visitor:7";
    let plant = async || plant(store, FORMER, r#"{"name":"A"}"#).await;
    let guest = Guest { id: 7, name: "B".into() };

    plant().await;
    let error = store.transaction().create(&guest).commit().await.unwrap_err();
    assert!(
        matches!(&error, StateError::AlreadyExists { key, .. } if key.as_str() == "{shop}:guest:7"),
        "{error:?}"
    );
    store.transaction().set(&guest).commit().await.unwrap();
    assert_eq!(stored(store, FORMER).await, None);

    plant().await;
    store.transaction().remove(Guest::key(7_u32)).commit().await.unwrap();
    assert_eq!(stored(store, FORMER).await, None);
    assert_eq!(store.get(Guest::key(7_u32)).await.unwrap(), None);

    plant().await;
    let read = store.get_versioned(Guest::key(7_u32)).await.unwrap().unwrap();
    assert_eq!(read.name, "A");
    store.transaction().replace(&guest, &read.revision).commit().await.unwrap();
    assert_eq!(stored(store, FORMER).await, None);
    assert_eq!(store.get(Guest::key(7_u32)).await.unwrap(), Some(guest));
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "apart:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Apart {
    id: u32,
    text: String,
}

/// In a cluster: keys without a common hash tag lie on different servers.
pub(crate) async fn what_does_not_fit_one_slot_is_refused(store: &StateStore) {
    let apart = |id| Apart { id, text: String::new() };
    let items = [apart(1), apart(2), apart(3)];
    let mut all = store.transaction();
    for item in &items {
        all = all.set(item);
    }
    let error = all.commit().await.unwrap_err();
    assert!(matches!(error, StateError::Unsupported { .. }), "{error:?}");
    for item in &items {
        assert_eq!(store.get(Apart::key(item.id)).await.unwrap(), None);
    }
}
