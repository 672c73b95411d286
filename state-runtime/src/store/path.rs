//! The read path and the write path, one function each: every operation goes through them.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::StateStore;
use crate::{
    backend::{Backend, GetOptions, Want},
    error::{InvalidKey, Phase, Result, StateError},
    key::{Key, KeyReader, KeyWriter},
    schema::{KeyFormat, Prefix, StateKey, TypedKey},
    value::{self, Report},
};

/// The start of all keys of a scope: `/name/`, the name as one escaped segment.
#[derive(Clone)]
pub(super) struct Scope(Arc<str>);

impl Scope {
    pub(super) fn new(outer: Option<&Self>, name: &str) -> Result<Self> {
        let mut writer = KeyWriter::new();
        writer.literal("/");
        writer.part("scope", name);
        writer.literal("/");
        let prefix = finish(writer)?;
        match outer {
            None => Ok(Self(prefix.into_string().into())),
            Some(_) => Err(StateError::invalid_key(prefix, InvalidKey::NestedScope)),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<B: Backend> StateStore<B> {
    /// scope → key rules → encoded key
    pub(crate) fn encode_key<K: TypedKey>(&self, key: &K) -> Result<Key> {
        encode(key, self.key_writer())
    }

    /// key → garde on the whole value → encode → size
    pub(super) fn write<T: StateKey>(&self, value: &T) -> Result<(Key, Bytes)> {
        let mut writer = self.key_writer();
        value.write_key(&mut writer);
        let key = finish(writer)?;
        match value::encode(value) {
            Ok(bytes) => Ok((key, bytes)),
            Err(error) => Err(StateError::of_value(&key, Phase::Write, error)),
        }
    }

    /// What every key of a format of `T` in this store starts with, or those of `prefix` do.
    pub(super) fn prefix<T: StateKey>(
        &self,
        format: KeyFormat,
        prefix: Option<&Prefix<T>>,
    ) -> Result<String> {
        let mut writer = self.key_writer();
        match prefix {
            None => writer.literal(format.prefix()),
            Some(prefix) => prefix.write(format, &mut writer),
        }
        finish(writer).map(Key::into_string)
    }

    /// The encoded form of a key that was found as `stored`, whether it meets its rules or not. The
    /// typed key knows which of its fields are secret; what comes from the backend does not.
    pub(super) fn encoded_of<K: TypedKey>(&self, key: &K, stored: &Key) -> Key {
        let mut writer = self.key_writer();
        key.write(&mut writer);
        writer.finish().unwrap_or_else(|_| stored.clone())
    }

    /// The typed form of an encoded key of this store; `None` if it is a key of another type.
    pub(super) fn typed_key<T: StateKey>(&self, encoded: &Key) -> Option<T::Key> {
        let text = self.unscoped(encoded)?;
        T::Key::read(KeyReader::new(T::NAMESPACE.format.as_str(), text)).ok()
    }

    /// An encoded key without the scope of this store; `None` if it is of another scope.
    pub(super) fn unscoped<'k>(&self, encoded: &'k Key) -> Option<&'k str> {
        match &self.scope {
            None => Some(encoded.as_str()),
            Some(scope) => encoded.as_str().strip_prefix(&*scope.0),
        }
    }

    /// A writer of a key of this store.
    pub(super) fn key_writer(&self) -> KeyWriter {
        let mut writer = KeyWriter::new();
        if let Some(scope) = &self.scope {
            writer.literal(&scope.0);
        }
        writer
    }
}

/// Reads a value that does not come out of a store: from an import, a message or a fixture.
///
/// The steps are those of [`StateStore::get`], so what this gives is as good as what was stored: it
/// fits its type, is of a version that the program knows, and is valid by its rules.
///
/// ```
/// use state_runtime::{StateError, prelude::*, store::decode};
///
/// #[derive(Debug, PartialEq, StateKey, Validate)]
/// #[state(key = "film:{title}", persistent)]
/// struct Film {
///     #[garde(length(min = 1))]
///     title: String,
///     #[garde(range(min = 1888))]
///     year: u16,
/// }
///
/// let film = decode(Film::key("Metropolis"), br#"{"year":1927}"#)?;
/// assert_eq!(film, Film { title: "Metropolis".into(), year: 1927 });
///
/// let error = decode(Film::key("Metropolis"), br#"{"year":"1927"}"#).unwrap_err();
/// assert!(matches!(error, StateError::Decode { path, .. } if path.as_str() == "year"));
/// # Ok::<(), StateError>(())
/// ```
///
/// # Errors
///
/// Those of [`StateStore::get`] that are about the key and the value.
pub fn decode<K: TypedKey>(key: K, json: &[u8]) -> Result<K::Value> {
    let encoded = encode(&key, KeyWriter::new())?;
    read(key, &encoded, json)?.ok_or_else(|| StateError::NotFound { key: Box::new(encoded) })
}

/// key rules → encoded key
fn encode<K: TypedKey>(key: &K, mut writer: KeyWriter) -> Result<Key> {
    key.write(&mut writer);
    let encoded = finish(writer)?;
    match key.check() {
        Ok(()) => Ok(encoded),
        Err(report) => {
            let rules = InvalidKey::Rules(Report::of_key::<K>(&report));
            Err(StateError::invalid_key(encoded, rules))
        }
    }
}

/// size → decode → version → join with the key's fields → garde
///
/// `None` for what is left of a fenced value that was removed.
pub(super) fn read<K: TypedKey>(key: K, encoded: &Key, bytes: &[u8]) -> Result<Option<K::Value>> {
    if is_mark::<K::Value>(bytes) {
        return Ok(None);
    }
    value::decode::<K::Value>(key, bytes)
        .map(Some)
        .map_err(|error| StateError::of_value(encoded, Phase::Read, error))
}

/// Whether `bytes` are what is left of a fenced value that was removed.
pub(super) fn is_mark<T: StateKey>(bytes: &[u8]) -> bool {
    T::NAMESPACE.fenced && value::is_removed(bytes)
}

fn finish(writer: KeyWriter) -> Result<Key> {
    writer
        .finish_or_partial()
        .map_err(|(error, partial)| StateError::invalid_key(partial, InvalidKey::Encoding(error)))
}

/// How to read values of `T`.
pub(super) const fn get_options<T: StateKey>() -> GetOptions {
    let namespace = T::NAMESPACE;
    GetOptions { renew: if namespace.sliding { namespace.ttl } else { None }, want: Want::VALUE }
}
