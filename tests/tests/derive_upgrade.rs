//! Upgrade chains: what the derive tells of them, and what an upgrade does.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::pedantic)]

use state_runtime::{
    prelude::*,
    schema::{UpgradeSource, Versioned, Writable},
};

#[derive(StateKey, Validate)]
#[state(key = "profile:{id}", persistent, superseded)]
#[garde(allow_unvalidated)]
struct ProfileV1 {
    id: u64,
    name: String,
}

#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "profile:{user}", persistent, version = 2, upgrade_from = ProfileV1)]
#[garde(allow_unvalidated)]
struct Profile {
    user: u64,
    first: String,
}

impl TryFrom<ProfileV1> for Profile {
    type Error = &'static str;

    fn try_from(old: ProfileV1) -> Result<Self, Self::Error> {
        let first = old.name.split(' ').next().filter(|first| !first.is_empty());
        Ok(Self { user: old.id, first: first.ok_or("no name")?.to_owned() })
    }
}

/// A stored first version.
struct Old(&'static str);

impl UpgradeSource for Old {
    type Error = &'static str;

    fn read<T: StateKey>(self) -> Result<T, Self::Error> {
        let stored = serde_json::from_str(self.0).map_err(|_| "not decoded")?;
        let key = "profile:7".parse().map_err(|_| "not a key")?;
        Ok(T::from_stored(key, stored))
    }
    fn unknown(self) -> Self::Error {
        "unknown"
    }
    fn refused() -> Self::Error {
        "refused"
    }
}

fn is_written<T: Writable>() {}
fn is_versioned<T: StateKey<Versioning = Versioned>>() {}

#[test]
fn the_namespace_tells_of_the_chain() {
    is_written::<Profile>();
    is_versioned::<Profile>();
    is_versioned::<ProfileV1>();
    let (old, new) = (ProfileV1::NAMESPACE, Profile::NAMESPACE);
    assert_eq!((old.version, new.version), (1, 2));
    assert_eq!((old.superseded, new.superseded), (true, false));
    assert_eq!(new.previous.map(|previous| previous.type_name), Some(old.type_name));
    assert!(!new.conflicts(&old));
}

#[test]
fn an_upgrade_goes_through_try_from() {
    let upgraded = Profile::upgrade(Old(r#"{ "name": "Ada Lovelace" }"#));
    assert_eq!(upgraded, Ok(Profile { user: 7, first: "Ada".into() }));
    assert_eq!(Profile::upgrade(Old(r#"{ "name": "" }"#)), Err("refused"));
    assert_eq!(Profile::upgrade(Old("{}")), Err("not decoded"));
    assert!(ProfileV1::upgrade(Old("{}")).is_err_and(|error| error == "unknown"));
}

/// The same for a type with a parameter.
#[derive(StateKey, Validate)]
#[state(key = "box:{id}", persistent, superseded)]
#[garde(allow_unvalidated)]
struct BoxedV1<T> {
    id: u64,
    inner: T,
}

#[derive(StateKey, Validate)]
#[state(key = "box:{id}", persistent, version = 2, upgrade_from = BoxedV1<T>)]
#[garde(allow_unvalidated)]
struct Boxed<T> {
    id: u64,
    inner: Vec<T>,
}

impl<T> From<BoxedV1<T>> for Boxed<T> {
    fn from(old: BoxedV1<T>) -> Self {
        Self { id: old.id, inner: vec![old.inner] }
    }
}

#[test]
fn a_generic_chain_is_checked_too() {
    let namespace = Boxed::<u8>::NAMESPACE;
    assert_eq!(namespace.version, 2);
    assert!(namespace.previous.is_some_and(|previous| previous.superseded));
    assert!(!Boxed::<u8>::NAMESPACE.conflicts(&BoxedV1::<u8>::NAMESPACE));
}
