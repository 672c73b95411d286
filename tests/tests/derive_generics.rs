//! State types with type and const parameters.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::pedantic)]

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use state_runtime::{key::KeyPart, prelude::*, register};

/// A cache whose bounds are on the struct.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "cache:{id}", ttl = "5m")]
pub struct Cache<T: Serialize + DeserializeOwned + Send + Sync + 'static> {
    #[garde(skip)]
    id: u64,
    #[garde(skip)]
    entry: T,
}

register!(Cache<String>);

/// A cache without bounds.
#[derive(Debug, Clone, PartialEq, StateKey, Validate)]
#[state(key = "free:{id}/{page}", persistent, key_type = Place, key_fn = place)]
#[garde(allow_unvalidated)]
pub struct Free<K, T = String, const N: usize = 2> {
    /// Any key part.
    pub id: K,
    /// A number.
    pub page: u8,
    /// Any list.
    #[serde(default)]
    pub entries: Vec<T>,
    /// Counted by `N`.
    pub sums: [u32; 2],
    /// Names a parameter and needs nothing of it.
    pub marker: PhantomData<T>,
}

/// A parameter that only a `where` clause and a projection name.
#[derive(Debug, StateKey, Validate)]
#[state(key = "item:{id}", persistent)]
#[garde(allow_unvalidated)]
pub struct Item<I>
where
    I: Iterator + Send + Sync + 'static,
    I::Item: Send + Sync,
{
    id: String,
    first: Option<I::Item>,
}

/// Bounds that the user writes.
#[derive(Debug, StateKey, Validate)]
#[state(key = "bounded:{id}", persistent)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: serde::Deserialize<'de>"))]
#[garde(allow_unvalidated)]
pub struct Bounded<T> {
    id: String,
    value: T,
}

fn round_trip<T: StateKey>(value: &T) -> T {
    let json = value.serialize_stored(serde_json::value::Serializer).expect("plain data");
    let stored = serde_json::from_value(json).expect("what was written");
    let key = value.state_key().to_string().parse().expect("what was printed");
    T::from_stored(key, stored)
}

#[test]
fn a_generic_type_round_trips() {
    let value = Cache { id: 1, entry: String::from("x") };
    assert_eq!(round_trip(&value), value);
    assert_eq!(Cache::<String>::key(1).to_string(), "cache:1");

    let value: Free<String, u8, 3> =
        Free { id: "a".into(), page: 2, entries: vec![1], sums: [1, 2], marker: PhantomData };
    assert_eq!(round_trip(&value), value);
    let place: Place<String, u8, 3> = Free::place(String::from("a"), 2);
    assert_eq!(value.state_key(), place);
    assert_eq!(place.to_string(), "free:a/2");

    let item: Item<std::ops::Range<u8>> = Item { id: "a".into(), first: Some(3) };
    assert_eq!(round_trip(&item).first, Some(3));

    let bounded = Bounded { id: "a".into(), value: vec![1_u8] };
    assert_eq!(round_trip(&bounded).value, [1]);
}

/// Works for every instance, with no bound that the struct does not need.
fn instance<K>(id: K) -> Place<K, String>
where
    K: KeyPart + Clone + Send + Sync + 'static,
{
    Free::<K>::place(id, 1)
}

#[test]
fn generic_code_needs_the_bounds_of_the_fields_alone() {
    assert_eq!(instance(5_u32).id, 5);
    assert_eq!(
        <Free<u8> as StateKey>::NAMESPACE.fields,
        ["id", "page", "entries", "sums", "marker"]
    );
    assert!(<Free<u8> as StateKey>::NAMESPACE.type_name.ends_with("derive_generics::Free"));
}

#[test]
fn definitions_and_instances_are_registered() {
    let names: Vec<_> =
        state_runtime::schema::registered().map(state_runtime::schema::Instance::name).collect();
    for name in ["derive_generics::Cache", "derive_generics::Free", "Cache<alloc::string::String>"]
    {
        assert!(names.iter().any(|known| known.ends_with(name)), "{name} in {names:?}");
    }
}
