//! What was written can be read back, and is then what was written; what cannot is not written.

use std::collections::BTreeMap;

use proptest::{num::f64::NORMAL, prelude::*};
use serde::{Deserialize, Serialize};
use state_runtime::{
    StateError,
    backend::{Backend, GetOptions},
    backends::MemoryBackend,
    error::EncodeKind,
    key::Key,
    prelude::*,
};

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "reading:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Reading {
    id: u32,
    celsius: f64,
    exact: Option<f32>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "labels:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Labels {
    id: u32,
    name: String,
    #[serde(flatten)]
    more: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "tally:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Tally {
    id: u32,
    #[state(value)]
    counts: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

impl Tree {
    /// A trunk of `depth` arrays.
    fn of_depth(depth: usize) -> Self {
        (1..depth).fold(Self(Vec::new()), |inner, _| Self(vec![inner]))
    }
}

#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "forest:{id}", persistent)]
#[garde(allow_unvalidated)]
struct Forest {
    id: u32,
    #[state(value)]
    tree: Tree,
}

fn store() -> StateStore<MemoryBackend> {
    StateStore::new(MemoryBackend::new()).unwrap()
}

#[track_caller]
fn refused(result: Result<(), StateError>) -> EncodeKind {
    match result {
        Err(StateError::Encode { kind, .. }) => kind,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn a_float_is_read_back_to_the_last_bit(celsius in NORMAL) {
        let stored = serde_json::to_vec(&BTreeMap::from([("celsius", celsius)])).unwrap();
        let reading = state_runtime::store::decode(Reading::key(1u32), &stored).unwrap();
        prop_assert_eq!(reading.celsius.to_bits(), celsius.to_bits());
    }
}

#[tokio::test]
async fn a_float_that_json_cannot_hold_is_not_written() {
    let store = store();
    let good = Reading { id: 1, celsius: 0.5, exact: None };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let written = store.set(&Reading { celsius: bad, ..good.clone() }).await;
        assert_eq!(refused(written), EncodeKind::NotFinite);
    }
    let written = store.set(&Reading { exact: Some(f32::NAN), ..good.clone() }).await;
    assert_eq!(refused(written), EncodeKind::NotFinite);
    assert!(!store.exists(Reading::key(1u32)).await.unwrap());
    store.set(&good).await.unwrap();
    assert_eq!(store.get(Reading::key(1u32)).await.unwrap(), Some(good));
}

#[tokio::test]
async fn a_value_is_written_as_deep_as_it_can_be_read() {
    let store = store();
    let deepest = Forest { id: 1, tree: Tree::of_depth(127) };
    store.set(&deepest).await.unwrap();
    assert_eq!(store.get(Forest::key(1u32)).await.unwrap().as_ref(), Some(&deepest));
    for depth in [128, 500] {
        let written = store.set(&Forest { tree: Tree::of_depth(depth), ..deepest.clone() }).await;
        assert_eq!(refused(written), EncodeKind::TooDeep);
    }
    assert_eq!(store.get(Forest::key(1u32)).await.unwrap(), Some(deepest));
}

#[tokio::test]
async fn a_flattened_map_cannot_bring_a_member_that_is_there_already() {
    let store = store();
    let labels = |name: &str| Labels {
        id: 1,
        name: "x".into(),
        more: BTreeMap::from([(name.to_owned(), "y".to_owned())]),
    };
    assert_eq!(refused(store.set(&labels("name")).await), EncodeKind::RepeatedMember);
    assert_eq!(refused(store.set(&labels("$v")).await), EncodeKind::ReservedMember);
    store.set(&labels("id")).await.unwrap();
    assert_eq!(store.get(Labels::key(1u32)).await.unwrap(), Some(labels("id")));
}

#[tokio::test]
async fn a_map_that_is_the_value_cannot_bring_a_reserved_member() {
    let store = store();
    let tally = |name: &str| Tally { id: 1, counts: BTreeMap::from([(name.to_owned(), 7)]) };
    assert_eq!(refused(store.set(&tally("$v")).await), EncodeKind::ReservedMember);
    store.set(&tally("v$")).await.unwrap();
    assert_eq!(store.get(Tally::key(1u32)).await.unwrap(), Some(tally("v$")));
    let stored =
        store.backend().get(&Key::from_stored("tally:1"), GetOptions::default()).await.unwrap();
    assert_eq!(stored.unwrap().value, r#"{"v$":7}"#);
}

#[test]
fn a_newer_object_is_not_read_as_a_map() {
    let error = state_runtime::store::decode(Tally::key(1u32), br#"{"$v":2,"a":1}"#).unwrap_err();
    assert!(matches!(error, StateError::Version { found: 2, .. }), "{error:?}");
}
