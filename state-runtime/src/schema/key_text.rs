//! `Debug`, `Display` and `FromStr` of generated key types.

use core::fmt;

use super::{StateKey, TypedKey};
use crate::key::{KeyError, KeyReader, KeyWriter};

/// Prints the fields of a key.
///
/// # Errors
///
/// Those of `f`.
pub fn debug(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    fields: &[(&str, &dyn fmt::Debug)],
) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (name, field) in fields {
        shown.field(name, field);
    }
    shown.finish()
}

/// Stands for a field that is marked `#[state(secret)]`.
pub struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Prints the encoded key.
///
/// A key that cannot be encoded is printed as far as it goes, followed by `…`, which no key holds:
/// what is printed is never another key.
///
/// # Errors
///
/// Those of `f`.
pub fn print<K: TypedKey>(key: &K, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut writer = KeyWriter::new();
    key.write(&mut writer);
    match writer.finish_or_partial() {
        Ok(encoded) => f.write_str(encoded.as_str()),
        Err((_, partial)) => write!(f, "{}…", partial.as_str()),
    }
}

/// Reads an encoded key.
///
/// # Errors
///
/// [`KeyError`] for every text that is not a key of the format in its canonical form.
pub fn parse<K: TypedKey>(text: &str) -> Result<K, KeyError> {
    K::read(KeyReader::new(K::Value::NAMESPACE.format.as_str(), text))
}
