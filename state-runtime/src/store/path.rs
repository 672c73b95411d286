//! The read path and the write path, one function each: every operation goes through them.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::StateStore;
use crate::{
    backend::{Backend, GetOptions, TtlChange, Want},
    error::{InvalidKey, Phase, Result, StateError},
    key::{Key, KeyReader, KeyWriter},
    schema::{StateKey, TypedKey, Writable},
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
    /// key rules → encoded key
    pub(super) fn encode_key<K: TypedKey>(&self, key: &K) -> Result<Key> {
        let encoded = self.finish_key(|writer| key.write(writer))?;
        match key.check() {
            Ok(()) => Ok(encoded),
            Err(report) => {
                let rules = InvalidKey::Rules(Report::of_key::<K>(&report));
                Err(StateError::invalid_key(encoded, rules))
            }
        }
    }

    /// key → garde on the whole value → encode → size
    pub(super) fn write<T: Writable>(&self, value: &T) -> Result<(Key, Bytes)> {
        let key = self.finish_key(|writer| value.write_key(writer))?;
        match value::encode(value) {
            Ok(bytes) => Ok((key, bytes)),
            Err(error) => Err(StateError::of_value(&key, Phase::Write, error)),
        }
    }

    /// What every key of `T` in this store starts with.
    pub(super) fn prefix<T: StateKey>(&self) -> String {
        let scope = self.scope.as_ref().map_or("", |scope| &scope.0);
        [scope, T::NAMESPACE.format.prefix()].concat()
    }

    /// The typed form of an encoded key of this store; `None` if it is a key of another type.
    pub(super) fn typed_key<T: StateKey>(&self, encoded: &Key) -> Option<T::Key> {
        let text = match &self.scope {
            None => encoded.as_str(),
            Some(scope) => encoded.as_str().strip_prefix(&*scope.0)?,
        };
        T::Key::read(KeyReader::new(T::NAMESPACE.format.as_str(), text)).ok()
    }

    fn finish_key(&self, write: impl FnOnce(&mut KeyWriter)) -> Result<Key> {
        let mut writer = KeyWriter::new();
        if let Some(scope) = &self.scope {
            writer.literal(&scope.0);
        }
        write(&mut writer);
        finish(writer)
    }
}

/// size → decode → version → join with the key's fields → garde
pub(super) fn read<K: TypedKey>(key: K, encoded: &Key, bytes: &[u8]) -> Result<K::Value> {
    value::decode::<K::Value>(key, bytes)
        .map_err(|error| StateError::of_value(encoded, Phase::Read, error))
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

/// What writing a value of `T` does to its expiry.
pub(super) const fn ttl_change<T: StateKey>() -> TtlChange {
    match T::NAMESPACE.ttl {
        Some(ttl) => TtlChange::After(ttl),
        None => TtlChange::Clear,
    }
}
