//! The one encode and the one decode: every value on its way to and from a backend passes here.
//!
//! Write: garde rules, encode, size. Read: size, decode, version, join with the key, garde rules.
//! No error of this floor holds a piece of a value; see `report` and `trace`.

#[doc(hidden)]
pub mod codec;
mod envelope;
mod error;
mod fence;
mod names;
mod report;
mod trace;
mod watch;

use core::cell::Cell;

use bytes::Bytes;
use serde::Deserialize;

use self::{
    envelope::Envelope,
    names::Names,
    watch::{Noticed, Watched},
};
pub(crate) use self::{
    error::{DecodeFault, ValueError},
    fence::{is_removed, removed, stored_fence, with_fence},
};
pub use self::{
    error::{DecodeKind, EncodeKind, FieldPath},
    report::{Report, Violation},
};
use crate::{
    key::{Key, KeyReader, KeyWriter},
    schema::{Namespace, Shape, StateKey, TypedKey, UpgradeSource},
};

/// The largest buffer that a thread keeps between two encodings.
const SCRATCH_LIMIT: usize = 256 * 1024;

thread_local! {
    /// Encoding into a warm buffer and copying the result is faster than growing a new one.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Checks a value and gives its stored form.
pub(crate) fn encode<T: StateKey>(value: &T) -> Result<Bytes, ValueError> {
    value.check_rules().map_err(|report| Report::of(value, &report))?;
    let mut buffer = SCRATCH.take();
    buffer.clear();
    let encoded = encode_into(value, &mut buffer)
        .and_then(|()| check_size(&T::NAMESPACE, buffer.len()))
        .map(|()| Bytes::copy_from_slice(&buffer));
    if buffer.capacity() <= SCRATCH_LIMIT {
        SCRATCH.set(buffer);
    }
    encoded
}

fn encode_into<T: StateKey>(value: &T, buffer: &mut Vec<u8>) -> Result<(), ValueError> {
    let noticed = Noticed::default();
    let formatter = Watched::new(&noticed);
    let mut serializer = serde_json::Serializer::with_formatter(&mut *buffer, formatter);
    // The error may quote the value, so it is not kept.
    value.serialize_stored(&mut serializer).map_err(|_| {
        if noticed.too_deep.get() { EncodeKind::TooDeep } else { EncodeKind::Serialize }
    })?;
    // Only a value with a `null` is worth the second look: is it one that the value means?
    if noticed.null.get() && !Names::of(|names| value.serialize_stored(names)).finite {
        return Err(EncodeKind::NotFinite.into());
    }
    // A map could smuggle in a member that reading would take for the runtime's, or for that of a
    // field.
    if T::NAMESPACE.flattened || memchr::memchr(b'$', buffer).is_some() {
        envelope::check_members(buffer)?;
    }
    if T::NAMESPACE.version > 1 {
        stamp_version(T::NAMESPACE.version, buffer);
    }
    Ok(())
}

/// Puts `$v` in front of the members of an encoded object.
fn stamp_version(version: u32, object: &mut Vec<u8>) {
    let separator = if object.as_slice() == b"{}" { "" } else { "," };
    let member = format!("{{\"$v\":{version}{separator}");
    object.splice(..1, member.into_bytes());
}

/// Reads a stored value back, joins it with the fields of its key, and checks it.
pub(crate) fn decode<T: StateKey>(key: T::Key, bytes: &[u8]) -> Result<T, ValueError> {
    check_size(&T::NAMESPACE, bytes.len())?;
    let value: T = decode_unchecked(key, bytes)?;
    value.check_rules().map_err(|report| Report::of(&value, &report))?;
    Ok(value)
}

/// The version of a stored value, 1 where it carries none; `None` where it is no JSON.
pub(crate) fn stored_version(bytes: &[u8]) -> Option<u64> {
    envelope::probe_version(bytes)
}

fn check_size(namespace: &Namespace, size: usize) -> Result<(), ValueError> {
    let limit = namespace.max_size;
    if size > limit { Err(ValueError::TooLarge { size, limit }) } else { Ok(()) }
}

fn decode_unchecked<T: StateKey>(key: T::Key, bytes: &[u8]) -> Result<T, ValueError> {
    // Checking UTF-8 once and parsing text is faster than parsing bytes.
    let text = core::str::from_utf8(bytes).map_err(|_| DecodeFault::not_utf8())?;
    let supported = T::NAMESPACE.version;
    let parsed = parse::<T>(text);
    let found = match &parsed {
        Ok((_, found)) => *found,
        // Only a value that does not fit is worth a second look: it may be of another version.
        Err(_) => envelope::probe_version(bytes).unwrap_or(u64::from(supported)),
    };
    if found > u64::from(supported) {
        return Err(ValueError::Version { found, supported });
    }
    if found < u64::from(supported) {
        return T::upgrade(Older { key: &key, text });
    }
    match parsed {
        Ok((stored, _)) => Ok(T::from_stored(key, stored)),
        Err(error) => Err(trace::diagnose::<T>(text, &error).into()),
    }
}

/// Decodes the value fields and, on the way, the version.
fn parse<T: StateKey>(text: &str) -> serde_json::Result<(T::Stored, u64)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut version = 1;
    let stored = match T::NAMESPACE.shape {
        Shape::Object => T::Stored::deserialize(Envelope::new(&mut json, &mut version))?,
        Shape::Value => T::Stored::deserialize(&mut json)?,
    };
    json.end()?;
    // A map takes any member, those of an object that a newer program wrote among them.
    if T::NAMESPACE.shape == Shape::Value && text.contains(envelope::VERSION) {
        version = envelope::probe_version(text.as_bytes()).unwrap_or(version);
    }
    Ok((stored, version))
}

/// A stored value of an older version of the type whose key is `key`.
struct Older<'a, K> {
    key: &'a K,
    text: &'a str,
}

impl<K: TypedKey> UpgradeSource for Older<'_, K> {
    type Error = ValueError;

    fn read<Old: StateKey>(self) -> Result<Old, ValueError> {
        let mut writer = KeyWriter::new();
        self.key.write(&mut writer);
        let old_key = writer
            .finish()
            .map(Key::into_string)
            .and_then(|text| Old::Key::read(KeyReader::new(Old::NAMESPACE.format.as_str(), &text)));
        let old_key = old_key.map_err(|_| DecodeFault::upgrade())?;
        decode_unchecked(old_key, self.text.as_bytes())
    }

    fn unknown(self) -> ValueError {
        DecodeFault::upgrade().into()
    }

    fn refused() -> ValueError {
        DecodeFault::upgrade().into()
    }
}
