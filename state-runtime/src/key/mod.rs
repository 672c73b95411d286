//! Keys: how typed key fields become one flat string, and how that string is read back.
//!
//! This is the lowest floor. It knows nothing of values, backends or stores.
//!
//! A key is made of *literals*, which come from the key format of a type, and *segments*, which
//! come from its key fields. A segment writes `A-Z a-z 0-9 _ -` as they are and every other byte
//! of its UTF-8 form as `=XX` (upper-case hexadecimal). Literals hold delimiters; segments never
//! do. That makes the encoding injective: two different lists of fields never give the same key.

mod error;
mod escape;
mod part;
mod reader;
mod writer;

use core::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

pub use self::{
    error::{KeyError, PartError},
    part::{KeyPart, Segment},
    reader::KeyReader,
    writer::KeyWriter,
};

/// The longest key that is ever sent to a backend, in bytes, scope included.
pub const MAX_KEY_LEN: usize = 1024;

/// An encoded key: what a backend stores an entry under.
///
/// [`as_str`](Key::as_str) is the key itself. `Display` and `Debug` print it for people: from the
/// first segment that the type marks `#[state(secret)]` on, they print `***`. So a key may be
/// logged without a second thought.
///
/// ```
/// use state_runtime::key::KeyWriter;
///
/// let mut writer = KeyWriter::new();
/// writer.literal("reset:");
/// writer.secret("token", "hunter2");
/// let key = writer.finish()?;
/// assert_eq!(key.as_str(), "reset:hunter2");
/// assert_eq!(key.to_string(), "reset:***");
/// # Ok::<(), state_runtime::key::KeyError>(())
/// ```
/// Keys are compared, ordered and hashed by their text alone, as a `str` is.
#[derive(Clone)]
pub struct Key {
    text: String,
    /// How many leading bytes may be shown to people.
    public: usize,
}

impl Key {
    /// Takes a key as a backend holds it, for example one that a scan found.
    ///
    /// Nothing is known of its fields, so people are shown `***` in its place.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self { text: text.into(), public: 0 }
    }

    /// The same key of a format without secret fields: all of it may be shown.
    pub(crate) fn without_secrets(self) -> Self {
        Self { public: self.text.len(), ..self }
    }

    /// The encoded key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The encoded key, without copying it.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.text.hash(hasher);
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.text.get(..self.public).unwrap_or_default();
        f.write_str(shown)?;
        if shown.len() < self.text.len() { f.write_str("***") } else { Ok(()) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
